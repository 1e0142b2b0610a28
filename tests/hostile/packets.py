# SPDX-License-Identifier: ISC
"""tests/hostile/packets.py: frames of Ethernet, written and read: ARP, IPv4, IPv6, TCP, UDP, ICMP.

Addresses are text; a field that a test wants wrong is given. Nothing here waits or sends.
Source:  RFC 826, 791, 8200, 9293, 768, 792, 4443, 4861.
"""

import dataclasses
import socket
import struct

ARP, IPV4, IPV6 = 0x0806, 0x0800, 0x86DD
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
HOP_BY_HOP, ROUTING, FRAGMENT, NO_NEXT, DESTINATION = 0, 43, 44, 59, 60
BROADCAST = "ff:ff:ff:ff:ff:ff"
FLAGS = "FSRPAUEC"  # from the lowest bit


def is_ipv6(address: str) -> bool:
    return ":" in address


def packed(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if is_ipv6(address) else socket.AF_INET, address)


def mac_bytes(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


def mac_text(mac: bytes) -> str:
    return ":".join(f"{byte:02x}" for byte in mac)


def multicast_mac(address: str) -> str:
    data = packed(address)
    if is_ipv6(address):
        return mac_text(b"\x33\x33" + data[-4:])
    return mac_text(b"\x01\0\x5e" + bytes([data[1] & 0x7f]) + data[2:])


def solicited_node(address: str) -> str:
    return socket.inet_ntop(socket.AF_INET6, packed("ff02::1:ff00:0")[:13] + packed(address)[13:])


def checksum(data: bytes) -> int:
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def pseudo_header(src: str, dst: str, protocol: int, length: int) -> bytes:
    form = "!IHBB" if is_ipv6(src) else "!BBH"
    rest = (length, 0, 0, protocol) if is_ipv6(src) else (0, protocol, length)
    return packed(src) + packed(dst) + struct.pack(form, *rest)


# Written --------------------------------------------------------------------------------------

def ethernet(src: str, dst: str, kind: int, payload: bytes) -> bytes:
    return mac_bytes(dst) + mac_bytes(src) + struct.pack("!H", kind) + payload


def arp(operation: int, sender: tuple, target: tuple, hardware: int = 1, sizes=(6, 4)) -> bytes:
    """`sender` and `target`: a MAC and an address each."""
    return struct.pack("!HHBBH", hardware, IPV4, *sizes, operation) + b"".join(
        mac_bytes(mac) + packed(address) for mac, address in (sender, target))


def ipv4(src: str, dst: str, protocol: int, payload: bytes, ttl: int = 64, ident: int = 1,
         offset: int = 0, more: bool = False, dont: bool = False, options: bytes = b"",
         version: int = 4, header_words: int | None = None, length: int | None = None,
         wrong_sum: int = 0) -> bytes:
    """`offset` in bytes."""
    words = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH4s4s", version << 4 | (words if header_words is None
                                                       else header_words), 0,
                       4 * words + len(payload) if length is None else length, ident,
                       (dont << 14) | (more << 13) | offset // 8, ttl, protocol, 0,
                       packed(src), packed(dst)) + options
    total = checksum(head) ^ wrong_sum
    return head[:10] + struct.pack("!H", total) + head[12:] + payload


def ipv6(src: str, dst: str, following: int, payload: bytes, hops: int = 64, version: int = 6,
         length: int | None = None) -> bytes:
    return struct.pack("!IHBB16s16s", version << 28, len(payload) if length is None else length,
                       following, hops, packed(src), packed(dst)) + payload


def ip(src: str, dst: str, protocol: int, payload: bytes, **fields) -> bytes:
    return (ipv6 if is_ipv6(src) else ipv4)(src, dst, protocol, payload, **fields)


def fragment6(following: int, data: bytes, offset: int, more: bool, ident: int = 1) -> bytes:
    """A fragment header and its part; `offset` in bytes."""
    return struct.pack("!BBHI", following, 0, offset & 0xfff8 | more, ident) + data


def options6(following: int, options: bytes) -> bytes:
    """A hop-by-hop or destination options header, padded."""
    size = (2 + len(options) + 7) // 8 * 8
    pad = size - 2 - len(options)
    filler = b"" if pad == 0 else b"\0" if pad == 1 else bytes([1, pad - 2]) + bytes(pad - 2)
    return bytes([following, size // 8 - 1]) + options + filler


def flags_of(text: str) -> int:
    return sum(1 << FLAGS.index(letter) for letter in text)


def tcp(src: str, dst: str, ports: tuple, seq: int, ack: int, flags: str, data: bytes = b"",
        window: int = 65535, options: bytes = b"", header_words: int | None = None,
        wrong_sum: int = 0) -> bytes:
    options += bytes(-len(options) % 4)
    words = 5 + len(options) // 4 if header_words is None else header_words
    segment = struct.pack("!HHIIBBHHH", *ports, seq & 0xffffffff, ack & 0xffffffff, words << 4,
                          flags_of(flags), window, 0, 0) + options + data
    total = checksum(pseudo_header(src, dst, TCP, len(segment)) + segment) ^ wrong_sum
    return segment[:16] + struct.pack("!H", total) + segment[18:]


def udp(src: str, dst: str, ports: tuple, data: bytes = b"") -> bytes:
    head = struct.pack("!HHHH", *ports, 8 + len(data), 0)
    total = checksum(pseudo_header(src, dst, UDP, 8 + len(data)) + head + data) or 0xffff
    return head[:6] + struct.pack("!H", total) + data


def icmp(src: str, dst: str, kind: int, code: int, rest: bytes, wrong_sum: int = 0) -> bytes:
    """`rest`: what comes after the checksum."""
    before = pseudo_header(src, dst, ICMPV6, 4 + len(rest)) if is_ipv6(src) else b""
    total = checksum(before + struct.pack("!BBH", kind, code, 0) + rest) ^ wrong_sum
    return struct.pack("!BBH", kind, code, total) + rest


def icmp_protocol(address: str) -> int:
    return ICMPV6 if is_ipv6(address) else ICMP


def echo_kinds(address: str) -> tuple:
    """The types of an echo request and of its reply."""
    return (128, 129) if is_ipv6(address) else (8, 0)


# TCP's options.

def mss(size: int) -> bytes:
    return struct.pack("!BBH", 2, 4, size)


SACK_PERMITTED = b"\x04\x02"


def timestamps(now: int, echoed: int = 0) -> bytes:
    return struct.pack("!BBII", 8, 10, now, echoed)


def window_scale(bits: int) -> bytes:
    return bytes([3, 3, bits])


# Read -----------------------------------------------------------------------------------------

@dataclasses.dataclass
class Packet:
    """What a frame carries; `protocol` is IP's, or 0."""
    frame: bytes
    mac_src: str
    kind: int
    src: str = ""
    dst: str = ""
    protocol: int = 0
    is_fragment: bool = False
    payload: bytes = b""
    options: bytes = b""  # IPv4's or TCP's
    # TCP's and UDP's
    ports: tuple = (0, 0)
    seq: int = 0
    ack: int = 0
    flags: str = ""
    window: int = 0
    data: bytes = b""
    # ICMP's
    type: int = -1
    code: int = -1
    rest: bytes = b""

    def option(self, kind: int) -> bytes | None:
        """The value of TCP's option; None: it is not there."""
        left = self.options
        while left and left[0] != 0:
            if left[0] == 1:
                left = left[1:]
                continue
            if left[0] == kind:
                return left[2:left[1]]
            left = left[max(2, left[1]):]
        return None


def read_ip(found: Packet, data: bytes) -> None:
    if found.kind == IPV4:
        size, length, fragment = (data[0] & 15) * 4, *struct.unpack("!H2xH", data[2:8])
        found.protocol, found.is_fragment = data[9], bool(fragment & 0x3fff)
        found.src, found.dst = map(socket.inet_ntoa, (data[12:16], data[16:20]))
        found.options, found.payload = data[20:size], data[size:length]
        if checksum(data[:size]) != 0:
            raise AssertionError(f"a bad header checksum: {data.hex()}")
        return
    length, found.protocol = struct.unpack("!HB", data[4:7])
    found.src = socket.inet_ntop(socket.AF_INET6, data[8:24])
    found.dst = socket.inet_ntop(socket.AF_INET6, data[24:40])
    found.payload = data[40:40 + length]
    while found.protocol in (HOP_BY_HOP, ROUTING, DESTINATION, FRAGMENT):
        size = 8 if found.protocol == FRAGMENT else 8 + 8 * found.payload[1]
        found.is_fragment = found.is_fragment or found.protocol == FRAGMENT
        found.protocol, found.payload = found.payload[0], found.payload[size:]


def read(frame: bytes) -> Packet:
    """Raises AssertionError when a checksum is wrong: whoever sent it should not have."""
    found = Packet(frame, mac_text(frame[6:12]), struct.unpack("!H", frame[12:14])[0])
    if found.kind not in (IPV4, IPV6):
        return found
    read_ip(found, frame[14:])
    body = found.payload
    if found.is_fragment:
        return found
    if found.protocol in (TCP, UDP, ICMPV6):
        summed = pseudo_header(found.src, found.dst, found.protocol, len(body)) + body
        if checksum(summed) != 0:
            raise AssertionError(f"a bad checksum: {frame.hex()}")
    if found.protocol == TCP:
        ports, found.seq, found.ack, words, bits, found.window = struct.unpack("!IIIBBH", body[:16])
        found.ports = (ports >> 16, ports & 0xffff)
        found.flags = "".join(letter for i, letter in enumerate(FLAGS) if bits >> i & 1)
        found.options, found.data = body[20:(words >> 4) * 4], body[(words >> 4) * 4:]
    elif found.protocol == UDP:
        found.ports, found.data = struct.unpack("!HH", body[:4]), body[8:]
    elif found.protocol in (ICMP, ICMPV6) and len(body) >= 4:
        found.type, found.code, found.rest = body[0], body[1], body[4:]
    return found
