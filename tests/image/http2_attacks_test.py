#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Clients of HTTP/2 that mean ill, on a Unix image, over TLS and in cleartext.

Method: several connections at once send frames by hand; meanwhile curl must get its page. Memory of
the process is printed, and it must stay below what HTTP/2 may take for that many connections
(docs/http2.md); the second time it must not be more than the first. Floods must be told
ENHANCE_YOUR_CALM. Deadlines, and each kind of malformed frame: tests/http/h2, on simulated time.
"""

import contextlib
import unittest

import bare
import harness
import http2
from harness import SITE
from http2 import (CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, HEADERS,
                   INITIAL_WINDOW_SIZE, PING, RST_STREAM, SETTINGS, WINDOW_MAX, WINDOW_UPDATE,
                   block, frame, literal, number, request, setting)

CONNECTIONS = 5
KIB_OF_A_CONNECTION = 1024
ROUNDS_MAX = 300  # a flood of 100 frames each must be over long before


def ids(turn: int, count: int) -> range:
    """Those of the streams that are opened in this turn."""
    return range(1 + 2 * count * turn, 1 + 2 * count * (turn + 1), 2)


def rapid_reset(turn: int) -> bytes:
    return b"".join(request(each, "/big.bin") + frame(RST_STREAM, 0, each, number(CANCEL))
                    for each in ids(turn, 50))


def made_you_reset(turn: int) -> bytes:
    """CVE-2025-8671: the server resets them itself."""
    return b"".join(request(each, "/big.bin") + frame(WINDOW_UPDATE, 0, each, number(WINDOW_MAX))
                    for each in ids(turn, 50))


def continuations(turn: int) -> bytes:
    first = frame(HEADERS, END_STREAM, 1, block("/")) if turn == 0 else b""
    return first + frame(CONTINUATION, 0, 1, literal(b"x", b"a" * 16_000))


def empty_data(turn: int) -> bytes:
    first = frame(HEADERS, END_HEADERS, 1, block("/", "POST")) if turn == 0 else b""
    return first + frame(DATA, 0, 1) * 100


def hpack_bomb(turn: int) -> bytes:
    """16 KB that are 39 MB of fields: one of 3,000 bytes, and then its index again and again."""
    fields = literal(b"x", b"a" * 3000, is_indexed=True) + b"\xbe" * 12_000
    return request(1 + 2 * turn, "/", fields)


def pings(_) -> bytes:
    return frame(PING, 0, 0, b"12345678") * 100


def settings(_) -> bytes:
    return frame(SETTINGS, 0, 0, setting(INITIAL_WINDOW_SIZE, 65535)) * 100


FLOODS = (rapid_reset, made_you_reset, continuations, pings, settings, empty_data)

# Windows of a hundred streams, and of the connection, when their answers are asked for.
HELD = {"zero windows": 0, "one-byte windows": 1, "answers that are never read": WINDOW_MAX}


class Attacks:
    """For a TestCase that says whether it is over TLS."""

    secure = False

    @classmethod
    def setUpClass(cls):
        harness.need("curl")
        if cls.secure and not harness.has_tls():
            raise unittest.SkipTest("crunch was built without TLS")
        if cls.secure:
            cls.server = harness.SecureServer(bare.site_image("unix"))
        else:
            cls.server = harness.Server(harness.shared_image(), "--h2c=true")
        cls.addClassCleanup(cls.server.kill)

    def expect_an_honest_client_is_served(self, beside: str) -> None:
        status, body = http2.curl(self.server.port, self.secure)
        self.assertEqual((status, body), ("2 200", SITE["index.html"]), beside)

    @contextlib.contextmanager
    def connections(self, **options):
        with contextlib.ExitStack() as stack:
            yield [stack.enter_context(http2.Connection(self.server.port, self.secure, **options))
                   for _ in range(CONNECTIONS)]

    def measured(self, name: str, attack) -> None:
        """Runs it twice; `attack` is called with a function to be called while it is under way."""
        kib = [self.server.memory_kib()]
        for _ in range(2):
            attack(lambda: (self.expect_an_honest_client_is_served(name),
                            kib.append(self.server.memory_kib())))
            self.expect_an_honest_client_is_served(f"after {name}")
            kib.append(self.server.memory_kib())
        before, first, after_first, second, after_second = kib
        print(f"{'TLS' if self.secure else 'cleartext'}, {CONNECTIONS} connections, {name}: "
              f"{before} KiB before, {first} meanwhile, {after_first} after; once more: {second} "
              f"meanwhile, {after_second} after")
        self.assertLess(max(kib) - before, CONNECTIONS * KIB_OF_A_CONNECTION)
        self.assertLess(second, max(first, after_first) + KIB_OF_A_CONNECTION, "it grows")

    def test_floods(self):
        for flood in FLOODS:
            def attack(meanwhile, flood=flood):
                with self.connections() as attackers:
                    for turn in range(ROUNDS_MAX):
                        for each in attackers:
                            each.send(flood(turn))
                            each.take_what_is_there()
                        if turn == 0:
                            meanwhile()
                        if all(each.is_ended for each in attackers):
                            break
                    self.assertLess(turn, ROUNDS_MAX - 1, "it is not ended")
                    # One that still sends when it is ended may get a reset instead, not all.
                    codes = {code for each in attackers for _, code in each.goaways()}
                    self.assertEqual(codes, {ENHANCE_YOUR_CALM})
            with self.subTest(flood=flood.__name__):
                self.measured(flood.__name__, attack)

    def test_bombs_of_hpack(self):
        def attack(meanwhile):
            with self.connections() as attackers:
                for turn in range(10):
                    for each in attackers:
                        each.send(hpack_bomb(turn))
                    if turn == 5:
                        meanwhile()
                for each in attackers:
                    self.assertTrue(each.wait_for(lambda each=each: each.ended_streams() >= 10),
                                    each.frames)
        self.measured("bombs of HPACK", attack)

    def test_answers_that_are_not_taken(self):
        for name, window in HELD.items():
            def attack(meanwhile, window=window):
                windows = setting(INITIAL_WINDOW_SIZE, window)
                with self.connections(settings=windows, receive_buffer=4096) as attackers:
                    for each in attackers:
                        each.send(frame(WINDOW_UPDATE, 0, 0, number(WINDOW_MAX - 65535))
                                  + b"".join(request(one, "/big.bin") for one in ids(0, 100)))
                    meanwhile()
                    for each in attackers:
                        self.assertFalse(each.is_ended)
            with self.subTest(name=name):
                self.measured(f"100 streams with {name}" if window < 2 else f"100 {name}", attack)


class OverTls(Attacks, unittest.TestCase):
    secure = True


class InCleartext(Attacks, unittest.TestCase):
    pass


if __name__ == "__main__":
    harness.main()
