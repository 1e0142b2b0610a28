# SPDX-License-Identifier: ISC
"""One break for each rule of check_site.py: the good tree, one edit, and what must be said."""

import re

PAGE = "faq/index.html"

# (what is broken, file or pattern of its name, text in it, text instead, what a finding says)
BREAKS = [
    ("a dead link", PAGE, b'href="/news/"', b'href="/nwes/"', "is not in the tree"),
    ("a dead fragment", PAGE, b'href="#why"', b'href="#how"', "no such fragment"),
    ("a link without its slash", PAGE, b'href="/start/"', b'href="/start"', "costs a redirect"),
    ("a relative link", PAGE, b'href="/start/"', b'href="start/"', "does not begin with '/'"),
    ("a link to elsewhere", PAGE, b'href="/start/"', b'href="https://other.example/"',
     "leads out of the site"),
    ("a raw non-ASCII link", PAGE, b"/gr%C3%BC%C3%9Fe/", "/grüße/".encode(),
     "is not percent-encoded"),
    ("a missing script", PAGE, b'<script src="/assets/site.', b'<script src="/assets/sight.',
     "is not in the tree"),
    ("a missing font", r"assets/style\..*", b"/fonts/manrope-400.", b"/fonts/manrope-500.",
     "is not in the tree"),
    ("an import in the style sheet", r"assets/style\..*", b":root {", b"@import 'x'; :root {",
     "@import"),
    ("a script that asks elsewhere", r"assets/site\..*", b'"/search.json"',
     b'"https://other.example/s"', "leads out of the site"),
    ("a dead entry in the feed", "feed.xml", b"/news/why/", b"/news/because/",
     "is not in the tree"),
    ("a dead entry in the site map", "sitemap.xml", b"/faq/", b"/fack/", "is not in the tree"),
    ("a dead entry in the index", "search.json", b'"/faq/#why"', b'"/faq/#wy"',
     "no such fragment"),
    ("a dead address in robots.txt", "robots.txt", b"sitemap.xml", b"site.xml",
     "is not in the tree"),
    ("no doctype", PAGE, b"<!doctype html>", b"", "<!doctype html>"),
    ("no language", PAGE, b'<html lang="en">', b"<html>", "has no language"),
    ("no viewport", PAGE, b'name="viewport"', b'name="view"', "has no viewport"),
    ("no description", PAGE, b'name="description"', b'name="words"', "has no description"),
    ("no title", PAGE, b"<title>Questions", b"<title></title><i>Questions", "has no title"),
    ("another page's title", PAGE, b"<title>Questions", b"<title>News", "has the title of"),
    ("two h1", PAGE, b"</h1>", b"</h1><h1>again</h1>", "has 2 <h1>"),
    ("no main", PAGE, b'<main id="main">', b'<div id="main">', "has 0 <main>"),
    ("a level left out", PAGE, b"</h1>", b"</h1><h3>deep</h3>", "follows a heading of level 1"),
    ("an element left open", PAGE, b"</h1>", b"</h1><b>", "closes <b>"),
    ("an attribute twice", PAGE, b'<main id="main"', b'<main id="main" id="x"', "has id twice"),
    ("an id twice", PAGE, b"</h1>", b'</h1><b id="why"></b>', "the id 'why' twice"),
    ("an image without alt", PAGE, b"</h1>", b'</h1><img src="/favicon.svg">', "has no alt"),
    ("a picture without a title", "index.html", b'role="img"', b'role="figure"',
     "neither hidden nor an image"),
    ("a label that is not there", "index.html", b'id="pic-hero-t"', b'id="pic-heron-t"',
     "which is not there"),
    ("a link without a name", PAGE, b"</h1>", b'</h1><a href="/"></a>', "<a> has no name"),
    ("a nav without a label", PAGE, b' aria-label="Neighbouring pages"', b"", "has no label"),
    ("another window", PAGE, b"</h1>", b'</h1><a target="_blank" href="/">x</a>',
     "opens another window"),
    ("script in an attribute", PAGE, b"</h1>", b'</h1><b onclick="x()">x</b>',
     "script in an attribute"),
    ("another foot", PAGE, b"This site is served by itself.", b"Hello.", "not that of the others"),
    ("a faint colour", r"assets/style\..*", b"--soft: #565a64", b"--soft: #999999",
     "has a contrast of"),
    ("two dark themes", r"assets/style\..*", b"--line: #343840", b"--line: #343841",
     "the same dark theme twice"),
    ("a lost licence", "fonts/OFL.txt", b"SIL OPEN FONT LICENSE", b"LICENCE",
     "is not the fonts' licence"),
    ("an old digest", r"assets/style\..*", b"/* The one style sheet", b"/* One style sheet",
     "is not up to date"),
    ("an old index", PAGE, b"If you run nginx", b"If you use nginx", "is not up to date"),
]


def run(files: dict[str, bytes], check) -> int:
    failed = 0
    for what, name, old, new, expected in BREAKS:
        path = next((path for path in files if re.fullmatch(name, path)), None)
        if path is None or old not in files[path]:
            print(f"FAILED: {what}: {old!r} is not in {name}; mend this table")
            failed += 1
            continue
        found = check(files | {path: files[path].replace(old, new, 1)})
        if not any(expected in one for one in found):
            print(f"FAILED: {what}: no finding says '{expected}'; found: {found}")
            failed += 1
    for what, path, data, expected in (
            ("a file that nothing links to", "lost.html", files[PAGE], "no link leads here"),
            ("a font that is too big", "fonts/big.woff2", bytes(50000), "the limit is")):
        if not any(expected in one for one in check(files | {path: data})):
            print(f"FAILED: {what}: no finding says '{expected}'")
            failed += 1
    print(f"{len(BREAKS) + 2} rules broken on purpose, {failed} not noticed")
    return 1 if failed else 0
