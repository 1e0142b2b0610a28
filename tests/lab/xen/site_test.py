#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Sites served by guests of a real Xen: what every machine must do (bare.Suite).

With CRUNCH_ALL_WIRES=1 in the environment: the whole suite, with one vif and again with two; HTTP's
table also over TLS and cut in pieces. Of two vifs hosts_test.py always runs the table.
"""

import unittest

import bare
import harness
import qemu
from sites import ALL, TARGET, Site, the_lab, when_all


class OnXen(bare.Suite, unittest.TestCase):
    target = TARGET
    cuts = ("1", "7") if ALL else ()
    connections = 400

    def start(self, image_file, *keys, memory_mib=24, wait=True) -> Site:
        return Site(image_file, *keys, memory_mib=memory_mib, wait=wait)

    def setUp(self):
        the_lab()

    def test_https_conformance(self):
        # HTTP/1.1's table over TLS takes most of the time.
        parts = () if ALL else ("http2", "openssl", "curl", "bad_starts", "bad_records")
        with self.start(bare.conformance_image(self.target)) as guest:
            harness.check_https(guest.host, guest.https_port,
                                *(word for part in parts for word in ("--only", part)))


for NAME in ("test_boot_keys", "test_boot_line", "test_memory_is_flat_over_many_connections"):
    setattr(OnXen, NAME, when_all(getattr(OnXen, NAME)))


@when_all
class OnTwoNetworks(OnXen):
    """The same with a second vif."""

    def start(self, image_file, *keys, memory_mib=24, wait=True) -> Site:
        return Site(image_file, *keys, memory_mib=memory_mib, wait=wait, vifs=2)


class ElsewhereThanXen(unittest.TestCase):
    def test_qemu_alone(self):
        status, said = qemu.run_to_end(bare.small_image(TARGET), memory_mib=32)
        self.assertNotEqual(status, 0, said)
        self.assertRegex(said, "(?i)xen")
        self.assertEqual(len(said.strip().splitlines()), 1, said)


if __name__ == "__main__":
    harness.main()
