#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Images whose sites have rules, and images behind a proxy, seen from outside.

Method: one packaged site with rules, a base and a password; one that is served from a directory;
requests as a proxy on loopback sends them. What rules mean: tests/http/site.
"""

import base64
import pathlib
import tempfile
import unittest

import harness
from harness import Server

FILES = {"index.html": b"<p>main\n", "a.html": b"<p>a\n", "404.html": b"<p>none\n",
         "inner/index.html": b"<p>inner\n"}
TOML = """[site]
base = "/project/"
[auth]
users = ["%s"]
paths = ["/project/inner/*"]
"""


class Packaged(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(holder.cleanup)
        folder = pathlib.Path(holder.name)
        site = harness.write_tree(folder / "site", FILES | {
            "_redirects": b"/project/old /project/a 301\n", "_headers": b"/*\n  X-Site: yes\n"})
        user = harness.crunch("auth", "crew", input="secret\n")
        user.check_returncode()
        (folder / "crunch.toml").write_text(TOML % user.stdout.strip())
        cls.image = harness.build_image(site, folder / "image", "--strict")

    def test_rules(self):
        with Server(self.image) as server:
            for path, status, location in (
                    ("/", 307, "/project/"), ("/project/", 200, None),
                    ("/project/old", 301, "/project/a"), ("/project/a.html", 307, "/project/a"),
                    ("/a", 404, None), ("/project/_headers", 404, None),
                    ("/.crunch/plan", 404, None), ("/project/inner/", 401, None)):
                answer = server.get(path)
                self.assertEqual((answer.status, answer.fields.get("location")),
                                 (status, location), path)
                self.assertEqual("x-site" in answer.fields, status != 401, path)

    def test_a_password(self):
        with Server(self.image) as server:
            answer = server.get("/project/inner/")
            self.assertIn("Basic", answer.fields["www-authenticate"])
            self.assertEqual(answer.fields["cache-control"], "no-store")
            for pair, status in (("crew:secret", 200), ("crew:wrong", 401), ("x:secret", 401)):
                word = base64.b64encode(pair.encode()).decode()
                answer = server.get("/project/inner/", Authorization=f"Basic {word}")
                self.assertEqual(answer.status, status, pair)
            self.assertNotIn(b"secret\n", self.image.read_bytes())

    def test_behind_a_proxy(self):
        fields = {"X_Forwarded_For": "198.51.100.1, 203.0.113.77", "Referer": "http://r/?secret"}
        for keys, said in (((), "127.0.0.1 "), (("--trusted-proxy=10.0.0.0/8",), "127.0.0.1 "),
                           (("--trusted-proxy=10.0.0.0/8,127.0.0.1/32",), "203.0.113.77 "),
                           (("--trusted-proxy=127.0.0.0/8", "--log-privacy=short"),
                            "203.0.113.0 "),
                           (("--log-privacy=none",), "- ")):
            with Server(self.image, "--log=combined", *keys) as server:
                server.get("/project/?secret", **fields)
                self.assertTrue(harness.eventually(lambda s=server: "\n" in s.out()))
                line = server.out().splitlines()[-1]
                self.assertTrue(line.startswith(said), (keys, line))
                self.assertEqual("secret" in line, "privacy" not in "".join(keys), line)


class Live(unittest.TestCase):
    def test_rules_of_a_directory(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            site = harness.write_tree(folder / "site", FILES | {"_redirects": b"/old /a 301\n"})
            image = harness.build_image(site, folder / "image", "--set", "store=directory")
            with Server(image, f"--directory={site}") as server:
                self.assertEqual(server.get("/old").fields.get("location"), "/a")
                (site / "_redirects").write_bytes(b"/older /a 302\n")
                self.assertTrue(harness.eventually(lambda: server.get("/older").status == 302))
                self.assertEqual(server.get("/old").status, 404)
                (site / "_headers").write_bytes(b"/*\n  X-Live: 1\n")
                self.assertTrue(harness.eventually(lambda: "x-live" in server.get("/").fields))
                # With errors the last good ones stay.
                (site / "_redirects").write_bytes(b"/older /b 302! Country=ie\n")
                self.assertTrue(harness.eventually(lambda: "as they were" in server.err()))
                self.assertEqual(server.get("/older").fields.get("location"), "/a")
                self.assertEqual(server.get("/_redirects").status, 404)
                for name in ("_redirects", "_headers"):
                    (site / name).unlink()
                self.assertTrue(harness.eventually(lambda: server.get("/older").status == 404))
                self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    harness.main()
