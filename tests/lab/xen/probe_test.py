#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The probe appliance under Xen: the laws of devices on Xen's own, and random bytes of a guest that
is taken up twice from one image.
"""

import re
import unittest

import probe
import harness
from sites import TARGET, in_dom0, the_lab


class Probe(unittest.TestCase):
    def start(self, what: str, **options):
        return the_lab().create(what, in_dom0(probe.image(TARGET)), f"--try={what}", **options)

    def test_laws_of_net_devices(self):
        lab = the_lab()
        with probe.Mirror.on_interface("wire0"):
            guest = self.start("net")
            guest.wait_for(r"probe: (all laws hold|\d+ laws are broken)")
            probe.assert_laws_hold(self, guest.console())
            guest.wait_for_end()
        self.assertNotIn("panic", lab.log())

    def test_two_restores_of_one_image_have_no_random_bytes_in_common(self):
        guest = self.start("random")
        guest.wait_for("probe: random", count=3)
        guest.save("/saved-random")
        said = [self.restored(guest.name) for _ in range(2)]
        the_lab().run("rm /saved-random")
        for numbers in said:
            self.assertGreaterEqual(len(set(numbers)), 3, said)
        self.assertEqual(set(said[0]) & set(said[1]), set(), said)

    def restored(self, name: str) -> list:
        """What the guest draws when it has been taken up from the image."""
        before = the_lab().file(f"console/guest-{name}.log").count("taken up again")
        guest = the_lab().restore(name, "/saved-random")
        guest.wait_for("taken up again", count=before + 1)

        def drawn() -> list:
            return re.findall(r"probe: random ([0-9a-f]{32})\b",
                              guest.console().rpartition("taken up again")[2])
        self.assertTrue(harness.eventually(lambda: len(drawn()) >= 3, 60), guest.console())
        numbers = drawn()
        guest.destroy()
        guest.wait_for_end()
        return numbers


if __name__ == "__main__":
    harness.main()
