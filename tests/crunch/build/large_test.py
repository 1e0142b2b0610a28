#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Images of sites over 2 GiB: the content stands behind the linked image and is mapped from there.

Method: sparse files, which take no disk, with bytes at their ends and around 2 GiB; they are asked
for by range, beside a small file. The targets without an operating system refuse what is too much.
"""

import os
import pathlib
import resource
import tempfile
import time
import unittest

import harness

SIZE = 2200 << 20
TWO_GIB = 1 << 31


class Large(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir="/var/tmp")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.site = self.folder / "site"
        self.site.mkdir()
        (self.site / "index.html").write_bytes(b"<p>small")
        (self.site / "zz.txt").write_bytes(b"the last file")

    def put(self, name: str, size: int):
        with open(self.site / name, "wb") as file:
            file.truncate(size)
            for at, text in ((0, b"begin"), (TWO_GIB - 3, b"middle"), (size - 3, b"end")):
                if at < size:
                    file.seek(at)
                    file.write(text)

    def build(self, *words) -> tuple:
        """What it said, and its most memory in KiB."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        done = harness.crunch("build", self.site, "-o", self.folder / "image", "--no-cache", *words,
                              timeout=600)
        return done, max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)

    def check(self, client, size: int):
        self.assertEqual(client.get("/").body, b"<p>small")
        self.assertEqual(client.get("/zz.txt").body, b"the last file")
        for first, text in ((0, b"begin"), (TWO_GIB - 3, b"middle"), (size - 3, b"end")):
            if first >= size:
                continue
            fields = {"Range": f"bytes={first}-{first + len(text) - 1}"}
            answer = client.get("/d.iso", fields)
            self.assertEqual((answer.status, answer.body), (206, text))
            self.assertTrue(answer.fields["content-range"].endswith(f"/{size}"))

    def test_a_file_of_2200_mib(self):
        self.put("d.iso", SIZE)
        done, peak_kib = self.build()
        self.assertEqual(done.returncode, 0, done.stderr)
        image = self.folder / "image"
        self.assertGreater(image.stat().st_size, SIZE)
        self.assertLess(image.stat().st_blocks * 512, 200 << 20, "its holes were written out")
        self.assertLess(peak_kib, 500 << 10)
        with harness.Server(image) as server, server.client() as client:
            self.check(client, SIZE)
            self.assertLess(server.memory_kib(), 100 << 10)
        listed = harness.crunch("inspect", image)
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertIn("d.iso", listed.stdout)

    def test_machines_refuse_more_than_3_gib_before_the_work(self):
        self.put("d.iso", 3_300_000_000)
        for target in ("virtio", "xen"):
            if not (harness.BUILD / f"lib/crunch/{target}.target").exists():
                continue
            begin = time.monotonic()
            done, _ = self.build("-t", target)
            self.assertEqual(done.returncode, 1)
            self.assertIn("3.3 GB", done.stderr)
            self.assertIn("at most 3.2 GB", done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1)
            self.assertLess(time.monotonic() - begin, harness.WAIT_S)
            self.assertEqual(sorted(os.listdir(self.folder)), ["site"])


if __name__ == "__main__":
    harness.main()
