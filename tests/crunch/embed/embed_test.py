#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""crunch embed, from outside: what of a tree is embedded, and that its output is always the same.

Method: small trees, each with one thing that could go wrong; the manifest says what was embedded,
and compiled output says that the bytes are there.
"""

import errno
import gzip
import os
import pty
import select
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness
from trees import COMPRESSIBLE, Folder, sha256, snapshot

# Names that are awkward for somebody: shells, URLs, C++, JSON, make, sorting.
NAMES = ["index.html", "a b.txt", "50%.txt", "c#d.txt", "what?.txt", "it's.txt", 'say "hi".txt',
         "back\\slash.txt", "new\nline.txt", "tab\t.txt", "caf\u00e9.txt", "cafe\u0301.txt",
         "\u65e5\u672c\u8a9e/\u9875.html", "\U0001f980.txt", "a-b", "a/b", "a\u00e9", "A/B",
         "$x;y&z.txt",
         "-o.txt", "a)b\".txt", "x" * 251 + ".txt", "/".join(["deep" * 10] * 40) + "/end.txt"]


class WhatIsEmbedded(Folder):
    def test_every_name(self):
        for name in NAMES:
            self.write(name, name.encode())
        self.embed()
        files = self.files()
        self.assertEqual(sorted(files, key=str.encode), list(files))
        self.assertEqual(set(files), set(NAMES))
        for name in NAMES:
            self.assertEqual(files[name]["sha256"], sha256(name.encode()), name)
            self.assertEqual(files[name]["size"], len(name.encode()))

    def test_names_that_only_look_alike_are_two(self):
        # No two names of a directory are one key: keys are bytes, not characters.
        pairs = ["caf\u00e9", "cafe\u0301", "a", "A", "x%20y", "x y"]
        for name in pairs:
            self.write(name, name.encode())
        self.embed()
        self.assertEqual({k: v["sha256"] for k, v in self.files().items()},
                         {name: sha256(name.encode()) for name in pairs})

    def test_longest_path(self):
        # Deeper than a system call takes at once.
        segments = ["s" * 250] * 25
        here = os.open(self.site, os.O_RDONLY)
        for segment in segments:
            os.mkdir(segment, dir_fd=here)
            below = os.open(segment, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
        file = os.open("f.txt", os.O_WRONLY | os.O_CREAT, dir_fd=here)
        os.write(file, b"deep")
        os.close(file)
        self.embed()
        self.assertEqual(self.files()["/".join(segments + ["f.txt"])]["sha256"], sha256(b"deep"))
        os.mkdir("t" * 255, dir_fd=here)
        for _ in range(8):
            below = os.open("t" * 255, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
            os.mkdir("t" * 255, dir_fd=here)
        self.refused(self.crunch("embed", self.site, "-o", self.out), 1, "8000 bytes")
        os.close(here)
        subprocess.run(["rm", "-rf", self.site / segments[0]], check=True)

    def test_an_address_too_long_to_request(self):
        # Three bytes of an address for each byte of a name.
        names = ["/".join(["\u00e9" * 104] * 13 + ["f.txt"]),
                 "/".join(["\u00e9" * 105] * 13 + ["g.txt"])]
        for name in names:
            self.write(name)
        done = self.embed()
        self.assertEqual(set(self.files()), set(names))
        warnings = done.stderr.splitlines()
        self.assertEqual(len(warnings), 1)
        self.assertIn("g.txt", warnings[0])
        self.assertIn("cannot be requested", warnings[0])
        self.assertIn(f"{3 * 210 * 13 + 13 + 6} bytes", warnings[0])

    def test_empty_files_and_empty_sites(self):
        self.embed()
        self.assertEqual(self.files(), {})
        self.write("empty.html", b"")
        self.write("also", b"")
        self.embed()
        self.assertEqual([f["size"] for f in self.files().values()], [0, 0])
        self.assertEqual((self.out / "site.content").stat().st_size, 0)

    def test_dotfiles(self):
        for key in [".git/config", ".htaccess", "a/.DS_Store", ".well-known/security.txt",
                    ".well-known/.hidden", "a/b"]:
            self.write(key)
        done = self.embed()
        self.assertEqual(set(self.files()), {".well-known/security.txt", "a/b"})
        self.assertIn("4 dotfiles left out", done.stdout)
        self.embed("--dotfiles")
        self.assertEqual(len(self.files()), 6)

    def test_exclude(self):
        for key in ["a.psd", "a/b.psd", "drafts/x", "a/drafts", "keep", "a/b/c.md", "a/c.md"]:
            self.write(key)
        self.embed("--exclude", "*.psd", "--exclude=drafts/", "--exclude", "a/*.md")
        self.assertEqual(set(self.files()), {"a/drafts", "keep", "a/b/c.md"})

    def test_links_inside_are_followed(self):
        self.write("real/a.txt", b"A")
        os.symlink("real/a.txt", self.site / "file")
        os.symlink("real", self.site / "folder")
        os.symlink("folder/a.txt", self.site / "through")
        os.symlink(self.site / "real" / "a.txt", self.site / "absolute")
        self.embed()
        self.assertEqual(set(self.files()),
                         {"real/a.txt", "file", "folder/a.txt", "through", "absolute"})
        self.assertEqual((self.out / "site.content").read_bytes(), b"A")

    def test_time(self):
        self.write("old", modified=86400)
        self.write("before", modified=-5)
        self.embed()
        files = self.files()
        self.assertEqual(files["old"]["modified"], "1970-01-02T00:00:00Z")
        self.assertEqual(files["before"]["modified"], "1970-01-01T00:00:00Z")
        self.embed(env={"SOURCE_DATE_EPOCH": "1700000000"})
        self.assertEqual({f["modified"] for f in self.files().values()}, {"2023-11-14T22:13:20Z"})
        for bad in ["yesterday", "-1", "1.5", "99999999999999999999"]:
            self.refused(self.crunch("embed", self.site, "-o", self.out,
                                     env={"SOURCE_DATE_EPOCH": bad}), 1, "SOURCE_DATE_EPOCH", bad)

    def test_encodings(self):
        self.write("page.html", COMPRESSIBLE)
        self.write("tiny.html", b"<p>tiny</p>")
        self.write("picture.png", COMPRESSIBLE)
        self.embed()
        files = self.files()
        self.assertEqual(list(files["page.html"]["encodings"]), ["gzip", "br", "zstd"])
        self.assertEqual(files["tiny.html"]["encodings"], {})
        self.assertEqual(files["picture.png"]["encodings"], {})  # compressed already, by its type
        for words, expected in [("br", ["br"]), ("gzip,zstd", ["gzip", "zstd"]), ("none", [])]:
            self.embed("--encodings", words)
            self.assertEqual(list(self.files()["page.html"]["encodings"]), expected)
        sizes = {}
        for effort in ["fast", "default", "best"]:
            self.embed("--effort", effort)
            sizes[effort] = self.files()["page.html"]["encodings"]["br"]["size"]
        self.assertLess(sizes["best"], sizes["fast"])

    def test_output_inside_the_site_is_left_out(self):
        self.write("index.html")
        out = self.site / "generated"
        self.embed(out=out)
        done = self.embed(out=out)
        self.assertEqual(set(self.files(out)), {"index.html"})
        self.assertIn("left out", done.stderr)
        self.assertIn("nothing changed", done.stdout)


class Siblings(Folder):
    def test_given_forms_are_taken(self):
        given = gzip.compress(COMPRESSIBLE, 1, mtime=7)
        self.write("page.html", COMPRESSIBLE)
        self.write("page.html.gz", given)
        self.write("data.zip", COMPRESSIBLE)  # of a type that is not compressed here
        self.write("data.zip.gz", given)
        done = self.embed()
        self.assertEqual(done.stderr, "")
        files = self.files()
        self.assertEqual(files["page.html"]["encodings"]["gzip"]["sha256"], sha256(given))
        self.assertEqual(list(files["page.html"]["encodings"]), ["gzip", "br", "zstd"])
        self.assertEqual(list(files["data.zip"]["encodings"]), ["gzip"])
        self.assertEqual(files["page.html.gz"]["sha256"], sha256(given))  # still a file of its own
        content = (self.out / "site.content").read_bytes()
        self.assertEqual(content.count(given), 1)

    def test_wrong_ones_are_files_only(self):
        self.write("page.html", COMPRESSIBLE)
        self.write("page.html.gz", gzip.compress(COMPRESSIBLE + b"x"))
        self.write("page.html.br", b"no brotli")
        done = self.embed()
        warnings = done.stderr.splitlines()
        self.assertEqual(len(warnings), 2)
        for warning, suffix in zip(warnings, ["gz", "br"]):
            self.assertIn("page.html." + suffix, warning)
            self.assertIn("does not decompress", warning)
        files = self.files()
        self.assertEqual(list(files["page.html"]["encodings"]), ["gzip", "br", "zstd"])  # own ones
        self.assertNotEqual(files["page.html"]["encodings"]["br"]["sha256"], sha256(b"no brotli"))
        self.assertEqual(files["page.html.br"]["sha256"], sha256(b"no brotli"))

    def test_left_out_and_unwanted_ones_are_not_looked_at(self):
        self.write("page.html", COMPRESSIBLE)
        self.write("page.html.gz", b"broken")
        self.assertEqual(self.embed("--exclude", "*.gz").stderr, "")
        self.assertEqual(self.embed("--encodings", "br").stderr, "")

    def test_one_that_is_larger_is_not_taken(self):
        self.write("a.bin", b"tiny")
        self.write("a.bin.gz", gzip.compress(b"tiny"))
        self.assertEqual(self.embed().stderr, "")
        self.assertEqual(self.files()["a.bin"]["encodings"], {})


class AlwaysTheSame(Folder):
    def tree(self, site, order):
        for i in order:
            path = site / f"d{i % 7}" / f"f{i}.html"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(COMPRESSIBLE[:i * 37] + b"%d" % (i % 50))
            os.utime(path, (1_600_000_000 + i, 1_600_000_000 + i))

    def test_whatever_order_threads_cache_and_clock(self):
        other = self.at / "other"
        self.tree(self.site, range(120))
        self.tree(other, reversed(range(120)))
        self.embed("--threads", "1", "--no-cache")
        expected = snapshot(self.out)
        self.assertEqual(set(expected),
                         {"site.cpp", "site.content", "site.index", "site.manifest.json"})
        for i, words in enumerate([["--threads", "7"], ["--threads", "2", "--no-cache"], []]):
            out = self.at / f"out{i}"
            self.embed(*words, site=other, out=out, env={"TZ": "Asia/Tokyo", "LC_ALL": "C"})
            self.assertEqual(snapshot(out), expected, words)

    def test_second_run_touches_nothing(self):
        self.tree(self.site, range(20))
        self.embed()
        before = {path: path.stat().st_mtime_ns for path in self.out.iterdir()}
        inodes = {path: path.stat().st_ino for path in self.out.iterdir()}
        self.assertIn("nothing changed", self.embed().stdout)
        self.assertEqual({p: p.stat().st_mtime_ns for p in self.out.iterdir()}, before)
        self.assertEqual({p: p.stat().st_ino for p in self.out.iterdir()}, inodes)
        (self.site / "d1" / "f1.html").write_bytes(b"new")
        self.assertNotIn("nothing changed", self.embed().stdout)
        self.assertEqual(self.files()["d1/f1.html"]["sha256"], sha256(b"new"))

    def test_only_what_changed_is_compressed_again(self):
        self.tree(self.site, range(60, 80))
        self.embed()
        entries = snapshot(self.at / "cache")
        self.write("new.html", COMPRESSIBLE)
        self.embed()
        now = snapshot(self.at / "cache")
        self.assertEqual({k: now[k] for k in entries}, entries)
        self.assertEqual(len(now), len(entries) + 1)

    def test_damaged_cache_is_mended(self):
        self.write("page.html", COMPRESSIBLE)
        self.embed()
        expected = snapshot(self.out)
        entry, = [path for path in (self.at / "cache").rglob("*") if path.is_file()]
        good = entry.read_bytes()
        for bad in [b"", good[:-1], good[:100], good[:-9] + b"X" + good[-8:], b"junk" * 1000]:
            entry.write_bytes(bad)
            shutil.rmtree(self.out)
            self.embed()
            self.assertEqual(snapshot(self.out), expected)
            self.assertEqual(entry.read_bytes(), good)

    def test_cache_options(self):
        self.write("page.html", COMPRESSIBLE)
        self.embed("--no-cache")
        self.assertFalse((self.at / "cache").exists())
        self.embed("--cache", self.at / "mine")
        self.assertTrue(any((self.at / "mine").rglob("*")))
        done = self.embed("--cache", "/proc/nowhere")  # trouble, but not the run's
        self.assertIn("warning", done.stderr)
        self.assertIn("/proc/nowhere", done.stderr)


class Compiled(Folder):
    """The output compiles with each compiler that is there, and holds the same bytes."""

    PROGRAM = r"""
#include "kv/crunched/site.hpp"
#include <cstdio>
extern "C" const kv::crunched::Site crunched_my_site;
int main() {
  for (base::Bytes part : {crunched_my_site.index, crunched_my_site.content}) {
    std::fwrite(part.data(), 1, part.size(), stdout);
  }
}
"""

    def test_with_and_without_incbin(self):
        for name in NAMES:
            self.write(name, name.encode())
        self.write("all.bin", bytes(range(256)) * 300 + b"??=\"\\0123??/")
        self.write("zeros", bytes(70000))
        (self.at / "main.cpp").write_text(self.PROGRAM)
        compilers = [c for c in ["g++", "clang++", "clang++-16"] if shutil.which(c)]
        for compiler in compilers:
            for portable in [[], ["--portable"]]:
                self.embed("--name", "my_site", *portable)
                source = self.out / "my_site.cpp"
                self.assertEqual("asm" in source.read_text(), not portable)
                subprocess.run([compiler, "-std=c++20", "-Wall", "-Wextra", "-Werror",
                                f"-I{harness.ROOT}", f"-I{self.out}", source, self.at / "main.cpp",
                                "-o", self.at / "program"], check=True, timeout=100)
                held = subprocess.run([self.at / "program"], stdout=subprocess.PIPE, check=True)
                self.embed("--name", "my_site")
                expected = b"".join((self.out / f"my_site.{part}").read_bytes()
                                    for part in ["index", "content"])
                self.assertEqual(held.stdout, expected, f"{compiler} {portable}")

    def test_parts_of_two_runs_do_not_meet(self):
        self.write("a", b"some content")
        self.embed()
        with open(self.out / "site.content", "ab") as file:
            file.write(b"more")
        done = subprocess.run(["g++", "-std=c++20", f"-I{harness.ROOT}", f"-I{self.out}", "-c",
                               self.out / "site.cpp", "-o", self.at / "o"], capture_output=True)
        self.assertNotEqual(done.returncode, 0)

    def test_depfile(self):
        self.write("a b#$.txt")
        self.write("sub/x")
        self.embed("--depfile", self.at / "d", "--depfile-target", "my target")
        text = (self.at / "d").read_text()
        self.assertTrue(text.startswith("my\\ target: \\\n"), text)
        for path in ["site", "site/sub", "site/sub/x", "site/a\\ b\\#$$.txt"]:
            self.assertIn(f" {self.at}/{path}", text)


class WhatAPersonSees(Folder):
    def test_nothing_but_a_summary_on_a_pipe(self):
        for i in range(50):
            self.write(f"{i}.html", COMPRESSIBLE)
        done = self.embed()
        self.assertEqual(done.stderr, "")
        self.assertRegex(done.stdout, r"^50 files, \d+\.\d kB \(\d+\.\d kB compressed\), .*\n$")

    def test_a_bar_on_a_terminal(self):
        for i in range(50):
            self.write(f"{i}.html", COMPRESSIBLE + b"%d" % i)
        ours, theirs = pty.openpty()
        process = subprocess.Popen([harness.CRUNCH, "embed", self.site, "-o", self.out,
                                    "--no-cache"], stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        seen = b""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            ready, _, _ = select.select([ours], [], [], 1)
            try:
                piece = os.read(ours, 65536) if ready else b""
            except OSError as error:  # the other end is closed
                self.assertEqual(error.errno, errno.EIO)
                break
            seen += piece
        os.close(ours)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)
        self.assertIn(b"embed [", seen)
        self.assertIn(b"/50 files", seen)
        self.assertTrue(seen.endswith(b"\r\x1b[K"), seen[-80:])  # and nothing is left of it

    def test_help_has_an_example_and_there_is_a_version(self):
        for words in [["--help"], ["embed", "--help"], ["build", "--help"], ["inspect", "--help"]]:
            done = self.crunch(*words)
            self.assertEqual(done.returncode, 0)
            self.assertIn("Example:\n  crunch ", done.stdout, words)
        self.assertRegex(self.crunch("--version").stdout, r"^crunch \d+\.\d+\.\d+\n$")


if __name__ == "__main__":
    harness.main()
