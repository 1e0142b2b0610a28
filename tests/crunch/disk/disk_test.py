#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""`crunch disk`: what it makes, keeps, refuses and says.

Method: tables of command lines; whatever fails leaves the disk as it was, byte for byte.
"""

import fcntl
import os
import pathlib
import subprocess
import tempfile
import unittest

import harness


def disk(*words, **options) -> subprocess.CompletedProcess:
    return subprocess.run([str(harness.CRUNCH), "disk", *map(str, words)], capture_output=True,
                          timeout=harness.WAIT_S, **options)


class Disks(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.path = self.folder / "site.disk"
        self.value = self.folder / "value"
        self.value.write_bytes(b"the value\n\0\xff")

    def does(self, *words, **options) -> bytes:
        done = disk(*words, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, b"")
        return done.stdout

    def fails(self, words, *named, code=1, path=None, **options) -> None:
        path = path or self.path
        before = path.read_bytes() if path.exists() else None
        names = sorted(os.listdir(self.folder))
        done = disk(*words, **options)
        said = done.stderr.decode()
        self.assertEqual(done.returncode, code, said)
        self.assertEqual(done.stdout, b"")
        self.assertEqual(said.count("\n"), 1, said)
        for text in named:
            self.assertIn(text, said)
        self.assertEqual(sorted(os.listdir(self.folder)), names)
        self.assertEqual(path.read_bytes() if path.exists() else None, before)

    def format(self, *options) -> None:
        self.does("format", self.path, "--vault", *options)

    def test_values_come_back(self):
        self.format()
        self.assertEqual(self.path.stat().st_size, 1 << 20)
        self.assertEqual(self.path.stat().st_mode & 0o7777, 0o600)
        self.assertEqual(sorted(os.listdir(self.folder)), ["site.disk", "value"])
        self.assertEqual(self.does("show", self.path).decode().splitlines()[-1][:7], "0 keys,")
        self.does("set", self.path, "tls/key", self.value)
        self.does("set", self.path, "tls/cert", "-", input=b"from standard input")
        self.assertEqual(self.does("get", self.path, "tls/key"), b"the value\n\0\xff")
        self.assertEqual(self.does("get", self.path, "/tls/cert"), b"from standard input")
        lines = self.does("show", self.path).decode().splitlines()
        self.assertRegex(lines[0], r"^ +19  \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  tls/cert$")
        self.assertRegex(lines[1], r"^ +12  .*  tls/key$")
        self.assertRegex(lines[2], r"^2 keys, \d+ bytes free, its index was written \d+ times$")
        self.assertIn(b"2 values are whole", self.does("check", self.path))
        self.assertNotIn(b"the value", self.does("show", self.path))
        self.does("remove", self.path, "tls/key")
        self.fails(["get", self.path, "tls/key"], "has no key", "tls/key", "crunch disk show")
        self.assertNotIn(b"the value", self.path.read_bytes())

    def test_a_disk_of_any_size(self):
        for text, size in (("64KiB", 65536), ("65536", 65536), ("3MiB", 3 << 20)):
            self.format("--size", text)
            self.assertEqual(self.path.stat().st_size, size)
            self.does("set", self.path, "k", self.value)
            self.assertEqual(self.does("get", self.path, "k"), self.value.read_bytes())
            self.path.unlink()
        for text in ("63KiB", "0", "1000000", "257MiB", "1M", "-1", "x"):
            self.fails(["format", self.path, "--vault", "--size=" + text], "64KiB to 256MiB",
                       "multiple of 512", code=2)

    def test_format_overwrites_nothing_unless_told(self):
        self.format()
        self.does("set", self.path, "k", self.value)
        again = ["format", self.path, "--vault"]
        self.fails(again, "is a vault already", "--force")
        self.does(*again, "--force")
        self.assertTrue(self.does("show", self.path).startswith(b"0 keys"))
        self.assertNotIn(b"the value", self.path.read_bytes())
        self.path.write_bytes(bytes(200_000 // 512 * 512) + b"x" * 512)
        self.fails(again, "is not empty", "--force")
        self.fails([*again, "--force", "--size", "1MiB"], "leave --size out")
        self.does(*again, "--force")
        self.path.write_bytes(bytes(70_144))  # zeros are empty
        self.path.chmod(0o640)
        self.does(*again)
        self.assertEqual(self.path.stat().st_size, 70_144)
        self.assertEqual(self.path.stat().st_mode & 0o7777, 0o600)
        self.path.write_bytes(b"")
        self.does(*again)
        self.assertEqual(self.path.stat().st_size, 1 << 20)
        self.assertEqual(self.path.stat().st_mode & 0o7777, 0o600)

    def test_format_says_what_it_needs(self):
        self.fails(["format", self.path], "--vault", code=2)
        self.fails(["format", self.folder / "none/x", "--vault"], "none")
        self.fails(["format", self.folder, "--vault"], "Is a directory")
        self.fails(["format", "/dev/null", "--vault"], "neither a file nor a block device")
        self.path.write_bytes(bytes(512))
        self.fails(["format", self.path, "--vault"], "64 KiB")

    def test_what_is_no_vault_is_refused(self):
        for words in (["show"], ["check"], ["get", "k"], ["set", "k", self.value], ["remove", "k"]):
            command = [words[0], self.path, *words[1:]]
            self.path.unlink(missing_ok=True)
            self.fails(command, str(self.path), "No such file")
            for content, named in ((bytes(65536), "is empty and no vault yet"),
                                   (b"x" * 65536, "something that is no vault"),
                                   (b"x" * 512, "64 KiB"),
                                   (b"", "is empty")):
                self.path.write_bytes(content)
                self.fails(command, str(self.path), named)

    def test_bad_keys_and_values(self):
        self.format("--size", "64KiB")
        self.does("set", self.path, "a/b", self.value)
        large = self.folder / "large"
        large.write_bytes(bytes(40_000))
        too_large = self.folder / "too_large"
        too_large.write_bytes(bytes((1 << 20) + 1))
        for key in ("", "../x", "a b", "a//b", ".x", "k" * 201, "\u00e9"):
            self.fails(["set", self.path, key, self.value], "cannot be a key", "200 letters")
        self.fails(["set", self.path, "a", self.value], "begins other keys")
        self.fails(["set", self.path, "a/b/c", self.value], "another key begins it")
        self.fails(["set", self.path, "large", large], "is full", "the old value stays")
        self.fails(["set", self.path, "large", too_large], "at most 1 MiB")
        self.fails(["set", self.path, "large", self.folder / "none"], "none")
        self.fails(["set", self.path, "large", self.folder], str(self.folder))
        self.fails(["get", self.path, "a"], "the beginning of some")
        self.fails(["remove", self.path, "none"], "no key")

    def test_damage_is_found(self):
        self.format("--size", "64KiB")
        self.does("set", self.path, "a", self.value)
        self.does("set", self.path, "b", self.value)
        whole = self.path.read_bytes()
        at = whole.index(b"the value")
        self.path.write_bytes(whole[:at] + b"T" + whole[at + 1:])
        self.fails(["check", self.path], "values that are damaged: a;", "set them again")
        self.fails(["get", self.path, "a"], "damaged")
        self.assertEqual(self.does("get", self.path, "b"), self.value.read_bytes())
        self.path.write_bytes(b"\0" * 100 + whole[100:])  # one copy of the index
        self.assertIn(b"not whole", self.does("show", self.path))
        self.assertIn(b"2 values are whole; one copy", self.does("check", self.path))
        self.does("set", self.path, "c", self.value)
        self.assertNotIn(b"not whole", self.does("show", self.path))
        both = bytearray(whole)
        both[60] ^= 1
        both[16_384 + 60] ^= 1
        self.path.write_bytes(both)
        for words in (["show"], ["check"], ["get", "a"], ["set", "a", self.value]):
            self.fails([words[0], self.path, *words[1:]], "damaged vault", "nothing was changed")
        self.fails(["format", self.path, "--vault"], "is not empty", "--force")

    def test_a_disk_that_is_in_use_is_left_alone(self):
        self.format()
        self.does("set", self.path, "a", self.value)
        with open(self.path, "r+b") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            for words in (["show"], ["check"], ["get", "a"], ["set", "a", self.value],
                          ["remove", "a"], ["format", "--vault"], ["format", "--vault", "--force"]):
                self.fails([words[0], self.path, *words[1:]], "in use by another process",
                           "stop the image")
            fcntl.flock(held, fcntl.LOCK_SH)
            self.assertEqual(self.does("get", self.path, "a"), self.value.read_bytes())
            self.fails(["set", self.path, "a", self.value], "in use by another process")

    def test_usage(self):
        for words, named in (([], "subcommand"), (["fromat", "x"], "format"),
                             (["set", "x", "k"], "VALUE-FILE"), (["get", "x"], "KEY"),
                             (["show"], "FILE"), (["show", "x", "y"], "crunch disk show --help"),
                             (["format", "x", "--valut"], "--vault")):
            self.fails(words, named, code=2)


if __name__ == "__main__":
    harness.main()
