#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What any server of ours must do, over HTTP and HTTPS, asked of a Unix process.

Method: conformance_client writes the site that its table is about, crunch builds it, and the client
asks the running image: whole requests, requests in single bytes, and over IPv6; by HTTP/2 with a
hundred rows at once on a connection, and each row on one of its own. For HTTPS there is
tests/tls/conformance.py. Images of other targets are asked by the same two, at their address.
"""

import subprocess
import unittest

import harness

CLIENT = harness.BUILD / "bin" / "conformance_client"


class Conformance(unittest.TestCase):
    def test_the_whole_table(self):
        self.ask([[], ["--cut", "1"], ["--cut", "7"], ["--host", "::1"]])

    def test_http2_in_cleartext(self):
        self.ask([["--http2", *more] for more in ([], ["--streams", "1"], ["--cut", "7"])],
                 "--h2c=true")

    def ask(self, rounds, *keys):
        with harness.Server(harness.conformance_image("unix"), *keys) as server:
            for options in rounds:
                with self.subTest(options=options):
                    done = subprocess.run(
                        [CLIENT, "--port", str(server.port), "--encodings", *options],
                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=170,
                        check=False)
                    print(done.stdout)
                    self.assertEqual(done.returncode, 0, done.stdout)

    def test_https(self):
        image = harness.conformance_image("unix", "--self-signed", "localhost")
        with harness.SecureServer(image) as server:
            harness.check_https("127.0.0.1", server.port)


if __name__ == "__main__":
    harness.main()
