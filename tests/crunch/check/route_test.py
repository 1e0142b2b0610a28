#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""crunch route, from outside: what it says is what a server answers, and why.

Method: one site with rules, clean URLs and hosts; the whole text of some answers, and for many
addresses the status beside that of `crunch serve`.
"""

import pathlib
import re
import sys
import tempfile
import unittest

import harness

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "serve"))

from preview import Preview

FILES = {
    "index.html": b"<p>home", "about.html": b"<p>about", "404.html": b"<p>nothing",
    "docs/index.html": b"<p>docs", "x.css": b"a{}",
    "_redirects": b"# moved\n/old/* /docs/:splat 301\n/r /about 200\n/loop /loop2\n/loop2 /loop\n",
    "_headers": b"/*\n  X-All: 1\n/about\n  X-About: :none\n  Cache-Control: no-store\n",
}


class Route(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.site = harness.write_tree(pathlib.Path(folder.name) / "site", FILES)

    def route(self, *words) -> str:
        done = harness.crunch("route", self.site, *words)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_a_redirect_and_where_it_leads(self):
        text = self.route("/old/?a=b")
        self.assertTrue(text.startswith("""GET /old/?a=b
host     any: crunch.toml names none
rule     _redirects:2: /old/* /docs/:splat 301
headers  _headers:1: /*
answer   301 Moved Permanently
         Location: /docs/?a=b
"""), text)
        self.assertIn("""
GET /docs/?a=b
host     any: crunch.toml names none
rule     none decides
file     "docs/index.html": the folder's page
headers  _headers:1: /*
answer   200 OK
""", text)

    def test_why_a_file(self):
        for url, why in (("/about", '"about.html": clean URLs: the name without .html'),
                         ("/x.css", '"x.css": the file of that name'),
                         ("/r", '"about.html": where the rule leads'),
                         ("/", '"index.html": the folder\'s page'),
                         ("/no/x", '"404.html": the nearest page that says so')):
            self.assertIn("file     " + why, self.route(url))
        text = self.route("/about")
        self.assertIn("headers  _headers:1: /*\n         _headers:3: /about\n", text)
        self.assertIn("\n         Cache-Control: no-store\n", text)
        self.assertIn("redirects go in a circle", self.route("/loop"))

    def test_hosts(self):
        (self.site / "crunch.toml").write_text(
            '[[host]]\nname = "a.example"\naliases = ["www.a.example"]\n'
            '[[host]]\nname = "d.example"\nroot = "docs"\n')
        self.assertIn("host     a.example\n", self.route("/"))
        text = self.route("https://www.a.example/about")
        self.assertIn("host     www.a.example: an alias of a.example\n", text)
        self.assertIn("Location: https://a.example/about\n", text)
        self.assertIn('host     d.example, whose root is the folder "docs"\n',
                      self.route("/", "-H", "Host: d.example"))
        self.assertIn("host     z: no [[host]] has this name; a.example, the first, answers\n",
                      self.route("//z/"))

    def test_fields_of_the_request_count(self):
        (self.site / "crunch.toml").write_text('[site]\ndialect = "netlify"\n')
        (self.site / "_redirects").write_text("/l /about.html 200 Language=de\n")
        (self.site / "_headers").unlink()
        self.assertIn("rule     _redirects:1", self.route("/l", "-H", "Accept-Language: de"))
        self.assertIn("404 Not Found", self.route("/l", "-H", "Accept-Language: en"))

    def test_wrong_words(self):
        for words in (("about",), ("/", "-H", "x"), ("ftp://x/",), ("/", "-H", "a: b\r\nc: d")):
            done = harness.crunch("route", self.site, *words)
            self.assertEqual(done.returncode, 2, words)
            self.assertEqual(len(done.stderr.splitlines()), 1)

    def test_a_preview_answers_the_same(self):
        with Preview(self.site) as server:
            for url in ("/", "/about", "/about/", "/about.html", "/docs", "/old/x", "/r", "/no",
                        "/%zz", "/index", "/x.css/", "/a%2fb"):
                with server.client() as client:
                    answer = client.get(url)
                said = re.search(r"^answer   (\d+)", self.route(url), re.M)
                self.assertEqual(int(said[1]), answer.status, url)


if __name__ == "__main__":
    harness.main()
