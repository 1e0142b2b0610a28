#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A path whose MTU drops in the middle of a download, with Linux as the router.

Method: the image is on a tap of a namespace that routes to another, in which curl is. While curl
loads, the router's link to it shrinks from 1,500 bytes to 1,280. The download must go on, the
router must have refused packets and have cut none. For unix-tap and virtio, over both protocols,
plain and with TLS.
"""

import os
import pathlib
import subprocess
import tempfile
import time
import unittest

import harness
import network
import qemu
from harness import must
from network import HOST4, HOST6, IMAGE4, IMAGE6
from tap_test import TapServer

CLIENT4, CLIENT6 = "10.99.0.2", "fd99::2"
SMALL_MTU = 1280
GATEWAYS = [f"--ipv4-gateway={HOST4}", f"--ipv6-gateway={HOST6}"]


def counts() -> dict:
    """The router's counters: packets that it cut, and messages that one was too big."""
    found = {}
    for line in pathlib.Path("/proc/net/snmp6").read_text().splitlines():
        name, value = line.split()
        found[name] = int(value)
    lines = [line.split() for line in pathlib.Path("/proc/net/snmp").read_text().splitlines()]
    for names, values in zip(lines[::2], lines[1::2], strict=True):
        found.update((names[0][:-1] + name, int(value))
                     for name, value in zip(names[1:], values[1:], strict=True))
    return found


class Path(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        network.need_taps()
        harness.need("curl"), harness.need("nsenter")

    def setUp(self):
        network.enter_namespace()
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        network.make_tap()
        # The client's namespace lives as long as this process.
        client = subprocess.Popen(["unshare", "--net", "sleep", "600"],
                                  preexec_fn=harness.die_with_parent)
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        self.client = ["nsenter", f"--net=/proc/{client.pid}/ns/net"]
        ours = os.readlink("/proc/self/ns/net")
        there = f"/proc/{client.pid}/ns/net"
        self.assertTrue(harness.eventually(lambda: os.readlink(there) != ours, 10))
        must("ip", "link", "add", "near", "type", "veth", "peer", "name", "far")
        must("ip", "link", "set", "far", "netns", client.pid)
        for words in (["addr", "add", "10.99.0.1/24", "dev", "near"],
                      ["-6", "addr", "add", "fd99::1/64", "dev", "near", "nodad"],
                      ["link", "set", "near", "up"]):
            must("ip", *words)
        for words in (["addr", "add", f"{CLIENT4}/24", "dev", "far"],
                      ["-6", "addr", "add", f"{CLIENT6}/64", "dev", "far", "nodad"],
                      ["link", "set", "far", "up"],
                      ["route", "add", "default", "via", "10.99.0.1"],
                      ["-6", "route", "add", "default", "via", "fd99::1"]):
            must(*self.client, "ip", *words)
        for key in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            pathlib.Path(f"/proc/sys/net/{key}").write_text("1")

    def image(self, target: str, size: int, *options) -> pathlib.Path:
        self.content = harness.noise(size, "path")
        folder = pathlib.Path(self._folder.name)
        site = harness.write_tree(folder / "site", {"index.html": b"home", "big.bin": self.content})
        return harness.build_image(site, folder / "image", *options, target=target)

    def load(self, scheme: str, address: str, rate: str) -> None:
        """Downloads while the path shrinks; then the path is as before."""
        must("ip", "link", "set", "near", "mtu", 1500)
        host = f"[{address}]" if ":" in address else address
        file = pathlib.Path(self._folder.name) / "got"
        before = counts()
        with subprocess.Popen([*self.client, "curl", "-k", "-sS", "-f", "-m", "60", "--limit-rate",
                               rate, "-o", str(file), f"{scheme}://{host}/big.bin"]) as curl:
            size = len(self.content)
            began = harness.eventually(
                lambda: file.exists() and file.stat().st_size > size // 8, 40)
            self.assertTrue(began)
            must("ip", "link", "set", "near", "mtu", SMALL_MTU)
            self.assertLess(file.stat().st_size, size, "the path shrank too late")
            start = time.monotonic()
            self.assertEqual(curl.wait(70), 0)
        self.assertTrue(file.read_bytes() == self.content)
        print(f"{scheme} {address}: {time.monotonic() - start:.1f} s after the path shrank")
        file.unlink()
        grown = {name: value - before.get(name, 0) for name, value in counts().items()}
        told = "Icmp6OutPktTooBigs" if ":" in address else "IcmpOutDestUnreachs"
        self.assertGreater(grown[told], 0, "nothing was too big")
        self.assertEqual(grown["IpFragCreates"] + grown["Ip6FragCreates"], 0)
        self.assertEqual(grown["IpFragOKs"] + grown["Ip6FragOKs"], 0)

    def test_unix_tap(self):
        keys = [*network.STATIC, GATEWAYS[1]]
        with TapServer(self.image("unix-tap", 16_000_000), *keys,
                       ready=f"network: {IMAGE6}/64"):
            for address in (IMAGE4, IMAGE6):
                self.load("http", address, "6M")

    def test_unix_tap_with_tls(self):
        if not harness.has_tls():
            self.skipTest("crunch was built without TLS")
        keys = [*network.STATIC, GATEWAYS[1]]
        with TapServer(self.image("unix-tap", 16_000_000, "--self-signed", "localhost"), *keys,
                       ready=f"network: {IMAGE6}/64"):
            for address in (IMAGE4, IMAGE6):
                self.load("https", address, "6M")

    # One machine each, as it keeps what it learns of a path for ten minutes.
    def load_from_machine(self, scheme: str, size: int, rate: str, *options) -> None:
        harness.need("qemu-system-x86_64")
        image = self.image("virtio", size, *options)
        with qemu.Guest(image, append=GATEWAYS[1], on_tap=True, memory_mib=64) as guest:
            guest.wait_for(rf"network: {IMAGE6}/64")
            for address in (IMAGE4, IMAGE6):
                self.load(scheme, address, rate)

    def test_virtio(self):
        self.load_from_machine("http", 12_000_000, "6M")

    def test_virtio_with_tls(self):
        if not harness.has_tls():
            self.skipTest("crunch was built without TLS")
        self.load_from_machine("https", 3_000_000, "1M", "--self-signed", "localhost")


if __name__ == "__main__":
    harness.main()
