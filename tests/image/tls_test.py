#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""HTTPS of a built image: certificates from the build and from boot keys, the redirect, HSTS.

Method: images of harness.SITE; Python's ssl, which is OpenSSL's, and sockets as clients.
"""

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import tempfile
import unittest

import client
import harness
from harness import SITE, Server

def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_certificate(folder: pathlib.Path, name: str, host: str) -> tuple[str, str]:
    harness.need("openssl")
    cert, key = str(folder / f"{name}.pem"), str(folder / f"{name}.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert, "-days",
                    "30", "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return cert, key


def https_get(port: int, path: str, trusted: str | None = None, name: str = "localhost",
              host: str = "127.0.0.1"):
    """-> the answer, its body, the certificate's names (only when it is trusted)."""
    context = ssl.create_default_context(cafile=trusted)
    if trusted is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    with socket.create_connection((host, port), timeout=client.WAIT_S) as raw, \
            context.wrap_socket(raw, server_hostname=name) as wrapped:
        names = [value for _, value in wrapped.getpeercert().get("subjectAltName", ())]
        wrapped.sendall(f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"
                        .encode())
        answer = http.client.HTTPResponse(wrapped)
        answer.begin()
        return answer, answer.read(), names


class KeptConnection:
    """One HTTPS connection that stays; whoever serves it may be anybody."""

    def __init__(self, port: int):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.raw = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.wrapped = context.wrap_socket(self.raw, server_hostname="localhost")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wrapped.close()

    def get(self, path: str) -> bytes:
        self.wrapped.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        answer = http.client.HTTPResponse(self.wrapped)
        answer.begin()
        return answer.read()


def shown_certificate(port: int) -> str:
    """What a new connection is shown, in PEM."""
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=20)


def http_get(port: int, path: str, host: str = "localhost"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


@unittest.skipUnless(harness.has_tls(), "crunch was built without TLS")
class Https(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.keeper = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.keeper.name)
        cls.site = harness.write_tree(cls.folder / "site", SITE)
        cls.local = harness.build_image(cls.site, cls.folder / "local", "--self-signed",
                                        "localhost")
        cls.plain = harness.shared_image()

    @classmethod
    def tearDownClass(cls):
        cls.keeper.cleanup()

    def test_serves_every_file_as_http_does(self):
        with Server(self.local, "--https-port=0", "--redirect=false") as server:
            port = server.wait_for_port("https")
            for name, body in SITE.items():
                answer, got, _ = https_get(port, "/" + name)
                self.assertEqual((answer.status, got), (200, body), name)
                plain, got = http_get(server.port, "/" + name)
                self.assertEqual((plain.status, got), (200, body), name)

    def test_redirects_plain_http(self):
        port = free_port()
        with Server(self.local, f"--https-port={port}") as server:
            server.wait_for_port("https")
            for host in ("localhost", "localhost:80", "example.org"):
                answer, _ = http_get(server.port, "/a%20b/c?d=e", host)
                self.assertEqual(answer.status, 308)
                self.assertEqual(answer.getheader("Location"),
                                 f"https://{host.split(':')[0]}:{port}/a%20b/c?d=e")
            for host in ("a/b", "a b", ""):
                answer, _ = http_get(server.port, "/", host)
                self.assertEqual(answer.status, 400, host)

    def test_hsts_but_not_for_localhost(self):
        cert, key = make_certificate(self.folder, "org", "example.org")
        for keys, wanted in (((), "max-age=15768000"), (("--hsts=0",), None),
                             (("--hsts=60",), "max-age=60")):
            with Server(self.plain, "--https-port=0", f"--cert={cert}", f"--key={key}",
                        *keys) as server:
                answer, _, names = https_get(server.wait_for_port("https"), "/", cert,
                                             "example.org")
                self.assertEqual(answer.getheader("Strict-Transport-Security"), wanted)
                self.assertEqual(names, ["example.org"])
        with Server(self.local, "--https-port=0") as server:
            answer, _, _ = https_get(server.wait_for_port("https"), "/")
            self.assertIsNone(answer.getheader("Strict-Transport-Security"))

    def test_boot_keys_replace_what_was_built_in(self):
        cert, key = make_certificate(self.folder, "other", "other.example")
        with Server(self.local, "--https-port=0", f"--cert={cert}", f"--key={key}") as server:
            _, _, names = https_get(server.wait_for_port("https"), "/", cert, "other.example")
            self.assertEqual(names, ["other.example"])

    def test_sighup_reads_the_certificate_again_and_drops_no_connection(self):
        old, new = (make_certificate(self.folder, name, f"{name}.example")
                    for name in ("old", "new"))
        cert, key = str(self.folder / "live.pem"), str(self.folder / "live.key")

        def put(pair):
            shutil.copy(pair[0], cert)
            shutil.copy(pair[1], key)

        def pem(pair):
            return pathlib.Path(pair[0]).read_text(encoding="ascii")

        put(old)
        with Server(self.plain, "--https-port=0", f"--cert={cert}", f"--key={key}",
                    "--threads=3") as server:
            port = server.wait_for_port("https")
            said = "the certificate was read again: "

            def hang_up(times, what):
                server.process.send_signal(signal.SIGHUP)
                self.assertTrue(harness.eventually(lambda: server.err().count(what) == times),
                                server.err())

            with contextlib.ExitStack() as stack:
                kept = [stack.enter_context(KeptConnection(port)) for _ in range(6)]
                self.assertEqual(shown_certificate(port), pem(old))
                put(new)
                hang_up(1, said + "new.example; ECDSA P-256, until ")
                # Each thread takes it on its own loop, so not in the same instant.
                self.assertTrue(harness.eventually(
                    lambda: all(shown_certificate(port) == pem(new) for _ in range(24))))
                for bad, reason in (((old[0], new[1]), f"{key}: this key is not"),
                                    ((os.devnull, new[1]), f"{cert}: the file is empty")):
                    put(bad)
                    hang_up(1, reason)
                    self.assertIn("(the certificate in use stays)", server.err())
                    self.assertTrue(all(shown_certificate(port) == pem(new) for _ in range(12)))
                os.unlink(key)
                hang_up(1, f"{key}: cannot be read")
                put(old)
                hang_up(1, said + "old.example")
                self.assertTrue(harness.eventually(
                    lambda: all(shown_certificate(port) == pem(old) for _ in range(24))))
                for connection in kept:  # from before the first of them
                    self.assertEqual(connection.get("/style.css"), SITE["style.css"])

    def test_sighup_to_an_image_that_has_nothing_to_read_again(self):
        """As `systemctl reload` of the unit in docs/operations.md sends it."""
        for image, keys in ((self.local, ["--https-port=0"]), (self.plain, [])):
            with self.subTest(image=image), Server(image, *keys) as server:
                for times in (1, 2):
                    server.process.send_signal(signal.SIGHUP)
                    self.assertTrue(harness.eventually(
                        lambda t=times: server.err().count("no file is read again") == t))
                self.assertEqual(server.get("/style.css").body, SITE["style.css"])

    def test_several_certificates_are_chosen_by_name(self):
        pairs = [make_certificate(self.folder, name, f"{name}.example") for name in ("one", "two")]
        words = [word for cert, key in pairs for word in ("--cert", cert, "--key", key)]
        image = harness.build_image(self.site, self.folder / "several", *words)
        with Server(image, "--https-port=0") as server:
            port = server.wait_for_port("https")
            for (cert, _), name in zip(pairs, ("one.example", "two.example")):
                _, _, names = https_get(port, "/", cert, name)
                self.assertEqual(names, [name])

    def test_without_a_certificate_only_http(self):
        with Server(self.plain, "--https-port=0") as server:
            self.assertEqual(http_get(server.port, "/")[0].status, 200)
            self.assertNotIn("(https)", server.err() + server.out())

    def test_a_configuration_without_tls_links_none_of_it_and_serves(self):
        image = harness.build_image(self.site, self.folder / "without", "--config",
                                    harness.ROOT / "site-example" / "plain.hpp")
        without, with_tls = image.read_bytes(), self.plain.read_bytes()
        # Of mbedTLS, of what hides it, and of their tables: labels, PEM, a curve's order.
        for mark in (b"c hs traffic", b"-----BEGIN CERTIFICATE-----", b"mbedtls", b"x25519",
                     b"the certificate does not cover", bytes.fromhex("bce6faada7179e84")[::-1]):
            if mark in with_tls:
                self.assertNotIn(mark, without)
        self.assertIn(b"c hs traffic", with_tls)
        self.assertIn(b"-----BEGIN CERTIFICATE-----", with_tls)
        self.assertLess(len(without) + (300 << 10), len(with_tls))
        with Server(image) as server:
            for name, body in SITE.items():
                answer, got = http_get(server.port, "/" + name)
                self.assertEqual((answer.status, got), (200, body), name)
            self.assertNotIn("(https)", server.err())
        for key in ("--https-port=0", "--cert=x", "--hsts=1"):
            done = subprocess.run([image, key], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                  timeout=harness.WAIT_S, check=False)
            self.assertEqual(done.returncode, 2)

    def test_threads_open_each_others_tickets(self):
        with Server(self.local, "--https-port=0", "--threads=3") as server:
            port = server.wait_for_port("https")
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            context.maximum_version = ssl.TLSVersion.TLSv1_2  # its ticket comes with the handshake
            session = None
            for i in range(12):
                with socket.create_connection(("127.0.0.1", port), timeout=20) as raw, \
                        context.wrap_socket(raw, server_hostname="localhost",
                                            session=session) as wrapped:
                    self.assertEqual(wrapped.session_reused, i > 0)
                    session = wrapped.session

    def test_refuses_to_start_with_what_cannot_serve(self):
        cert, key = make_certificate(self.folder, "good", "localhost")
        _, other = make_certificate(self.folder, "wrong", "localhost")
        for keys, reason in (((f"--cert={cert}", f"--key={other}"), "not the one of"),
                             ((f"--cert={cert}",), "belong together"),
                             ((f"--cert={cert}", "--key=/nowhere"), "/nowhere: cannot be read"),
                             ((f"--cert={key}", f"--key={key}"), "is a private key")):
            server = Server(self.plain, *keys, wait=False)
            try:
                self.assertEqual(server.process.wait(harness.WAIT_S), 1)
                self.assertIn(reason, server.err())
            finally:
                server.kill()

    def test_build_refuses_and_warns_with_the_files_name(self):
        cert, key = make_certificate(self.folder, "b", "localhost")
        _, other = make_certificate(self.folder, "c", "localhost")
        empty = self.folder / "empty.pem"
        empty.write_bytes(b"")
        cut = self.folder / "cut.pem"
        cut.write_bytes(pathlib.Path(cert).read_bytes()[:300])
        # A key with a password; and a certificate whose issuer's is not beside it.
        locked, leaf, request = (self.folder / name for name in ("locked.key", "leaf.pem", "csr"))
        for words in (("pkey", "-in", key, "-aes256", "-passout", "pass:x", "-out", locked),
                      ("req", "-new", "-key", other, "-subj", "/CN=leaf", "-addext",
                       "subjectAltName=DNS:localhost", "-out", request),
                      ("x509", "-req", "-in", request, "-CA", cert, "-CAkey", key, "-days", "30",
                       "-set_serial", "7", "-copy_extensions", "copy", "-out", leaf)):
            subprocess.run(["openssl", *words], check=True, stderr=subprocess.DEVNULL)
        for words, reason in ((("--cert", cert, "--key", other), f"{other}: this key is not"),
                              (("--cert", empty, "--key", key), f"{empty}: the file is empty"),
                              (("--cert", cut, "--key", key), f"{cut}: broken"),
                              (("--cert", cert, "--key", locked), f"{locked}: the key is encry"),
                              (("--cert", key, "--key", key), f"{key}: this is a private key"),
                              (("--cert", self.folder / "gone", "--key", key), "gone"),
                              (("--cert", cert), "as many --key as --cert")):
            done = harness.crunch("build", self.site, "-t", "unix", "-o", self.folder / "no",
                                  *words)
            self.assertIn(done.returncode, (1, 2))
            self.assertIn(reason, done.stderr)
            self.assertFalse((self.folder / "no").exists())
        done = harness.crunch("build", self.site, "-t", "unix", "-o", self.folder / "warned",
                              "--cert", leaf, "--key", other)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"crunch: warning: {leaf}: only the server's certificate is there",
                      done.stderr)

    def test_build_warns_of_hosts_that_no_certificate_covers(self):
        one, two = (make_certificate(self.folder, name, f"{name}.example")
                    for name in ("cover1", "cover2"))
        words = [word for cert, key in (one, two) for word in ("--cert", cert, "--key", key)]
        says = "the certificate does not cover"
        for hosts, warned in ((("cover1.example", "COVER2.example"), ()),
                              (("cover1.example", "other.example"), (one, two))):
            words_of_hosts = [word for host in hosts for word in ("--host", host)]
            done = harness.crunch("build", self.site, "-t", "unix", "-o", self.folder / "covered",
                                  *words, *words_of_hosts)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual([line for line in done.stderr.splitlines() if says in line],
                             [f"crunch: warning: {cert}: {says} other.example, only "
                              f"{pathlib.Path(cert).stem}.example" for cert, _ in warned])
        # Addresses, however they are written; and made for one.
        for made_for, asked, covered in (("localhost", "127.0.0.1", True),
                                         ("localhost", "0:0::1", True),
                                         ("2001:db8::7", "2001:DB8:0::7", True),
                                         ("192.0.2.7", "192.0.2.7", True),
                                         ("192.0.2.7", "192.0.2.70", False)):
            done = harness.crunch("build", self.site, "-t", "unix", "-o", self.folder / "covered",
                                  "--self-signed", made_for, "--host", asked)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(says in done.stderr, not covered, done.stderr)
        done = harness.crunch("build", self.site, "-t", "unix", "-o", self.folder / "no",
                              "--host", "x")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--expect-host", done.stderr)

    def test_inspect_shows_the_certificate_and_never_the_key(self):
        done = harness.crunch("inspect", self.local, "--format", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        shown = json.loads(done.stdout)["image"]["certificates"]
        self.assertEqual(shown[0]["key"], "ECDSA P-256")
        self.assertIn("localhost", shown[0]["names"])
        self.assertNotIn("PRIVATE", done.stdout)
        text = harness.crunch("inspect", self.local).stdout
        self.assertIn("ECDSA P-256, until ", text)
        self.assertNotIn("PRIVATE", text)
        # Whoever may read the image has the key: that is its owner.
        self.assertEqual(stat.S_IMODE(os.stat(self.local).st_mode), 0o700)
        self.assertEqual(stat.S_IMODE(os.stat(self.plain).st_mode), 0o755)


if __name__ == "__main__":
    harness.main()
