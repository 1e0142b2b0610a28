#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""crunch completion and crunch manual: what shells complete, and pages that man shows.

Method: bash is asked for completions as its user asks; every command and option of --help must be
among them, and in the scripts of the other shells.
"""

import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import harness
from harness import CRUNCH, must


def commands() -> list:
    """The commands that `crunch --help` lists."""
    said = must(CRUNCH, "--help")
    listed = re.split(r"(?m)^(?:Subcommands|Example):$", said)[1]
    return re.findall(r"(?m)^  ([a-z]+) ", listed)


def options(command: str) -> set:
    said = must(CRUNCH, command, "--help")
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", said.split("Example")[0]))


class Completion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.commands = commands()
        assert {"build", "run", "package", "completion"} <= set(cls.commands), cls.commands

    def complete(self, *words) -> set:
        script = ('source <("$0" completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
                  '_crunch; printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", script, str(CRUNCH), "crunch", *words],
                              capture_output=True, text=True, timeout=30, check=True)
        self.assertEqual(done.stderr, "")
        return set(done.stdout.split())

    def test_bash(self):
        self.assertEqual(self.complete("b"), {"build"})
        self.assertLessEqual(set(self.commands), self.complete(""))
        for command in self.commands:
            self.assertLessEqual(options(command), self.complete(command, "--"), command)
        self.assertIn("/etc/hostname", self.complete("build", "/etc/hostnam"))

    def test_other_shells(self):
        for shell in ("zsh", "fish"):
            script = must(CRUNCH, "completion", shell)
            for command in self.commands:
                self.assertRegex(script, rf"(?m)(^|[ ']){command}[ :)']")
            if shutil.which(shell):
                with tempfile.NamedTemporaryFile("w", suffix="." + shell) as file:
                    file.write(script)
                    file.flush()
                    self.assertEqual(must(shell, "-n", file.name), "")
        done = harness.crunch("completion", "tcsh")
        self.assertEqual(done.returncode, 2)
        self.assertIn("tcsh", done.stderr)

    def test_pages_for_man(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(harness.crunch("manual", folder).returncode, 0)
            pages = {path.name: path for path in pathlib.Path(folder).iterdir()}
            self.assertEqual(set(pages),
                             {"crunch.1", *(f"crunch-{name}.1" for name in self.commands)})
            if not shutil.which("man"):
                self.skipTest("man-db is not installed")
            for command in self.commands:
                page = subprocess.run(["man", "-l", "--warnings", pages[f"crunch-{command}.1"]],
                                      capture_output=True, text=True, timeout=30, check=True,
                                      env={"MANPAGER": "cat", "MANWIDTH": "200", "TERM": "dumb",
                                           "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})
                self.assertEqual(page.stderr, "")
                for option in options(command):
                    self.assertIn(option, page.stdout, command)


if __name__ == "__main__":
    harness.main()
