#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Checks site-example/htdocs without a server and without a network.

    check_site.py DIR             every rule below; prints what is broken, exit 1
    check_site.py --selftest DIR  breaks a copy in memory, one way for each rule, and expects
                                  that the rule says so

Links: every address in pages, style sheet, feed, site map, search index and text files leads to a
file of the tree (and its fragment to an id), in the form that costs no redirect; nothing is loaded
from elsewhere; every file is reached. Pages: title, language, viewport, one h1, headings in order,
alternatives for images, names for controls; the same frame on all. Colours: contrast of 4.5 : 1.
"""

import importlib.machinery
import importlib.util
import json
import pathlib
import re
import sys
import urllib.parse
import xml.etree.ElementTree

from pages import HEADINGS, NAMED, Element, Page, parse

FONT_BYTES_MAX = 40 * 1024
CONTRAST_MIN = 4.5
# What is read on each ground.
CONTRASTS = [("ink", "paper"), ("ink", "sunken"), ("ink", "raised"), ("ink", "accent-tint"),
             ("ink", "teal-tint"), ("soft", "paper"), ("soft", "sunken"), ("soft", "raised"),
             ("soft", "accent-tint"), ("soft", "teal-tint"), ("accent", "paper"),
             ("accent", "sunken"), ("teal", "teal-tint"), ("paper", "accent")]
# Not linked from a page: read by machines, or sent by the server itself.
UNLINKED = re.compile(r"(.*/)?404\.html|robots\.txt|sitemap\.xml|search\.json|og\.png|"
                      r"_headers|_redirects")


def load_refresh(root: pathlib.Path):
    """site-example/refresh as a module; it has no suffix."""
    loader = importlib.machinery.SourceFileLoader("refresh", str(root.parent / "refresh"))
    spec = importlib.util.spec_from_loader("refresh", loader)
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


class Site:
    """The tree's files, its pages, and what was found wrong."""

    def __init__(self, files: dict[str, bytes], base: str):
        self.files = files
        self.base = base
        self.pages = {path: parse(data) for path, data in files.items()
                      if path.endswith(".html")}
        self.found: list[str] = []
        self.reached: set[str] = {"index.html"}

    def say(self, path: str, line: int, text: str) -> None:
        self.found.append(f"{path}:{line}: {text}" if line else f"{path}: {text}")

    def target_of(self, address: str, source: str) -> tuple[str, str] | str:
        """(file, fragment) that an address leads to, or what is wrong with it."""
        if re.search(r"[^\x21-\x7e]", address):
            return f"'{address}' is not percent-encoded"
        if address.startswith(self.base + "/"):
            address = address.removeprefix(self.base)
        parts = urllib.parse.urlsplit(address)
        if parts.scheme or parts.netloc:
            return f"'{address}' leads out of the site"
        path = urllib.parse.unquote(parts.path, errors="strict")
        if path == "":
            return source, urllib.parse.unquote(parts.fragment)
        if not path.startswith("/"):
            return f"'{address}' does not begin with '/': a 404 page is shown at any depth"
        path = path[1:] + "index.html" if path.endswith("/") else path[1:]
        if path not in self.files:
            folder = any(name.startswith(path + "/") for name in self.files)
            return f"'{address}' " + ("costs a redirect: end it with '/'" if folder
                                      else "is not in the tree")
        return path, urllib.parse.unquote(parts.fragment)

    def follow(self, address: str, source: str, line: int) -> None:
        target = self.target_of(address, source)
        if isinstance(target, str):
            self.say(source, line, target)
            return
        path, fragment = target
        if path != source:
            self.reached.add(path)
        if fragment and (path not in self.pages or fragment not in self.pages[path].ids()):
            self.say(source, line, f"'{address}': no such fragment")


def check_links(site: Site) -> None:
    for path, page in site.pages.items():
        for link in page.links():
            site.follow(link.address, path, link.line)
    for path, data in site.files.items():
        if path.endswith(".css"):
            for match in re.finditer(r"url\(['\"]?([^'\")]*)|@import", data.decode()):
                line = data.count(b"\n", 0, match.start()) + 1
                site.follow(match.group(1) or "@import", path, line)
        elif path.endswith((".js", ".txt")):
            for match in re.finditer(r"https?://[^\s\"'`)>]+", data.decode()):
                if not path.startswith("fonts/"):  # a licence names its own address
                    site.follow(match.group(0), path, 0)
        elif path.endswith(".xml"):
            for element in xml.etree.ElementTree.fromstring(data).iter():
                name = element.tag.rpartition("}")[2]
                if address := element.get("href") or (
                        element.text if name in ("loc", "icon", "logo") else None):
                    site.follow(address, path, 0)
    for entry in json.loads(site.files["search.json"]):
        site.follow(entry["url"], "search.json", 0)
    for path in sorted(site.files.keys() - site.reached):
        if not UNLINKED.fullmatch(path):
            site.say(path, 0, "no link leads here")


def check_page(site: Site, path: str, page: Page) -> None:
    def say(element: Element | None, text: str) -> None:
        site.say(path, element.line if element else 0, text)

    for line, text in page.trouble:
        site.say(path, line, text)
    if page.doctype.lower() != "doctype html":
        say(None, "does not begin with <!doctype html>")
    root = page.root
    if not any(e.attributes.get("lang") for e in root.all("html")):
        say(None, "has no language")
    metas = {e.attributes.get("name", ""): e.attributes.get("content") for e in root.all("meta")}
    if "width=device-width" not in (metas.get("viewport") or ""):
        say(None, "has no viewport")
    if not metas.get("description"):
        say(None, "has no description")
    for tag in ("h1", "main", "title"):
        found = [e for e in root.all(tag) if tag != "title" or not e.attributes]
        if len(found) != 1:
            say(None, f"has {len(found)} <{tag}>, not one")
    level = 0
    for main in root.all("main"):
        for e in main.everything():
            if e.tag in HEADINGS:
                if int(e.tag[1]) > level + 1:
                    say(e, f"<{e.tag}> follows a heading of level {level}")
                level = int(e.tag[1])
    ids = page.ids()
    for one in sorted({one for one in ids if ids.count(one) > 1}):
        say(None, f"has the id '{one}' twice")
    check_names(page, ids, say)


def check_names(page: Page, ids: list[str], say) -> None:
    for e in page.root.everything():
        given = e.attributes
        for one in given.get("aria-labelledby", "").split():
            if one not in ids:
                say(e, f"aria-labelledby names '{one}', which is not there")
        if e.tag == "img" and "alt" not in given:
            say(e, "<img> has no alt")
        if e.tag == "svg" and given.get("aria-hidden") != "true" and not (
                given.get("role") == "img" and any(t.text.strip() for t in e.all("title"))):
            say(e, "<svg> is neither hidden nor an image with a title")
        if e.tag in NAMED and not (given.get("aria-label") or e.full_text()):
            say(e, f"<{e.tag}> has no name")
        if e.tag == "nav" and not given.get("aria-label"):
            say(e, "<nav> has no label")
        if "target" in given:
            say(e, f"<{e.tag}> opens another window")
        if any(name.startswith("on") for name in given):
            say(e, f"<{e.tag}> has script in an attribute")


def check_titles(site: Site) -> None:
    titles: dict[str, str] = {}
    for path, page in site.pages.items():
        title = next((e.text.strip() for e in page.root.all("title") if not e.attributes), "")
        if not title:
            site.say(path, 0, "has no title")
        elif title in titles:
            site.say(path, 0, f"has the title of {titles[title]}")
        titles[title] = path


def check_frame(site: Site) -> None:
    """Head and foot are copied by hand into every page; here they stay the same."""
    def frame(path: str) -> str:
        text = site.files[path].decode()
        top = re.search(r"(?s)<meta name=\"color-scheme\".*</header>", text)
        side = re.search(r"(?s)<nav class=\"side\".*?</nav>", text)
        foot = re.search(r"(?s)<footer.*", text)
        if path == "index.html":
            side = re.search(r"(?s)<nav class=\"side\".*?</nav>",
                             site.files["start/index.html"].decode())
        parts = [part.group(0) if part else "" for part in (top, side, foot)]
        return re.sub(r' aria-current="\w+"| lang="en"', "", "\n".join(parts))

    for path in site.pages:
        if frame(path) != frame("index.html"):
            site.say(path, 0, "its head, list of pages or foot is not that of the others")


def luminance(colour: str) -> float:
    def linear(value: int) -> float:
        c = value / 255
        return c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
    red, green, blue = (linear(int(colour[i:i + 2], 16)) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def check_colours(site: Site) -> None:
    path = next(name for name in site.files if name.endswith(".css"))
    blocks = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in
              re.findall(r"(?s):root[^{]*\{(.*?)\}", site.files[path].decode())]
    if len(blocks) != 3 or blocks[1] != blocks[2] or blocks[0].keys() != blocks[1].keys():
        site.say(path, 0, "expected a light theme and the same dark theme twice")
        return
    for name, block in (("light", blocks[0]), ("dark", blocks[1])):
        for text, ground in CONTRASTS:
            a, b = sorted((luminance(block[text]), luminance(block[ground])))
            if (ratio := (b + 0.05) / (a + 0.05)) < CONTRAST_MIN:
                site.say(path, 0, f"{name}: {text} on {ground} has a contrast of {ratio:.2f}")


def check_fonts(site: Site) -> None:
    for path, data in site.files.items():
        if path.endswith(".woff2") and len(data) > FONT_BYTES_MAX:
            site.say(path, 0, f"{len(data)} bytes; the limit is {FONT_BYTES_MAX}")
    if b"SIL OPEN FONT LICENSE" not in site.files.get("fonts/OFL.txt", b""):
        site.say("fonts/OFL.txt", 0, "is not the fonts' licence")


def check(files: dict[str, bytes], refresh) -> list[str]:
    site = Site(files, refresh.base_of(files))
    check_links(site)
    for path, page in site.pages.items():
        check_page(site, path, page)
    check_titles(site)
    check_frame(site)
    check_colours(site)
    check_fonts(site)
    derived = refresh.refresh(files)
    for path in sorted(files.keys() | derived.keys()):
        if files.get(path) != derived.get(path):
            site.say(path, 0, "is not up to date: run site-example/refresh")
    return site.found


def main() -> int:
    arguments = sys.argv[1:]
    selftest = "--selftest" in arguments
    if selftest:
        arguments.remove("--selftest")
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    root = pathlib.Path(arguments[0])
    refresh = load_refresh(root)
    files = refresh.read_tree(root)
    if selftest:
        import selftest as tests
        return tests.run(files, lambda tree: check(tree, refresh))
    found = check(files, refresh)
    print("\n".join(found))
    pages = sum(path.endswith(".html") for path in files)
    print(f"{len(files)} files, {pages} pages, {len(found)} faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
