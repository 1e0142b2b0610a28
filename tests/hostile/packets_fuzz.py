#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Hostile packets on the wire of an image of unix-tap, with an honest client beside.

    python3 tests/hostile/packets_fuzz.py --target static --seconds 3600 --seed 7

Method: a neighbour has live connections over IPv4 and IPv6, in every state that a client can bring
about. Their segments are changed (numbers, flags, options, lengths, checksums), cut into fragments
that overlap or never end, and quoted in ICMP errors; between them come ARP, neighbour discovery,
router advertisements, answers of DHCP, and noise. The honest client is Linux, on the same network;
only its addresses are left alone: a neighbour on any link could take them. `automatic` is an image
with DHCP and SLAAC, asked at its link-local address. Takes root, and what scripts/test builds.
"""

import contextlib
import pathlib
import random
import re
import select
import socket
import struct
import tempfile

import campaign
import harness
import network
import packets
from campaign import Found
from client import Client
from network import HOST4, HOST6, IMAGE4, IMAGE6
from packets import DESTINATION, FRAGMENT, HOP_BY_HOP, ICMPV6, ROUTING, TCP, UDP
from wire import FILES, LARGE_REQUEST, MAC, PORT, REQUEST, Connection, Host, Peer

TARGETS = ["static", "automatic"]
ATTACKS_IN_BATCH = 300
CONNECTIONS = 24
# So that memory is soon what it will be at most: with so many connections that are left alone in
# mid-download. At its link-local address the honest client is of the others' /64, and would have no
# place of its own: there are places for all, and more memory.
STATIC_KEYS = ("--max-connections=400", *network.STATIC)
GROWTH_MIB = {"static": 16, "automatic": 64}
# Three clients, as an IPv6 client is its /64: they may have three quarters of all places.
ATTACKERS4 = ["10.9.0.66", "10.9.0.67"]
ATTACKERS6 = [f"fe80::{66 + i}" for i in range(4)]
OTHERS = (HOST4, HOST6)
ALL_NODES = "ff02::1"
# Where bounds are: of numbers, windows, lengths and MTUs.
STEPS = (0, 1, -1, 2, 8, 100, 536, 1460, -1460, 65535, 65536, -65536, 1 << 31, -(1 << 31), 1 << 24)
MTUS = (0, 1, 47, 48, 67, 68, 88, 296, 552, 575, 576, 577, 1000, 1279, 1280, 1281, 1400, 1499, 1500,
        1501, 9000, 65535, 65536, 0xffffffff)


# Changed segments -----------------------------------------------------------------------------

def some_options(chance) -> bytes:
    """TCP's, right and wrong, 40 bytes at most."""
    made = b""
    for _ in range(chance.randrange(6)):
        made += chance.choice((
            packets.mss(chance.choice(MTUS) & 0xffff), packets.window_scale(chance.randrange(256)),
            packets.timestamps(chance.getrandbits(32), chance.getrandbits(32)),
            packets.SACK_PERMITTED, b"\1", b"\0", b"\2", b"\2\0", b"\2\1", b"\2\x28\5", b"\5\x0a",
            b"\5\x0a" + chance.randbytes(8), b"\5\x22" + chance.randbytes(32),
            bytes([chance.randrange(256), chance.randrange(12)]) + chance.randbytes(4)))
    return made[:40]


def changed_segment(chance, client: Connection) -> bytes:
    data = chance.choice((b"", b"", REQUEST, LARGE_REQUEST, REQUEST[:5], chance.randbytes(100),
                          bytes(1400)))
    flags = "".join(letter for letter in packets.FLAGS if chance.random() < 0.15)
    flags += "A" if "A" not in flags and chance.random() < 0.8 else ""
    right = chance.random() < 0.3
    segment = client.segment(
        flags, data, seq=client.nxt + (0 if right else chance.choice(STEPS)),
        ack=client.rcv + (0 if chance.random() < 0.5 else chance.choice(STEPS)),
        window=chance.choice((0, 1, 100, 1460, 65535)),
        options=some_options(chance) if chance.random() < 0.4 else b"",
        header_words=chance.randrange(16) if chance.random() < 0.1 else None,
        wrong_sum=chance.getrandbits(16) if chance.random() < 0.05 else 0)
    if chance.random() < 0.05:
        segment = segment[:chance.randrange(len(segment))]
    return segment


def flipped(chance, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def extended(chance, datagram: bytes) -> bytes:
    """Behind headers of IPv6 that are right, or not."""
    following, payload = datagram[6], datagram[40:]
    for _ in range(chance.randrange(1, 4)):
        kind = chance.choice((HOP_BY_HOP, DESTINATION, ROUTING, FRAGMENT, chance.randrange(256)))
        if kind == FRAGMENT:
            payload = packets.fragment6(following, payload, chance.choice((0, 8, 65528)),
                                        chance.random() < 0.3, chance.getrandbits(4))
        elif chance.random() < 0.5:
            payload = packets.options6(following, chance.randbytes(chance.randrange(20))) + payload
        else:
            payload = bytes([following, chance.choice((0, 0, 1, 2, 255))]) + \
                chance.randbytes(6) + payload
        following = kind
    length = len(payload) if chance.random() < 0.9 else chance.choice((0, 7, 65535))
    return datagram[:4] + struct.pack("!HB", length & 0xffff, following) + datagram[7:40] + payload


class NearClient(Client):
    """At a link-local address, too: FE80::1%INTERFACE."""

    def connect(self, receive_buffer: int = 0) -> None:
        self.address = socket.getaddrinfo(*self.address[:2])[0][4]
        super().connect(receive_buffer)


class Fuzzer:
    def __init__(self, host: Host, kind: str):
        self.host, self.kind = host, kind
        self.peer = Peer(host, (ATTACKERS4[0], ATTACKERS6[0]), OTHERS,
                         waits=kind == "static")
        self.connections: list[Connection] = []
        self.kept: dict[str, Client] = {}
        self.asked_for: list[bytes] = []  # messages of DHCP's client
        self.quoted: list[packets.Packet] = []

    # The honest client.

    def addresses(self) -> list[str]:
        if self.kind == "static":
            return [IMAGE4, IMAGE6]
        near = re.findall(r"network: (fe80::[0-9a-f:]+)/64", self.host.server.err())
        return [f"{near[-1]}%tap0"]

    def honest(self) -> None:
        for address in self.addresses():
            with NearClient(address, PORT) as client:
                self.check(client.get("/large.bin", {"Host": "a"}), "large.bin")
            self.ask_kept(address)

    def ask_kept(self, address: str) -> None:
        """By a connection that stays, unless it had to make room for another (RFC 9112 9.5)."""
        if address in self.kept and select.select([self.kept[address].socket], [], [], 0)[0]:
            self.kept.pop(address).close()  # nothing is due: it is the end
        if address not in self.kept:
            self.kept[address] = NearClient(address, PORT)
        answer = self.kept[address].get("/", {"Host": "a"})
        self.check(answer, "index.html")
        if answer.fields.get("connection") == "close":
            self.kept.pop(address).close()

    @staticmethod
    def check(answer, name: str) -> None:
        if (answer.status, answer.body) != (200, FILES[name]):
            raise Found(f"the honest client got {answer}")

    # The attacks.

    def batch(self, chance: random.Random, _: int):
        kinds = [self.open_one, self.send_changed, self.send_changed, self.send_changed,
                 self.go_on, self.go_on, self.complain, self.complain, self.send_fragments,
                 self.send_neighbours, self.send_routers, self.send_arp, self.send_noise,
                 self.send_dhcp if self.kind == "automatic" else self.send_changed]
        for _ in range(ATTACKS_IN_BATCH):
            yield chance.choice(kinds)(chance)
            self.take()

    def take(self) -> None:
        """What the host has sent, without waiting."""
        for _ in range(50):
            if not self.peer.poll(0):
                break
        for found in self.peer.came:
            if found.protocol == TCP:
                self.quoted = [*self.quoted[-30:], found]
            if found.protocol == UDP and found.ports[1] == 67:
                self.asked_for = [*self.asked_for[-3:], found.data]
            for client in self.connections:
                if client.is_ours(found):
                    self.follow(client, found)
        self.peer.came.clear()

    @staticmethod
    def follow(client: Connection, found: packets.Packet) -> None:
        if "S" in found.flags and not client.rcv:
            client.take(found)
        elif found.seq == client.rcv:
            client.rcv = found.seq + len(found.data) + ("F" in found.flags) & 0xffffffff

    def one(self, chance) -> Connection:
        if not self.connections:
            self.open_one(chance)
        return chance.choice(self.connections)

    def open_one(self, chance) -> str:
        src = chance.choice(ATTACKERS4 if chance.random() < 0.5 and self.kind == "static"
                            else ATTACKERS6)
        client = Connection(self.peer, src, port=chance.randrange(1024, 65536), opens=False,
                            isn=chance.getrandbits(32), window=chance.choice((65535, 2000, 100, 0)))
        if self.kind == "automatic":
            client.dst = self.addresses()[0].partition("%")[0]
        options = chance.choice((packets.mss(1460), packets.mss(1460) + packets.SACK_PERMITTED,
                                 packets.mss(chance.choice(MTUS) & 0xffff), some_options(chance)))
        client.send("S", options=options, ack=0)
        client.nxt += 1
        self.connections.append(client)
        if len(self.connections) > CONNECTIONS:
            oldest = self.connections.pop(0)
            if chance.random() < 0.7:
                oldest.reset()
        return f"{src}:{client.port}: SYN {options.hex()}"

    def go_on(self, chance) -> str:
        """What an honest client would send."""
        client = self.one(chance)
        data = chance.choice((b"", b"", REQUEST, LARGE_REQUEST, REQUEST[:9]))
        flags = "PA" if data else chance.choice(("A", "A", "A", "FA"))
        client.write(data, flags)
        return f"{client.src}:{client.port}: {flags}, {len(data)} bytes"

    def wrap(self, client: Connection, payload: bytes, protocol: int = TCP, **fields) -> bytes:
        return packets.ip(client.src, client.dst, protocol, payload, **fields)

    def send_changed(self, chance) -> str:
        client = self.one(chance)
        datagram = self.wrap(client, changed_segment(chance, client))
        if packets.is_ipv6(client.src) and chance.random() < 0.2:
            datagram = extended(chance, datagram)
        self.peer.send_ip(datagram, chance.choice(("", "", "", "", packets.BROADCAST)))
        return f"{client.src}:{client.port}: {datagram.hex()}"

    def complain(self, chance) -> str:
        """An ICMP error of any size that quotes a segment which the host has sent, or nearly."""
        if not self.quoted:
            return self.go_on(chance)
        found = chance.choice(self.quoted)
        quote = found.frame[14:]
        if chance.random() < 0.4:
            quote = flipped(chance, quote[:60]) + quote[60:]
        if chance.random() < 0.3:
            quote = quote[:chance.randrange(len(quote))]
        is_ipv6 = found.kind == packets.IPV6
        kinds = [(2, 0)] * 5 + [(1, 4), (3, 0), (4, 1)] if is_ipv6 else \
            [(3, 4)] * 5 + [(3, 3), (4, 0), (11, 0), (12, 0)]
        kind, code = chance.choice([*kinds, (chance.randrange(256), 0)])
        mtu = chance.choice(MTUS)
        message = packets.icmp(found.dst, found.src, kind, code,
                               struct.pack("!I", mtu) + quote[:1200])
        self.peer.send_ip(packets.ip(found.dst, found.src, packets.icmp_protocol(found.src),
                                     message))
        return f"to {found.src}: ICMP {kind}/{code}, MTU {mtu}, quotes {quote[:60].hex()}"

    def send_fragments(self, chance) -> str:
        client = self.one(chance)
        whole = client.segment("PA", chance.choice((REQUEST, LARGE_REQUEST)) +
                               bytes(chance.choice((0, 700))), window=65535)
        ident, cuts = chance.getrandbits(6), []
        for _ in range(chance.randrange(1, 12)):
            begin = chance.randrange(0, len(whole), 8)
            end = begin + chance.choice((8, 8, 16, 64, 512, chance.randrange(1, 600)))
            offset = begin if chance.random() < 0.9 else chance.choice((8, 65528, 60000))
            more = end < len(whole) if chance.random() < 0.8 else chance.random() < 0.5
            cuts.append((offset, whole[begin:end], more))
        for offset, part, more in cuts:
            if packets.is_ipv6(client.src):
                datagram = self.wrap(client, packets.fragment6(TCP, part, offset, more, ident),
                                     FRAGMENT)
            else:
                datagram = self.wrap(client, part, offset=offset, more=more, ident=ident)
            self.peer.send_ip(datagram)
        return f"{client.src}: fragments {[(at, len(part), more) for at, part, more in cuts]}"

    def send_neighbours(self, chance) -> str:
        """Solicitations, advertisements and redirects; never for the honest client's address."""
        src = chance.choice((*ATTACKERS6, "::", "fd09::66", ALL_NODES))
        dst = chance.choice((IMAGE6, packets.solicited_node(IMAGE6), ALL_NODES))
        target = chance.choice((IMAGE6, *ATTACKERS6, "fd09::66", "::", ALL_NODES))
        options = chance.choice((b"", b"\1\1" + packets.mac_bytes(MAC),
                                 b"\2\1" + packets.mac_bytes(MAC), b"\1\0", b"\1\xff" + bytes(6),
                                 b"\2\2" + bytes(14), chance.randbytes(chance.randrange(40))))
        kind = chance.choice((135, 135, 136, 137))
        rest = chance.choice((bytes(4), b"\x60\0\0\0", b"\xa0\0\0\0", chance.randbytes(4)))
        rest += packets.packed(target) + (packets.packed(target) if kind == 137 else b"") + options
        message = packets.icmp(src, dst, kind, chance.choice((0, 0, 0, 1)), rest)
        self.send_ipv6(src, dst, message, 255 if chance.random() < 0.9 else 64)
        return f"{src} to {dst}: ICMPv6 {kind}, {rest.hex()}"

    def send_ipv6(self, src: str, dst: str, message: bytes, hops: int) -> None:
        self.peer.send_ip(packets.ipv6(src, dst, ICMPV6, message, hops=hops),
                          packets.multicast_mac(dst) if dst[:2] == "ff" else "")

    def send_routers(self, chance) -> str:
        src = chance.choice(("fe80::66", "fe80::67", "fe80::68", "fd09::66", "::"))
        rest = struct.pack("!BBHII", chance.choice((0, 1, 64, 255)), chance.getrandbits(8),
                           chance.choice((0, 1, 1800, 65535)), chance.choice((0, 1, 0xffffffff)),
                           chance.choice((0, 1, 0xffffffff)))
        for _ in range(chance.randrange(5)):
            prefix = chance.choice(("fd0a::", "fd0b::", "fe80::", "ff02::", "::", "2001:db8::"))
            lives = chance.choice((0, 1, 100, 7201, 0xffffffff))
            rest += chance.choice((
                struct.pack("!BBBBIII", 3, 4, chance.choice((0, 64, 64, 128, 255)),
                            chance.getrandbits(8), lives, chance.choice((0, lives, 0xffffffff)), 0)
                + packets.packed(prefix), struct.pack("!BBHI", 5, 1, 0, chance.choice(MTUS)),
                b"\1\1" + packets.mac_bytes(MAC), b"\x19\3" + bytes(22), b"\3\0",
                b"\3\1" + bytes(6), chance.randbytes(chance.randrange(30))))
        dst = chance.choice((ALL_NODES, IMAGE6))
        self.send_ipv6(src, dst, packets.icmp(src, dst, 134, 0, rest), 255)
        return f"{src} to {dst}: RA {rest.hex()}"

    def send_arp(self, chance) -> str:
        sender = chance.choice((*ATTACKERS4, "0.0.0.0", "255.255.255.255", "224.0.0.1", "127.0.0.1",
                                f"10.9.0.{chance.randrange(100, 250)}"))
        mac = chance.choice((MAC, packets.BROADCAST, "00:00:00:00:00:00", "01:00:5e:00:00:01"))
        message = packets.arp(chance.choice((1, 1, 2, 2, 3, 9, 0)), (mac, sender),
                              (self.peer.mac or packets.BROADCAST,
                               chance.choice((IMAGE4, IMAGE4, sender, "0.0.0.0"))),
                              sizes=chance.choice(((6, 4), (6, 4), (6, 16), (255, 255), (0, 0))))
        message = message[:chance.choice((28, 28, 28, chance.randrange(28)))]
        self.peer.send(chance.choice((self.peer.mac or packets.BROADCAST, packets.BROADCAST)),
                       packets.ARP, message)
        return f"ARP {message.hex()}"

    def send_noise(self, chance) -> str:
        client = self.one(chance)
        datagram = flipped(chance, self.wrap(client, client.segment("PA", REQUEST)))
        if chance.random() < 0.5:
            datagram = datagram[:chance.randrange(1, len(datagram))]
        kind = chance.choice((packets.IPV4, packets.IPV6, packets.ARP, 0x8100, 0, 1500))
        if chance.random() < 0.7:
            kind = packets.IPV6 if packets.is_ipv6(client.src) else packets.IPV4
        self.peer.send(self.peer.mac or packets.BROADCAST, kind, datagram)
        return f"noise {kind:#x} {datagram.hex()}"

    def send_dhcp(self, chance) -> str:
        """An answer that is wrong somewhere to what was asked last."""
        asked = self.asked_for[-1] if self.asked_for else chance.randbytes(240)
        kind = chance.choice((2, 5, 6, 6, 0, 9))
        given = chance.choice(("10.9.0.50", "0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255"))
        answer = bytearray(b"\2" + asked[1:16] + packets.packed(given)
                           + asked[20:236].ljust(216, b"\0"))
        options = chance.choice((b"\x63\x82\x53\x63",) * 9 + (b"abcd",)) + bytes([53, 1, kind])
        for _ in range(chance.randrange(8)):
            number = chance.choice((1, 3, 6, 51, 51, 54, 58, 59, 52, 12, chance.randrange(256)))
            seconds = struct.pack("!I", chance.choice((0, 1, 59, 60, 61, 3600)))
            value = chance.choice((packets.packed(HOST4), bytes(4), b"\xff" * 4, seconds,
                                   chance.randbytes(chance.randrange(9))))
            options += bytes([number, chance.choice((len(value),) * 5 + (255,))]) + value
        answer += options + chance.choice((b"\xff", b"", bytes(60) + b"\xff"))
        if chance.random() < 0.2:
            answer = bytearray(flipped(chance, bytes(answer)))
        src, dst = ATTACKERS4[0], "255.255.255.255"
        self.peer.send_ip(packets.ipv4(src, dst, UDP, packets.udp(src, dst, (67, 68),
                                                                 bytes(answer))), packets.BROADCAST)
        return f"DHCP {kind} {given} {options.hex()}"


# By hand and by hostile_test.py ---------------------------------------------------------------

class Running:
    def __init__(self, kind: str):
        self.kind = kind

    def run(self, seconds: float, seed: int | None = None, batch: int = 0) -> None:
        keys = STATIC_KEYS if self.kind == "static" else ("--dhcp=true",)
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            host = stack.enter_context(Host("unix-tap", *keys, has_neighbour=True))
            host.server.target = self.kind
            if self.kind == "automatic":
                stack.enter_context(network.dhcp_server(pathlib.Path(folder), "tap0",
                                                        f"{HOST4[:-1]}50,{HOST4[:-1]}60"))
                if not harness.eventually(lambda: "network: fe80::" in host.server.err()):
                    raise AssertionError(f"no address: {host.server.err()}")
            fuzzer = Fuzzer(host, self.kind)
            campaign.Campaign(host.server, fuzzer.batch, fuzzer.honest,
                              GROWTH_MIB[self.kind]).run(seconds, seed, batch)
            for client in fuzzer.kept.values():
                client.close()
            host.server.stop(within_s=60)  # it waits for those who do not read


if __name__ == "__main__":
    given = campaign.arguments(__doc__, TARGETS)
    Running(given.target).run(given.seconds, given.seed, given.batch)
