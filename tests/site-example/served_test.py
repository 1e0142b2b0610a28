# SPDX-License-Identifier: ISC
"""site-example, packaged by the tool and asked for over HTTP, as scripts/quickstart does it."""

import fcntl
import pathlib
import re
import subprocess
import sys
import unittest
import urllib.parse

import harness

HERE = pathlib.Path(__file__).resolve().parent
TREE = harness.ROOT / "site-example" / "htdocs"
RULES = ("_headers", "_redirects")
FOR_A_YEAR = "public, max-age=31536000, immutable"


def address_of(path: pathlib.Path) -> str:
    return "/" + urllib.parse.quote(path.relative_to(TREE).as_posix().removesuffix("index.html"))


def site_image() -> pathlib.Path:
    """The image of htdocs; built once, whoever comes first, and again when anything is newer."""
    harness.SHARED.mkdir(parents=True, exist_ok=True)
    image = harness.SHARED / "site-example"
    with open(harness.SHARED / "site-example.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        newest = max(path.stat().st_mtime for path in (harness.CRUNCH, TREE, *TREE.rglob("*")))
        if not image.exists() or image.stat().st_mtime < newest:
            harness.build_image(TREE, image)
    return image


class Served(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = site_image()

    def test_every_file_is_at_its_address(self):
        paths = [path for path in sorted(TREE.rglob("*"))
                 if path.is_file() and path.name not in RULES]
        self.assertGreater(len(paths), 40)
        with harness.Server(self.image) as server, server.client() as client:
            for path, (address, answer) in zip(
                    paths, client.get_all(address_of(path) for path in paths)):
                self.assertEqual(answer.status, 200, address)
                self.assertEqual(answer.body, path.read_bytes(), address)
                self.assertIn("etag", answer.fields, address)

    def test_its_rules(self):
        with harness.Server(self.image) as server:
            for address, location in (("/docs", "/start/"), ("/docs/http/", "/http/"),
                                      ("/docs/start?a=b", "/start?a=b"), ("/rss.xml", "/feed.xml")):
                answer = server.get(address)
                self.assertEqual((answer.status, answer.fields["location"]), (301, location))
            for address in ("/", "/nothing", "/docs", "/start/"):
                fields = server.get(address).fields
                self.assertEqual(fields["x-frame-options"], "DENY", address)
                self.assertNotIn("access-control-allow-origin", fields)
            self.assertEqual(server.get("/feed.xml").fields["access-control-allow-origin"], "*")
            for name in RULES:
                self.assertEqual(server.get("/" + name).status, 404)

    def test_missing_pages_get_the_nearest_404_page(self):
        with harness.Server(self.image) as server:
            for address, page in (("/nothing", "404.html"), ("/a/b/c/", "404.html"),
                                  ("/recipes/cake/", "recipes/404.html")):
                answer = server.get(address)
                self.assertEqual(answer.status, 404, address)
                self.assertEqual(answer.body, (TREE / page).read_bytes(), address)

    def test_assets_with_a_digest_are_kept_for_a_year_and_pages_are_not(self):
        page = (TREE / "index.html").read_text()
        assets = re.findall(r'"(/(?:assets|fonts)/[^"]*\.[0-9a-f]{16}\.\w+)"', page)
        self.assertEqual(len(assets), 4)
        with harness.Server(self.image) as server:
            for address in assets:
                answer = server.get(address)
                self.assertEqual(answer.fields["cache-control"], FOR_A_YEAR, address)
            for address in ("/", "/feed.xml", "/favicon.svg"):
                answer = server.get(address)
                self.assertEqual(answer.fields["cache-control"], "no-cache", address)

    def test_a_first_visit_takes_little(self):
        """Page, style sheet, script and both fonts, as a browser asks for them."""
        page = (TREE / "index.html").read_text()
        assets = re.findall(r'"(/(?:assets|fonts)/[^"]*\.[0-9a-f]{16}\.\w+)"', page)
        with harness.Server(self.image) as server:
            answers = [server.get(address, Accept_Encoding="gzip, deflate, br, zstd")
                       for address in ["/", *assets, "/favicon.svg"]]
        self.assertTrue(answers[0].fields.get("content-encoding"))
        self.assertLess(sum(len(answer.body) for answer in answers), 64 * 1024)

    def test_the_documents_name_what_there_is(self):
        done = subprocess.run(
            [sys.executable, "-B", HERE / "check_docs.py", harness.ROOT, harness.CRUNCH,
             self.image], stdout=subprocess.PIPE, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    harness.main()
