#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Debian's own HTML trees: embedded, built, served and compared byte for byte, every path.

python3.11-doc has two symbolic links that leave the tree (into /usr/share/javascript): the tool
must refuse those by name, and take a plain copy in which they have become files.
"""

import pathlib
import shutil
import tempfile
import unittest

import harness
import trees

PYTHON = pathlib.Path("/usr/share/doc/python3.11/html")
BOOST = pathlib.Path("/usr/share/doc/libboost1.74-doc")


def need_tree(tree: pathlib.Path, package: str) -> None:
    if not (tree / "index.html").exists() and not any(tree.glob("**/*.html")):
        raise unittest.SkipTest(f"{package} is not installed (scripts/deps test), or without docs")


class Documentation(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def plain_copy(self, tree: pathlib.Path) -> pathlib.Path:
        """Without links: what `cp -rL` makes."""
        copy = self.folder / "tree"
        shutil.copytree(tree, copy, ignore_dangling_symlinks=True)
        return copy

    def test_links_that_leave_the_tree_are_refused(self):
        need_tree(PYTHON, "python3.11-doc")
        if not (PYTHON / "_static" / "jquery.js").is_symlink():
            self.skipTest("this python3.11-doc has no link that leaves its tree")
        image = self.folder / "image"
        done = harness.crunch("build", PYTHON, "-t", "unix", "-o", image)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"_static/(jquery|underscore)\.js")
        self.assertIn("leaves the tree", done.stderr)
        self.assertIn("--exclude", done.stderr)  # what to do about it
        self.assertEqual(list(self.folder.iterdir()), [])  # nothing half-written

    def test_python(self):
        need_tree(PYTHON, "python3.11-doc")
        tree = self.plain_copy(PYTHON)
        image = harness.build_image(tree, self.folder / "image")
        comparison = trees.compare(self, tree, image)
        self.assertGreater(len(comparison.keys), 900)
        self.assertGreater(comparison.coded["br"], 900)
        trees.check_manifest(self, tree, image)
        trees.compare_on_a_machine(self, tree, self.folder)

    @unittest.skipUnless(harness.has_tls(), "crunch was built without TLS")
    def test_python_over_https(self):
        need_tree(PYTHON, "python3.11-doc")
        tree = self.plain_copy(PYTHON)
        image = harness.build_image(tree, self.folder / "image", "--effort", "fast",
                                    "--self-signed", "localhost")
        comparison = trees.compare(self, tree, image, harness.SecureServer)
        self.assertGreater(len(comparison.keys), 900)
        self.assertGreater(comparison.coded["br"], 900)

    def test_boost(self):
        need_tree(BOOST, "libboost1.74-doc")
        tree = self.plain_copy(BOOST)
        image = harness.build_image(tree, self.folder / "image", "--effort", "fast")
        comparison = trees.compare(self, tree, image)
        self.assertGreater(len(comparison.keys), 7000)
        trees.compare_on_a_machine(self, tree, self.folder, "--effort", "fast")


if __name__ == "__main__":
    harness.main()
