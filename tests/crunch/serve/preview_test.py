#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""`crunch serve` from outside: what it prints, serves, refuses, and how it ends.

Method: the tool on trees made here; a client of our own; no browser (browser_test.py has one).
"""

import http.client
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "image"))

import harness  # noqa: E402
from harness import SITE, crunch, eventually, write_tree  # noqa: E402
from preview import Preview  # noqa: E402

TLS = unittest.skipUnless(harness.has_tls(), "crunch was built without TLS")
LINE = re.compile(rb'\n<script src="/.crunch/reload.js" data-version="([0-9a-f]{16})"></script>\n$')


def version_in(page: bytes) -> str:
    return LINE.search(page).group(1).decode()


class Serve(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.site = write_tree(pathlib.Path(folder.name) / "site", SITE)

    def test_every_file_is_served_as_it_is_but_for_the_line_in_html(self):
        with Preview(self.site) as server, server.client() as client:
            for name, data in SITE.items():
                with self.subTest(name=name):
                    answer = client.get("/" + name)
                    self.assertEqual(answer.status, 200)
                    body = LINE.sub(b"", answer.body) if name.endswith(".html") else answer.body
                    self.assertEqual(body, data)
                    self.assertEqual(answer.body == data, not name.endswith(".html"))
                    self.assertEqual(answer.fields["cache-control"], "no-cache")
            self.assertEqual(client.get("/.crunch/reload.js").status, 200)

    def test_prints_the_url_and_a_line_for_each_request(self):
        with Preview(self.site) as server:
            self.assertIn(f"http://localhost:{server.port}/", server.out())
            page = server.get("/index.html")
            server.get("/nothing/here%0Anow")
            server.get("/.crunch/since-0000000000000000")
            server.get("/style.css")
            self.assertTrue(eventually(lambda: "style.css" in server.out()))
            lines = server.out().splitlines()
            size = len(page.body)
            self.assertTrue(any(re.fullmatch(rf"GET /index.html 200 {size} B [\d.]+ ms", line)
                                for line in lines), lines)
            self.assertTrue(any(line.startswith("GET /nothing/here%0Anow 404 ")
                                for line in lines), lines)
            self.assertFalse(any(".crunch" in line for line in lines), lines)

    def test_an_edit_is_told_to_all_who_wait_and_served(self):
        with Preview(self.site) as server:
            version = version_in(server.get("/index.html").body)
            waiting = [server.client() for _ in range(200)]
            for client in waiting:
                self.addCleanup(client.close)
                client.send(client.request(f"/.crunch/since-{version}"))
            (self.site / "index.html").write_bytes(b"edited")
            for client in waiting:
                answer = client.receive()
                self.assertEqual(answer.fields["content-type"], "text/event-stream")
                self.assertEqual(answer.fields["cache-control"], "no-store")
                self.assertIn(b'"kind":"page"', answer.body)
            self.assertEqual(LINE.sub(b"", server.get("/index.html").body), b"edited")
            (self.site / "style.css").write_bytes(b"p {}")
            version = version_in(server.get("/index.html").body)
            self.assertIn(b'"kind":"styles"', server.get(f"/.crunch/since-{version}").body)

    def test_ends_at_once_though_pages_wait(self):
        for how in (signal.SIGINT, signal.SIGTERM):
            server = Preview(self.site)
            self.addCleanup(server.kill)
            version = version_in(server.get("/index.html").body)
            client = server.client()
            self.addCleanup(client.close)
            client.send(client.request(f"/.crunch/since-{version}"))
            with server.client() as other:  # whose answer shows that the first request is in
                other.get("/index.html")
            self.assertEqual(server.stop(how), 0)
            # It was answered: the drain's bound would have cut it instead.
            self.assertEqual(client.receive().status, 200)
            self.assertEqual(server.err(), "")

    @TLS
    def test_https_beside_http(self):
        with Preview(self.site, "--https", "0", "--host", "localhost") as server:
            found = re.search(r"^and at https://localhost:(\d+)/ \(with a certificate of its own",
                              server.out(), re.MULTILINE)
            self.assertIsNotNone(found, server.out())
            port = int(found.group(1))
            pem = ssl.get_server_certificate(("127.0.0.1", port), timeout=harness.WAIT_S)
            context = ssl.create_default_context(cadata=pem)  # and it must cover localhost
            for path in ("/style.css", "/index.html"):
                connection = http.client.HTTPSConnection("localhost", port, context=context,
                                                         timeout=harness.WAIT_S)
                connection.request("GET", path)
                answer = connection.getresponse()
                self.assertEqual(answer.status, 200)
                self.assertEqual(answer.read(), server.get(path).body)
                self.assertIsNone(answer.getheader("Strict-Transport-Security"))
                connection.close()
            # The end does not wait for connections that are open or shaking hands.
            silent = socket.create_connection(("127.0.0.1", port), harness.WAIT_S)
            self.addCleanup(silent.close)
            self.assertEqual(server.stop(), 0)
            self.assertEqual(server.err(), "")

    @TLS
    def test_https_takes_a_certificate_and_warns_of_another_host(self):
        harness.need("openssl")
        cert, key = self.site.parent / "cert.pem", self.site.parent / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert, "-days",
                        "30", "-subj", "/CN=x", "-addext", "subjectAltName=DNS:other.example"],
                       check=True, capture_output=True)
        with Preview(self.site, "--https=0", "--cert", cert, "--key", key) as server:
            port = int(re.search(r"^and at https://localhost:(\d+)/$", server.out(),
                                 re.MULTILINE).group(1))
            self.assertEqual(ssl.get_server_certificate(("127.0.0.1", port)), cert.read_text())
            self.assertEqual(server.err(), f"crunch: warning: {cert}: the certificate does not "
                                           "cover localhost, only other.example\n")
        for words, reason in ((("--https", "70000"), "--https takes a port"),
                              (("--cert", cert, "--key", key), "--https"),
                              (("--https", "0", "--cert", cert), "--key"),
                              (("--https=0", "--cert", key, "--key", key),
                               f"{key}: this is a private key")):
            done = crunch("serve", self.site, "--http", "0", *words, timeout=harness.WAIT_S)
            self.assertIn(done.returncode, (1, 2), words)
            self.assertIn(reason, done.stderr)

    def test_a_huge_file_holds_nobody_up(self):
        size = 1 << 40  # sparse; reading it would take longer than any patience here
        with open(self.site / "huge.bin", "wb") as file:
            file.truncate(size)
        with Preview(self.site) as server, server.client() as client, server.client() as other:
            client.send(client.request("/huge.bin"))
            client.receive_some()  # it is on its way, and has not ended
            self.assertEqual(other.get("/style.css").body, SITE["style.css"])
            answer = other.get("/huge.bin", method="HEAD")
            self.assertEqual((answer.status, answer.fields["content-length"]), (200, str(size)))
            answer = other.get("/huge.bin", {"Range": "bytes=-3"})
            self.assertEqual((answer.status, answer.body), (206, bytes(3)))

    def test_the_tree_is_deleted_and_made_anew(self):
        with Preview(self.site) as server:
            shutil.rmtree(self.site)
            self.assertEqual(server.get("/index.html").status, 503)
            write_tree(self.site, {"index.html": b"anew"})
            self.assertEqual(LINE.sub(b"", server.get("/index.html").body), b"anew")

    def test_listens_on_this_machine_only_unless_told_otherwise(self):
        def bound(server) -> set:
            ports = set()
            for table in ("/proc/net/tcp", "/proc/net/tcp6"):
                for line in pathlib.Path(table).read_text().splitlines()[1:]:
                    words = line.split()
                    address, _, port = words[1].partition(":")
                    if words[3] == "0A" and int(port, 16) == server.port:
                        ports.add(address)
            return ports

        with Preview(self.site) as server:
            self.assertEqual(bound(server), {"0100007F"})
        with Preview(self.site, "--host", "127.0.0.2") as server:
            self.assertEqual(bound(server), {"0200007F"})
            self.assertIn(f"http://127.0.0.2:{server.port}/", server.out())

    def test_a_taken_port_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            done = crunch("serve", self.site, "--http", port, timeout=30)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"port {port} is taken", done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1)

    def test_the_next_port_is_taken_where_none_was_asked_for(self):
        with socket.socket() as taken:
            try:
                taken.bind(("127.0.0.1", 8080))
                taken.listen()
            except OSError:
                pass  # another program has it: as good
            with Preview(self.site, port=None) as server:
                self.assertIn(server.port, range(8081, 8100))

    def test_no_name_is_immutable(self):
        names = ["app-3f9a8c1d2e4b5a67.js", "style.5d41402abc4b2a76b9719d911017c592.css",
                 "assets/index-BkT9x0Qz.js", "_next/static/x.png"]
        write_tree(self.site, {name: b"old" for name in names})
        with Preview(self.site) as server:
            for name in names:
                answer = server.get("/" + name)
                self.assertEqual(answer.fields["cache-control"], "no-cache", name)
                (self.site / name).write_bytes(b"new")
                again = server.get("/" + name, **{"If-None-Match": answer.fields["etag"]})
                self.assertEqual((again.status, again.body), (200, b"new"))
                self.assertEqual(server.get("/" + name, **{"If-None-Match": again.fields["etag"]})
                                 .status, 304)

    def test_a_deep_well_known_is_shown_as_images_have_it(self):
        write_tree(self.site, {"x/.well-known/y": b"z"})
        with Preview(self.site) as server:
            self.assertEqual(server.get("/x/.well-known/y").body, b"z")

    def test_polling_notices_what_comes_changes_and_goes(self):
        write_tree(self.site, {"deep/a.txt": b"a"})
        with Preview(self.site, "--poll") as server:
            def after(change):
                version = version_in(server.get("/index.html").body)
                change()
                return server.get(f"/.crunch/since-{version}").body

            self.assertIn(b'"kind":"page"', after(
                lambda: (self.site / "deep/a.txt").write_bytes(b"longer")))
            self.assertIn(b'"kind":"styles"', after(
                lambda: (self.site / "style.css").write_bytes(b"p{}")))
            self.assertIn(b'"kind":"page"', after(
                lambda: write_tree(self.site, {"new/b.txt": b"b"})))
            self.assertIn(b'"kind":"page"', after((self.site / "new/b.txt").unlink))
            self.assertIn("new/b.txt is gone", server.out())

    def test_what_changed_is_named_with_the_time(self):
        with Preview(self.site) as server:
            version = version_in(server.get("/index.html").body)
            (self.site / "index.html").write_bytes(b"edited")
            server.get(f"/.crunch/since-{version}")
            self.assertRegex(server.out(), r"(?m)^\d\d:\d\d:\d\d index.html changed$")

    def test_lan_shows_addresses_and_a_code(self):
        with Preview(self.site, "--lan") as server:
            out = server.out()
            port = server.port
        if "no address in a network" in out:
            self.skipTest("this machine has no address in a network")
        self.assertRegex(out, rf"and to others in the network at http://\S+:{port}/")
        self.assertTrue("\u2588" in out or "libqrencode4" in out, out)

    def test_open_starts_the_browser(self):
        script = self.site.parent / "browser"
        script.write_text(f'#!/bin/sh\necho "$1" > {self.site.parent}/opened\n')
        script.chmod(0o755)
        environment = {"BROWSER": str(script), "PATH": "/usr/bin"}
        with Preview(self.site, "--open", env=environment) as server:
            opened = self.site.parent / "opened"
            self.assertTrue(eventually(lambda: opened.exists() and opened.read_text() != ""))
            self.assertEqual(opened.read_text(), f"http://localhost:{server.port}/\n")

    def test_bad_input_is_a_sentence(self):
        table = [
            (["serve", self.site / "missing"], 1, 'missing": No such file or directory'),
            (["serve", self.site / "index.html"], 1, 'index.html" is not a directory; give'),
            (["serve"], 2, "DIR"),
            (["serve", self.site, "--host", "example.org"], 2, '"example.org"'),
            (["serve", self.site, "--http", "70000"], 2, '--http-port takes a number, not "70000"'),
            (["serve", self.site, "--htpt", "1"], 2, "--http"),
        ]
        for words, status, named in table:
            with self.subTest(words=words):
                done = crunch(*words, timeout=30)
                self.assertEqual(done.returncode, status)
                self.assertIn(named, done.stderr)
                self.assertTrue(done.stderr.startswith("crunch: "), done.stderr)
                self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    harness.main()
