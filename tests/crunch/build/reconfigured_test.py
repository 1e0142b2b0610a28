#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""CMake run once more makes nothing stale: what it writes again is not written when it is the same.

Method: what a build of the tool would do is asked of the build's own program (-n) before CMake is
run again, and after.
"""

import unittest

import harness
from harness import must


class Reconfigured(unittest.TestCase):
    def test_nothing_becomes_stale(self):
        stale = ["cmake", "--build", harness.BUILD, "--target", "crunch", "--", "-n"]
        before = must(*stale, timeout=300)
        must("cmake", "-S", harness.ROOT, "-B", harness.BUILD, timeout=300)
        self.assertEqual(must(*stale, timeout=300), before)


if __name__ == "__main__":
    harness.main()
