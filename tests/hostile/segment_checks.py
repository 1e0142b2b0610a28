# SPDX-License-Identifier: ISC
"""tests/hostile/segment_checks.py: what a host does with a segment that opens a connection, or
belongs to none."""

import packets
from checks import check, row
from network import HOST4, IMAGE4
from packets import TCP, mss
from wire import LARGE_REQUEST, MAC, PORT, Connection

CLOSED_PORT = 81
ALSO_ACK = "lwIP acknowledges, too; the number is right"
LARGE = 30_000  # enough to see how a host cuts


def one_segment(peer, flags: str, data: bytes = b"", to: int = PORT, **fields) -> str:
    """The answer to a segment that belongs to no connection."""
    lone = Connection(peer, opens=False)
    lone.rcv = 5_000_000  # its SEG.ACK
    port = fields.pop("src_port", lone.port)
    seg = packets.tcp(lone.src, lone.dst, (port, to), lone.nxt, lone.rcv if "A" in flags else 0,
                      flags, data, **fields)
    peer.send_ip(packets.ip(lone.src, lone.dst, TCP, seg))
    found = [one for one in peer.settle() if one.protocol == TCP and one.ports == (to, port)]
    text = "; ".join(lone.words(one) for one in found) or "nothing"
    for one in found:
        if "S" in one.flags:
            peer.send_ip(packets.ip(lone.src, lone.dst, TCP, packets.tcp(
                lone.src, lone.dst, (port, to), one.ack, 0, "R")))
    return text


# No connection --------------------------------------------------------------------------------

row("syn to an open port", "9293 3.10.7.2", "SYN+ACK of +1",
    lambda peer: one_segment(peer, "S", options=mss(1460)))
row("syn to a closed port", "9293 3.10.7.1", "RST+ACK of +1",
    lambda peer: one_segment(peer, "S", to=CLOSED_PORT))
row("syn with data to a closed port", "9293 3.10.7.1", "RST+ACK of +6",
    lambda peer: one_segment(peer, "S", b"hello", to=CLOSED_PORT))
row("fin to a closed port", "9293 3.10.7.1", "RST+ACK of +1",
    lambda peer: one_segment(peer, "F", to=CLOSED_PORT))
row("ack to a closed port", "9293 3.10.7.1", "RST at SEG.ACK",
    lambda peer: one_segment(peer, "A", to=CLOSED_PORT), ours="RST+ACK at SEG.ACK",
    verdict=ALSO_ACK)


@check("9293 3.10.7.1", "nothing")
def rst_to_a_closed_port(peer):
    return one_segment(peer, "R", to=CLOSED_PORT) + one_segment(peer, "RA", to=CLOSED_PORT)[7:]


row("ack to a listener", "9293 3.10.7.2", "RST at SEG.ACK",
    lambda peer: one_segment(peer, "A"), ours="RST+ACK at SEG.ACK", verdict=ALSO_ACK)
row("syn ack to a listener", "9293 3.10.7.2", "RST at SEG.ACK",
    lambda peer: one_segment(peer, "SA"), ours="RST+ACK of +1 at SEG.ACK", verdict=ALSO_ACK)
row("rst to a listener", "9293 3.10.7.2", "nothing",
    lambda peer: one_segment(peer, "R"))
row("syn and rst to a listener", "9293 3.10.7.2", "nothing",
    lambda peer: one_segment(peer, "SR"))
row("no flags to a listener", "9293 3.10.7.2", "nothing",
    lambda peer: one_segment(peer, ""))
row("data without ack to a listener", "9293 3.10.7.2", "nothing",
    lambda peer: one_segment(peer, "P", b"hello"))
row("syn and fin to a listener", "9293 3.10.7.2", "nothing",
    lambda peer: one_segment(peer, "SF"))
row("syn with a wrong checksum", "9293 MUST-3", "nothing",
    lambda peer: one_segment(peer, "S", wrong_sum=0x55))
row("syn with a header of four words", "9293 3.1", "nothing",
    lambda peer: one_segment(peer, "S", header_words=4))
row("syn with a header longer than it is", "9293 3.1", "nothing",
    lambda peer: one_segment(peer, "S", header_words=15))
row("syn from port 0", "9293 3.1: it is a number", "SYN+ACK of +1",
    lambda peer: one_segment(peer, "S", src_port=0))


# Options --------------------------------------------------------------------------------------

row("syn with an unknown option", "9293 MUST-6", "SYN+ACK of +1",
    lambda peer: one_segment(peer, "S", options=b"\xfd\x04ab" + mss(1460)))
row("syn with an option of length 0", "9293 MUST-7", "SYN+ACK of +1",
    lambda peer: one_segment(peer, "S", options=b"\xfd\0\0\0"))
row("syn with an option longer than its header", "9293 MUST-7", "SYN+ACK of +1",
    lambda peer: one_segment(peer, "S", options=b"\1\1\x02\x28"))
row("syn with an mss of length 3", "9293 MUST-7", "SYN+ACK of +1",
    lambda peer: one_segment(peer, "S", options=b"\2\3\5\1"))


def largest(peer, src: str = HOST4, later: bytes = b"", **fields) -> str:
    """How long segments are, when there is much to send."""
    client = Connection(peer, src, **fields)
    if later:
        client.send("A", options=later)
    client.write(LARGE_REQUEST)
    found = client.collect(LARGE)
    client.reset()
    return f"{max((len(one.data) for one in found), default=0)} bytes"


row("no mss over ipv4", "9293 MUST-15", "536 bytes",
    lambda peer: largest(peer, options=b""))
row("no mss over ipv6", "9293 MUST-15", "1220 bytes",
    lambda peer: largest(peer, "fd09::1", options=b""))
row("an mss larger than the link", "9293 MUST-16", "1460 bytes",
    lambda peer: largest(peer, options=mss(65535)))
row("an mss larger than the link over ipv6", "9293 MUST-16", "1440 bytes",
    lambda peer: largest(peer, "fd09::1", options=mss(65535)))
row("an mss of 700", "9293 MUST-16", "700 bytes",
    lambda peer: largest(peer, options=mss(700)))
row("an mss of 1", "9293 MUST-16; Linux: tcp_min_snd_mss", "48 bytes",
    lambda peer: largest(peer, options=mss(1)))
row("an mss of 0", "9293 3.7.1", "536 bytes",
    lambda peer: largest(peer, options=mss(0)))
row("an mss in a later segment", "9293 3.1: MSS in a SYN only", "700 bytes",
    lambda peer: largest(peer, options=mss(700), later=mss(1460)))


def offered(peer, options: bytes) -> str:
    """The kinds of the options in the SYN+ACK."""
    client = Connection(peer, opens=False)
    client.send("S", options=options, ack=0)
    answer = client.wait(lambda one: one.flags == "SA")
    client.take(answer)
    client.reset()
    names = {2: "MSS", 3: "scale", 4: "SACK", 8: "times"}
    return " ".join(name for kind, name in names.items() if answer.option(kind) is not None)


row("options that were not offered are not answered", "9293 3.7.1; 7323 2.2, 3.2; 2018 2", "MSS",
    lambda peer: offered(peer, mss(1460)))
row("sack is agreed on", "2018 2", "MSS SACK",
    lambda peer: offered(peer, mss(1460) + packets.SACK_PERMITTED))
row("window scale is agreed on", "7323 2.2", "MSS scale",
    lambda peer: offered(peer, mss(1460) + packets.window_scale(7)))
row("timestamps are agreed on", "7323 3.2", "MSS times",
    lambda peer: offered(peer, mss(1460) + packets.timestamps(7)), ours="MSS",
    verdict="they are optional; ours has none")


@check("7323 2.3", "more than 1 segment")
def a_scale_of_15_is_taken_for_14(peer):
    client = Connection(peer, options=mss(1460) + packets.window_scale(15), window=1)
    client.write(LARGE_REQUEST)
    found = client.collect(10_000, acknowledges=False)
    client.reset()
    return "more than 1 segment" if len(found) > 1 else f"{len(found)} segments"


# SYN-RECEIVED ---------------------------------------------------------------------------------

def half_open(peer) -> Connection:
    client = Connection(peer, opens=False)
    client.send("S", options=client.options, ack=0)
    client.take(client.wait(lambda one: one.flags == "SA"))
    return client


@check("9293 3.10.7.4", "SYN+ACK, the same number")
def the_same_syn_again(peer):
    client = half_open(peer)
    client.send("S", options=client.options, seq=client.isn, ack=0)
    answer = client.wait(lambda one: "S" in one.flags)
    client.reset()
    return "nothing" if not answer else "SYN+ACK, " + (
        "the same number" if answer.seq == client.iss else "another number")


@check("9293 3.10.7.4", "RST at SEG.ACK", ours="RST+ACK at SEG.ACK", verdict=ALSO_ACK)
def an_ack_of_what_was_not_sent_before_it_is_open(peer):
    client = half_open(peer)
    client.rcv += 1000
    client.send("A")
    text = client.said()
    client.rcv -= 1000
    client.reset()
    return text


@check("9293 3.10.7.4", "nothing; RST at SEG.ACK", ours="nothing; RST+ACK at SEG.ACK",
       verdict=ALSO_ACK)
def rst_before_it_is_open(peer):
    client = half_open(peer)
    client.reset()
    text = client.said()
    client.send("A")
    return f"{text}; {client.said()}"


@check("9293 3.10.7.4", "nothing; lives")
def rst_of_another_number_before_it_is_open(peer):
    client = half_open(peer)
    client.send("R", seq=client.nxt - 70_000, ack=0)
    text = client.said()
    client.send("A")
    return f"{text}; {client.is_served()}"


@check("9293 3.8.1", "SYN+ACK again, the same number")
def a_lost_syn_ack_is_sent_again(peer):
    client = half_open(peer)
    again = client.wait(lambda one: "S" in one.flags, 4.0)
    client.reset()
    return f"SYN+ACK again, {'the same' if again and again.seq == client.iss else 'not its'} number"


@check("6528", "apart")
def initial_numbers_of_neighbours(peer):
    iss = [half_open(peer) for _ in range(4)]
    for client in iss:
        client.reset()
    gaps = [abs(a.iss - b.iss) for a in iss for b in iss if a is not b]
    return "apart" if min(gaps) > 1_000_000 else f"{min(gaps)} apart"


# To and from where no connection can be --------------------------------------------------------

def addressed(peer, src: str, dst: str, mac: str = "") -> str:
    """The answer to a SYN from `src` to `dst`."""
    port = peer.new_port()
    segment = packets.tcp(src, dst, (port, PORT), 1000, 0, "S", options=mss(1460))
    peer.send_ip(packets.ip(src, dst, TCP, segment), mac or peer.mac)
    found = [one for one in peer.settle() if one.protocol == TCP and one.ports == (PORT, port)]
    return "; ".join(one.flags for one in found) or "nothing"


row("syn to the broadcast address", "1122 4.2.3.10, MUST-57", "nothing",
    lambda peer: addressed(peer, HOST4, "10.9.0.255", packets.BROADCAST))
row("syn to all ones", "1122 4.2.3.10, MUST-57", "nothing",
    lambda peer: addressed(peer, HOST4, "255.255.255.255", packets.BROADCAST))
row("syn to a multicast address", "1122 4.2.3.10, MUST-57", "nothing",
    lambda peer: addressed(peer, HOST4, "224.0.0.1", packets.multicast_mac("224.0.0.1")))
row("syn in a broadcast frame", "1122 3.3.6", "nothing",
    lambda peer: addressed(peer, HOST4, IMAGE4, packets.BROADCAST))
row("syn in a frame to another mac", "894", "nothing",
    lambda peer: addressed(peer, HOST4, IMAGE4, MAC[:-1] + "7"))
row("syn from the broadcast address", "1122 3.2.1.3, MUST-63", "nothing",
    lambda peer: addressed(peer, "10.9.0.255", IMAGE4))
row("syn from all ones", "1122 3.2.1.3, MUST-63", "nothing",
    lambda peer: addressed(peer, "255.255.255.255", IMAGE4))
row("syn from a multicast address", "1122 3.2.1.3, MUST-63", "nothing",
    lambda peer: addressed(peer, "224.0.0.5", IMAGE4))
row("syn from no address", "1122 3.2.1.3", "nothing",
    lambda peer: addressed(peer, "0.0.0.0", IMAGE4))
row("syn from the loopback network", "1122 3.2.1.3", "nothing",
    lambda peer: addressed(peer, "127.0.0.1", IMAGE4))
row("syn from its own address", "1122 3.2.1.3; LAND", "nothing",
    lambda peer: addressed(peer, IMAGE4, IMAGE4))
row("syn from an ipv6 multicast address", "4291 2.7: never a source", "nothing",
    lambda peer: addressed(peer, "ff02::5", "fd09::2"))
row("syn from the unspecified ipv6 address", "4291 2.5.2", "nothing",
    lambda peer: addressed(peer, "::", "fd09::2"))
row("syn from the ipv6 loopback address", "4291 2.5.3", "nothing",
    lambda peer: addressed(peer, "::1", "fd09::2"))
row("syn to an ipv6 multicast address", "9293 MUST-57", "nothing",
    lambda peer: addressed(peer, "fd09::1", "ff02::1", packets.multicast_mac("ff02::1")))
