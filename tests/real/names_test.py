#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What real documentation lacks: strange names, very many files, none, empty and huge ones."""

import hashlib
import os
import pathlib
import resource
import subprocess
import tempfile
import unittest

import harness
import trees

LONG = "d" * 60 + "/" + "e" * 60 + "/" + "f" * 10 + ".html"  # 137 characters

NAMES = [
    "index.html", "with space.html", "two  spaces .txt", " leading", "trailing ",
    "it's.html", 'double"quote".html', "100%.html", "%41.html", "%2e%2e", "a#b.html", "a?b=c.html",
    "a&b;c=d+e,f$g!h*i(j)k@l:m.html", "back\\slash.html", "br[ack]et{s}.html", "tilde~.html",
    "less<more>.html", "pipe|caret^tick`.html", "tab\there.html",
    "caf\u00e9.html", "cafe\u0301.html", "\u65e5\u672c/\u8a9e.html", "\U0001f980.html",
    "\u202ertl.html", "upper.HTML", "UPPER.html", "no-extension", "dots..html", "...three",
    "a.b/c", "a/c", "a-b/c", "a0/c", "deep/" * 30 + "end.html", LONG, "n" * 255,
    ".well-known/security.txt", "empty.html", "sub/empty", "sub/index.html", "trick.html.gzip",
]


def content_of(name: str) -> bytes:
    if "empty" in name:
        return b""
    return (f"<p>{hashlib.sha256(name.encode()).hexdigest()}</p>\n" * 40).encode()


class Names(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_strange_names(self):
        self.assertEqual(len(LONG), 137)
        tree = harness.write_tree(self.folder / "t", {name: content_of(name) for name in NAMES})
        image = harness.build_image(tree, self.folder / "image")
        comparison = trees.compare(self, tree, image)
        # "...three" is hidden, by the rule for names that begin with a dot.
        self.assertEqual(len(comparison.keys), len(NAMES) - 1)
        trees.check_manifest(self, tree, image)

    def test_no_file_at_all(self):
        (self.folder / "t").mkdir()
        image = harness.build_image(self.folder / "t", self.folder / "image")
        with harness.Server(image) as server:
            self.assertEqual(server.get("/").status, 404)

    def test_100000_files(self):
        tree = self.folder / "t"
        for folder in range(100):
            (tree / f"{folder:02}").mkdir(parents=True)
            for name in range(1000):
                path = tree / f"{folder:02}" / f"{name:03}.txt"
                path.write_bytes(b"%d\n" % (folder * 1000 + name))
        image = harness.build_image(tree, self.folder / "image")
        with harness.Server(image) as server:
            comparison = trees.Comparison(server, tree)
            comparison.identity()
        self.assertEqual(comparison.wrong[:20], [])
        self.assertEqual(len(comparison.keys), 100_000)


class Large(unittest.TestCase):
    def test_one_gibibyte(self):
        """Embedded without being held in memory; every byte comes back, and ranges of it."""
        size = 1 << 30
        harness.need_disk(5 * size)
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            tree = folder / "t"
            tree.mkdir()
            block = harness.noise(1 << 20, "large")
            whole = hashlib.sha256()
            with open(tree / "large.bin", "wb") as out:
                for number in range(size >> 20):
                    piece = number.to_bytes(8, "big") + block[8:]
                    out.write(piece)
                    whole.update(piece)
            self.embed_within(tree, folder / "out", 256 << 10)
            image = harness.build_image(tree, folder / "image")
            with harness.Server(image) as server, server.client() as client:
                client.send(client.request("/large.bin", {"Connection": "close"}))
                self.assertEqual(self.receive_hash(client, size), whole.hexdigest())
                self.assertLess(server.memory_kib(), 64 << 10)
                at = (700 << 20) - 4
                answer = server.get("/large.bin", Range=f"bytes={at}-{at + 11}")
                self.assertEqual(answer.status, 206)
                self.assertEqual(answer.body, block[-4:] + (700).to_bytes(8, "big"))

    def embed_within(self, tree: pathlib.Path, out: pathlib.Path, most_kib: int) -> None:
        """`crunch embed` in a process of its own, whose memory is looked at when it has ended."""
        process = subprocess.Popen([str(harness.CRUNCH), "embed", str(tree), "-o", str(out)],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0)
        self.assertIsInstance(usage, resource.struct_rusage)
        print(f"embedding 1 GiB took {usage.ru_maxrss >> 10} MiB of memory")
        self.assertLess(usage.ru_maxrss, most_kib)

    def receive_hash(self, client: harness.Client, size: int) -> str:
        data = client.socket.recv(1 << 16)
        while b"\r\n\r\n" not in data:
            data += client.socket.recv(1 << 16)
        head, _, body = data.partition(b"\r\n\r\n")
        self.assertIn(b"content-length: %d" % size, head.lower())
        digest, left = hashlib.sha256(body), size - len(body)
        while left:
            piece = client.socket.recv(1 << 20)
            self.assertTrue(piece, f"closed with {left} bytes to come")
            digest.update(piece)
            left -= len(piece)
        return digest.hexdigest()


if __name__ == "__main__":
    harness.main()
