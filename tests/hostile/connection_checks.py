# SPDX-License-Identifier: ISC
"""tests/hostile/connection_checks.py: what a host does with the segments of its connections."""

import packets
from checks import check, row
from network import HOST4
from packets import mss
from wire import LARGE_REQUEST, REQUEST, Connection

OTHER = b"XXXXX"  # if it is taken, it spoils the request that follows

# Established ----------------------------------------------------------------------------------

def established(peer, flags: str, data: bytes = b"", by: int = 0, ack_by: int = 0,
                src: str = HOST4, **fields) -> str:
    """The answer to a segment whose number is `by` off what comes next, and how it goes on."""
    client = Connection(peer, src, options=mss(1460) + packets.SACK_PERMITTED)
    client.is_served()  # some hosts call a connection established when there is a request
    client.catch_up()
    ack = client.rcv + ack_by if "A" in flags else 0
    client.send(flags, data, seq=client.nxt + by, ack=ack, **fields)
    text = client.said()
    return f"{text}; {client.is_served()}"


row("rst in order", "5961 3.2", "nothing; gone",
    lambda peer: established(peer, "R"))
row("rst in the window", "5961 3.2", "ACK; lives",
    lambda peer: established(peer, "R", by=1000))
row("rst beyond the window", "5961 3.2", "nothing; lives",
    lambda peer: established(peer, "R", by=200_000))
row("rst before the window", "5961 3.2", "nothing; lives",
    lambda peer: established(peer, "R", by=-1000))
row("syn in the window", "5961 4.2", "ACK; lives",
    lambda peer: established(peer, "S", by=1000))
row("syn beyond the window", "5961 4.2", "ACK; lives",
    lambda peer: established(peer, "S", by=200_000))
row("syn ack in order", "5961 4.2", "ACK; lives",
    lambda peer: established(peer, "SA"))
row("syn in order over ipv6", "5961 4.2", "ACK; lives",
    lambda peer: established(peer, "S", src="fd09::1"))
row("data without ack", "9293 3.10.7.4: no ACK, drop", "nothing; lives",
    lambda peer: established(peer, "P", OTHER))
row("fin without ack", "9293 3.10.7.4: no ACK, drop", "nothing; lives",
    lambda peer: established(peer, "F"))
row("data that acknowledges what was not sent", "9293 3.10.7.4: ACK, drop", "ACK; lives",
    lambda peer: established(peer, "PA", OTHER, ack_by=1000))
row("data that acknowledges what is long gone", "5961 5.2: ACK, drop", "ACK; lives",
    lambda peer: established(peer, "PA", OTHER, ack_by=-200_000_000))
row("data beyond the window", "9293 3.10.7.4", "ACK; lives",
    lambda peer: established(peer, "PA", OTHER, by=200_000))
row("a keep alive", "9293 3.8.4", "ACK; lives",
    lambda peer: established(peer, "A", by=-1))
row("data with a wrong checksum", "9293 MUST-3", "nothing; lives",
    lambda peer: established(peer, "PA", OTHER, wrong_sum=1))
row("data with a header longer than it is", "9293 3.1", "nothing; lives",
    lambda peer: established(peer, "PA", OTHER, header_words=15))


# Data -----------------------------------------------------------------------------------------

def sacking(peer) -> Connection:
    return Connection(peer, options=mss(1460) + packets.SACK_PERMITTED)


@check("2018 4", "ACK, SACK 10 20")
def data_after_a_gap(peer):
    client = sacking(peer)
    client.send("PA", REQUEST[10:20], seq=client.nxt + 10)
    text = client.said()
    client.reset()
    return text


@check("2018 2", "ACK")
def data_after_a_gap_without_sack(peer):
    client = Connection(peer)
    client.send("PA", REQUEST[10:20], seq=client.nxt + 10)
    text = client.said()
    client.reset()
    return text


@check("2018 4: the newest first", "SACK 20 25 10 15")
def data_after_two_gaps(peer):
    client = sacking(peer)
    for at in (10, 20):
        client.send("PA", REQUEST[at:at + 5], seq=client.nxt + at)
    text = client.answers()[-1]
    client.reset()
    return client.words(text).partition(", ")[2]


@check("9293 3.10.7.4", "200, all acknowledged")
def a_request_out_of_order(peer):
    client = sacking(peer)
    parts = [(i, REQUEST[i:i + 4]) for i in range(0, len(REQUEST), 4)]
    for at, data in reversed(parts):
        client.send("PA", data, seq=client.nxt + at)
    return served_whole(client)


@check("9293 3.10.7.4", "200, all acknowledged")
def a_request_in_segments_that_overlap(peer):
    client = sacking(peer)
    for at in range(len(REQUEST) - 3):
        client.send("PA", REQUEST[at:at + 4], seq=client.nxt + at)
    return served_whole(client)


@check("9293 3.10.7.4", "200, all acknowledged")
def a_request_whose_start_was_there_before(peer):
    client = sacking(peer)
    client.send("PA", REQUEST[:10])
    client.send("PA", REQUEST)
    return served_whole(client)


def served_whole(client: Connection) -> str:
    client.nxt += len(REQUEST)
    answer = client.wait(lambda one: bool(one.data))
    client.reset()
    if answer is None:
        return "silent"
    return f"{answer.data[9:12].decode()}, {'all' if answer.ack == client.nxt else 'not all'} " \
        "acknowledged"


@check("9293 3.10.7.4", "ACK; lives")
def data_that_was_there_before(peer):
    client = Connection(peer)
    client.write(REQUEST[:10])
    client.answers()
    client.send("PA", REQUEST[:10], seq=client.nxt - 10)
    text = client.said()
    client.write(REQUEST[10:])
    answer = client.wait(lambda one: bool(one.data), 3.0)
    return f"{text}; {'lives' if answer else 'silent'}"


@check("9293 3.10.7.4", "ACK; lives")
def fin_after_a_gap(peer):
    client = Connection(peer)
    client.send("FA", seq=client.nxt + 10)
    text = client.said()
    return f"{text}; {client.is_served()}"


@check("9293 3.6", "200, FIN")
def a_half_closed_client_is_served(peer):
    client = Connection(peer)
    client.write(REQUEST, "FPA")
    found = client.collect(1, within_s=3.0)
    end = client.wait(lambda one: "F" in one.flags, 3.0) if found and "F" not in found[0].flags \
        else found and found[0]
    return f"{found[0].data[9:12].decode() if found else 'silent'}, {'FIN' if end else 'no end'}"


# Sending --------------------------------------------------------------------------------------

@check("9293 MUST-34", "nothing, then a probe, then 200")
def a_window_of_0(peer):
    client = Connection(peer, window=0)
    client.write(REQUEST)
    at_once = [one for one in client.answers() if one.data]
    probe = client.wait(lambda one: len(one.data) <= 1 and "S" not in one.flags, 4.0)
    client.window = 65535
    client.send("A")
    answer = client.wait(lambda one: len(one.data) > 1)
    client.reset()
    return f"{len(at_once) or 'nothing'}, then {'a probe' if probe else 'silence'}, then " \
        f"{'200' if answer else 'silence'}"


@check("6298 2", "the same segment again")
def what_is_not_acknowledged_is_sent_again(peer):
    client = Connection(peer)
    client.write(REQUEST)
    first = client.wait(lambda one: bool(one.data))
    again = client.wait(lambda one: one.data == first.data and one.seq == first.seq, 4.0)
    client.reset()
    return "the same segment again" if again else "silence"


@check("5681 3.2", "the lost segment, before the others")
def three_duplicates(peer):
    client = Connection(peer)
    client.write(LARGE_REQUEST)
    found = client.collect(5000, acknowledges=False)
    start = found[0].seq
    client.answers()
    client.rcv = start
    for _ in range(4):
        client.send("A")
    again = client.answers()
    client.reset()
    sent_again = [one for one in again if one.data and one.seq == start]
    return "the lost segment, before the others" if sent_again else "nothing"


@check("9293 3.8.6: never beyond the window", "2000 bytes at most")
def a_window_of_2000(peer):
    client = Connection(peer, window=2000)
    start = client.rcv
    client.write(LARGE_REQUEST)
    client.collect(2000, acknowledges=False, within_s=0.5)
    more = [one for one in client.answers() if one.data]
    end = max([client.rcv, *(one.seq + len(one.data) for one in more)])
    client.reset()
    return "2000 bytes at most" if end - start <= 2000 else f"{end - start} bytes"


# The end --------------------------------------------------------------------------------------

def closed_by_server(peer) -> Connection:
    """The server is in TIME-WAIT."""
    client = Connection(peer)
    client.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    found = client.wait(lambda one: "F" in one.flags)
    client.rcv = found.seq + len(found.data) + 1
    client.write(b"", "FA")
    client.answers()
    return client


@check("9293 MAY-2; 6191", "SYN+ACK; lives")
def a_higher_syn_in_time_wait(peer):
    old = closed_by_server(peer)
    client = Connection(peer, port=old.port, isn=old.nxt + 100_000, opens=False)
    client.send("S", options=client.options, ack=0)
    answer = client.wait(lambda one: True, 1.0)
    if answer is None or answer.flags != "SA":
        return client.words(answer) if answer else "nothing"
    client.take(answer)
    client.send("A")
    return f"SYN+ACK; {client.is_served()}"


@check("9293 3.10.7.4", "ACK")
def an_old_syn_in_time_wait(peer):
    old = closed_by_server(peer)
    old.send("S", seq=old.isn - 1000, ack=0)
    return old.said()


@check("9293 3.10.7.4", "ACK")
def the_fin_again_in_time_wait(peer):
    old = closed_by_server(peer)
    old.send("FA", seq=old.nxt - 1)
    return old.said()


@check("9293 3.5.1; 5961 4.2", "ACK; nothing; SYN+ACK; lives")
def a_client_that_forgot_its_connection(peer):
    old = Connection(peer)
    old.write(REQUEST)
    old.wait(lambda one: bool(one.data))
    old.catch_up()
    client = Connection(peer, port=old.port, isn=old.nxt + 5000, opens=False)
    client.send("S", options=client.options, ack=0)
    answer = client.wait(lambda one: True, 2.0)
    text = old.words(answer) if answer else "nothing"
    if answer:
        client.send("R", seq=answer.ack, ack=0)
    text += "; " + client.said()
    client.send("S", options=client.options, seq=client.isn, ack=0)
    client.take(client.wait(lambda one: "S" in one.flags))
    client.send("A")
    return f"{text}; SYN+ACK; {client.is_served()}"
