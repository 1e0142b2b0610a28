#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""HTTP/2 as its clients speak it: curl, nghttp, h2load and Node's http2 module, asking a Unix image
over TLS and in cleartext. Chromium is in tests/crunch/serve/http2_browser_test.py.

Method: each client asks for the same files, many at once where it can; what it got is compared with
the files, and the image's access log has to name the protocol.
"""

import hashlib
import json
import pathlib
import re
import tempfile
import unittest

import bare
import harness
import http2
from harness import SITE

PATHS = ("/index.html", "/style.css", "/empty.txt", "/sub/page.html", "/big.bin")

# Asks for every path `times` times at once and says what came, as JSON.
NODE = """
const http2 = require('http2');
const crypto = require('crypto');
const [origin, times, ...paths] = process.argv.slice(1);
const session = http2.connect(origin, { rejectUnauthorized: false });
session.on('error', function (error) { console.error(String(error)); process.exit(1); });
const ask = (path, method) => new Promise(function (done, failed) {
  const stream = session.request({ ':path': path, ':method': method });
  const body = crypto.createHash('sha256');
  const answer = { path, method };
  stream.on('response', function (head) { answer.status = head[':status']; });
  stream.on('data', function (part) { body.update(part); });
  stream.on('error', failed);
  stream.on('end', function () { answer.body = body.digest('hex'); done(answer); });
  stream.end();
});
const asked = [ask('/none', 'GET'), ask('/index.html', 'HEAD')];
for (let i = 0; i < Number(times); i++) for (const path of paths) asked.push(ask(path, 'GET'));
Promise.all(asked).then(function (answers) {
  session.ping(function (error) {
    if (error) throw error;
    console.log(JSON.stringify({ answers, protocol: session.alpnProtocol }));
    session.close();
  });
});
"""


class Clients:
    """For a TestCase that says whether it is over TLS."""

    secure = False

    def setUp(self):
        if self.secure and not harness.has_tls():
            self.skipTest("crunch was built without TLS")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def serve(self, *keys):
        if self.secure:
            return harness.SecureServer(bare.site_image("unix"), "--log=combined", *keys)
        return harness.Server(harness.shared_image(), "--h2c=true", "--log=combined", *keys)

    def origin(self, server) -> str:
        return f"{'https' if self.secure else 'http'}://127.0.0.1:{server.port}"

    def expect_log(self, server, count: int, version: str = "HTTP/2.0") -> None:
        """After the end of the image, when its log is whole."""
        self.assertEqual(server.stop(), 0)
        versions = re.findall(r'"[A-Z]+ \S+ (HTTP/[\d.]+)"', server.out())
        self.assertEqual(versions, [version] * count)

    def test_curl(self):
        harness.need("curl")
        with self.serve() as server:
            for path in PATHS[:-1]:
                self.assertEqual(http2.curl(server.port, self.secure, path),
                                 ("2 200", SITE[path[1:]]))
            status, body = http2.curl(server.port, self.secure, "/none")
            self.assertEqual((status, body), ("2 404", SITE["404.html"]))
            version = ["--http2", "-k"] if self.secure else ["--http2-prior-knowledge"]
            asked = [harness.need("curl"), "-sS", *version, "-w", "%{http_code} %{num_connects}\n"]
            # Several on one connection; in cleartext curl 7.88 cannot (its issue 10634).
            count = 20 if self.secure else 1
            urls = [f"{self.origin(server)}/sub/page.html?{number}" for number in range(count)]
            said = harness.must(*asked, *sum((["-o", "/dev/null", url] for url in urls), []))
            self.assertEqual(said.splitlines(), ["200 1"] + ["200 0"] * (count - 1))
            harness.must(*asked, "-r", "5-8", "-o", self.folder / "range",
                         f"{self.origin(server)}/big.bin")
            self.assertEqual((self.folder / "range").read_bytes(), SITE["big.bin"][5:9])
            head = harness.must(*asked[:-2], "-I", f"{self.origin(server)}/style.css")
            self.assertRegex(head, rf"(?m)^content-length: {len(SITE['style.css'])}\r?$")
            tag = re.search(r"(?m)^etag: (\S+)", head).group(1)
            said = harness.must(*asked, "-H", f"If-None-Match: {tag}",
                                f"{self.origin(server)}/style.css")
            self.assertEqual(said, "304 1\n")
            self.expect_log(server, len(PATHS) + count + 3)

    def test_nghttp(self):
        program = harness.need("nghttp")
        urls = [f"/sub/page.html?{number}" for number in range(60)]
        with self.serve() as server:
            said = harness.must(program, "-nv", *(self.origin(server) + url for url in urls))
            said = re.sub("\x1b\\[[0-9;]*m", "", said)
            self.assertEqual(said.count(":status: 200\n"), len(urls), said)
            self.assertNotIn("RST_STREAM", said)
            got = harness.must(program, "-y", self.origin(server) + "/style.css")
            self.assertEqual(got.encode(), SITE["style.css"])
            self.expect_log(server, len(urls) + 1)

    def test_h2load(self):
        program = harness.need("h2load")
        count = 0
        with self.serve() as server:
            # Many streams; many connections; windows of 1 KiB, which take the bodies in parts.
            for options, path, requests in (("-c1 -m100", "/index.html", 2000),
                                            ("-c32 -m10", "/index.html", 1600),
                                            ("-c2 -m8 -w10 -W10", "/sub/page.html", 100),
                                            ("-c2 -m2", "/big.bin", 8)):
                said = harness.must(program, *options.split(), f"-n{requests}",
                                    self.origin(server) + path)
                self.assertIn(f"{requests} done, {requests} succeeded, 0 failed, 0 errored, "
                              "0 timeout", said)
                self.assertIn(f"Application protocol: h2{'' if self.secure else 'c'}\n", said)
                count += requests
                body = int(re.search(r"\((\d+)\) data$", said, re.MULTILINE).group(1))
                self.assertEqual(body, requests * len(SITE[path[1:]]))
            self.expect_log(server, count)

    def test_node(self):
        program = harness.need("node")
        times = 4
        with self.serve() as server:
            said = json.loads(harness.must(program, "-e", NODE, self.origin(server), times, *PATHS))
            self.assertEqual(said["protocol"], "h2" if self.secure else "h2c")
            expected = {("/none", "GET"): (404, SITE["404.html"]),
                        ("/index.html", "HEAD"): (200, b"")}
            expected |= {(path, "GET"): (200, SITE[path[1:]]) for path in PATHS}
            for answer in said["answers"]:
                status, body = expected[answer["path"], answer["method"]]
                self.assertEqual((answer["status"], answer["body"]),
                                 (status, hashlib.sha256(body).hexdigest()), answer)
            self.assertEqual(len(said["answers"]), 2 + times * len(PATHS))
            self.expect_log(server, len(said["answers"]))

    def test_turned_off(self):
        """Clients that can do both are served by HTTP/1.1; others are refused."""
        harness.need("curl"), harness.need("nghttp")
        with self.serve("--http2=false") as server:
            said = harness.must("curl", "-sSk", "--http2", "-o", "/dev/null", "-w",
                                "%{http_version} %{http_code}", self.origin(server) + "/")
            self.assertEqual(said, "1.1 200")
            refused = harness.call("nghttp", "-nv", self.origin(server) + "/")
            self.assertNotIn(":status:", refused.stdout)
            if not self.secure:
                asked = harness.call("curl", "-sS", "--http2-prior-knowledge",
                                     self.origin(server) + "/")
                self.assertNotEqual(asked.returncode, 0)
            self.assertEqual(server.stop(), 0)
            self.assertNotIn("HTTP/2.0", server.out())
            self.assertEqual(server.out().count('"GET / HTTP/1.1" 200'), 1)


class OverTls(Clients, unittest.TestCase):
    secure = True

    def test_who_offers_both_gets_http_2(self):
        program = harness.need("h2load")
        with self.serve() as server:
            for offered, chosen in (("h2,http/1.1", "h2"), ("http/1.1,h2", "h2"),
                                    ("http/1.1", "http/1.1")):
                said = harness.must(program, "-n1", f"--npn-list={offered}",
                                    self.origin(server) + "/")
                self.assertIn(f"Application protocol: {chosen}\n", said, offered)


class InCleartext(Clients, unittest.TestCase):
    def test_there_is_no_upgrade(self):
        """The field Upgrade is ignored (RFC 9113 has no upgrade any more)."""
        with self.serve() as server:
            said = harness.must(harness.need("curl"), "-sS", "--http2", "-o", "/dev/null", "-w",
                                "%{http_version} %{http_code}", self.origin(server) + "/")
            self.assertEqual(said, "1.1 200")
            self.expect_log(server, 1, "HTTP/1.1")


if __name__ == "__main__":
    harness.main()
