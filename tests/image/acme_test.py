#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Images that get their own certificate, keep it and renew it, from Pebble.

Method: one image for unix; Pebble looks for its names on the ports that the test has chosen, and
counts the orders. What visitors see is asked by Python's ssl.
"""

import pathlib
import re
import signal
import ssl
import sys
import tempfile
import unittest

import harness
import pebble
import tls_test
from harness import SITE, Server

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "crunch" / "run"))
import run_test  # noqa: E402

NAMES = ["site.example", "www.site.example"]
SETTINGS = "[[host]]\nname = \"site.example\"\naliases = [\"www.site.example\"]\n"
LONG_S = 90  # what waits on purpose, as for a CA that is away
SERVES = "serves HTTPS with a certificate for site.example, www.site.example; ECDSA P-256, until "


@unittest.skipUnless(harness.has_tls(), "crunch was built without TLS")
class Acme(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.need("pebble")
        keeper = tempfile.TemporaryDirectory()
        cls.addClassCleanup(keeper.cleanup)
        folder = pathlib.Path(keeper.name)
        cls.root, cls.root_key = pebble.make_pair(folder)
        harness.write_tree(folder / "site", SITE)
        (folder / "crunch.toml").write_text(SETTINGS)
        cls.site, cls.image = folder / "site", folder / "image"
        harness.build_image(cls.site, cls.image, "--acme", "https://localhost/dir", "--roots",
                            cls.root)
        cls.plain = harness.shared_image()

    def setUp(self):
        keeper = tempfile.TemporaryDirectory()
        self.addCleanup(keeper.cleanup)
        self.folder = pathlib.Path(keeper.name)
        self.http, self.tls = tls_test.free_port(), tls_test.free_port()

    def ca(self, **options) -> pebble.Pebble:
        return pebble.Pebble(self.folder, self.http, self.tls, pair=(self.root, self.root_key),
                             **options)

    def serve(self, ca, *words, **options) -> Server:
        return Server(self.image, f"--https-port={self.tls}", f"--acme={ca.directory}",
                      "--acme-agree=true", "--log-level=debug", *words, http_port=self.http,
                      **options)

    def vault(self) -> pathlib.Path:
        path = self.folder / "vault"
        harness.must(harness.CRUNCH, "disk", "format", path, "--vault", "--size", "256KiB")
        return path

    def wait_for(self, server: Server, text: str, within_s: float = harness.WAIT_S) -> None:
        self.assertTrue(harness.eventually(lambda: text in server.err(), within_s), server.err())

    def assert_serves(self, issuer: str) -> None:
        for name in NAMES:
            answer, body, names = tls_test.https_get(self.tls, "/style.css", issuer, name)
            self.assertEqual(names, NAMES)
            if name == NAMES[0]:  # the other redirects to it
                self.assertEqual((answer.status, body), (200, SITE["style.css"]))

    def shown(self) -> str:
        return ssl.get_server_certificate(("127.0.0.1", self.tls))

    def test_a_certificate_is_ordered_once_and_kept(self):
        path = self.vault()
        with self.ca() as ca:
            with self.serve(ca, f"--vault={path}", "--threads=2") as server:
                self.wait_for(server, SERVES)
                self.assert_serves(ca.issuer())
                self.assertEqual(server.get("/style.css").status, 308)
                self.assertNotIn("system call", server.err())
                self.assertNotIn("each start orders", server.err())
            first = ca.orders()
            self.assertEqual(first, 1, ca.said())
            with self.serve(ca, f"--vault={path}", "--management-port=0") as server:
                self.wait_for(server, SERVES)
                self.assert_serves(ca.issuer())
                self.assert_metrics(server)
                self.wait_for(server, "acme: the certificate lasts")
            self.assertEqual(ca.orders(), 1, ca.said())
        with self.serve(ca, f"--vault={path}") as server:  # no CA is there
            self.assert_serves(str(self.folder / "issuer.pem"))

    def assert_metrics(self, server: Server) -> None:
        port = int(re.search(r"port (\d+) \(management\)", server.err()).group(1))
        with harness.Client("127.0.0.1", port) as client:
            text = client.get("/metrics").body.decode()
        self.assertRegex(text, r"\ncrunch_tls_certificate_not_after_seconds [1-9]\d{9}\n")
        self.assertIn("\ncrunch_acme_orders_total 0\n", text)

    def test_by_tls_in_a_directory(self):
        path = self.folder / "vault"
        path.mkdir(mode=0o700)
        words = [f"--vault={path}", "--acme-challenge=tls-alpn-01"]
        with self.ca() as ca:
            with self.serve(ca, *words, "--threads=2") as server:
                with self.assertRaises(OSError):  # nothing to show yet
                    self.shown()
                self.assertEqual(server.get("/style.css").status, 200)
                self.wait_for(server, SERVES)
                self.assert_serves(ca.issuer())
                server.process.send_signal(signal.SIGHUP)
                self.assert_serves(ca.issuer())
                self.assertNotIn("error:", server.err())
            with self.serve(ca, *words) as server:
                self.wait_for(server, SERVES)
            self.assertEqual(ca.orders(), 1, ca.said())

    def test_it_is_renewed_before_it_ends(self):
        with self.ca(lifetime_s=20) as ca, self.serve(ca) as server:
            self.assertIn("no vault is given: each start orders a new certificate", server.err())
            self.wait_for(server, SERVES)
            issuer, first = ca.issuer(), self.shown()
            with tls_test.KeptConnection(self.tls) as kept:
                self.wait_for(server, "the certificate was renewed: site.example", LONG_S)
                self.assertEqual(kept.get("/style.css"), SITE["style.css"])
            self.assert_serves(issuer)  # and is valid, which was the first one's last seconds
            self.assertNotEqual(self.shown(), first)

    def test_bad_nonces_do_no_harm(self):
        with self.ca(environment=[("PEBBLE_WFE_NONCEREJECT", "50")]) as ca, \
                self.serve(ca) as server:
            self.wait_for(server, SERVES, LONG_S)
            self.assert_serves(ca.issuer())
            self.assertIn("Configured to reject 50% of good nonces", ca.said())

    def test_an_account_that_ca_binds(self):
        key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
        secret = self.folder / "mac-key"
        secret.write_text(key + "\n")
        with self.ca(externalAccountBindingRequired=True,
                     externalAccountMACKeys={"kid-1": key}) as ca:
            with self.serve(ca) as server:
                self.wait_for(server, "acme: the CA wants an external account binding: give")
            with self.serve(ca, "--acme-eab-kid=kid-1",
                            f"--acme-eab-key=file:{secret}") as server:
                self.wait_for(server, SERVES)
                self.assertNotIn(key, server.err() + server.out())

    def test_renewal_information_and_profiles(self):
        words = [f"--vault={self.vault()}", "--acme-profile=shortlived"]
        with self.ca() as ca, pebble.Front(ca) as front:
            with self.serve(front, *words) as server:
                self.wait_for(server, SERVES)
            with self.serve(front, *words) as server:
                self.wait_for(server, "acme: the certificate lasts")
            self.assertEqual([order.get("replaces") for order in front.payloads], [None])
            front.window = (-7200, -3600)
            with self.serve(front, *words) as server:
                self.wait_for(server, "the certificate was renewed: site.example")
            self.assertEqual([order["profile"] for order in front.payloads], ["shortlived"] * 2)
            self.assertIn(front.payloads[1]["replaces"], front.asked)
            with self.serve(front, *words[:1], "--acme-profile=other") as server:
                self.wait_for(server, "acme: the CA has no profile other; it is tried again at ")
                self.assert_serves(ca.issuer())

    def test_what_the_ca_refuses_is_said_and_not_asked_again_at_once(self):
        with self.ca() as ca:
            ca.point("www.site.example", "127.0.0.2")
            with self.serve(ca, "--address=127.0.0.1") as server:
                self.wait_for(server, "acme: www.site.example was refused: ")
                self.assertRegex(server.err(), r"it is tried again at \d{4}-\d\d-\d\d \d\d:\d\d:"
                                               r"\d\d UTC \(until then there is no HTTPS\)")
                self.assertEqual(server.get("/style.css").status, 200)
                with self.assertRaises(OSError):
                    self.shown()
            self.assertEqual(ca.orders(), 1)

    def test_the_ca_is_away_and_back(self):
        ca = self.ca()
        with self.serve(ca) as server:
            try:
                self.wait_for(server, "it is tried again at ", LONG_S)
                self.assertIn("acme: ", server.err())
                self.assertEqual(server.get("/style.css").status, 200)
                ca.start()
                self.wait_for(server, SERVES, LONG_S)
                self.assert_serves(ca.issuer())
                # Renewed by another CA of that name, which knows no account.
                self.assertEqual(ca.orders(), 1)
            finally:
                ca.stop()

    def test_what_cannot_be_asked_for_is_said_at_the_start(self):
        for words, said in (
                (["--acme-names=*.site.example"], "--acme: *.site.example: a CA gives wildcards"),
                (["--acme-names="], "--acme: there is no name to get a certificate for; give "),
                (["--acme=nowhere"], "--acme: the CA's directory is not a URL: nowhere"),
                (["--acme-eab-kid=1"], "--acme-eab-kid and --acme-eab-key belong together"),
                ([f"--cert={self.root}", f"--key={self.root_key}"],
                 "--acme gets a certificate, and there is one already; give --acme= to serve")):
            server = Server(self.image, "--https-port=0", *words, wait=False)
            try:
                self.assertEqual(server.process.wait(harness.WAIT_S), 1, server.err())
                self.assertIn(said, server.err())
                self.assertEqual(server.err().count("error:"), 1, server.err())
            finally:
                server.kill()
        with Server(self.image, "--acme=") as server:  # as one that was built without it
            self.assertEqual(server.get("/").status, 200)

    def test_what_cannot_be_asked_for_is_said_at_the_build(self):
        (self.folder / "site").mkdir()
        (self.folder / "site" / "index.html").write_text("x")
        for words, said in ((["--acme", "letsencrypt", "--set", "acme-names=*.site.example"],
                             "--acme: *.site.example: a CA gives wildcards only to"),
                            (["--acme", "nowhere"], "--acme: the CA's directory is not a URL"),
                            (["--acme", "letsencrypt", "--self-signed", "a.example"], "--acme")):
            done = harness.crunch("build", self.folder / "site", "-o", self.folder / "out", *words)
            self.assertNotEqual(done.returncode, 0, words)
            self.assertIn(said, done.stderr)
            self.assertFalse((self.folder / "out").exists())

    def test_an_image_without_it_has_none_of_its_code(self):
        of_client = re.compile(r"\b(acme|http::client|net::resolver)::|AcmeJob|CertificateKeeper|"
                               r"\btls::Client(Context|Handshake)?::")
        built = self.folder / "plain"
        harness.build_image(self.site, built, "--keep-symbols")
        named = [name for _, name in harness.symbols_of(f"{built}.debug") if of_client.search(name)]
        self.assertEqual(named, [])
        with_it = self.folder / "with"
        harness.build_image(self.site, with_it, "--keep-symbols", "--acme", "letsencrypt")
        names = [name for _, name in harness.symbols_of(f"{with_it}.debug")]
        self.assertTrue(any(of_client.search(name) for name in names))
        size, more = built.stat().st_size, with_it.stat().st_size
        print(f"without: {size} bytes; with ACME and the roots of Let's Encrypt: {more} bytes")
        self.assertLess(size, more)

    def test_a_machine(self):
        """By its own resolver, from a DNS server that only knows the CA by name."""
        program = harness.build_image(self.site, self.folder / "machine", "--acme",
                                      "https://localhost/dir", "--roots", self.root,
                                      target="virtio")
        path = self.vault()
        ca = self.ca()
        with ca:
            ca.point(pebble.HOST, "10.0.2.2")  # this machine, to a machine in QEMU
            for start in ("the first", "from the vault"):
                if start != "the first":  # the ports of the first have connections in TIME_WAIT
                    self.http, self.tls = tls_test.free_port(), tls_test.free_port()
                words = ["--disk", str(path), "--http", str(self.http), "--https", str(self.tls),
                         "--", f"--acme=https://{pebble.HOST}:{ca.port}/dir",
                         f"--dns=10.0.2.2:{ca.dns}", "--acme-agree=true"]
                with self.subTest(start), run_test.Run(program, *words) as run:
                    run.wait_for(SERVES)
                    run.wait_for(r"network: [\d.]+/\d+")
                    self.assert_serves(ca.issuer())
                    run.process.send_signal(signal.SIGINT)
                    self.assertEqual(run.process.wait(harness.WAIT_S), 0, run.said())
            self.assertEqual(ca.orders(), 1, ca.said())
        self.assertIn("certificate.pem", harness.must(harness.CRUNCH, "disk", "show", path))


if __name__ == "__main__":
    harness.main()
