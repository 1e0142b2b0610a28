#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""docs/first-change.md and the file that it shows, examples/first-change.

Method: each piece of C++ on the page stands in the file so; the file is built and run: two sites on
two ports, and a job that speaks until the end.
"""

import pathlib
import re
import tempfile
import unittest

import harness

CONFIG = harness.ROOT / "examples" / "first-change" / "config.hpp"
PAGE = harness.ROOT / "docs" / "first-change.md"


class FirstChange(unittest.TestCase):
    def test_the_page_shows_the_file(self):
        blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", PAGE.read_text(), re.MULTILINE)
        pieces = [re.sub(r"^    ", "", block, flags=re.MULTILINE).strip("\n") for block in blocks]
        code = [piece for piece in pieces if not piece.lstrip().startswith(("crunch ", "./site"))]
        self.assertGreaterEqual(len(code), 6)
        for piece in code:
            self.assertIn(piece, CONFIG.read_text())

    def test_it_runs(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            site = harness.write_tree(folder / "site", {"index.html": b"<p>the site"})
            drafts = harness.write_tree(folder / "drafts", {"index.html": b"<p>a draft"})
            image = harness.build_image(site, folder / "image", "--config", CONFIG,
                                        "--set", "drafts-store=directory")
            done = harness.call(image, "--http-port=0", "--drafts-http-port=0")
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("name it by --drafts-directory=DIR", done.stdout)
            with harness.Server(image, "--drafts-http-port=0", f"--drafts-directory={drafts}",
                                "--greeting-every=1h") as server:
                ports = set()

                def both_listen() -> bool:
                    found = re.findall(r"listening on port (\d+)", server.out() + server.err())
                    ports.update(int(port) for port in found)
                    return len(ports) == 2

                self.assertTrue(harness.eventually(both_listen))
                bodies = {harness.Client("127.0.0.1", port).get("/").body for port in ports}
                self.assertEqual(bodies, {b"<p>the site", b"<p>a draft"})
                self.assertTrue(harness.eventually(
                    lambda: "hello for the 1. time" in server.out() + server.err()))
                self.assertEqual(server.stop(), 0)  # though it sleeps for an hour


if __name__ == "__main__":
    harness.main()
