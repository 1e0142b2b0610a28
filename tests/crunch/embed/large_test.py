#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""crunch embed on what is large: one file of 1 GiB, 100,000 files. Memory is measured, time is not.
"""

import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness
from trees import Folder, sha256

GIB = 1 << 30


class Large(Folder):
    def embed_and_measure(self, *words) -> int:
        """The most memory that it had, in bytes."""
        script = ("import resource, subprocess, sys; "
                  "code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL); "
                  "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
        done = subprocess.run([sys.executable, "-c", script, harness.CRUNCH, "embed", self.site,
                               "-o", self.out, *words], stdout=subprocess.PIPE, text=True,
                              timeout=850, check=True)
        code, kilobytes = done.stdout.split()
        self.assertEqual(code, "0")
        return int(kilobytes) * 1024

    def room_for(self, size):
        if shutil.disk_usage(self.at).free < size:
            self.skipTest(f"needs {size >> 30} GiB of disk in {self.at}")

    def test_a_file_of_1_gib(self):
        self.room_for(3 * GIB)
        path = self.write("video.mp4", b"begin")
        with open(path, "r+b") as file:
            file.seek(GIB - 3)
            file.write(b"end")
        shutil.copy(path, self.site / "again.mp4")  # the same bytes: stored once
        peak = self.embed_and_measure("--no-cache", "--threads", "2")
        self.assertLess(peak, 64 << 20)  # not held at all, and certainly not twice
        self.assertEqual((self.out / "site.content").stat().st_size, GIB)
        files = self.files()
        self.assertEqual(files["video.mp4"]["size"], GIB)
        self.assertEqual(files["video.mp4"]["sha256"], files["again.mp4"]["sha256"])
        with open(self.out / "site.content", "rb") as content:
            self.assertEqual(content.read(5), b"begin")
            content.seek(GIB - 3)
            self.assertEqual(content.read(), b"end")

    def test_100000_files(self):
        for i in range(100):
            folder = self.site / f"folder {i}"
            folder.mkdir()
            for j in range(1000):
                folder.joinpath(f"{j}.html").write_bytes(b"<p>%d</p>" % (i * 1000 + j))
        peak = self.embed_and_measure("--no-cache")
        self.assertLess(peak, 512 << 20)
        files = self.files()
        self.assertEqual(len(files), 100_000)
        for i in range(0, 100_000, 9973):
            key = f"folder {i // 1000}/{i % 1000}.html"
            self.assertEqual(files[key]["sha256"], sha256(b"<p>%d</p>" % i))


if __name__ == "__main__":
    harness.main()
