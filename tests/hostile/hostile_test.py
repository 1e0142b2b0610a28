#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The fuzzers of running images, for some seconds each. For hours: start them by hand."""

import unittest

import harness
import packets_fuzz
import tls_fuzz

SECONDS = 6


@unittest.skipUnless(harness.has_tls(), "crunch was built without TLS")
class Tls(unittest.TestCase):
    def test_unix(self):
        tls_fuzz.Running("unix").run(SECONDS)

    def test_unix_tap(self):
        tls_fuzz.Running("unix-tap").run(SECONDS)


class Packets(unittest.TestCase):
    def test_static_addresses(self):
        packets_fuzz.Running("static").run(SECONDS)

    def test_automatic_addresses(self):
        packets_fuzz.Running("automatic").run(SECONDS)


if __name__ == "__main__":
    harness.main()
