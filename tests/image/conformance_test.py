#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The conformance table of tests/http/conformance.hpp against a real image.

Method: conformance_client writes the site that its table is about, crunch builds it, and the client
asks the running image: whole requests, requests in single bytes, and over IPv6.
"""

import pathlib
import subprocess
import tempfile
import unittest

import harness

CLIENT = harness.BUILD / "bin" / "conformance_client"


class Conformance(unittest.TestCase):
    def client(self, *words) -> subprocess.CompletedProcess:
        return subprocess.run([str(CLIENT), *map(str, words)], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT, timeout=170, check=False)

    def test_the_whole_table(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "site").mkdir()
            done = self.client("--write-site", folder / "site")
            self.assertEqual(done.returncode, 0, done.stdout)
            image = harness.build_image(folder / "site", folder / "image")
            with harness.Server(image) as server:
                for options in ([], ["--cut", "1"], ["--cut", "7"], ["--host", "::1"]):
                    with self.subTest(options=options):
                        done = self.client("--port", server.port, "--encodings", *options)
                        print(done.stdout)
                        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    harness.main()
