#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The tokenizer of crunch check beside html5lib's, which is of the same standard.

Method: both read the same pages: edges, real documentation, and pages put together at random from
what makes tokenizers differ (the seed is printed). Tags, attributes and their values must be equal.
html5lib's tokenizer is told of raw text by the tag's name, as ours knows it; what needs the tree
(CDATA in SVG) is in html_test.cpp.
"""

import json
import pathlib
import random
import subprocess
import sys
import unittest

import harness

# Where Debian puts it, whichever Python runs this.
sys.path.append("/usr/lib/python3/dist-packages")

try:
    import html5lib
    from html5lib._tokenizer import HTMLTokenizer
    from html5lib.constants import tokenTypes
except ImportError:
    html5lib = None

DOCUMENTATION = pathlib.Path("/usr/share/doc/python3.11/html")
RAW = {"title": "rcdataState", "textarea": "rcdataState", "style": "rawtextState",
       "xmp": "rawtextState", "iframe": "rawtextState", "noembed": "rawtextState",
       "noframes": "rawtextState", "script": "scriptDataState", "plaintext": "plaintextState"}

EDGES = [
    "<a href=x>", "<A HREF='x&amp;y'>", "<a href=\"x\"b=c>", "<a href = x>", "<a href=>", "<a =x>",
    "<a href=x/>", "<a/href=x>", "<a href", "<a href='x", "<a href=x href=y>", "<a\nhref\n=\nx\n>",
    "<!-- <a href=x> -->", "<!--><a href=x>", "<!---><a>", "<!-- --!><a>", "<!-- -- ><a>--><b>",
    "<!--<!----><a>", "<!doctype html><a>", "<!DOCTYPE a \"<a>\"><b>", "<?php <a> ?><b>", "</><a>",
    "</ a><b>", "<script><a></script><b>", "<script><!--<script></script><a>--></script><b>",
    "<script><!--<script></script></script><b>", "<script><!--></script><b>",
    "<script></scripty></script ><b>", "<script></SCRIPT/x><b>", "<style></style><a>",
    "<textarea><a></textarea><b>", "<title><a></titles></title><b>", "<plaintext><a>",
    "<a href='&copy=1&copy;&notit;&notin;&lt&amp&#x41;&#65&#128;&#0;&#xD800;&#x110000;&#;&#x;&;'>",
    "<a b='&ampx' c='&amp=' d='&amp;=' e='&AMP' f=&lt;>", "<a-b c:d=e>", "<1><a>", "<<a>", "a<b",
    "<a b='c'/d='e'>", "<a b=c'd\"e<f`g>", "<a\tb\fc\rd>", "<xmp><a></xmp><b>", "<img/ src=x>",
]
PIECES = ["<", ">", "/", "a", "script", "style", "title", "=", "'", '"', " ", "\n", "!--", "--",
          "-->", "--!>", "!", "?", "&", "&amp;", "&copy", "&#65;", "&#x", ";", "href", "<a ",
          "</", "</script>", "<script>", "<!--", "</style>", "<style>", "\t", "B", "&notin", "-"]


def theirs(page: str) -> list:
    tokenizer = HTMLTokenizer(page, parser=None)
    tags = []
    for token in tokenizer:
        if token["type"] != tokenTypes["StartTag"]:
            continue
        pairs = [text for pair in token["data"].items() for text in pair]
        tags.append([token["name"], *pairs])
        if token["name"] in RAW:
            tokenizer.state = getattr(tokenizer, RAW[token["name"]])
    return tags


@unittest.skipIf(html5lib is None, "python3-html5lib is not installed (scripts/deps test)")
class Tokenizer(unittest.TestCase):
    def compare(self, pages: list):
        data = b"".join(b"%d\n%s" % (len(page.encode()), page.encode()) for page in pages)
        done = subprocess.run([harness.BUILD / "bin/check_tags"], input=data,
                              stdout=subprocess.PIPE, check=True, timeout=harness.WAIT_S)
        lines = done.stdout.decode().splitlines()
        self.assertEqual(len(lines), len(pages))
        for page, line in zip(pages, lines):
            ours = [[tag[0], *tag[2:]] for tag in json.loads(line)]
            self.assertEqual(ours, theirs(page), page)

    def test_edges(self):
        self.compare(EDGES)

    def test_random_pages(self):
        seed = random.randrange(1 << 32)
        print(f"seed {seed}")
        chance = random.Random(seed)
        self.compare(["".join(chance.choices(PIECES, k=chance.randrange(2, 40)))
                      for _ in range(4000)])

    def test_documentation(self):
        pages = sorted(DOCUMENTATION.glob("**/*.html"))
        if not pages:
            self.skipTest("python3.11-doc is not installed (scripts/deps test)")
        self.compare([page.read_text() for page in pages[::60] if page.stat().st_size < 200_000])


if __name__ == "__main__":
    harness.main()
