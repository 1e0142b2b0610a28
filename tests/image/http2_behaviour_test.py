#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What a Unix image does that HTTP/2 alone cannot show: TLS records, its share of memory, its end,
and several hosts.

Method: frames by hand (http2.py); records are counted in front of the client's TLS. What a server
in memory can show is in tests/http/h2.
"""

import pathlib
import re
import signal
import ssl
import subprocess
import tempfile
import unittest

import bare
import harness
import http2
from client import trusting_context
from harness import SITE
from http2 import (ACK, INITIAL_WINDOW_SIZE, NO_ERROR, PING, WINDOW_MAX, WINDOW_UPDATE, frame,
                   number, request, setting)
from tls_test import make_certificate

RECORD_BYTES_MAX = 16384
KIB_OF_A_SESSION = 30  # what has to be free for one more connection


class Records(http2.Connection):
    """Counts the records of TLS that come, by what they hold."""

    def __init__(self, port: int):
        super().__init__(port, secure=False, says_nothing=True)
        context = trusting_context()
        context.set_alpn_protocols(["h2"])
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname="localhost")
        self._sealed = b""
        self.records: list[int] = []
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.socket.sendall(self._out.read())
                self._in.write(self.socket.recv(1 << 16))
        self.send(http2.PREFACE + frame(http2.SETTINGS, 0, 0,
                                        setting(INITIAL_WINDOW_SIZE, WINDOW_MAX))
                  + frame(WINDOW_UPDATE, 0, 0, number(WINDOW_MAX - 65535)))

    def send(self, data: bytes) -> None:
        self._tls.write(data)
        self.socket.sendall(self._out.read())

    def receive(self) -> bytes:
        some = self.socket.recv(1 << 18)
        self._in.write(some)
        self._sealed += some
        while len(self._sealed) >= 5:
            size = int.from_bytes(self._sealed[3:5], "big")
            if len(self._sealed) < 5 + size:
                break
            self.records.append(size - 17)  # a type and a tag
            self._sealed = self._sealed[5 + size:]
        opened = b""
        try:
            while part := self._tls.read(1 << 18):
                opened += part
        except ssl.SSLWantReadError:
            if some and not opened:
                raise
        return opened


class Behaviour(unittest.TestCase):
    def setUp(self):
        if not harness.has_tls():
            self.skipTest("crunch was built without TLS")

    def test_records_are_filled(self):
        with harness.SecureServer(bare.site_image("unix")) as server, \
                Records(server.port) as client:
            def asked(what: str, requests: bytes, streams: int) -> tuple[int, int]:
                """How many bytes came, in how many records."""
                client.records.clear(), client.frames.clear()
                client.send(requests)
                self.assertTrue(client.wait_for(lambda: client.ended_streams() >= streams), what)
                content = sum(client.records)
                print(f"{what}: {content} bytes in {len(client.records)} records, of "
                      f"{content / len(client.records):.0f} bytes in the mean")
                return content, len(client.records)

            asked("SETTINGS and one answer", request(1, "/index.html"), 1)
            content, records = asked("8 MiB", request(3, "/big.bin"), 1)
            self.assertEqual(client.body(3), SITE["big.bin"])
            self.assertLessEqual(records, content // RECORD_BYTES_MAX * 101 // 100 + 4)
            # Of a hundred streams, whose frames go together.
            many = b"".join(request(each, "/index.html") for each in range(5, 205, 2))
            content, records = asked("a hundred answers", many, 100)
            self.assertGreater(content, 100 * len(SITE["index.html"]))
            self.assertLessEqual(records, content // RECORD_BYTES_MAX + 4)

    def test_without_room_new_connections_speak_http_1_1(self):
        with harness.SecureServer(bare.site_image("unix"), "--memory=16MiB", "--threads=1",
                                  "--max-connections-per-client=1000") as server:
            share = float(re.search(r"([\d.]+) MiB of HTTP/2", server.err()).group(1)) * 1024
            held = []
            while len(held) < 2 * share / 25:
                one = http2.Connection(server.port, secure=True)
                if one.protocol != "h2":
                    break
                held.append(one)
                self.assertTrue(one.wait_for(lambda one=one: one.frames), "no SETTINGS")
            print(f"{share:.0f} KiB of HTTP/2: {len(held)} connections speak it")
            self.assertGreaterEqual(len(held), share / KIB_OF_A_SESSION - 1)
            self.assertEqual(one.protocol, "http/1.1")
            one.close()
            with server.client() as plain:
                self.assertEqual(plain.get("/index.html").body, SITE["index.html"])
            status, _ = http2.curl(server.port, True)
            self.assertEqual(status, "1.1 200")
            # There is room again.
            for each in held:
                each.close()
            self.assertTrue(harness.eventually(
                lambda: http2.curl(server.port, True)[0] == "2 200"))

    def test_asked_to_stop_it_says_goaway_twice_and_finishes(self):
        with harness.SecureServer(bare.site_image("unix")) as server, \
                http2.Connection(server.port, secure=True) as client:
            client.send(request(1, "/big.bin"))
            self.assertTrue(client.wait_for(lambda: len(client.body(1)) == 65535))
            server.process.send_signal(signal.SIGTERM)
            self.assertTrue(client.wait_for(client.goaways))
            self.assertEqual(client.goaways(), [(WINDOW_MAX, NO_ERROR)])
            client.send(request(3, "/index.html"))  # was on its way
            pings = [payload for kind, flags, _, payload in client.frames
                     if kind == PING and not flags & ACK]
            self.assertEqual(len(pings), 1)
            client.send(frame(PING, ACK, 0, pings[0]))
            self.assertTrue(client.wait_for(lambda: len(client.goaways()) == 2))
            last, code = client.goaways()[1]
            # The server waits for a second; on a busy machine the request may come later.
            self.assertIn(last, (1, 3))
            self.assertEqual(code, NO_ERROR)
            client.send(frame(WINDOW_UPDATE, 0, 0, number(WINDOW_MAX - 65535))
                        + frame(WINDOW_UPDATE, 0, 1, number(WINDOW_MAX - 65535)))
            self.assertTrue(client.wait_for(
                lambda: client.ended_streams() == (2 if last == 3 else 1)))
            self.assertEqual(client.body(1), SITE["big.bin"])
            self.assertEqual(client.body(3), SITE["index.html"] if last == 3 else b"")
            client.wait_for(lambda: client.is_ended)
            self.assertTrue(client.is_ended)
            client.close()
            self.assertEqual(server.process.wait(harness.WAIT_S), 0)

    def test_a_host_that_the_certificate_does_not_cover(self):
        harness.need("nghttp")
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            cert, key = make_certificate(folder, "one", "one.example")
            hosts = b"".join(b'[[host]]\nname = "%s.example"\n' % name for name in (b"one", b"two"))
            site = harness.write_tree(folder / "site", {"index.html": b"<p>main\n",
                                                        "crunch.toml": hosts})
            image = harness.build_image(site, folder / "image", "--cert", cert, "--key", key)
            with harness.SecureServer(image) as server:
                for host, status in (("one.example", 200), ("two.example", 421)):
                    done = subprocess.run(
                        ["nghttp", "-nv", f"-H:authority: {host}",
                         f"https://127.0.0.1:{server.port}/"],
                        stdout=subprocess.PIPE, text=True, timeout=harness.WAIT_S, check=False)
                    self.assertIn(f":status: {status}\n",
                                  re.sub("\x1b\\[[0-9;]*m", "", done.stdout), host)


if __name__ == "__main__":
    harness.main()
