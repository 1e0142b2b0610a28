# SPDX-License-Identifier: ISC
"""site-example in headless Chromium: what the script adds is there, and what it loads has come."""

import pathlib
import re
import subprocess
import tempfile
import unittest

import harness

TREE = harness.ROOT / "site-example" / "htdocs"


class Browser(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.chromium = harness.need("chromium")

    def dump(self, url: str) -> str:
        """The page's elements after its scripts ran."""
        done = subprocess.run(
            [self.chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-background-networking", "--disable-dev-shm-usage",
             f"--user-data-dir={self.folder / 'profile'}", "--virtual-time-budget=5000",
             "--dump-dom", url],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=100, check=True)
        return done.stdout.decode()

    def test_script_style_and_fonts_work(self):
        image = harness.build_image(TREE, self.folder / "image", "--effort", "fast")
        with harness.Server(image, "--log=combined") as server:
            page = self.dump(f"http://127.0.0.1:{server.port}/start/")
            lines = server.out().splitlines()
        # Theme and search buttons are hidden without the script; copy buttons are not there.
        self.assertNotRegex(page, r'<button[^>]*id="(search|theme)"[^>]*hidden')
        self.assertGreater(page.count('class="copy"'), 4)
        self.assertIn("<dialog", page)
        answers = dict(re.findall(r'"GET (\S+) HTTP/1.1" (\d+)', "\n".join(lines)))
        for kind in (r"/start/", r"/assets/style\..*", r"/assets/site\..*",
                     r"/fonts/manrope-400\..*", r"/fonts/manrope-700\..*"):
            self.assertTrue(any(re.fullmatch(kind, path) and status == "200"
                                for path, status in answers.items()), f"{kind}: {answers}")
        self.assertNotIn("404", answers.values())


if __name__ == "__main__":
    harness.main()
