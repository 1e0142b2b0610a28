#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Images that take the PROXY protocol: headers of both versions, plain and below TLS, by hand and
by a real haproxy; who is refused; limits and logs by the visitor.

Method: a unix image, on loopback, with --log=combined. Each byte of a header: tests/net.
"""

import pathlib
import socket
import ssl
import struct
import subprocess
import tempfile
import unittest

import harness
from harness import Server
from tls_test import make_certificate

ONE = b"PROXY TCP4 203.0.113.5 192.0.2.1 40000 443\r\n"
TWO = (b"\r\n\r\n\0\r\nQUIT\n\x21\x21" + struct.pack("!H", 36) +
       socket.inet_pton(socket.AF_INET6, "2001:db8::7") +
       socket.inet_pton(socket.AF_INET6, "2001:db8::1") + struct.pack("!HH", 40000, 443))
LOCAL = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
TRUSTED = ("--proxy-protocol=true", "--trusted-proxy=127.0.0.0/8")


def read_all(connection) -> bytes:
    got = b""
    while True:
        try:
            part = connection.recv(65536)
        except ConnectionResetError:
            return got
        if not part:
            return got
        got += part


class Proxied(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(holder.cleanup)
        cls.folder = pathlib.Path(holder.name)
        site = harness.write_tree(cls.folder / "site", {"index.html": b"<p>main\n"})
        cls.image = harness.build_image(site, cls.folder / "image")
        cls.cert, cls.key = make_certificate(cls.folder, "localhost", "localhost")

    def ask(self, port: int, header: bytes, secure: bool = False) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(header)
            if not secure:
                connection.sendall(REQUEST)
                return read_all(connection)
            context = ssl.create_default_context(cafile=self.cert)
            with context.wrap_socket(connection, server_hostname="localhost") as wrapped:
                wrapped.sendall(REQUEST)
                return read_all(wrapped)

    def last_line(self, server, count: int) -> str:
        self.assertTrue(harness.eventually(lambda: server.out().count("\n") >= count))
        return server.out().splitlines()[-1]

    def test_the_visitor_is_who_the_proxy_says(self):
        with Server(self.image, *TRUSTED, "--log=combined", "--redirect=false",
                    f"--cert={self.cert}", f"--key={self.key}", "--https-port=0") as server:
            count = 0
            for secure in (False, True):
                port = server.wait_for_port("https") if secure else server.port
                for header, says in ((ONE, "203.0.113.5 "), (TWO, "2001:db8::7 "),
                                     (LOCAL, "127.0.0.1 "), (b"PROXY UNKNOWN\r\n", "127.0.0.1 ")):
                    answer = self.ask(port, header, secure)
                    self.assertIn(b"<p>main", answer, (secure, header))
                    count += 1
                    line = self.last_line(server, count)
                    self.assertTrue(line.startswith(says), (secure, header, line))
            self.assertEqual(server.stop(), 0)

    def test_others_are_closed(self):
        with Server(self.image, *TRUSTED) as server:
            for header in (b"", b"PROXY TCP4 nonsense\r\n", b"\x16\x03\x01\x00\x05hello"):
                self.assertEqual(self.ask(server.port, header), b"", header)
            self.assertTrue(harness.eventually(
                lambda: "no PROXY protocol header came" in server.err()))
            self.assertIn(b"<p>main", self.ask(server.port, ONE))
        with Server(self.image, "--proxy-protocol=true", "--trusted-proxy=192.0.2.0/24") as server:
            self.assertEqual(self.ask(server.port, ONE), b"")
            self.assertTrue(harness.eventually(
                lambda: "it is not in --trusted-proxy" in server.err()))

    def test_without_trusted_proxies_it_does_not_start(self):
        done = harness.call(self.image, "--http-port=0", "--proxy-protocol=true")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--proxy-protocol=true needs --trusted-proxy", done.stdout)

    def test_a_visitor_has_the_limit_of_a_client(self):
        with Server(self.image, *TRUSTED, "--max-connections-per-client=2") as server:
            held = []
            for _ in range(4):
                connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
                self.addCleanup(connection.close)
                connection.sendall(ONE + REQUEST.replace(b"close", b"keep-alive"))
                self.assertIn(b"200 OK", connection.recv(65536))
                held.append(connection)
            # Idle, the first two gave way to the last two.
            for connection in held[:2]:
                self.assertEqual(read_all(connection), b"")
            for connection in held[2:]:
                connection.sendall(REQUEST)
                self.assertIn(b"<p>main", read_all(connection))

    def test_haproxy(self):
        program = harness.need("haproxy")
        with Server(self.image, *TRUSTED, "--log=combined") as server:
            with socket.create_server(("127.0.0.1", 0)) as free:
                ports = [free.getsockname()[1]]
                with socket.create_server(("127.0.0.1", 0)) as other:
                    ports.append(other.getsockname()[1])
            setup = "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 9s\n" \
                    "  timeout server 9s\n"
            for port, word in zip(ports, ("send-proxy", "send-proxy-v2")):
                setup += (f"listen l{port}\n  bind 127.0.0.1:{port}\n"
                          f"  server image 127.0.0.1:{server.port} {word}\n")
            (self.folder / "haproxy.cfg").write_text(setup)
            with subprocess.Popen([program, "-db", "-q", "-f", self.folder / "haproxy.cfg"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as proxy:
                try:
                    for count, port in enumerate(ports, 1):
                        self.assertTrue(harness.eventually(lambda p=port: self.is_open(p)))
                        with socket.create_connection(("127.0.0.1", port), 20,
                                                      ("127.0.0.9", 0)) as connection:
                            connection.sendall(REQUEST)
                            self.assertIn(b"<p>main", read_all(connection))
                        line = self.last_line(server, count)
                        self.assertTrue(line.startswith("127.0.0.9 "), line)
                finally:
                    proxy.terminate()
                    proxy.wait(20)

    @staticmethod
    def is_open(port: int) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    harness.main()
