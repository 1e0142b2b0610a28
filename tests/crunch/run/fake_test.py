#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A target from outside targets/, added by CRUNCH_TARGETS alone: no file of the tool names it.

Runs in builds that were configured with this folder's fake/ in CRUNCH_TARGETS, as
scripts/sanitized does.
"""

import pathlib
import tempfile
import unittest

import harness


class Fake(unittest.TestCase):
    def test_is_built_listed_and_run(self):
        with tempfile.TemporaryDirectory() as folder:
            site = pathlib.Path(folder) / "site"
            site.mkdir()
            (site / "index.html").write_text("<!doctype html><title>fake</title>")
            image = pathlib.Path(folder) / "image"
            done = harness.crunch("build", site, "-t", "fake", "-o", image)
            self.assertEqual(done.returncode, 0, done.stderr)
            done = harness.crunch("run", image, "--", "--a=1", "--b=2")
            self.assertEqual((done.returncode, done.stdout),
                             (42, f"fake: {image} for fake, 2 boot keys\n"))
        self.assertIn("fake: ignored", harness.crunch("run", "--help").stdout)
        self.assertIn("fake", harness.crunch("build", "--help").stdout)


if __name__ == "__main__":
    harness.main()
