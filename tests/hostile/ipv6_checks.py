# SPDX-License-Identifier: ISC
"""tests/hostile/ipv6_checks.py: what a host does with IPv6, ICMPv6 and neighbour discovery."""

import packets
from checks import check, row
from ip_checks import ECHO, echo, heard, ping6
from network import HOST6, IMAGE6
from packets import ICMPV6, UDP
from wire import MAC

OTHER_MAC = "02:00:00:00:00:77"
ALL_NODES = "ff02::1"
WITHOUT_MAC = f"NA 010 to {HOST6}, no MAC"
NO_MAC_NEEDED = "7.2.4 lets it out where the question came to the address"

# IPv6 -----------------------------------------------------------------------------------------

def after(peer, following: int, payload: bytes, dst: str = IMAGE6, **fields) -> str:
    """What is said to an IPv6 datagram whose first header is `following`."""
    peer.send_ip(packets.ipv6(HOST6, dst, following, payload, **fields),
                 packets.multicast_mac(dst) if dst != IMAGE6 else "")
    return heard(peer, IMAGE6)


def echo6() -> bytes:
    return echo(HOST6, IMAGE6)


row("ping over ipv6", "4443 4.2, MUST", "reply",
    lambda peer: ping6(peer))


@check("8200 3", "nothing")
def ipv6_of_version_4(peer):
    peer.send(peer.mac, packets.IPV6, packets.ipv6(HOST6, IMAGE6, ICMPV6, echo6(), version=4))
    return heard(peer, IMAGE6)


row("an ipv6 length beyond the frame", "8200 3", "nothing",
    lambda peer: ping6(peer, length=500))
row("an ipv6 hop limit of 1", "8200 3", "reply",
    lambda peer: ping6(peer, hops=1))
row("icmpv6 with a wrong checksum", "4443 2.3, MUST", "nothing",
    lambda peer: after(peer, ICMPV6, echo(HOST6, IMAGE6, wrong_sum=1)))
row("an unknown next header", "4443 2.4 (a), 3.4: code 1", "problem 1",
    lambda peer: after(peer, 253, b"hello"))
row("udp to a closed ipv6 port", "4443 3.1, SHOULD", "unreachable 4",
    lambda peer: after(peer, UDP, packets.udp(HOST6, IMAGE6, (9, 9), b"hi")))
row("udp to a closed port of all nodes", "4443 2.4 (e.3), MUST NOT", "nothing",
    lambda peer: after(peer, UDP, packets.udp(HOST6, ALL_NODES, (9, 9), b"hi"), ALL_NODES))
row("no next header", "8200 4.7", "nothing",
    lambda peer: after(peer, packets.NO_NEXT, b"hello"))
row("hop by hop options that are padding", "8200 4.3", "reply",
    lambda peer: after(peer, packets.HOP_BY_HOP, packets.options6(ICMPV6, b"") + echo6()))
row("an unknown option to skip", "8200 4.2: 00, skip", "reply",
    lambda peer: after(peer, packets.DESTINATION, packets.options6(ICMPV6, b"\x1e\1x") + echo6()))
row("an unknown option to drop at", "8200 4.2: 01, discard", "nothing",
    lambda peer: after(peer, packets.DESTINATION, packets.options6(ICMPV6, b"\x5e\1x") + echo6()))
row("an unknown option to complain of", "8200 4.2: 10, parameter problem 2", "problem 2",
    lambda peer: after(peer, packets.DESTINATION, packets.options6(ICMPV6, b"\x9e\1x") + echo6()))
row("an unknown option to complain of to one only", "8200 4.2: 11, not to multicast", "nothing",
    lambda peer: after(peer, packets.DESTINATION, packets.options6( ICMPV6, b"\xde\1x") +
    echo(HOST6, ALL_NODES), ALL_NODES))
row("an ipv6 option longer than its header", "8200 4.2", "nothing",
    lambda peer: after(peer, packets.DESTINATION, bytes([ICMPV6, 0, 1, 99, 0, 0, 0, 0]) + echo6()))
row("hop by hop options that are not first", "8200 4.1: problem 1", "problem 1",
    lambda peer: after(peer, packets.DESTINATION, packets.options6(packets.HOP_BY_HOP, b"") +
    packets.options6(ICMPV6, b"") + echo6()))


@check("5095 3: problem 0", "problem 0")
def a_routing_header_of_type_0(peer):
    route = bytes([ICMPV6, 2, 0, 1]) + bytes(4) + packets.packed("fd09::7")
    return after(peer, packets.ROUTING, route + echo6())


@check("5095 3: none left, go on", "reply")
def a_routing_header_that_has_arrived(peer):
    route = bytes([ICMPV6, 2, 0, 0]) + bytes(4) + packets.packed("fd09::7")
    return after(peer, packets.ROUTING, route + echo6())


def fragments6(peer, cuts, ident: int, **fields) -> str:
    message = fields.pop("message", echo(HOST6, IMAGE6, ECHO * 2))
    for begin, end in cuts:
        part = packets.fragment6(ICMPV6, message[begin:end], begin, end < len(message), ident)
        peer.send_ip(packets.ipv6(HOST6, IMAGE6, packets.FRAGMENT, part, **fields))
    return heard(peer, IMAGE6)


row("a ping in two ipv6 fragments", "8200 4.5", "reply",
    lambda peer: fragments6(peer, [(0, 64), (64, 200)], 21))
row("a ping in ipv6 fragments backwards", "8200 4.5", "reply",
    lambda peer: fragments6(peer, [(64, 200), (0, 64)], 22))
row("ipv6 fragments that overlap", "5722 4, MUST", "nothing",
    lambda peer: fragments6(peer, [(0, 64), (32, 96), (64, 200)], 23))
row("a fragment that is all", "6946 4", "reply",
    lambda peer: fragments6(peer, [(0, 200)], 24))
row("a fragment of odd length with more to come", "8200 4.5: problem 0", "problem 0",
    lambda peer: fragments6(peer, [(0, 60)], 25))


@check("8200 4.5: problem 0", "problem 0", ours="nothing",
       verdict="both drop it; to say so is a should")
def an_ipv6_datagram_longer_than_one_can_be(peer):
    part = packets.fragment6(ICMPV6, bytes(64), 65528, False, 26)
    peer.send_ip(packets.ipv6(HOST6, IMAGE6, packets.FRAGMENT, part))
    return heard(peer, IMAGE6)


# Neighbours -----------------------------------------------------------------------------------

def solicited(peer, to: str = "", target: str = IMAGE6, options: bytes | None = None,
              src: str = HOST6, hops: int = 255, code: int = 0, wrong_sum: int = 0) -> str:
    """What is said to a neighbour solicitation; its own questions are none of it."""
    to = to or packets.solicited_node(target)
    rest = bytes(4) + packets.packed(target) + (
        b"\1\1" + packets.mac_bytes(MAC) if options is None else options)
    message = packets.icmp(src, to, 135, code, rest, wrong_sum=wrong_sum)
    peer.send_ip(packets.ipv6(src, to, ICMPV6, message, hops=hops),
                 packets.multicast_mac(to) if to[:2] == "ff" else "")
    found = [one for one in peer.settle(IMAGE6) if one.type == 136]
    return "; ".join(f"NA {one.rest[0] >> 5:03b} to {one.dst}"
                     + ("" if one.rest[20:22] == b"\2\1" else ", no MAC")
                     for one in found) or "nothing"


row("neighbour solicitation", "4861 7.2.4: solicited, override", f"NA 011 to {HOST6}",
    lambda peer: solicited(peer))
row("neighbour solicitation to its address",
    "4861 7.2.4", f"NA 011 to {HOST6}",
    lambda peer: solicited(peer, IMAGE6), linux=WITHOUT_MAC, verdict=NO_MAC_NEEDED)
row("neighbour solicitation to its address without a mac", "4861 7.2.4, 4.3",
    f"NA 011 to {HOST6}", lambda peer: solicited(peer, IMAGE6, options=b""), linux=WITHOUT_MAC,
    verdict=NO_MAC_NEEDED)
row("a probe for its address", "4861 7.2.4; 4862 5.4: to all nodes", "NA 001 to ff02::1",
    lambda peer: solicited(peer, src="::", options=b""))
row("neighbour solicitation from afar", "4861 7.1.1, MUST", "nothing",
    lambda peer: solicited(peer, hops=254))
row("neighbour solicitation of code 1", "4861 7.1.1, MUST", "nothing",
    lambda peer: solicited(peer, code=1))
row("neighbour solicitation with a wrong checksum", "4861 7.1.1, MUST", "nothing",
    lambda peer: solicited(peer, wrong_sum=1))
row("neighbour solicitation with an option of length 0", "4861 7.1.1, MUST", "nothing",
    lambda peer: solicited(peer, options=b"\1\0" + packets.mac_bytes(MAC)))
row("neighbour solicitation from no address with a mac", "4861 7.1.1, MUST", "nothing",
    lambda peer: solicited(peer, src="::"))
row("neighbour solicitation from no address to its own", "4861 7.1.1, MUST", "nothing",
    lambda peer: solicited(peer, IMAGE6, src="::", options=b""))
row("neighbour solicitation for a multicast address", "4861 7.1.1, MUST", "nothing",
    lambda peer: solicited(peer, IMAGE6, target=ALL_NODES))
row("neighbour solicitation for another address", "4861 7.2.3", "nothing",
    lambda peer: solicited(peer, packets.solicited_node(IMAGE6), target="fd09::77"))


def answers_to_mac(peer, neighbour: str) -> str:
    """Where a ping's answer to `neighbour` goes."""
    peer.send_ip(packets.ipv6(neighbour, IMAGE6, ICMPV6, echo(neighbour, IMAGE6)))
    found = peer.wait(lambda one: one.type == 129 and one.dst == neighbour, 3.0)
    peer.settle(IMAGE6)
    if not found:
        return "nowhere"
    return "to the old MAC" if packets.mac_text(found.frame[:6]) == MAC else "to the new MAC"


def advertised(peer, neighbour: str, flags: int, to: str, hops: int = 255) -> str:
    """Where packets to a known neighbour go after somebody said that it has another MAC."""
    answers_to_mac(peer, neighbour)
    datagram = bytearray(peer.advertisement(neighbour, to, flags, OTHER_MAC))
    datagram[7] = hops
    peer.send_ip(bytes(datagram), packets.multicast_mac(to) if to[:2] == "ff" else "")
    return answers_to_mac(peer, neighbour)


@check("4862 5.4.4: it stays assigned", "reply")
def an_advertisement_of_its_own_address(peer):
    taken = peer.advertisement(IMAGE6, ALL_NODES, 0x20, OTHER_MAC)
    peer.send_ip(taken, packets.multicast_mac(ALL_NODES))
    request = packets.ipv6(HOST6, IMAGE6, ICMPV6, echo6())
    peer.send_ip(request)
    return "reply" if peer.wait(lambda one: one.type == 129, 3.0) else "nothing"


row("an advertisement of a new mac", "4861 7.2.5: override", "to the new MAC",
    lambda peer: advertised(peer, "fd09::31", 0x20, ALL_NODES))
row("a solicited advertisement to all nodes",
    "4861 7.1.2, MUST: solicited, to all", "to the old MAC",
    lambda peer: advertised(peer, "fd09::32", 0x60, ALL_NODES))
row("an advertisement from afar", "4861 7.1.2, MUST", "to the old MAC",
    lambda peer: advertised(peer, "fd09::33", 0x20, ALL_NODES, hops=254))
row("an advertisement without override", "4861 7.2.5: no override", "to the old MAC",
    lambda peer: advertised(peer, "fd09::34", 0x00, ALL_NODES))
