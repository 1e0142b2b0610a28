# SPDX-License-Identifier: ISC
"""tests/hostile/ip_checks.py: what a host does with ARP, IPv4, ICMP and fragments."""

import struct

import packets
from checks import check, row
from network import HOST4, HOST6, IMAGE4, IMAGE6
from packets import ICMP, ICMPV6, TCP, UDP, mss
from wire import MAC, Connection

ECHO = struct.pack("!HH", 7, 9) + bytes(range(56))


def heard(peer, address: str = IMAGE4) -> str:
    """What the host said, in words; its connections, which send when they like, are left out."""
    names = {(packets.IPV4, 0): "reply", (packets.IPV6, 129): "reply",
             (packets.IPV4, 3): "unreachable", (packets.IPV6, 1): "unreachable",
             (packets.IPV4, 12): "problem", (packets.IPV6, 4): "problem",
             (packets.IPV4, 11): "time exceeded", (packets.IPV6, 3): "time exceeded",
             (packets.IPV6, 136): "NA"}
    said = []
    for one in peer.settle(address):
        if one.kind == packets.ARP:
            said.append("ARP reply" if one.frame[21] == 2 else "ARP request")
        elif one.type >= 0:
            name = names.get((one.kind, one.type), f"ICMP {one.type}")
            said.append(name + (f" {one.code}" if name in ("unreachable", "problem") else ""))
        elif one.is_fragment:
            said.append("fragment")
        elif one.protocol != TCP:
            said.append(f"protocol {one.protocol}")
    return "; ".join(said) or "nothing"


def echo(src: str, dst: str, rest: bytes = ECHO, **fields) -> bytes:
    return packets.icmp(src, dst, packets.echo_kinds(dst)[0], 0, rest, **fields)


def ping4(peer, dst: str = IMAGE4, mac: str = "", **fields) -> str:
    peer.send_ip(packets.ipv4(HOST4, dst, ICMP, echo(HOST4, dst), **fields), mac)
    return heard(peer)


def ping6(peer, dst: str = IMAGE6, mac: str = "", **fields) -> str:
    peer.send_ip(packets.ipv6(HOST6, dst, ICMPV6, echo(HOST6, dst), **fields), mac)
    return heard(peer, IMAGE6)


# ARP ------------------------------------------------------------------------------------------

def asked(peer, target: str = IMAGE4, sender: tuple = (MAC, HOST4), cut: int = 0, mac: str = "",
          **fields) -> str:
    message = packets.arp(1, sender, ("00:00:00:00:00:00", target), **fields)
    peer.send(mac or packets.BROADCAST, packets.ARP, message[:len(message) - cut])
    return heard(peer)


row("arp request", "826", "ARP reply",
    lambda peer: asked(peer))
row("arp request in a frame to its mac", "826", "ARP reply",
    lambda peer: asked(peer, mac=peer.mac))
row("arp request for another address", "826", "nothing",
    lambda peer: asked(peer, "10.9.0.77"))
row("arp probe", "5227 2.1.1", "ARP reply",
    lambda peer: asked(peer, sender=(MAC, "0.0.0.0")))
row("arp request of other hardware", "826", "nothing",
    lambda peer: asked(peer, hardware=15))
row("arp request with longer addresses", "826", "nothing",
    lambda peer: asked(peer, sizes=(8, 4)))
row("arp request cut short", "826", "nothing",
    lambda peer: asked(peer, cut=5))


@check("826", "nothing")
def arp_of_an_unknown_operation(peer):
    message = packets.arp(9, (MAC, HOST4), (peer.mac, IMAGE4))
    peer.send(peer.mac, packets.ARP, message)
    return heard(peer)


# IPv4 -----------------------------------------------------------------------------------------

row("ping", "1122 3.2.2.6, MUST", "reply",
    lambda peer: ping4(peer))


@check("1122 3.2.2.6: the same data", "the same")
def what_a_ping_brings_back(peer):
    peer.send_ip(packets.ipv4(HOST4, IMAGE4, ICMP, echo(HOST4, IMAGE4)))
    return "the same" if peer.wait(lambda one: one.type == 0).rest == ECHO else "other bytes"


row("ping to the broadcast address", "1122 3.2.2.6: MAY be dropped", "nothing",
    lambda peer: ping4(peer, "10.9.0.255", packets.BROADCAST))
row("a wrong header checksum", "1122 3.2.1.2, MUST", "nothing",
    lambda peer: ping4(peer, wrong_sum=1))


@check("1122 3.2.1.1, MUST", "nothing")
def version_5(peer):
    peer.send(peer.mac, packets.IPV4, packets.ipv4(HOST4, IMAGE4, ICMP, echo(HOST4, IMAGE4),
                                                   version=5))
    return heard(peer)


row("a header of 4 words", "791 3.1", "nothing",
    lambda peer: ping4(peer, header_words=4))
row("a header longer than the datagram", "791 3.1", "nothing",
    lambda peer: ping4(peer, header_words=15, length=40))
row("a length beyond the frame", "791 3.1", "nothing",
    lambda peer: ping4(peer, length=500))
row("a length below the header", "791 3.1", "nothing",
    lambda peer: ping4(peer, length=16))


@check("791 3.1", "reply")
def bytes_after_the_datagram(peer):
    datagram = packets.ipv4(HOST4, IMAGE4, ICMP, echo(HOST4, IMAGE4)) + bytes(20)
    peer.send(peer.mac, packets.IPV4, datagram)
    return heard(peer)


row("a time to live of 1", "1122 3.2.1.7", "reply",
    lambda peer: ping4(peer, ttl=1))


@check("1122 3.2.2.1, SHOULD", "unreachable 2")
def an_unknown_protocol(peer):
    peer.send_ip(packets.ipv4(HOST4, IMAGE4, 253, b"hello"))
    return heard(peer)


@check("1122 4.1.3.1, SHOULD", "unreachable 3")
def udp_to_a_closed_port(peer):
    peer.send_ip(packets.ipv4(HOST4, IMAGE4, UDP, packets.udp(HOST4, IMAGE4, (9, 9), b"hi")))
    return heard(peer)


@check("1122 3.2.2, MUST NOT", "nothing")
def udp_to_a_closed_port_of_the_broadcast_address(peer):
    there = "10.9.0.255"
    peer.send_ip(packets.ipv4(HOST4, there, UDP, packets.udp(HOST4, there, (9, 9), b"hi")),
                 packets.BROADCAST)
    return heard(peer)


@check("1122 3.2.2, MUST NOT", "nothing")
def udp_to_a_closed_port_in_a_broadcast_frame(peer):
    peer.send_ip(packets.ipv4(HOST4, IMAGE4, UDP, packets.udp(HOST4, IMAGE4, (9, 9), b"hi")),
                 packets.BROADCAST)
    return heard(peer)


@check("1122 3.2.2, MUST NOT", "nothing")
def udp_to_a_closed_port_from_no_address(peer):
    none = "0.0.0.0"
    peer.send_ip(packets.ipv4(none, IMAGE4, UDP, packets.udp(none, IMAGE4, (9, 9), b"hi")))
    return heard(peer)


@check("1122 3.2.2, MUST", "nothing")
def icmp_of_an_unknown_type(peer):
    peer.send_ip(packets.ipv4(HOST4, IMAGE4, ICMP, packets.icmp(HOST4, IMAGE4, 77, 0, ECHO)))
    return heard(peer)


@check("792", "nothing")
def icmp_with_a_wrong_checksum(peer):
    peer.send_ip(packets.ipv4(HOST4, IMAGE4, ICMP, echo(HOST4, IMAGE4, wrong_sum=1)))
    return heard(peer)


@check("792", "nothing")
def icmp_cut_short(peer):
    peer.send_ip(packets.ipv4(HOST4, IMAGE4, ICMP, echo(HOST4, IMAGE4, b"")[:3]))
    return heard(peer)


def with_options(peer, options: bytes) -> str:
    return ping4(peer, options=options)


row("ip options that do nothing", "791 3.1", "reply",
    lambda peer: with_options(peer, b"\1\1\1\0"))
row("a source route", "7126 4.3, 4.4", "nothing",
    lambda peer: with_options(peer, b"\x83\x07\x04\x0a\x09\x00\x07\0"))
row("a strict source route", "7126 4.3, 4.4", "nothing",
    lambda peer: with_options(peer, b"\x89\x07\x04\x0a\x09\x00\x07\0"))
row("an ip option of length 0", "1122 3.2.2.5, SHOULD", "problem 0",
    lambda peer: with_options(peer, b"\x07\0\0\0"), ours="nothing",
    verdict="both drop it; to say so is a SHOULD")
row("an ip option longer than the header", "1122 3.2.2.5, SHOULD", "problem 0",
    lambda peer: with_options(peer, b"\x07\x28\x04\0"), ours="nothing",
    verdict="both drop it; to say so is a SHOULD")


# Fragments ------------------------------------------------------------------------------------

def fragments(peer, cuts, ident: int, message: bytes = b"", more_last: bool = False) -> str:
    """`cuts`: where parts begin and end, in the order in which they are sent."""
    message = message or echo(HOST4, IMAGE4, ECHO * 2)
    for begin, end in cuts:
        peer.send_ip(packets.ipv4(HOST4, IMAGE4, ICMP, message[begin:end], offset=begin,
                                  more=end < len(message) or more_last, ident=ident))
    return heard(peer)


row("a ping in two fragments", "791 3.2", "reply",
    lambda peer: fragments(peer, [(0, 64), (64, 200)], 11))
row("a ping in fragments of 8 bytes backwards", "791 3.2", "reply",
    lambda peer: fragments(peer, [(at, at + 8) for at in range(120, -8, -8)], 12))
row("a ping without its end", "791 3.2", "nothing",
    lambda peer: fragments(peer, [(0, 64), (64, 128)], 13, more_last=True))
row("a fragment twice", "791 3.2", "reply",
    lambda peer: fragments(peer, [(0, 64), (0, 64), (64, 200)], 14))
row("fragments that overlap", "791 3.2", "nothing",
    lambda peer: fragments(peer, [(0, 64), (32, 96), (64, 200)], 15), ours="reply",
    verdict="791 allows it; ours drops what overlaps, Linux the datagram")


@check("791 3.2: 65,535 bytes at most", "nothing")
def a_datagram_longer_than_one_can_be(peer):
    message = echo(HOST4, IMAGE4, bytes(1396))
    peer.send_ip(packets.ipv4(HOST4, IMAGE4, ICMP, message, ident=16, more=True))
    peer.send_ip(packets.ipv4(HOST4, IMAGE4, ICMP, message, ident=16, offset=65528))
    return heard(peer)


def syn_in_fragments(peer, src: str, first: int) -> str:
    client = Connection(peer, src, opens=False)
    segment = client.segment("S", ack=0, options=mss(1460))
    parts = [(0, segment[:first], True), (first, segment[first:], False)]
    for offset, part, more in parts:
        if packets.is_ipv6(src):
            peer.send_ip(packets.ipv6(src, client.dst, packets.FRAGMENT,
                                      packets.fragment6(TCP, part, offset, more, 41)))
        else:
            peer.send_ip(packets.ipv4(src, client.dst, TCP, part, offset=offset, more=more,
                                      ident=41))
    answer = client.wait(lambda one: True, 1.0)
    return client.words(answer) if answer else "nothing"


row("a syn whose first fragment has 8 bytes", "791 3.2; 6864", "SYN+ACK of +1",
    lambda peer: syn_in_fragments(peer, HOST4, 8))
row("a syn whose first ipv6 fragment has 8 bytes", "7112 5: headers first, SHOULD", "nothing",
    lambda peer: syn_in_fragments(peer, HOST6, 8))
