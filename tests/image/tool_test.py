#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The tool as somebody sees it who has never used it: help, slips of the fingers, bad input.

Method: tables of command lines with the exit code and what the sentence must name. Whatever fails
leaves no file behind, and leaves the file that was there before as it was.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import harness
from harness import crunch

COMMAND = re.compile(r"^  ([a-z]+)  +\S", re.MULTILINE)


class Help(unittest.TestCase):
    def commands(self) -> list[str]:
        done = crunch("--help")
        self.assertEqual(done.returncode, 0)
        section = done.stdout.lower().split("commands:", 1)[1]
        return COMMAND.findall(section)

    def test_every_command_has_help_with_an_example(self):
        commands = self.commands()
        for name in ("embed", "build", "serve", "inspect", "describe"):
            self.assertIn(name, commands)
        for name in commands:
            with self.subTest(command=name):
                done = crunch(name, "--help")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(f"crunch {name} ", done.stdout)
                self.assertIn("example", done.stdout.lower())
                self.assertEqual(done.stderr, "")
                wide = [line for line in done.stdout.splitlines() if len(line) > 100]
                self.assertEqual(wide, [])

    def test_usage_errors(self):
        table = [
            ([], "help"),
            (["biuld", "x"], "build"),
            (["embed"], "DIR"),
            (["build", ".", "-t", "unix", "--ouput=x"], "--output"),
            (["build", ".", "-o", "x", "-t", "unx"], "unix"),
            (["build", ".", "-o", "x", "-t", "unix", "--effort", "bset"], "best"),
            (["embed", ".", "-o", "x", "--encodings", "brotli"], "br"),
            (["inspect", "x", "--format", "xml"], "json"),
        ]
        for words, named in table:
            with self.subTest(words=words), tempfile.TemporaryDirectory() as folder:
                done = crunch(*words, cwd=folder)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(named, done.stderr)
                self.assertEqual(done.stdout, "")
                self.assertEqual(os.listdir(folder), [])


class BadInput(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.tree = harness.write_tree(self.folder / "site", {"index.html": b"hello", "a/b": b"c"})
        self.out = self.folder / "out"
        self.out.mkdir()
        self.image = self.out / "image"

    def build(self, *options, tree=None, **more) -> subprocess.CompletedProcess:
        return crunch("build", tree or self.tree, "-t", "unix", "-o", self.image, *options, **more)

    def fails(self, done: subprocess.CompletedProcess, *named) -> None:
        """Exit 1, one clear error that names these, and nothing left behind."""
        self.assertEqual(done.returncode, 1, done.stderr)
        for text in named:
            self.assertIn(text, done.stderr)
        self.assertNotIn("terminate called", done.stderr)
        self.assertEqual(os.listdir(self.out), [])

    def test_missing_directory(self):
        self.fails(self.build(tree=self.folder / "none"), str(self.folder / "none"))

    def test_a_file_instead_of_a_directory(self):
        self.fails(self.build(tree=self.tree / "index.html"), "index.html", "director")

    def test_output_is_a_directory(self):
        done = crunch("build", self.tree, "-t", "unix", "-o", self.out)
        self.fails(done, str(self.out), "director")

    def test_output_folder_is_missing(self):
        done = crunch("build", self.tree, "-t", "unix", "-o", self.folder / "none" / "image")
        self.fails(done, "none")

    def test_no_compiler(self):
        bare = {name: value for name, value in os.environ.items() if name not in ("CXX", "CC")}
        self.fails(self.build(env={**bare, "PATH": str(self.folder)}), "compiler")

    def test_missing_configuration(self):
        self.fails(self.build("--config", self.folder / "none.hpp"), "none.hpp")

    def test_configuration_that_does_not_compile(self):
        config = self.folder / "config.hpp"
        config.write_text("#pragma once\nthis is no C++;\n")
        self.fails(self.build("--config", config), "config.hpp")

    def test_unreadable_file(self):
        harness.need_root()
        setpriv = [harness.need("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups"]
        (self.tree / "secret.html").write_text("x")
        (self.tree / "secret.html").chmod(0)
        self.folder.chmod(0o777)
        self.out.chmod(0o777)
        tool = shutil.copy(harness.CRUNCH, self.folder / "crunch")
        done = subprocess.run([*setpriv, tool, "embed", self.tree, "-o", self.out / "code"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=60, check=False,
                              env={**os.environ, "HOME": str(self.out / "home")})
        self.fails(done, "secret.html")

    def test_disk_full(self):
        harness.need_root()
        small = self.folder / "small"
        small.mkdir()
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(small)],
                               check=False, stderr=subprocess.PIPE, text=True)
        if mount.returncode != 0:
            self.skipTest(f"this machine forbids mounting: {mount.stderr.strip()}")
        try:
            (self.tree / "big.bin").write_bytes(harness.noise(4 << 20, "full"))
            for words in (["embed", self.tree, "-o", small / "code"],
                          ["build", self.tree, "-t", "unix", "-o", small / "image"]):
                with self.subTest(words=words):
                    self.fails(crunch(*words), "space")
                    self.assertEqual(os.listdir(small), [])
        finally:
            subprocess.run(["umount", str(small)], check=True)

    def test_a_failed_build_leaves_the_old_image(self):
        first = self.build()
        self.assertEqual(first.returncode, 0, first.stderr)
        before = self.image.read_bytes()
        (self.tree / "loop").symlink_to("loop")
        done = self.build()
        self.assertEqual(done.returncode, 1)
        self.assertIn("loop", done.stderr)
        self.assertEqual(self.image.read_bytes(), before)
        self.assertEqual(os.listdir(self.out), ["image"])

    def test_inspect_of_something_else(self):
        for data in (b"", b"\x7fELF", b"#!/bin/sh\n", pathlib.Path("/bin/true").read_bytes()):
            with self.subTest(data=data[:20]):
                stray = self.folder / "stray"
                stray.write_bytes(data)
                done = crunch("inspect", stray)
                self.fails(done, "stray")
        self.fails(crunch("inspect", self.folder / "none"), "none")


class SameBytes(unittest.TestCase):
    """Equal input makes an equal image."""

    def test_twice(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            images = []
            for run in ("one", "two"):
                tree = harness.write_tree(folder / run, harness.SITE)
                for path in [tree, *tree.rglob("*")]:
                    os.utime(path, (1_700_000_000, 1_700_000_000))
                image = harness.build_image(tree, folder / f"{run}.image")
                images.append(image.read_bytes())
            self.assertEqual(images[0] == images[1], True, "the images differ")


if __name__ == "__main__":
    harness.main()
