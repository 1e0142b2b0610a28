#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""crunch check, from outside.

Method: small sites, each with what is right and what is wrong of one kind; findings are compared
whole, so that a finding too many fails as well as one too few.
"""

import json
import pathlib
import tempfile
import unittest

import harness

PAGE = "<!doctype html><title>x</title>"


class Checked(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.site = pathlib.Path(folder.name) / "site"
        self.site.mkdir()

    def write(self, **files):
        for name, text in files.items():
            self.put(name, text)

    def put(self, name: str, text):
        path = self.site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def check(self, *words) -> list:
        """Code, place and sentence of each finding."""
        done = harness.crunch("check", self.site, "--format", "json", *words)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        found = json.loads(done.stdout)["findings"]
        self.assertEqual(done.returncode, 1 if found else 0)
        return [(one["code"], f"{one['file']}:{one['line']}", one["sentence"], one["remedy"])
                for one in found]

    def codes(self, *words) -> list:
        return [f"{code} {place}" for code, place, _, _ in self.check(*words)]

    def urls(self, *words) -> list:
        """Code and what stands in the sentence's first quotes."""
        return [f"{code} {sentence.split(chr(34))[1]}" for code, _, sentence, _ in
                self.check(*words)]


class Links(Checked):
    def test_every_way_to_refer(self):
        self.put("index.html", PAGE + """
<a href=/no/a></a><area href=no/b><link rel=stylesheet href=no/c.css>
<img src=no/d srcset="no/e 1x, no/f 2x,no/g" style="background:url('no/h')">
<script src=no/i></script><iframe src=no/j></iframe><video src=no/k poster=no/l></video>
<object data=no/m></object><form action=no/n></form><form method=post action=no/ok></form>
<meta http-equiv=refresh content="3; URL='no/o'"><style>@import "no/p";a{b:url(no/q)}</style>
<link rel=preload as=image imagesrcset="no/r 1x"><svg><use href="no/s#x"/></svg>
<!-- <a href=no/ok> --><script>'<a href=no/ok>'</script><textarea><a href=no/ok></textarea>
<a href="mailto:a@b"></a><a href="https://other.example/no"></a><a href="data:,x"></a>
<a href="javascript:x"></a><link rel=preconnect href=//no><a href="">x</a><a href=?a=b></a>
""")
        self.put("a.css", "b{c:url(no/t)}@import url('no/u');/* url(no/ok) */")
        found = self.urls()
        self.assertEqual({one.split("/")[-1].removesuffix(".css").split("#")[0] for one in found},
                         set("abcdefghijklmnopqrstu"))
        self.assertEqual({one.split()[0] for one in found}, {"broken-link"})

    def test_addresses_are_those_that_the_server_answers(self):
        self.put("index.html", PAGE + """<a href=docs></a><a href=docs/></a><a href=about></a>
<a href=about.html></a><a href="docs/a%20b.html"></a><a href="docs/a b.html"></a>
<a href=docs/../about></a><a href=caf\u00e9.html></a><a href=caf%C3%A9.html></a><a href=/></a>""")
        for name in ("docs/index.html", "docs/a b.html", "about.html", "caf\u00e9.html"):
            self.put(name, PAGE)
        self.assertEqual(self.check(), [("redirected-link", "index.html:1",
                                         '"docs" costs a redirect', 'write "/docs/"')])

    def test_clean_urls(self):
        for mode, wrong in (("off", ["broken-link about", "broken-link about/"]),
                            ("serve", ["broken-link about/"]),
                            ("auto", ["redirected-link about.html", "redirected-link about/"]),
                            ("slash", ["redirected-link about", "redirected-link about.html"])):
            self.put("crunch.toml", f'[site]\nclean-urls = "{mode}"\n')
            self.put("about.html", PAGE)
            self.put("index.html", PAGE + "<a href=about><a href=about.html><a href=about/>")
            self.assertEqual(sorted(self.urls()), wrong, mode)
        self.put("crunch.toml", '[site]\nclean-urls = "off"\n')
        remedies = {remedy for _, _, _, remedy in self.check()}
        self.assertIn('"about.html" is there: write the link so, or set clean-urls = "serve"',
                      remedies)

    def test_relative_links_begin_where_the_page_is_shown(self):
        self.put("crunch.toml", '[site]\nclean-urls = "slash"\n')
        self.put("a.html", PAGE + "<a href=b>")  # at /a/
        self.put("a/b.html", PAGE + "<a href=..>")  # at /a/b/
        self.put("index.html", PAGE)
        self.assertEqual(self.check(), [("redirected-link", "a.html:1", '"b" costs a redirect',
                                         'write "/a/b/"')])

    def test_base(self):
        self.put("index.html", PAGE + "<a href=x.html><base href=/d/><base href=/e/>")
        self.put("d/x.html", PAGE + "<base href='https://other.example/'><a href=no>")
        self.assertEqual(self.check(), [])

    def test_the_base_of_the_site(self):
        self.put("crunch.toml", '[site]\nbase = "/project/"\n')
        self.put("index.html", PAGE + "<a href=d/x.html><a href='/project/d/x.html'>")
        self.put("d/x.html", PAGE + "<a href=../><a href=/d/x.html><a href=../D/x.html><a href=no>")
        self.assertEqual(self.check(), [
            ("broken-link", "d/x.html:1", '"/d/x.html" is not there (404)',
             'write "/project/d/x.html", since the site\'s base is "/project/"'),
            ("case-link", "d/x.html:1",
             '"../D/x.html" means "/project/D/x.html", which is not there (404)',
             '"d/x.html" is there: the case of letters counts'),
            ("broken-link", "d/x.html:1",
             '"no" means "/project/d/no", which is not there (404)',
             "lead it to a file that is there, or take it away")])

    def test_case(self):
        self.put("About.html", PAGE)
        self.put("index.html", PAGE + "<a href=about.html><a href=ABOUT>")
        self.assertEqual(self.urls(), ["case-link about.html", "case-link ABOUT"])
        self.put("about.html", PAGE)
        self.assertIn("case-names about.html:0", self.codes())

    def test_fragments(self):
        self.put("index.html", PAGE + """<p id=a><a name=b><p id="\u00e9"><p id="c d"><a href=#a>
<a href=#b><a href=#%C3%A9><a href=#\u00e9><a href="#c d"><a href=#top><a href=#TOP><a href=#>
<a href=#/route><a href=#!route><a href="#a:~:text=x"><a href=x#a><a href=x.html#no1>
<a href=#no2><a href=d#x><a href=y.txt#no><a href=x#b><a href=#A>""")
        self.put("x.html", PAGE + "<p id=a><p name=b>")
        self.put("d/index.html", PAGE + "<p id='x'>")
        self.put("y.txt", "x")
        self.assertEqual(self.urls("--ignore", "redirected-link"),
                         ["broken-fragment x.html#no1", "broken-fragment #no2",
                          "broken-fragment x#b", "broken-fragment #A"])

    def test_other_findings(self):
        self.put("index.html", PAGE + """<a href="file:///home/x.html"><img src=http://a.example/x>
<a href=http://a.example/x>""")
        self.put("x.png", b"x" * 2000)
        self.put("x.bin", b"x" * 2000)
        self.assertEqual(self.codes("--images", "1000"),
                         ["local-link index.html:1", "insecure-resource index.html:1",
                          "large-image x.png:0"])

    def test_hosts(self):
        self.put("crunch.toml", """[[host]]
name = "a.example"
aliases = ["www.a.example"]
[[host]]
name = "docs.a.example"
root = "docs"
""")
        self.put("index.html", PAGE + """<a href=https://docs.a.example/x><a href=/docs/x>
<a href=https://docs.a.example/no><a href=https://www.a.example/>
<link rel=canonical href=https://b.example/><meta property=og:url content=https://a.example/>""")
        self.put("docs/x.html", PAGE + "<a href=/y><a href=/index.html>")
        self.put("docs/y.html", PAGE)
        self.put("sitemap.xml", "<loc>https://a.example/</loc>\n<loc>https://c.example/</loc>"
                                "<loc>https://a.example/no?a&amp;b</loc>")
        self.assertEqual(self.urls(), [
            "broken-link /index.html", "broken-link /docs/x",
            "broken-link https://docs.a.example/no", "redirected-link https://www.a.example/",
            "other-host https://b.example/", "other-host https://c.example/",
            "broken-link https://a.example/no?a&b"])

    def test_hostile_pages(self):
        self.put("a.html", "<a href='" + "x" * 40_000_000)
        self.put("b.html", b"<a href=\0\0\0><p id=\0>" + b"\xff" * 1000 + b"<a href=\xff>")
        self.put("c.html", "<div>" * 500_000 + "<a href=no>")
        self.put("d.html", "<a href=" + "no/" * 100_000 + ">")
        self.put("e.html", "<a href='%zz'><a href='/%00'><a href='/a%2fb'><a href=//[>")
        found = self.codes()
        self.assertEqual(found, ["unread-page a.html:0", "broken-link b.html:1",
                                 "broken-link b.html:1", "broken-link c.html:1",
                                 "broken-link d.html:1", "broken-link e.html:1",
                                 "broken-link e.html:1", "broken-link e.html:1"])


class Rules(Checked):
    def setUp(self):
        super().setUp()
        self.put("index.html", PAGE)

    def test_of_redirects(self):
        self.put("a.html", PAGE)
        self.put("hidden.html", PAGE)
        self.put("_redirects", """/loop1 /loop2
/loop2 /loop1
/chain /step
/step /a
/gone /no
/hidden.html /a
/hidden /a
/good /a
/away https://b.example/
/w/* /v/:splat
/v/* /w/:splat
/rewritten /no 200
/good /b
""")
        found = [one for one in self.codes() if "_redirects" in one]
        self.assertEqual(found, [
            "redirect-loop _redirects:1", "redirect-loop _redirects:2",
            "redirect-chain _redirects:3", "rule-target _redirects:5",
            "hidden-file _redirects:6", "redirect-loop _redirects:10",
            "redirect-loop _redirects:11", "rule-target _redirects:12", "rule _redirects:13"])

    def test_of_headers(self):
        self.put("a.html", PAGE)
        self.put("style.css", "a{}")
        self.put("_headers", """/*
  X-All: 1
/*.html
  X-Page: 1
/a
  X-A: 1
/*.css
  X-Css: 1
/old/*
  X-Old: 1
*.png
  X-Png: 1
""")
        found = [one for one in self.codes() if "_headers" in one]
        self.assertEqual(found, ["unused-block _headers:3", "unused-block _headers:9",
                                 "rule _headers:11"])


class CommandLine(Checked):
    def test_exit_codes_and_text(self):
        self.put("index.html", PAGE + "\n<a href=x>")
        done = harness.crunch("check", self.site)
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertEqual(done.stdout, 'index.html:2: "x" means "/x", which is not there (404); '
                         "lead it to a file that is there, or take it away [broken-link]\n"
                         "1 finding in 1 page with 1 link\n")
        done = harness.crunch("check", self.site, "--ignore", "broken-link")
        self.assertEqual((done.returncode, done.stdout),
                         (0, "no findings in 1 page with 1 link\n"))
        done = harness.crunch("check", self.site, "--ignore", "broken")
        self.assertEqual(done.returncode, 2)
        self.assertIn("broken-link", done.stderr)
        self.assertEqual(harness.crunch("check", self.site, "--format", "xml").returncode, 2)
        self.assertEqual(harness.crunch("check").returncode, 2)
        self.assertEqual(harness.crunch("check", self.site / "no").returncode, 1)

    def test_the_same_whatever_the_threads(self):
        for i in range(300):
            self.put(f"{i}.html", PAGE + f"<p id=a{i}><a href={i + 1}#a{i + 1}><a href=no{i}>")
        self.assertEqual(self.check("--threads", "1"), self.check("--threads", "8"))
        self.assertEqual(len(self.check()), 301)


if __name__ == "__main__":
    harness.main()
