#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Certificates in files that are replaced while an image serves, and several of them.

Method: the files are put in place as certbot, Kubernetes and an operator do it, under load from
honest clients; new connections get the new certificate, without a signal.
"""

import os
import pathlib
import shutil
import tempfile
import threading
import time
import unittest

import harness
from harness import SITE, Server
from tls_test import https_get, make_certificate, shown_certificate


@unittest.skipUnless(harness.has_tls(), "crunch was built without TLS")
class Renewal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.keeper = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.keeper.name)
        cls.plain = harness.shared_image()

    @classmethod
    def tearDownClass(cls):
        cls.keeper.cleanup()

    def replaced_under_load(self, words, steps, said):
        """Serves with `words` while honest clients ask all the time; after each (step, name) new
        connections get the certificate of that name, without a signal, and nobody was refused."""
        with Server(self.plain, "--https-port=0", "--threads=2", *words) as server:
            port = server.wait_for_port("https")
            stop, failures, answers = threading.Event(), [], []

            def ask():
                while not stop.is_set():
                    try:
                        answer, body, _ = https_get(port, "/style.css")
                        answers.append(answer.status)
                        if body != SITE["style.css"]:
                            failures.append("another body")
                    except OSError as error:
                        failures.append(repr(error))

            client = threading.Thread(target=ask)
            client.start()
            try:
                for step, pair in steps:
                    step()
                    wanted = pathlib.Path(pair[0]).read_text(encoding="ascii")
                    self.assertTrue(harness.eventually(
                        lambda w=wanted: all(shown_certificate(port) == w for _ in range(8))),
                        server.err())
                self.assertTrue(harness.eventually(lambda: len(answers) > 3))
            finally:
                stop.set()
                client.join()
            self.assertEqual(failures, [])
            for line, times in said.items():
                self.assertEqual(server.err().count(line), times, server.err())
            self.assertNotIn("system call", server.err())

    def test_certbots_links_are_followed_without_a_signal(self):
        pairs = [make_certificate(self.folder, f"certbot{i}", f"certbot{i}.example")
                 for i in (1, 2, 3)]
        root = self.folder / "letsencrypt"
        live, archive = root / "live" / "x", root / "archive" / "x"
        for folder in (live, archive):
            folder.mkdir(parents=True)

        def renew(i):
            """As certbot: the new files first, then each link in turn."""
            for kind, source in zip(("fullchain", "privkey"), pairs[i - 1]):
                shutil.copy(source, archive / f"{kind}{i}.pem")
            for kind in ("fullchain", "privkey"):
                link = live / f"{kind}.pem"
                link.unlink(missing_ok=True)
                link.symlink_to(f"../../archive/x/{kind}{i}.pem")

        renew(1)
        self.replaced_under_load(
            [f"--cert={live}/fullchain.pem", f"--key={live}/privkey.pem"],
            [(lambda: None, pairs[0]), (lambda: renew(2), pairs[1]), (lambda: renew(3), pairs[2])],
            {"the certificate was read again: certbot2.example": 1,
             "the certificate was read again: certbot3.example": 1})

    def test_kubernetes_data_is_followed_without_a_signal(self):
        pairs = [make_certificate(self.folder, f"kube{i}", f"kube{i}.example") for i in (1, 2)]
        mount = self.folder / "secret"
        mount.mkdir()

        def update(i):
            """As the kubelet: a folder of its own, ..data over the old one by a rename."""
            data = mount / f"..2026_{i}"
            data.mkdir()
            for name, source in zip(("tls.crt", "tls.key"), pairs[i - 1]):
                shutil.copy(source, data / name)
            (mount / "..data_tmp").symlink_to(data.name)
            os.rename(mount / "..data_tmp", mount / "..data")
            for old in mount.glob("..2026_*"):
                if old != data:
                    shutil.rmtree(old)

        update(1)
        for name in ("tls.crt", "tls.key"):
            (mount / name).symlink_to(f"..data/{name}")
        self.replaced_under_load([f"--cert={mount}/tls.crt", f"--key={mount}/tls.key"],
                                 [(lambda: None, pairs[0]), (lambda: update(2), pairs[1])],
                                 {"the certificate was read again: kube2.example": 1})

    def test_a_half_written_pair_is_not_taken_and_said_once(self):
        old, new = (make_certificate(self.folder, f"half{i}", f"half{i}.example") for i in (1, 2))
        cert, key = str(self.folder / "half.pem"), str(self.folder / "half.key")

        def put(source, path):
            shutil.copy(source, path + ".new")
            os.rename(path + ".new", path)

        def half():
            put(new[0], cert)
            time.sleep(1)  # much longer than it waits for the other
            put(new[0], cert)
            time.sleep(1)

        put(old[0], cert)
        put(old[1], key)
        self.replaced_under_load([f"--cert={cert}", f"--key={key}"],
                                 [(half, old), (lambda: put(new[1], key), new)],
                                 {f"{key}: this key is not": 1,
                                  "the certificate was read again: half2.example": 1})

    def test_several_certificates_from_files(self):
        pairs = [make_certificate(self.folder, name, f"{name}.example")
                 for name in ("first", "second")]
        words = [f"--{kind}={path}" for pair in pairs for kind, path in zip(("cert", "key"), pair)]
        with Server(self.plain, "--https-port=0", *words) as server:
            port = server.wait_for_port("https")
            for (cert, _), name in zip(pairs, ("first.example", "second.example")):
                self.assertEqual(https_get(port, "/", cert, name)[2], [name])
                self.assertIn(f"serves HTTPS with a certificate for {name}; ECDSA P-256, until ",
                              server.err())
        server = Server(self.plain, *words[:3], wait=False)
        try:
            self.assertEqual(server.process.wait(harness.WAIT_S), 1)
            self.assertIn("--cert is given 2 times and --key 1 times", server.err())
        finally:
            server.kill()


if __name__ == "__main__":
    harness.main()
