#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What the tests of images rely on: those that they share are those of today, as each of their
parts, when newer, makes them anew; and what a test started ends with it.

Method: the tool is played, and parts are given times; a test is killed.
"""

import functools
import os
import pathlib
import subprocess
import sys
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

            def write_site(name, site):
                (site / name).write_bytes(b"")

            def ask():
                return harness.built_once("x", "unix", functools.partial(write_site, "index.html"),
                                          "--some", sources=[source])

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


# Starts a server that serves nothing, says its id and waits.
STARTS = """
import harness, time
made = harness.Server("/bin/sleep", "60", http_port=None, wait=False)
print(made.process.pid, flush=True)
time.sleep(60)
"""


def has_ended(state: pathlib.Path) -> bool:
    try:
        return state.read_text().rpartition(")")[2].split()[0] == "Z"  # or not yet taken note of
    except (FileNotFoundError, ProcessLookupError):
        return True


class Server(unittest.TestCase):
    def test_ends_with_a_test_that_is_killed(self):
        with subprocess.Popen([sys.executable, "-B", "-c", STARTS], stdout=subprocess.PIPE,
                              text=True) as test:
            server = int(test.stdout.readline())
            state = pathlib.Path(f"/proc/{server}/stat")
            self.assertTrue(state.exists())
            test.kill()
        self.assertTrue(harness.eventually(lambda: has_ended(state)))


if __name__ == "__main__":
    harness.main()
