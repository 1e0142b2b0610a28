#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Sites made by mkdocs, hugo and sphinx, packaged as they come out, compared and crawled.

Method: each makes a small site with its own defaults; the crawl starts at "/" and follows every
link of every page; a link that fails must be one that the tree does not have either.
"""

import html.parser
import os
import pathlib
import subprocess
import tempfile
import unittest
import urllib.parse

import harness
import trees

PAGES = {"first": "The first page", "second": "\u00dcber die zweite Seite", "deep/third": "Third"}


class Links(html.parser.HTMLParser):
    """Every href and src of a page."""

    def __init__(self):
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in ("href", "src") and value]


def links_of(page: bytes) -> list[str]:
    parser = Links()
    parser.feed(page.decode("utf-8", errors="replace"))
    return parser.found


def in_tree(tree: pathlib.Path, path: str) -> bool:
    file = tree / urllib.parse.unquote(path).lstrip("/")
    return file.is_file() or (file / "index.html").is_file()


def crawl(test, server: harness.Server, tree: pathlib.Path) -> set[str]:
    """The paths that answered 200; fails on a broken link that the tree has."""
    base = f"http://127.0.0.1:{server.port}"
    to_do, seen, good = ["/"], {"/"}, set()
    with server.client() as client:
        while to_do:
            path = to_do.pop()
            answer = client.get(path)
            if answer.status == 301:
                targets = [answer.fields["location"]]
            elif answer.status == 200:
                good.add(path)
                is_page = answer.fields["content-type"].startswith("text/html")
                targets = links_of(answer.body) if is_page else []
            else:
                test.assertFalse(in_tree(tree, path), f"{path} answers {answer.status}")
                targets = []
            for target in targets:
                url = urllib.parse.urlsplit(urllib.parse.urljoin(base + path, target))
                if f"{url.scheme}://{url.netloc}" == base and url.path not in seen:
                    seen.add(url.path)
                    to_do.append(url.path)
    return good


class Generators(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def generate(self, *words) -> None:
        done = subprocess.run([str(word) for word in words], cwd=self.folder, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=120, check=False,
                              env={**os.environ, "HOME": str(self.folder), "LC_ALL": "C.UTF-8"})
        self.assertEqual(done.returncode, 0, done.stdout)

    def check(self, tree: pathlib.Path, expected: list[str]) -> None:
        """Packages the tree unchanged; every byte is right, and the pages are reached by links."""
        image = harness.build_image(tree, self.folder / "image", "--effort", "fast")
        trees.compare(self, tree, image)
        with harness.Server(image) as server:
            good = crawl(self, server, tree)
        print(f"{len(good)} paths reached by links")
        for path in expected:
            self.assertIn(path, good)
        trees.compare_on_a_machine(self, tree, self.folder, "--effort", "fast")

    def test_mkdocs(self):
        harness.need("mkdocs")
        files = {"mkdocs.yml": b"site_name: test\n", "docs/index.md": b"# Home\n"}
        for name, title in PAGES.items():
            files[f"docs/{name}.md"] = f"# {title}\n\nWords.\n".encode()
        harness.write_tree(self.folder, files)
        self.generate("mkdocs", "build", "--quiet", "--site-dir", "out")
        self.check(self.folder / "out", ["/first/", "/second/", "/deep/third/"])

    def test_hugo(self):
        harness.need("hugo")
        page = b"<!doctype html><title>{{ .Title }}</title>{{ .Content }}"
        links = b'{{ range .Site.RegularPages }}<p><a href="{{ .RelPermalink }}">x</a>{{ end }}'
        files = {
            "config.toml": b'baseURL = "/"\ntitle = "test"\n',
            "layouts/index.html": page + links,
            "layouts/404.html": page,
            "layouts/_default/single.html": page,
            "layouts/_default/list.html": page + links,
            "static/style.css": b"p {}\n",
        }
        for name, title in PAGES.items():
            files[f"content/{name}.md"] = f"---\ntitle: {title}\n---\nWords.\n".encode()
        harness.write_tree(self.folder, files)
        self.generate("hugo", "--quiet", "--destination", "out")
        self.check(self.folder / "out", ["/first/", "/second/", "/deep/third/"])

    def test_sphinx(self):
        harness.need("sphinx-build")
        listed = "".join(f"   {name}\n" for name in PAGES)
        files = {"in/conf.py": b"project = 'test'\n",
                 "in/index.rst": f"Home\n====\n\n.. toctree::\n\n{listed}".encode()}
        for name, title in PAGES.items():
            files[f"in/{name}.rst"] = f"{title}\n{'=' * 40}\n\nWords.\n".encode()
        harness.write_tree(self.folder, files)
        self.generate("sphinx-build", "-q", "-b", "html", "in", "out")
        self.check(self.folder / "out", ["/first.html", "/second.html", "/deep/third.html",
                                         "/genindex.html", "/_static/alabaster.css"])


if __name__ == "__main__":
    harness.main()
