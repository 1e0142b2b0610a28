# SPDX-License-Identifier: ISC
"""tests/crunch/embed/trees.py: what the tests of the tool share: a folder for each test, trees in
it, the tool run in it, and the output taken apart."""

import hashlib
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import harness

COMPRESSIBLE = b"".join(b"<li>item %d</li>\n" % (i * 7919 % 1000) for i in range(400))


class Folder(unittest.TestCase):
    """A test with a folder of its own, `self.at`, with the site in `self.site`."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="crunch-test-")
        self.addCleanup(holder.cleanup)
        self.at = pathlib.Path(holder.name)
        self.site = self.at / "site"
        self.site.mkdir()
        self.out = self.at / "out"

    def write(self, key, data: bytes = b"x", modified: int | None = None) -> pathlib.Path:
        path = os.fsencode(self.site) + b"/" + (key if isinstance(key, bytes) else key.encode())
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
        if modified is not None:
            os.utime(path, (modified, modified))
        return pathlib.Path(os.fsdecode(path))

    def crunch(self, *words, env=None, **options) -> subprocess.CompletedProcess:
        """With a cache of the test's own, and no SOURCE_DATE_EPOCH but the test's."""
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("SOURCE_DATE_EPOCH", "CXX")}
        environment["XDG_CACHE_HOME"] = str(self.at / "cache")
        environment.update(env or {})
        return harness.crunch(*words, env=environment, cwd=self.at, errors="surrogateescape",
                              **options)

    def embed(self, *words, out=None, site=None, env=None, **options):
        """Embeds; fails the test if crunch does."""
        done = self.crunch("embed", site or self.site, "-o", out or self.out, *words, env=env,
                           **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def manifest(self, out=None, name="site") -> dict:
        text = (out or self.out).joinpath(name + ".manifest.json").read_text()
        return json.loads(text)

    def files(self, out=None) -> dict:
        return {file["path"]: file for file in self.manifest(out)["files"]}

    def refused(self, done, exit_code, *words):
        """It failed with this exit code, in one line that has all the words."""
        self.assertEqual(done.returncode, exit_code, done.stderr)
        self.assertEqual(done.stdout, "")
        lines = [line for line in done.stderr.splitlines() if "warning" not in line]
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertTrue(lines[0].startswith("crunch: "), lines)
        for word in words:
            self.assertIn(str(word), lines[0])


def snapshot(folder: pathlib.Path) -> dict:
    """Every file's bytes, for comparing two outputs."""
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
