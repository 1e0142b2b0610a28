#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The preview in a real browser: a file is edited, and the page that is open shows it by itself.

Method: headless Chromium on `crunch serve` of a small tree. A mark put on `window` tells whether a
page was loaded anew (the mark is gone) or stayed (it is there). Every wait is for a state; what
must not happen is shown by something that happens afterwards.
"""

import pathlib
import re
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "image"))

import harness  # noqa: E402
from chromium import Browser  # noqa: E402
from preview import Preview  # noqa: E402

PAGE = """<!doctype html>
<html><head><meta charset="utf-8"><title>{0}</title>
<link rel="stylesheet" href="/style.css"></head>
<body><h1>{0}</h1></body></html>
"""
WORKER = """
self.addEventListener('install', function (e) { self.skipWaiting(); });
self.addEventListener('activate', function (e) { e.waitUntil(clients.claim()); });
self.addEventListener('fetch', function (e) {
  if (e.request.mode !== 'navigate') return;
  e.respondWith(caches.open('x').then(function (c) {
    return c.match(e.request).then(function (kept) {
      return kept || fetch(e.request).then(function (fresh) {
        c.put(e.request, fresh.clone());
        return fresh;
      });
    });
  }));
});
"""
HEADING = "document.querySelector('h1').textContent"
COLOR = "getComputedStyle(document.querySelector('h1')).color"


class LiveReload(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.site = pathlib.Path(folder.name) / "site"
        self.write_site("one")
        self.server = Preview(self.site)
        self.addCleanup(self.server.kill)
        self.page = self.new_page()

    def new_page(self, path: str = ""):
        page = self.browser.new_page()
        self.addCleanup(page.close)
        page.open(f"http://localhost:{self.server.port}/{path}")
        return page

    def tearDown(self):
        self.assertEqual(self.page.complaints(), [])
        # Pages that wait do not hold up the end.
        self.assertEqual(self.server.stop(), 0)
        self.assertEqual(self.server.err(), "")

    def write_site(self, title: str):
        harness.write_tree(self.site, {
            "index.html": PAGE.format(title).encode(),
            "style.css": b"h1 { color: rgb(1, 1, 1); }",
            "docs/index.html": PAGE.format("docs").encode(),
            "404.html": PAGE.format("nothing").encode(),
            "sw.js": WORKER.encode(),
        })

    def mark(self, page=None):
        (page or self.page).evaluate("window.mark = true")

    def is_marked(self, page=None) -> bool:
        return (page or self.page).evaluate("window.mark === true")

    def test_an_edited_page_shows_itself(self):
        self.page.wait_for(f"{HEADING} === 'one'")
        for title in ("two", "three", "four"):
            self.mark()
            (self.site / "index.html").write_text(PAGE.format(title), encoding="utf-8")
            self.page.wait_for(f"{HEADING} === '{title}'")
            self.assertFalse(self.is_marked())

    def test_an_editor_that_renames_is_noticed(self):
        self.mark()
        part = self.site / ".index.html.part"
        part.write_text(PAGE.format("renamed"), encoding="utf-8")
        part.rename(self.site / "index.html")
        self.page.wait_for(f"{HEADING} === 'renamed'")

    def test_a_style_sheet_is_taken_over_without_loading_the_page(self):
        self.page.wait_for(f"{COLOR} === 'rgb(1, 1, 1)'")
        self.mark()
        for shade in (20, 30, 40):
            (self.site / "style.css").write_text(f"h1 {{ color: rgb({shade}, 0, 0); }}",
                                                 encoding="utf-8")
            self.page.wait_for(f"{COLOR} === 'rgb({shade}, 0, 0)'")
        self.assertTrue(self.is_marked())
        self.page.wait_for("document.querySelectorAll('link[rel=stylesheet]').length === 1")
        # And then a page's change still loads it.
        (self.site / "index.html").write_text(PAGE.format("after"), encoding="utf-8")
        self.page.wait_for(f"{HEADING} === 'after'")
        self.assertFalse(self.is_marked())

    def test_a_base_elsewhere_does_not_lead_the_script_away(self):
        (self.site / "docs/index.html").write_text(
            PAGE.format("docs").replace("<head>", "<head><base href='/no/such/'>"))
        page = self.new_page("docs/")
        page.wait_for("window.crunchPreview === true")
        (self.site / "docs/index.html").write_text(PAGE.format("edited"), encoding="utf-8")
        page.wait_for(f"{HEADING} === 'edited'")

    def test_a_style_sheet_with_integrity_is_loaded_with_its_page(self):
        (self.site / "index.html").write_text(PAGE.format("fixed").replace(
            '"stylesheet"', '"stylesheet" integrity=""'), encoding="utf-8")
        self.page.wait_for(f"{HEADING} === 'fixed' && document.readyState === 'complete'")
        self.mark()
        (self.site / "style.css").write_text("h1 { color: rgb(9, 9, 9); }", encoding="utf-8")
        self.page.wait_for(f"{COLOR} === 'rgb(9, 9, 9)'")
        self.assertFalse(self.is_marked())

    def test_a_service_worker_with_old_pages_is_said_and_ends_the_reloading(self):
        self.page.evaluate("navigator.serviceWorker.register('/sw.js').then(function () {})")
        self.page.wait_for("navigator.serviceWorker.controller !== null")
        page = self.new_page("docs/")  # the worker keeps it
        page.wait_for("window.crunchPreview === true")
        page.evaluate("sessionStorage.setItem('loads', 0)")
        (self.site / "docs/index.html").write_text(PAGE.format("new"), encoding="utf-8")
        page.wait_for("document.getElementById('crunch-stale') !== null")
        self.assertEqual(page.evaluate(HEADING), "docs")
        # Nothing reloads any more.
        self.mark(page)
        (self.site / "docs/index.html").write_text(PAGE.format("newer"), encoding="utf-8")
        (self.site / "index.html").write_text(PAGE.format("other"), encoding="utf-8")
        self.page.wait_for("true")
        self.assertTrue(self.is_marked(page))

    def test_a_page_below_and_a_new_directory(self):
        page = self.new_page("docs/")
        page.wait_for(f"{HEADING} === 'docs'")
        self.mark(page)
        harness.write_tree(self.site, {"new/deep/picture.svg": b"<svg/>"})
        page.wait_for("window.mark !== true")
        self.mark(page)
        harness.write_tree(self.site, {"new/deep/picture.svg": b"<svg></svg>"})
        page.wait_for("window.mark !== true")

    def test_a_missing_page_comes(self):
        page = self.new_page("later.html")
        page.wait_for(f"{HEADING} === 'nothing'")
        harness.write_tree(self.site, {"later.html": PAGE.format("there").encode()})
        page.wait_for(f"{HEADING} === 'there'")

    def test_a_generator_that_deletes_the_tree_and_writes_it_anew(self):
        for title in ("second", "third"):
            self.mark()
            shutil.rmtree(self.site)
            # The page stands while there is nothing: it has asked, and was told 503, or 404 if
            # that was before the folder itself went. If it asked while the page was still there,
            # it was loaded anew and is told so then.
            self.assertTrue(harness.eventually(lambda: re.search(
                "(HEAD|GET) / (503|404)", self.server.out()) is not None), self.server.out())
            if not re.search("GET / (503|404)", self.server.out()):
                self.assertTrue(self.is_marked())
            self.write_site(title)
            self.page.wait_for(f"{HEADING} === '{title}'")
            self.server.out_path.write_text("")  # the log so far

    def test_more_pages_than_a_browser_has_connections(self):
        pages = [self.new_page() for _ in range(9)]
        for page in pages:
            page.wait_for(f"{HEADING} === 'one'")
            self.mark(page)
        (self.site / "index.html").write_text(PAGE.format("all"), encoding="utf-8")
        for page in pages:
            page.call("Page.bringToFront")
            page.wait_for(f"{HEADING} === 'all'")

    def test_a_page_outlives_the_server(self):
        port = self.server.port
        self.mark()
        self.assertEqual(self.server.stop(), 0)
        (self.site / "index.html").write_text(PAGE.format("anew"), encoding="utf-8")
        self.server.kill()
        self.server = Preview(self.site, port=port)
        self.addCleanup(self.server.kill)
        self.page.wait_for(f"{HEADING} === 'anew'")


if __name__ == "__main__":
    harness.main()
