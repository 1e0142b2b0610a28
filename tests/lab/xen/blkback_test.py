#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Disks of guests, on Linux's xen-blkback: the laws of block devices, vaults, and domains that are
put away and taken up while a disk is used.

Method: files of dom0 behind loop devices. With CRUNCH_ALL_WIRES=1 in the environment three saves
in a row, and a move to another domain, instead of one save.
"""

import contextlib
import pathlib
import ssl
import subprocess
import tempfile
import unittest

import bare
import harness
import probe
from harness import SITE
from lab import POWEROFF
from sites import ALL, TARGET, Site, in_dom0, the_lab

ENDS = r"probe: (all laws hold|\d+ laws are broken)"
SIZE = 1 << 20


def disks(*devices: str) -> str:
    """xl's words for them, in their order."""
    each = [f'"format=raw,vdev=xvd{chr(ord("a") + i)},target={device}"'
            for i, device in enumerate(devices)]
    return f"disk = [ {', '.join(each)} ]"


def read_only(device: str) -> str:
    return f'disk = [ "format=raw,vdev=xvda,access=ro,target={device}" ]'


class Disks(unittest.TestCase):
    def setUp(self):
        self.lab = the_lab()

    def start(self, what: str, name: str, extra: str):
        guest = self.lab.create(name, in_dom0(probe.image(TARGET)), f"--try={what}", extra=extra)
        self.addCleanup(lambda: self.lab.call(f"xl destroy {name}"))
        return guest

    def make(self, name: str, content: bytes = bytes(SIZE)) -> str:
        return self.lab.put_disk(content, name)

    def test_laws_of_block_devices(self):
        device = self.make("laws")
        guest = self.start("block", "laws", disks(device))
        guest.wait_for(ENDS)
        self.assertIn(f"block device: {SIZE // 512} sectors of 512 bytes\n", guest.console())
        probe.assert_laws_hold(self, guest.console())
        guest.wait_for_end()
        self.assertNotIn("offers no flush", guest.console())
        content = self.lab.disk("laws")
        self.assertEqual(len(content), SIZE)
        probe.assert_written(self, content, 512)
        # What is there is not changed by one that may only be read.
        guest = self.start("block", "laws", read_only(device))
        guest.wait_for(ENDS)
        self.assertIn("sectors of 512 bytes, to read\n", guest.console())
        probe.assert_laws_hold(self, guest.console())
        guest.wait_for_end()
        self.assertEqual(self.lab.disk("laws"), content)
        guest = self.start("block", "laws", "")
        guest.wait_for("this machine has 0 block devices")
        guest.wait_for_end()

    def test_put_away_and_taken_up_while_the_disk_is_used(self):
        device = self.make("rounds")
        guest = self.start("rounds", "rounds", disks(device))

        def more(count: int = 2) -> None:
            before = guest.console().count("probe: round")
            guest.wait_for(r"probe: round \d+\b", count=before + count)
        more()
        for _ in range(3 if ALL else 1):
            guest.save("/saved-rounds")
            guest = self.lab.restore(guest.name, "/saved-rounds")
            self.lab.run("rm /saved-rounds")
            more()
        self.assertRegex(guest.console(), "(?m)^disk device/vbd/51712: connected again$")
        # Taken away and given back, the same disk.
        self.lab.run(f"xl block-detach {guest.name} xvda")
        guest.wait_for("disk device/vbd/51712: the backend goes away")
        self.lab.run(f"xl block-attach {guest.name} format=raw,vdev=xvda,target={device}")
        more()
        if ALL:
            guest.migrate()
            more()
        guest.shutdown()
        guest.wait_for(ENDS)
        probe.assert_laws_hold(self, guest.console())
        guest.wait_for_end()
        self.assertEqual(guest.reasons()[-1:], [POWEROFF])

    def test_a_disk_whose_size_changes(self):
        device = self.make("grows")
        guest = self.start("rounds", "grows", disks(device))
        guest.wait_for("probe: round")
        self.lab.run(f"head -c {SIZE} /dev/zero >>/disks/grows; losetup -c {device}")
        guest.wait_for("is not used any more: its disk has another size")
        guest.wait_for(r"probe: round \d+ fails")
        guest.wait_for_end()
        self.assertNotIn("panic", guest.console())

    def test_a_vault(self):
        if not harness.has_tls():
            self.skipTest("this crunch was built without TLS")
        with tempfile.TemporaryDirectory() as folder:
            cert, vault = self.make_vault(pathlib.Path(folder))
        image = harness.built_once(f"vault.{TARGET}", TARGET,
                                   lambda site: harness.write_tree(site, bare.SMALL),
                                   "--set", "vault=block")
        empty, device = self.make("empty"), self.make("vault", vault)
        with contextlib.closing(self.failing(image, extra=disks(empty))) as none:
            none.wait_for("the vault on block device 1 is empty and no vault yet")
        self.assertEqual(self.lab.disk("empty"), bytes(SIZE))
        with Site(image, "--vault-device=2", extra=disks(empty, device)) as site:
            self.serves(site, cert)
            site.guest.save("/saved-vault")
            site.guest = self.lab.restore(site.guest.name, "/saved-vault")
            self.lab.run("rm /saved-vault")
            self.serves(site, cert)
        self.assertEqual(self.lab.disk("vault"), vault, "nothing was written")
        with Site(image, "--vault-device=0") as site:
            self.assertEqual(site.get("/style.css").body, SITE["style.css"])

    def failing(self, image, **options):
        site = Site(image, wait=False, **options)
        self.addCleanup(site.kill)
        site.close = lambda: self.assertEqual(site.wait_for_end(), 1)
        return site

    def make_vault(self, folder: pathlib.Path) -> tuple:
        """(its certificate, the disk)."""
        cert, key, path = (folder / name for name in ("cert", "key", "site.disk"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert, "-days",
                        "30", "-subj", "/CN=vault"], check=True, stderr=subprocess.DEVNULL,
                       timeout=60)
        harness.must(harness.CRUNCH, "disk", "format", path, "--vault", "--size", "64KiB")
        for name, file in (("tls/cert", cert), ("tls/key", key)):
            harness.must(harness.CRUNCH, "disk", "set", path, name, file)
        return cert.read_text(), path.read_bytes()

    def serves(self, site: Site, cert: str) -> None:
        with site.secure_client() as client:
            self.assertEqual(client.socket.getpeercert(binary_form=True),
                             ssl.PEM_cert_to_DER_cert(cert))
            self.assertEqual(client.get("/style.css").body, SITE["style.css"])


if __name__ == "__main__":
    harness.main()
