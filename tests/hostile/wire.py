# SPDX-License-Identifier: ISC
"""tests/hostile/wire.py: a host made of this program, on a wire with the host that is looked at.

Gives: Host, that host: an image of unix-tap, or Linux with an image on its sockets; Peer, which
sends it frames and reads its own, and answers for its neighbours' addresses; Connection, a client
of TCP that does what it is told.

Method: nothing is waited for that does not come. A host handles frames in order, so once it has
answered two pings, one after the other, it has answered all that came before.
"""

import os
import pathlib
import select
import socket
import struct
import time

import campaign  # finds tests/image
import harness
import network
import packets
from network import HOST4, HOST6, IMAGE4, IMAGE6
from packets import IPV4, IPV6, TCP, Packet

MAC = "02:00:00:00:00:66"
PORT = 80
FILES = {"index.html": b"home", "large.bin": harness.noise(400_000, "oracle")}
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LARGE_REQUEST = b"GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n"
FRAME_BYTES = 1514
NEIGHBOURS6 = ("fd09::", "fe80::6")  # how the addresses of a Peer begin
WAIT_S = campaign.SERVED_WITHIN_S


# The host that is looked at -------------------------------------------------------------------

# What Linux says seldom is said always, so that each check sees it; and it looks at sources, as
# systemd has it.
SETTINGS = {"ipv4/conf/all/rp_filter": 2, "ipv4/icmp_ratelimit": 0, "ipv6/icmp/ratelimit": 0,
            "ipv4/tcp_invalid_ratelimit": 0, "ipv4/tcp_syncookies": 0,
            "ipv4/tcp_no_metrics_save": 1,
            "ipv4/icmp_msgs_per_sec": 1000000, "ipv4/icmp_msgs_burst": 1000000}


def image_of(target: str) -> pathlib.Path:
    return harness.built_once(f"hostile-plain.{target}", target,
                              lambda folder: harness.write_tree(folder, FILES))


class Host:
    """In a network namespace of its own, which this process enters. `has_neighbour`: Linux is on
    the image's network, too, with HOST4 and HOST6."""

    def __init__(self, target: str, *keys, has_neighbour: bool = False):
        network.need_taps()
        self.target = target
        image = image_of("unix" if target == "linux" else target)
        network.enter_namespace()
        if target == "linux":
            self._socket, self._tap = None, network.open_tap("tap0")
            for name, value in SETTINGS.items():
                path = pathlib.Path("/proc/sys/net", name)
                if path.exists():
                    path.write_text(str(value))
            harness.must("ip", "link", "set", "tap0", "up")
            harness.must("ip", "addr", "add", f"{IMAGE4}/24", "brd", "+", "dev", "tap0")
            harness.must("ip", "-6", "addr", "add", f"{IMAGE6}/64", "dev", "tap0", "nodad")
            self.server = harness.Server(image, "--address=::", *keys, http_port=PORT)
        else:
            tap = network.open_tap("tap0")
            if has_neighbour:
                pathlib.Path("/proc/sys/net/ipv6/conf/tap0/accept_ra").write_text("0")
                harness.must("ip", "addr", "add", f"{HOST4}/24", "dev", "tap0")
                harness.must("ip", "-6", "addr", "add", f"{HOST6}/64", "dev", "tap0", "nodad")
            else:
                pathlib.Path("/proc/sys/net/ipv6/conf/tap0/disable_ipv6").write_text("1")
            harness.must("ip", "link", "set", "tap0", "up")
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self._socket.bind(("tap0", 0))
            self.server = harness.Server(image, f"--tap=fd:{tap}", *(keys or network.STATIC),
                                         http_port=PORT, pass_fds=[tap])
            os.close(tap)
            self._tap = self._socket.fileno()
        self.server.target = target

    def __enter__(self) -> "Host":
        return self

    def __exit__(self, *error) -> None:
        try:
            self.server.__exit__(*error)
        finally:
            if self._socket is not None:
                self._socket.close()
            else:
                os.close(self._tap)

    def send(self, frame: bytes) -> None:
        """Up to the largest frame of the wire; what is longer is cut."""
        os.write(self._tap, frame[:FRAME_BYTES])

    def receive(self, within_s: float) -> tuple[bytes | None, bool]:
        """A frame, if it is the host's and not the neighbour's, and whether there was one."""
        ready, _, _ = select.select([self._tap], [], [], within_s)
        if not ready:
            return None, False
        if self._socket is None:
            return os.read(self._tap, 65536), True
        frame, address = self._socket.recvfrom(65536)
        return (None if address[2] == socket.PACKET_OUTGOING else frame), True


# A neighbour ----------------------------------------------------------------------------------

class Peer:
    """Has every address of its two networks but the host's own and `others`, with one MAC; speaks
    for itself from `addresses`."""

    def __init__(self, host: Host, addresses=(HOST4, HOST6), others=(), waits: bool = True):
        self.host, self.mac = host, ""
        self.addresses, self.others = addresses, {IMAGE4, IMAGE6, "0.0.0.0", *others}
        self.came: list[Packet] = []
        self._ping = self._port = 0
        self.frames = 0  # that came, each with the right checksums
        if waits:
            self.learn_mac()
            self.settle(IMAGE6)  # once the host is sure of its address

    def learn_mac(self) -> None:
        until = time.monotonic() + WAIT_S
        while not self.mac and time.monotonic() < until:
            self.send(packets.BROADCAST, packets.ARP,
                      packets.arp(1, (MAC, self.addresses[0]), (packets.BROADCAST, IMAGE4)))
            if found := self.wait(lambda one: one.kind == packets.ARP and one.frame[21] == 2, 0.2):
                self.mac = found.mac_src
        if not self.mac:
            raise AssertionError(f"the host does not answer ARP: {self.host.server.err()}")

    def send(self, mac: str, kind: int, payload: bytes) -> None:
        self.host.send(packets.ethernet(MAC, mac, kind, payload))

    def send_ip(self, datagram: bytes, mac: str = "") -> None:
        self.send(mac or self.mac, IPV4 if datagram[0] >> 4 == 4 else IPV6, datagram)

    def poll(self, within_s: float) -> bool:
        """Keeps what comes next, and answers what neighbours answer. False: nothing came."""
        frame, is_there = self.host.receive(within_s)
        if frame is None:
            return is_there
        found = packets.read(frame)
        self.frames += 1
        self.mac = self.mac or found.mac_src
        if found.kind == packets.ARP and frame[21] == 1:
            asked = socket.inet_ntoa(frame[38:42])
            if asked not in self.others:
                self.send(found.mac_src, packets.ARP, packets.arp(
                    2, (MAC, asked), (found.mac_src, socket.inet_ntoa(frame[28:32]))))
        elif found.type == 135 and found.kind == IPV6:
            asked = socket.inet_ntop(socket.AF_INET6, found.rest[4:20])
            if asked not in self.others and asked.startswith(NEIGHBOURS6) and found.src != "::":
                self.send_ip(self.advertisement(asked, found.src))
        elif found.type not in (133, 134, 143):  # routers and groups are not this one's business
            self.came.append(found)
        return True

    @staticmethod
    def advertisement(address: str, to: str, flags: int = 0x60, mac: str = MAC) -> bytes:
        rest = bytes([flags, 0, 0, 0]) + packets.packed(address) + b"\2\1" + packets.mac_bytes(mac)
        return packets.ipv6(address, to, packets.ICMPV6,
                            packets.icmp(address, to, 136, 0, rest), hops=255)

    def wait(self, is_it, within_s: float = WAIT_S) -> Packet | None:
        """The first packet for which `is_it`, taken out of those that came."""
        until = time.monotonic() + within_s
        while True:
            for found in self.came:
                if is_it(found):
                    self.came.remove(found)
                    return found
            left = until - time.monotonic()
            if left <= 0:
                return None
            self.poll(left)

    def settle(self, address: str = IMAGE4) -> list[Packet]:
        """What the host answered to all that was sent so far."""
        for _ in range(2):
            self.ping(address)
        came, self.came = self.came, []
        return came

    def ping(self, address: str, within_s: float = WAIT_S) -> None:
        """Waits for the answer; asks again each second."""
        src = self.addresses[packets.is_ipv6(address)]
        request, reply = packets.echo_kinds(address)
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            self._ping = (self._ping + 1) & 0xffff
            rest = struct.pack("!HH", 0x6666, self._ping)
            self.send_ip(packets.ip(src, address, packets.icmp_protocol(address),
                                    packets.icmp(src, address, request, 0, rest)))
            if self.wait(lambda one, rest=rest: one.type == reply and one.rest == rest, 1.0):
                return
        raise AssertionError(f"{address} answers no ping in {within_s:g} s")

    def new_port(self) -> int:
        self._port += 1
        return 20000 + self._port


class Connection:
    """A client's end. Numbers: `nxt` is what it sends next, `rcv` what it has not acknowledged."""

    def __init__(self, peer: Peer, src: str = HOST4, port: int | None = None,
                 options: bytes = packets.mss(1460), isn: int = 1_000_000, window: int = 65535,
                 opens: bool = True, scale: int = 0):
        self.peer, self.src = peer, src
        self.dst = IMAGE6 if packets.is_ipv6(src) else IMAGE4
        self.port = port or peer.new_port()
        self.isn, self.nxt, self.rcv = isn, isn, 0
        self.window, self.iss, self.options, self.scale = window, 0, options, scale
        if opens:
            self.open()

    def open(self) -> None:
        self.send("S", options=self.options, ack=0)
        answer = self.wait(lambda one: one.flags == "SA")
        if not answer:
            raise AssertionError("no answer to a SYN")
        self.take(answer)
        self.send("A")

    def take(self, answer: Packet) -> None:
        """The server's SYN."""
        self.iss, self.rcv, self.nxt = answer.seq, answer.seq + 1 & 0xffffffff, self.isn + 1

    def segment(self, flags: str, data: bytes = b"", seq: int | None = None,
                ack: int | None = None, **fields) -> bytes:
        fields.setdefault("window", self.window)
        return packets.tcp(self.src, self.dst, (self.port, PORT),
                           self.nxt if seq is None else seq, self.rcv if ack is None else ack,
                           flags, data, **fields)

    def send(self, flags: str, data: bytes = b"", **fields) -> None:
        self.peer.send_ip(packets.ip(self.src, self.dst, TCP, self.segment(flags, data, **fields)))

    def write(self, data: bytes, flags: str = "PA", **fields) -> None:
        self.send(flags, data, **fields)
        self.nxt += len(data) + ("F" in flags)

    def is_ours(self, found: Packet) -> bool:
        return found.protocol == TCP and found.ports == (PORT, self.port) and \
            found.dst == self.src

    def wait(self, is_it, within_s: float = WAIT_S) -> Packet | None:
        return self.peer.wait(lambda one: self.is_ours(one) and is_it(one), within_s)

    def answers(self) -> list[Packet]:
        """To what was sent so far."""
        return [one for one in self.peer.settle(self.dst) if self.is_ours(one)]

    def said(self) -> str:
        """The same in words."""
        return "; ".join(self.words(one) for one in self.answers()) or "nothing"

    def words(self, found: Packet) -> str:
        """What a segment says; numbers are counted from where both ends are."""
        names = {"F": "FIN", "S": "SYN", "R": "RST", "P": "PSH", "A": "ACK", "E": "ECE"}
        flags = found.flags.replace("P", "") if found.data else found.flags
        text = "+".join(names.get(letter, letter) for letter in flags)
        if "R" in flags and "A" not in flags:
            return f"{text} at {'SEG.ACK' if found.seq == self.rcv else 'another number'}"
        ahead = (found.ack - self.nxt + 0x80000000 & 0xffffffff) - 0x80000000
        text += f" of {ahead:+}" if ahead else ""
        text += " at SEG.ACK" if "R" in flags and found.seq == self.rcv else ""
        if found.data:
            text += f", {len(found.data)} bytes"
        sacked = found.option(5)
        if sacked:
            edges = struct.unpack(f"!{len(sacked) // 4}I", sacked)
            text += ", SACK " + " ".join(str(edge - self.nxt) for edge in edges)
        return text

    def is_served(self) -> str:
        """Whether it still works: it asks for a page."""
        self.write(REQUEST)
        answer = self.wait(lambda one: one.data or "R" in one.flags, 3.0)
        if answer is None:
            return "silent"
        if not answer.data:
            return "gone"
        self.rcv = answer.seq + len(answer.data)
        lives = answer.data.startswith(b"HTTP/1.1 200")
        return "lives" if lives else f"answers {answer.data[9:12].decode()}"

    def catch_up(self) -> None:
        """Acknowledges all that is on its way."""
        for one in self.answers():
            self.rcv = max(self.rcv, one.seq + len(one.data))
        self.send("A")

    def collect(self, size: int, acknowledges: bool = True, within_s: float = WAIT_S) -> list:
        """Segments with data, until `size` bytes have come in order."""
        found, end = [], self.rcv + size
        until = time.monotonic() + within_s
        while self.rcv < end and time.monotonic() < until:
            one = self.wait(lambda each: bool(each.data), until - time.monotonic())
            if one is None:
                break
            found.append(one)
            if one.seq == self.rcv:
                self.rcv += len(one.data)
            if acknowledges:
                self.send("A")
        return found

    def reset(self) -> None:
        self.send("R", ack=0)
