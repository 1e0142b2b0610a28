#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The images that tests share are those of today: each of their parts, when newer, makes them anew.

Method: the tool is played, and parts are given times.
"""

import os
import pathlib
import tempfile
import unittest
import unittest.mock

import harness


class BuiltOnce(unittest.TestCase):
    def test_again_when_any_part_is_newer(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            part, source = folder / "part", folder / "source"
            builds = []

            def play(site, image, *options, target):
                builds.append((sorted(path.name for path in site.iterdir()), options, target))
                if not image.exists():  # a file that is the same is left alone
                    image.write_bytes(b"image")
                    os.utime(image, (0, 0))

            def write_site(site):
                (site / "index.html").write_bytes(b"")

            def ask():
                return harness.built_once("x", "unix", write_site, "--some", sources=[source])

            with unittest.mock.patch.multiple(harness, SHARED=folder / "shared", build_image=play,
                                              made_of=lambda target: [part]):
                for path in (part, source):
                    path.touch()
                for newer in (None, part, source):
                    if newer:
                        soon = ask().stat().st_mtime + 1
                        os.utime(newer, (soon, soon))
                    count = len(builds)
                    image = ask()
                    self.assertEqual(len(builds), count + 1, newer)
                    for path in (part, source):
                        os.utime(path, (1, 1))
                    self.assertEqual(ask(), image)
                    self.assertEqual(len(builds), count + 1, newer)
        self.assertEqual(set(map(str, builds)), {str((["index.html"], ("--some",), "unix"))})

    def test_the_parts_are_the_tool_the_entry_and_the_archives(self):
        names = {pathlib.Path(part).name for part in harness.made_of("unix")}
        self.assertLessEqual({"crunch", "unix.target", "main.cpp.o", "libcrunch_base.a",
                              "libcrunch_http.a"}, names)
        for part in harness.made_of("unix"):
            self.assertTrue(os.path.exists(part), part)


if __name__ == "__main__":
    harness.main()
