#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""crunch pack: an archive that other tars read, the same from every run, there whole or not at all.

Method: the tool in a folder of the test's own; the archives are read by this system's tar and by
Python's tarfile.
"""

import os
import pathlib
import resource
import signal
import subprocess
import sys
import tarfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "embed"))

import harness
from trees import COMPRESSIBLE, Folder, snapshot


class Pack(Folder):
    def setUp(self):
        super().setUp()
        self.archive = self.at / "site.tar"
        self.write("index.html", COMPRESSIBLE, modified=1_600_000_000)
        self.write("sub/copy.html", COMPRESSIBLE, modified=1_600_000_001)
        self.write("empty.txt", b"")
        self.write("caf\u00e9/na\u00efve.txt", b"names")
        self.write("d" * 120 + "/" + "f" * 200, b"a long name")
        self.write("_redirects", b"/old / 301\n")

    def pack(self, *words, out=None, **options):
        done = self.crunch("pack", self.site, "-o", out or self.archive, *words, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_other_tars_read_it(self):
        self.pack()
        listed = harness.must("tar", "tf", self.archive, env={"LC_ALL": "C.UTF-8", **os.environ})
        self.assertEqual(listed.splitlines()[0], ".crunch/packed")
        self.assertEqual(listed.splitlines()[-1], ".crunch/index")
        for name in (".crunch/br/index.html", ".crunch/plan", "sub/copy.html"):
            self.assertIn(name, listed.splitlines())
        out = self.at / "unpacked"
        out.mkdir()
        self.assertEqual(harness.must("tar", "xf", self.archive, "-C", out), "")
        packed = {name: data for name, data in snapshot(out).items()
                  if not name.startswith(".crunch")}
        expected = snapshot(self.site)
        del expected["_redirects"]  # is in the plan
        self.assertEqual(packed, expected)
        self.assertEqual((out / "index.html").stat().st_mtime, 1_600_000_000)
        with tarfile.open(self.archive) as archive:
            self.assertEqual(archive.getmember("sub/copy.html").linkname, "index.html")
            for member in archive:
                self.assertEqual((member.uid, member.gid, member.uname, member.mode),
                                 (0, 0, "", 0o644))
        self.assertEqual(self.archive.stat().st_size % 4096, 0)

    def test_the_same_from_every_run(self):
        self.pack("--threads", "1")
        first = self.archive.read_bytes()
        other = self.at / "other.tar"
        self.pack("--threads", "4", "--no-cache", out=other)
        self.assertEqual(other.read_bytes(), first)
        before = self.archive.stat()
        self.assertIn("nothing changed", self.pack().stdout)
        self.assertEqual(self.archive.stat().st_mtime_ns, before.st_mtime_ns)
        for path in self.site.rglob("*"):
            os.utime(path, (1, 1))
        for epoch_of in (self.archive, other):
            self.pack(out=epoch_of, env={"SOURCE_DATE_EPOCH": "1700000000"})
        self.assertEqual(other.read_bytes(), self.archive.read_bytes())
        self.assertNotEqual(other.read_bytes(), first)

    def test_an_archive_in_the_site_is_no_part_of_it(self):
        inside = self.site / "site.tar"
        self.pack(out=inside)
        first = inside.read_bytes()
        self.assertIn("left out", self.pack(out=inside).stderr)
        self.assertEqual(inside.read_bytes(), first)

    def refused_pack(self, *words, options=(), out=None, exit_code=1, **more):
        before = snapshot(self.at)
        done = self.crunch("pack", self.site, "-o", out or self.archive, "--no-cache", *options,
                           **more)
        self.refused(done, exit_code, *words)
        self.assertEqual(snapshot(self.at), before)

    def test_what_is_refused(self):
        self.pack()
        (self.at / "page.html").write_text("mine")
        self.refused_pack("page.html", "no tar archive", out=self.at / "page.html")
        self.refused_pack("none", "directory", out=self.at / "none" / "site.tar")
        self.refused_pack("is a directory", out=self.at)
        done = self.crunch("pack", "nowhere", "-o", self.archive)
        self.refused(done, 1, '"nowhere"', "No such file")
        done = self.crunch("pack", "site/index.html", "-o", self.archive)
        self.refused(done, 1, "is not a directory")
        self.write("_redirects", b"/a /b 999\n")
        self.refused_pack("rules", options=["--strict"])
        os.unlink(self.site / "_redirects")
        os.symlink("/etc/passwd", self.site / "link")
        self.refused_pack("link", "leaves the tree")
        os.unlink(self.site / "link")
        os.mkfifo(self.site / "pipe")
        self.refused_pack("neither a file nor a directory")

    def test_warnings_are_those_of_build(self):
        self.write("broken.html", b'<a href="nowhere.html">x</a>')
        os.unlink(self.site / "index.html")
        said = self.pack().stderr
        self.assertIn("nowhere.html", said)
        self.assertIn("index.html", said)
        self.assertNotIn("nowhere.html", self.pack("--no-link-check").stderr)

    def test_a_full_disk_leaves_the_old_one(self):
        self.pack()
        self.write("large.bin", os.urandom(1 << 20))
        limit = 200_000

        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        self.refused_pack("site.tar", "File too large", preexec_fn=small_files)

    def test_ctrl_c_leaves_the_old_one(self):
        self.pack()
        for i in range(40):
            self.write(f"large/{i}.txt", os.urandom(150_000).hex().encode())
        before = snapshot(self.at)
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            with subprocess.Popen([str(harness.CRUNCH), "pack", str(self.site), "-o",
                                   str(self.archive), "--effort", "best", "--no-cache"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                time.sleep(0.3)
                process.send_signal(signal_number)
                process.communicate(timeout=harness.WAIT_S)
            self.assertNotEqual(process.returncode, 0)
            self.assertEqual(snapshot(self.at), before)


if __name__ == "__main__":
    harness.main()
