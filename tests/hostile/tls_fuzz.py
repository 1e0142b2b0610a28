#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Changed bytes on live TLS connections of an image, with an honest client beside.

    python3 tests/hostile/tls_fuzz.py --target unix-tap --seconds 3600 --seed 7

Method: OpenSSL, by Python's ssl, between buffers makes what an honest client would send: its hello,
the end of its handshake, a request. One of these flights is changed on its way: bits, lengths,
types, the order and the borders of records; or it ends after any of its bytes. The first batches
end after each byte in turn. Changes that RFC 8446 allows (section 5.1: a message in several
records) must be served. Takes what scripts/test builds; --target unix-tap takes root.
"""

import contextlib
import random
import socket
import ssl

import campaign
import harness
import network
from campaign import Found
from client import SecureClient, trusting_context

TARGETS = ["unix", "unix-tap"]
FILES = {"index.html": b"<!doctype html><title>home</title>" + b"<p>words " * 400,
         "large.bin": harness.noise(300_000, "tls fuzz")}
ATTACKS_IN_BATCH = 40
LEFT_OPEN = 24  # connections that stay until so many others have come
ANSWER_S = 0.1  # what is waited for an answer that may not come
VERSIONS = (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2)
ALERT, HANDSHAKE, DATA, CIPHER_CHANGE = 21, 22, 23, 20
FLIGHTS = ("hello", "finish", "request")


# Records --------------------------------------------------------------------------------------

def record(kind: int, body: bytes, version: bytes = b"\3\3") -> bytes:
    return bytes([kind]) + version + len(body).to_bytes(2, "big") + body


def records_of(data: bytes) -> list[bytes]:
    found = []
    while len(data) >= 5:
        size = 5 + int.from_bytes(data[3:5], "big")
        found.append(data[:size])
        data = data[size:]
    return found


def with_length(one: bytes, length: int) -> bytes:
    return one[:3] + (length & 0xffff).to_bytes(2, "big") + one[5:]


# Changes of a flight: (random, its records, those of another connection) -> bytes -------------

def flip(chance, records, _):
    data = bytearray(b"".join(records))
    for _ in range(chance.choice((1, 1, 1, 2, 8, 64))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def flip_head(chance, records, _):
    """Of a record, or of the message in it: where the lengths are."""
    data = bytearray(b"".join(records))
    data[chance.randrange(min(len(data), 12))] = chance.choice((0, 1, 0x7f, 0x80, 0xff))
    return bytes(data)


def lengthen(chance, records, _):
    at = chance.randrange(len(records))
    right = len(records[at]) - 5
    wrong = chance.choice((0, 1, right - 1, right + 1, 2 * right, 16384, 16385, 16640, 16641,
                           65535))
    tail = chance.randbytes(chance.choice((0, 10, 20000)))
    return b"".join(records[:at] + [with_length(records[at], wrong)] + records[at + 1:]) + tail


def retype(chance, records, _):
    at = chance.randrange(len(records))
    kind = chance.choice((0, 19, CIPHER_CHANGE, ALERT, HANDSHAKE, DATA, 24, 128, 255))
    return b"".join(records[:at] + [bytes([kind]) + records[at][1:]] + records[at + 1:])


def replay(chance, records, _):
    one = chance.choice(records)
    return b"".join(records) + one * chance.choice((1, 1, 2, 50))


def reorder(chance, records, _):
    records = records[:]
    if len(records) == 1:
        return records[0][5:] + records[0][:5]
    chance.shuffle(records)
    return b"".join(records)


def leave_out(chance, records, _):
    records = records[:]
    del records[chance.randrange(len(records))]
    return b"".join(records)


def of_another(chance, records, others):
    """A record that is good on another connection."""
    at = chance.randrange(len(records) + 1)
    return b"".join(records[:at] + [chance.choice(others)] + records[at:])


def merge(chance, records, _):
    body = b"".join(one[5:] for one in records)
    return record(records[0][0], body[:65535])


def cut_in_two(chance, records, _):
    """As plain text this is allowed; sealed, it is not what was sealed."""
    at = chance.randrange(len(records))
    body = records[at][5:]
    middle = chance.randrange(len(body) + 1)
    kind = records[at][0]
    return b"".join(records[:at] + [record(kind, body[:middle]), record(kind, body[middle:])]
                    + records[at + 1:])


def insert(chance, records, _):
    at = chance.randrange(len(records) + 1)
    more = chance.choice((
        record(HANDSHAKE, b""), record(ALERT, b""), record(DATA, b""),
        record(CIPHER_CHANGE, b"\1"), record(CIPHER_CHANGE, b"\1") * 40,
        record(CIPHER_CHANGE, b"\2"), record(ALERT, b"\1\0"), record(ALERT, b"\2\x28"),
        record(ALERT, b"\1"), record(ALERT, b"\1\x5a" * 3), record(DATA, bytes(16384 + 256)),
        record(HANDSHAKE, b"\0\0\0\0"), record(HANDSHAKE, b"\1\xff\xff\xff" + bytes(16000)),
        record(HANDSHAKE, b"\x18\0\0\1\2"), chance.randbytes(chance.randrange(1, 400))))
    return b"".join(records[:at] + [more] + records[at:])


CHANGES = (flip, flip, flip, flip_head, lengthen, lengthen, retype, replay, reorder, leave_out,
           of_another, merge, cut_in_two, insert, insert)


# A client whose flights can be changed --------------------------------------------------------

class Peer:
    def __init__(self, address, context, session=None):
        self.came, self.goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.came, self.goes, server_hostname="localhost",
                                    session=session)
        self.socket = socket.create_connection(address, timeout=campaign.SERVED_WITHIN_S)

    def flight(self, name: str) -> bytes:
        """What an honest client sends now; empty: the server did not answer as it needs."""
        try:
            while self._step():
                if self.goes.pending:
                    return self.goes.read()
                if not self.take():
                    return b""
            if name == "request":
                self.tls.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        except ssl.SSLError:
            return b""
        return self.goes.read()

    def _step(self) -> bool:
        """-> whether the handshake wants more from the server."""
        try:
            self.tls.do_handshake()
            return False
        except ssl.SSLWantReadError:
            return True

    def take(self) -> bool:
        with contextlib.suppress(OSError):
            if some := self.socket.recv(65536):
                self.came.write(some)
                return True
        return False

    def shake_hands(self) -> None:
        while self._step():
            self.socket.sendall(self.goes.read())
            if not self.take():
                raise Found("an honest handshake is not answered")
        self.socket.sendall(self.goes.read())

    def read_status(self) -> bytes:
        """The first bytes of the answer; nothing: there is none."""
        with contextlib.suppress(ssl.SSLError):
            while True:
                try:
                    return self.tls.read(15)
                except ssl.SSLWantReadError:
                    if not self.take():
                        break
        return b""

    def send(self, data: bytes) -> bool:
        try:
            self.socket.sendall(data)
            return True
        except OSError:  # the server may have ended it already
            return False

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()


class Fuzzer:
    def __init__(self, address):
        self.address = address
        self.contexts = {}
        for version in VERSIONS:
            self.contexts[version] = context = trusting_context()
            context.minimum_version = context.maximum_version = version
        self.sessions = dict.fromkeys(VERSIONS)
        self.open: list[Peer] = []
        self.kept = SecureClient(*address)
        self.cut_at = {version: 0 for version in VERSIONS}

    def honest(self) -> None:
        """One that stays, and a new one, which resumes a session every other time."""
        for version in VERSIONS:
            with SecureClient(*self.address, self.contexts[version],
                              self.sessions[version]) as client:
                if client.get("/large.bin").body != FILES["large.bin"]:
                    raise Found("the honest client got other bytes")
                self.sessions[version] = None if self.sessions[version] else client.socket.session
        try:
            answer = self.kept.get("/")
        except (OSError, KeyError) as wrong:
            raise Found(f"the honest client's old connection broke: {wrong!r}") from wrong
        if answer.body != FILES["index.html"]:
            raise Found("the honest client's old connection got other bytes")
        if answer.fields.get("connection") == "close":
            self.kept.close()
            self.kept.connect()

    def keep(self, chance, peer: Peer) -> None:
        """The connection stays open for a while, and then ends in one way or another."""
        self.open.append(peer)
        if len(self.open) > LEFT_OPEN:
            oldest = self.open.pop(0)
            oldest.reset() if chance.random() < 0.5 else oldest.socket.close()

    def batch(self, chance: random.Random, _: int):
        for _ in range(ATTACKS_IN_BATCH):
            version = chance.choice(VERSIONS)
            if self.cut_at[version] is not None:
                yield from self.end_after_each_byte(chance, version)
            kind = chance.random()
            if kind < 0.1:
                yield self.harmless(chance, version)
            elif kind < 0.14:
                yield self.ends_inside_records(chance, version)
            else:
                yield self.changed(chance, version)

    def end_after_each_byte(self, chance, version):
        """Some of the truncations; all have been made when cut_at is None."""
        for _ in range(10):
            cut = self.cut_at[version]
            words = f"{version.name}: ends after byte {cut}"
            yield words
            peer = Peer(self.address, self.contexts[version])
            left = cut
            for name in FLIGHTS:
                data = peer.flight(name)
                if len(data) > left:
                    peer.send(data[:left])
                    break
                left -= len(data)
                peer.send(data)
            else:
                self.cut_at[version] = None
                peer.reset()
                return
            self.cut_at[version] = cut + 1
            self.keep(chance, peer)

    def changed(self, chance, version) -> str:
        change, at = chance.choice(CHANGES), chance.choice(FLIGHTS)
        session = self.sessions[version] if chance.random() < 0.3 else None
        peer = Peer(self.address, self.contexts[version], session)
        others = self.records_of_another(version) if change is of_another else []
        for name in FLIGHTS:
            data = peer.flight(name)
            if not data:
                break
            if name == at:
                peer.socket.settimeout(ANSWER_S)
                data = change(chance, records_of(data), others)
            if not self.send_in_pieces(chance, peer, data):
                break
            with contextlib.suppress(ssl.SSLError):
                if name != "hello" and name == at:
                    peer.take()
        self.keep(chance, peer)
        return f"{version.name}: {change.__name__} in {at}"

    def records_of_another(self, version) -> list[bytes]:
        other = Peer(self.address, self.contexts[version])
        other.shake_hands()
        found = records_of(other.flight("request"))
        other.reset()
        return found

    @staticmethod
    def send_in_pieces(chance, peer: Peer, data: bytes) -> bool:
        if chance.random() < 0.7:
            return peer.send(data)
        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        cut = chance.randrange(len(data) + 1)
        return peer.send(data[:cut]) and peer.send(data[cut:])

    def harmless(self, chance, version) -> str:
        """The hello in several records, each flight in pieces: it must be served."""
        peer = Peer(self.address, self.contexts[version])
        hello = peer.flight("hello")
        body, pieces = hello[5:], []
        while body:
            size = chance.randrange(1, len(hello))
            pieces.append(record(HANDSHAKE, body[:size], b"\3\1"))
            body = body[size:]
        words = f"{version.name}: a hello in {len(pieces)} records"
        self.send_in_pieces(chance, peer, b"".join(pieces))
        finish = peer.flight("finish")
        if not finish:
            raise Found(f"{words} is not answered")
        self.send_in_pieces(chance, peer, finish)
        self.send_in_pieces(chance, peer, peer.flight("request"))
        if not peer.read_status().startswith(b"HTTP/1.1 200"):
            raise Found(f"{words} is not served")
        self.keep(chance, peer)
        return words

    def ends_inside_records(self, chance, version) -> str:
        """Many requests, of which the server never finds the last one whole."""
        peer = Peer(self.address, self.contexts[version])
        peer.shake_hands()
        request = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-More: " + b"m" * 7000 + b"\r\n\r\n"
        left = b""
        count = chance.choice((50, 400, 900))
        for sent in range(count):
            peer.tls.write(request)
            data = left + peer.goes.read()
            keep = chance.randrange(1, 7000)
            left = data[-keep:]
            # There is no answer to the first, whose end is yet to come.
            if not peer.send(data[:-keep]) or sent > 0 and not peer.take():
                break
        self.keep(chance, peer)
        return f"{version.name}: {count} requests, each read ends inside a record"


# By hand and by hostile_test.py ---------------------------------------------------------------

class Running:
    """An image with a certificate, and a fuzzer on it."""

    def __init__(self, target: str):
        def write_site(folder):
            harness.write_tree(folder, FILES)
        image = harness.built_once(f"hostile-secure.{target}", target, write_site,
                                   "--self-signed", "localhost")
        if target == "unix":
            self.server = harness.SecureServer(image)
            address = ("127.0.0.1", self.server.port)
        else:
            network.need_taps()
            network.enter_namespace()
            network.make_tap()
            self.server = harness.Server(image, *network.STATIC, http_port=80, wait=False)
            self.server.wait_for_port("https")
            address = (network.IMAGE4, 443)
        self.server.target = target
        self.fuzzer = Fuzzer(address)

    def run(self, seconds: float, seed: int | None = None, batch: int = 0) -> None:
        with self.server:
            campaign.Campaign(self.server, self.fuzzer.batch, self.fuzzer.honest).run(
                seconds, seed, batch)
            for peer in [*self.fuzzer.open, self.fuzzer.kept]:
                peer.socket.close()


if __name__ == "__main__":
    given = campaign.arguments(__doc__, TARGETS)
    Running(given.target).run(given.seconds, given.seed, given.batch)
