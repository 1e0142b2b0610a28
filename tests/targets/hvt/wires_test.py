#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Guests of hvt-tender with addresses of every kind, and the examples as such guests.

Method: as guest_test.py, in the nested lab; DHCP's server and the router are in this test's
network namespace, out of which the lab's bridge leads.
"""

import pathlib
import re
import subprocess
import tempfile
import unittest

import bare
import harness
import nested
import network
from harness import SITE
from nested import Guest

TARGET = "hvt"
TENDER = harness.BUILD / "bin" / "hvt-tender"
EXAMPLES = harness.ROOT / "examples"
PAGE = {"index.html": b"<p>a file\n"}


class Addresses(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def daemon(self, *words) -> None:
        """Runs until the test ends."""
        harness.need(words[0])
        process = subprocess.Popen([*map(str, words)], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait, 20)
        self.addCleanup(process.terminate)

    def serves_at(self, pattern: str, *keys, meanwhile=lambda: None) -> None:
        with Guest(bare.small_image(TARGET), "--redirect=false", *keys, wait=False,
                   has_address=False) as guest:
            said = guest.wait_for(pattern)
            address = re.search(pattern, said).group(1)
            with harness.Client(address, 80) as client:
                self.assertEqual(client.get("/style.css").body, SITE["style.css"])
            meanwhile()

    def test_dhcp(self):
        with network.dhcp_server(self.folder, nested.TAP, "10.9.0.150,10.9.0.160") as leases:
            self.serves_at(r"network: (10\.9\.0\.1[56]\d)/24, gateway 10\.9\.0\.1 \(DHCP\)",
                           "--ipv6=off", "--hostname=shop", meanwhile=lambda: self.assertTrue(
                               harness.eventually(lambda: " shop " in leases.read_text(), 30)))

    def test_ipv6_static(self):
        self.serves_at(r"network: (fd09::77)/64", "--ipv4=10.9.0.177/24", "--ipv6=fd09::77/64")

    def test_slaac(self):
        config = self.folder / "radvd.conf"
        config.write_text(f"interface {nested.TAP} {{ AdvSendAdvert on; MinRtrAdvInterval 3; "
                          "MaxRtrAdvInterval 4; prefix fd09:0:0:7::/64 { }; };\n")
        harness.must("ip", "-6", "addr", "add", "fd09:0:0:7::1/64", "dev", nested.TAP, "nodad")
        self.daemon("radvd", "-n", "-C", config, "-p", self.folder / "radvd.pid", "-m", "none")
        self.serves_at(r"network: (fd09::7:[0-9a-f:]+)/64", "--ipv4=10.9.0.178/24")


class Examples(unittest.TestCase):
    """With no change but -t."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def build(self, example: str, *words) -> pathlib.Path:
        image = self.folder / f"{example}.{TARGET}"
        done = harness.crunch("build", *words, "-t", TARGET, "-o", image, "--config",
                              EXAMPLES / example / "config.hpp")
        self.assertEqual(done.returncode, 0, done.stderr)
        return image

    def test_hello_console(self):
        guest = Guest(self.build("hello-console"), "--greeting=good-day", "--pause=10ms",
                      "--times=2", wait=False, has_address=False)
        try:
            self.assertEqual(guest.wait_for_end(), 0, guest.console())
            self.assertEqual(len(re.findall(r"(?m)^good-day\r?$", guest.console())), 2,
                             guest.console())
        finally:
            guest.kill()

    def test_file_server(self):
        site = harness.write_tree(self.folder / "site", PAGE)
        with Guest(self.build("file-server", site)) as guest:
            self.assertEqual(guest.get("/").body, PAGE["index.html"])


class Inspected(unittest.TestCase):
    def test_what_it_asks_a_tender_for(self):
        said = harness.crunch("inspect", bare.small_image(TARGET)).stdout
        self.assertRegex(said, r"(?m)^solo5   hvt, ABI 2; devices: service \(net\)$")


if __name__ == "__main__":
    nested.main(TENDER)
