#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The fuzzers of running images, for some seconds each. For hours: start them by hand.

The seed is fixed, or what CRUNCH_SEED says: a change that is tested should not fail for what it did
not do. The long runs by hand take a new one each time.
"""

import os
import unittest

import harness
import packets_fuzz
import tls_fuzz

SECONDS = 6
SEED = int(os.environ.get("CRUNCH_SEED", "1"))


@unittest.skipUnless(harness.has_tls(), "crunch was built without TLS")
class Tls(unittest.TestCase):
    def test_unix(self):
        tls_fuzz.Running("unix").run(SECONDS, SEED)

    def test_unix_tap(self):
        tls_fuzz.Running("unix-tap").run(SECONDS, SEED)


class Packets(unittest.TestCase):
    def test_static_addresses(self):
        packets_fuzz.Running("static").run(SECONDS, SEED)

    def test_automatic_addresses(self):
        packets_fuzz.Running("automatic").run(SECONDS, SEED)


if __name__ == "__main__":
    harness.main()
