#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Disks of guests of hvt-tender: the laws of block devices, vaults, sites in a tar archive, and
`crunch run --disk`.

Method: as guest_test.py, in the nested lab.
"""

import pathlib
import tempfile
import unittest

import archive_test
import bare
import harness
import nested
import probe
import tls_test
import vault_test
from guest_test import FAILED, TARGET, TENDER, disk, run_to_end
from harness import SITE
from nested import Guest

DISK, ARCHIVE = "/tmp/disk", "/tmp/site.tar"


class Laws(unittest.TestCase):
    def test_of_block_devices(self):
        for size in (512, 1 << 20):
            status, said = run_to_end(probe.image(TARGET), "--try=block", has_address=False,
                                      options=[disk(size)])
            self.assertEqual(status, 0, said)
            self.assertIn(f"block device: {size // 512} sectors of 512 bytes", said)
            probe.assert_laws_hold(self, said)
            self.assertNotIn("durable", said)
        line = f"dd if={DISK} bs=512 skip=1024 count=1 2>/dev/null | od -An -v -tx1"
        found = bytes.fromhex("".join(nested.lab().run(line).split()))
        self.assertEqual(found, probe.sector(1024, 10, 512))


class Vault(unittest.TestCase):
    """HTTPS with a certificate that is on a disk and in no image."""

    def setUp(self):
        if not harness.has_tls():
            self.skipTest("this crunch was built without TLS")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "site.disk"
        self.cert, key = tls_test.make_certificate(self.path.parent, "one", "localhost")
        for words in (("format", self.path, "--vault", "--size", "64KiB"),
                      ("set", self.path, "tls/cert", self.cert),
                      ("set", self.path, "tls/key", key)):
            harness.must(harness.CRUNCH, "disk", *words)
        nested.lab().write(DISK, self.path.read_bytes())

    def test_it_serves_with_what_is_there(self):
        image = vault_test.image(TARGET, "block")
        said = harness.crunch("inspect", image).stdout
        self.assertRegex(said, r"(?m)^solo5   .*devices: service \(net\) disk1 \(block\)$")
        with Guest(image, options=[f"--block:disk1={DISK}"]) as guest:
            guest.wait_for(r"listening on port 443 \(https\)")
            answer, body, _ = tls_test.https_get(443, "/style.css", self.cert, host=guest.host)
            self.assertEqual((answer.status, body), (200, SITE["style.css"]))
            # It has the disk alone.
            status, said = run_to_end(image, options=[f"--block:disk1={DISK}"])
            self.assertEqual(status, FAILED, said)
            self.assertIn("in use by another process", said)
        with Guest(image, "--vault-device=0", "--redirect=false",
                   options=[f"--block:disk1={DISK}"]) as guest:
            self.assertEqual(guest.get("/style.css").body, SITE["style.css"])

    def test_what_is_wrong_with_it(self):
        image = vault_test.image(TARGET, "block")
        nested.lab().write(DISK, bytes(65536))
        for keys, options, pattern in (
                ((), [], "needs --block:disk1=FILE"),
                ((), [f"--block:disk1={DISK}"], "the vault on block device 1 is empty and no"),
                (("--vault-device=2",), [f"--block:disk1={DISK}"],
                 "this machine has 1 block device; give it another one")):
            with self.subTest(pattern=pattern):
                status, said = run_to_end(image, *keys, options=options)
                self.assertEqual(status, FAILED, said)
                self.assertRegex(said, pattern)

    def test_a_site_beside_it(self):
        """The certificate is on the first disk, the site on the second; neither is in the image."""
        archive = archive_test.archive_of(self.path.parent, SITE)
        nested.lab().write(ARCHIVE, archive.read_bytes())
        image = archive_test.image(TARGET, "tar", "--set", "vault=block")
        self.assertNotIn(SITE["style.css"][:40], image.read_bytes())
        with Guest(image, options=[f"--block:disk1={DISK}", f"--block:disk2={ARCHIVE}"]) as guest:
            guest.wait_for(r"listening on port 443 \(https\)")
            self.assertIn("the archive on block device 2: ", guest.console())
            answer, body, _ = tls_test.https_get(443, "/style.css", self.cert, host=guest.host)
            self.assertEqual((answer.status, body), (200, SITE["style.css"]))

    def test_what_crunch_run_says(self):
        nested.put_recipe(TARGET)
        image = nested.lab().put(vault_test.image(TARGET, "block"))
        nested.lab().add_tap("tapdisk")
        for words, pattern in (
                ("", "has 1 disk, and a tender starts it only with it: give --disk FILE"),
                ("--disk /tmp/x --disk /tmp/y", "has at most 1 disk; --disk is given 2 times"),
                ("--disk /nowhere", "the disk '/nowhere' cannot be opened for writing")):
            said = nested.lab().run(f"crunch run {image} --net tapdisk {words} 2>&1; true")
            self.assertRegex(said, pattern)


class Archive(unittest.TestCase):
    """A site in a tar archive on a disk."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_conformance(self):
        archive = archive_test.conformance_archive(self.folder)
        nested.lab().write(ARCHIVE, archive.read_bytes())
        image = archive_test.image(TARGET, "tar")
        with Guest(image, "--redirect=false", options=[f"--block:disk1={ARCHIVE}"]) as guest:
            bare.ask_conformance(self, guest.host, guest.port)

    def test_it_answers_as_the_crunched_site_does(self):
        archive = archive_test.archive_of(self.folder)
        crunched = harness.build_image(self.folder / "site", self.folder / "image")
        nested.lab().write(ARCHIVE, archive.read_bytes())
        with harness.Server(crunched) as one, \
                Guest(archive_test.image(TARGET, "tar"), "--redirect=false",
                      options=[f"--block:disk1={ARCHIVE}"]) as other:
            archive_test.compare(self, archive_test.asked("127.0.0.1", one.port),
                                 archive_test.asked(other.host, other.port))

    def test_what_is_wrong_with_it(self):
        image = archive_test.image(TARGET, "tar")
        whole = archive_test.archive_of(self.folder).read_bytes()
        for data, pattern in ((b"<html>" * 1024, "the archive on block device 1 is no tar archive"),
                              (whole[:4096], "the archive on block device 1 .*was cut short")):
            with self.subTest(pattern=pattern):
                nested.lab().write(ARCHIVE, data)
                status, said = run_to_end(image, options=[f"--block:disk1={ARCHIVE}"])
                self.assertEqual(status, FAILED, said)
                self.assertRegex(said, pattern)


if __name__ == "__main__":
    nested.main(TENDER, harness.CRUNCH)
