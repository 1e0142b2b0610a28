#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""hvt-tender on the KVM of this machine, if it is one that emulates each instruction.

Such a KVM ends a guest that uses SSE, as libos' probe does; whoever reaches the end has a real one,
and what is tried there is tried in the nested lab too.
"""

import os
import unittest

import harness
import network

PROBE = harness.BUILD / "bin" / "hvt_probe"
TENDER = harness.BUILD / "bin" / "hvt-tender"
WANTED = 3  # the probe's status for `exit`


class Kvm(unittest.TestCase):
    def test_one_that_emulates_is_said(self):
        network.need_taps()
        if not os.access("/dev/kvm", os.R_OK | os.W_OK):
            raise unittest.SkipTest("no /dev/kvm here, or no permission for it")
        network.enter_namespace()
        network.make_tap()
        done = harness.call(TENDER, "--mem=16", "--net:service=tap0", PROBE, "--", "exit",
                            timeout=200)
        if done.returncode == WANTED:
            self.assertNotIn("emulates", done.stdout)
            raise unittest.SkipTest("the KVM here does not emulate each instruction")
        self.assertRegex(done.stdout, "^hvt: warning: KVM here emulates each instruction: .* "
                                      "Use a host whose processor .* or build the image for unix")


if __name__ == "__main__":
    harness.main()
