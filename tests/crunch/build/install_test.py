#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""An installed crunch: without the source tree, in any folder, and for other people's CMake.

Method: cmake --install into a folder, which is then moved; the source and build trees are hidden
from it where mount namespaces are allowed, and in any case not named by it.
"""

import functools
import os
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "embed"))

import harness
from trees import COMPRESSIBLE, Folder


run = functools.partial(harness.must, timeout=500)


class Installed(Folder):
    def setUp(self):
        super().setUp()
        first = self.at / "first"
        run("cmake", "--install", harness.BUILD, "--prefix", first)
        self.prefix = self.at / "moved to" / "here"
        self.prefix.parent.mkdir()
        first.rename(self.prefix)
        self.write("index.html", COMPRESSIBLE)

    def test_builds_without_the_source_tree(self):
        """With the default configuration, which is compiled already, and with one's own."""
        config = self.at / "config.hpp"
        shutil.copy(harness.ROOT / "site-example" / "config.hpp", config)
        tool = self.prefix / "bin" / "crunch"
        choices = [("unix", []), ("unix", ["--config", config])]
        if (self.prefix / "lib/crunch/unix-tap.target").exists():
            choices.append(("unix-tap", []))
        for target, words in choices:
            call = [tool, "build", self.site, "-t", target, "-o", self.at / "image", "--no-cache",
                    *words]
            hidden = subprocess.run(
                ["unshare", "--mount", "sh", "-c",
                 'mount -t tmpfs none "$1" && mount -t tmpfs none "$2" 2>/dev/null; '
                 '[ ! -e "$1/base" ] || exit 77; shift 2; exec "$@"',
                 "sh", harness.ROOT, harness.BUILD, *call], capture_output=True, text=True,
                timeout=500)
            if hidden.returncode == 77 or "unshare" in hidden.stderr:
                run(*call)
            else:
                self.assertEqual(hidden.returncode, 0, hidden.stderr)
            keys = run(self.at / "image", "--help")
            self.assertIn("--http-port", keys)
            self.assertEqual("--ipv4-gateway" in keys, target == "unix-tap")
            if not words:
                # The same image as from the build tree.
                mine = self.at / "mine"
                run(harness.CRUNCH, "build", self.site, "-t", target, "-o", mine, "--no-cache")
                self.assertEqual((self.at / "image").read_bytes(), mine.read_bytes())
        if (self.prefix / "lib" / "crunch" / "virtio.target").exists():
            for maker, made in [(tool, "theirs"), (harness.CRUNCH, "ours")]:
                run(maker, "build", self.site, "-t", "virtio", "-o", self.at / made, "--no-cache")
            self.assertEqual((self.at / "theirs").read_bytes(), (self.at / "ours").read_bytes())
        said = run(tool, "inspect", self.at / "image")
        self.assertIn("target  unix", said)

    def test_nothing_names_the_source_tree(self):
        """Text files: what they name must be there on another machine. (Archives have debug
        information.)"""
        for path in self.prefix.rglob("*"):
            if path.is_file() and path.suffix in {".target", ".cmake", ".hpp"}:
                text = path.read_text()
                self.assertNotIn(str(harness.ROOT), text, path)
                self.assertNotIn(str(harness.BUILD), text, path)

    def test_without_its_folders(self):
        alone = self.at / "alone" / "bin" / "crunch"
        alone.parent.mkdir(parents=True)
        shutil.copy(self.prefix / "bin" / "crunch", alone)
        done = subprocess.run([alone, "build", self.site, "-t", "unix", "-o", self.at / "image"],
                              capture_output=True, text=True, timeout=60)
        self.refused(done, 1, "not installed completely")
        next((self.prefix / "lib" / "crunch").glob("libcrunch_http.a")).unlink()
        done = subprocess.run([self.prefix / "bin" / "crunch", "build", self.site, "-t", "unix",
                               "-o", self.at / "image"], capture_output=True, text=True,
                              timeout=60)
        self.refused(done, 1, "not installed completely", "libcrunch_http.a")

    def test_the_example_of_find_package(self):
        project = self.at / "project"
        shutil.copytree(harness.ROOT / "examples" / "cmake", project)
        for generator in ["Ninja", "Unix Makefiles"]:
            with self.subTest(generator=generator):
                build = self.at / generator
                page = project / "htdocs" / "index.html"
                environment = {**os.environ, "XDG_CACHE_HOME": str(self.at / "cache")}
                run("cmake", "-S", project, "-B", build, "-G", generator,
                    f"-DCMAKE_PREFIX_PATH={self.prefix}", env=environment)

                def built(*keys):
                    run("cmake", "--build", build, env=environment)
                    return [run(build / "pages", key) for key in keys]

                self.assertEqual(built("index.html"), [page.read_text()])
                image = build / "site-unix"
                before = image.read_bytes()
                # Nothing changed: nothing is done.
                objects = {p: p.stat().st_mtime_ns for p in build.rglob("*.o")}
                built()
                self.assertEqual({p: p.stat().st_mtime_ns for p in build.rglob("*.o")}, objects)
                # A file that changed, and one that is new.
                time.sleep(1.1)  # make compares whole seconds on some file systems
                page.write_text("<p>changed")
                (project / "htdocs" / "sub").mkdir(exist_ok=True)
                (project / "htdocs" / "sub" / "new.txt").write_text("new " + generator)
                self.assertEqual(built("index.html", "sub/new.txt"),
                                 ["<p>changed", "new " + generator])
                self.assertNotEqual(image.read_bytes(), before)
                # One that is gone.
                time.sleep(1.1)
                (project / "htdocs" / "sub" / "new.txt").unlink()
                run("cmake", "--build", build, env=environment)
                gone = subprocess.run([build / "pages", "sub/new.txt"], capture_output=True)
                self.assertEqual(gone.returncode, 1)


if __name__ == "__main__":
    harness.main()
