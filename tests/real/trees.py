# SPDX-License-Identifier: ISC
"""tests/real/trees.py: a tree of files against what a server says it is, byte for byte."""

import hashlib
import json
import os
import pathlib
import subprocess
import tempfile
import urllib.parse

import harness
import qemu

# Content coding -> how a program of Debian's takes many files at once and undoes it beside them.
DECODERS = {
    "zstd": (".zst", ["zstd", "-d", "-q", "--rm"]),
    "br": (".br", ["brotli", "-d", "-j"]),
    "gzip": (".gz", ["gzip", "-d"]),
}


def keys_of(tree: pathlib.Path) -> list[str]:
    """What `crunch embed` takes of a tree: all files but hidden ones; .well-known is taken."""
    found = []
    for folder, folders, names in os.walk(tree, followlinks=True):
        folders[:] = sorted(f for f in folders if f[0] != "." or f == ".well-known")
        for name in names:
            if not name.startswith("."):
                found.append(os.path.relpath(os.path.join(folder, name), tree))
    return sorted(found)


def url_of(key: str) -> str:
    return "/" + urllib.parse.quote(key, safe="/")


class Comparison:
    """Asks a server for every key of a tree and collects what differs."""

    def __init__(self, server, tree: pathlib.Path):
        self.server, self.tree = server, tree
        self.keys = keys_of(tree)
        self.wrong: list[str] = []
        self.coded = dict.fromkeys(DECODERS, 0)

    def same(self, key: str, what: str, body: bytes) -> None:
        if body != (self.tree / key).read_bytes():
            self.wrong.append(f"{what} of {key!r}: {len(body)} bytes that differ from the file's")

    def identity(self) -> None:
        """Every file under its own name, and every index.html under its directory's."""
        with self.server.client() as client:
            urls = [url_of(key) for key in self.keys]
            for key, (_, answer) in zip(self.keys, client.get_all(urls)):
                if answer.status != 200 or "content-encoding" in answer.fields:
                    self.wrong.append(f"{key!r}: {answer}")
                elif "content-type" not in answer.fields or "etag" not in answer.fields:
                    self.wrong.append(f"{key!r} lacks a field: {answer}")
                else:
                    self.same(key, "identity", answer.body)
            indexes = [key for key in self.keys if os.path.basename(key) == "index.html"]
            urls = [url_of(key)[:-len("index.html")] for key in indexes]
            for key, (_, answer) in zip(indexes, client.get_all(urls)):
                self.same(key, "directory", answer.body)

    def coding(self, coding: str) -> None:
        """Every file once more with this Accept-Encoding; what comes coded decodes to the file."""
        suffix, command = DECODERS[coding]
        harness.need(command[0])
        with tempfile.TemporaryDirectory() as folder, self.server.client() as client:
            coded = []
            urls = [url_of(key) for key in self.keys]
            fields = {"Accept-Encoding": coding}
            for key, (_, answer) in zip(self.keys, client.get_all(urls, fields)):
                if answer.status != 200:
                    self.wrong.append(f"{coding} of {key!r}: {answer}")
                elif answer.fields.get("content-encoding") != coding:
                    self.same(key, f"uncoded answer to {coding}", answer.body)
                else:
                    if "accept-encoding" not in answer.fields.get("vary", "").lower():
                        self.wrong.append(f"{key!r}: no Vary: {answer}")
                    (pathlib.Path(folder) / f"{len(coded)}{suffix}").write_bytes(answer.body)
                    coded.append(key)
            self.coded[coding] = len(coded)
            for at in range(0, len(coded), 1000):
                names = [f"{n}{suffix}" for n in range(at, min(at + 1000, len(coded)))]
                subprocess.run([*command, *names], cwd=folder, check=True, timeout=300)
            for number, key in enumerate(coded):
                self.same(key, coding, (pathlib.Path(folder) / str(number)).read_bytes())

    def run(self) -> list[str]:
        self.identity()
        for coding in DECODERS:
            self.coding(coding)
        return self.wrong


def compare(test, tree: pathlib.Path, image: pathlib.Path, server_of=harness.Server) -> Comparison:
    """Serves the image and fails the test when anything differs from the tree."""
    with server_of(image) as server:
        comparison = Comparison(server, tree)
        wrong = comparison.run()
    print(f"{len(comparison.keys)} files compared; coded answers: {comparison.coded}")
    test.assertEqual(wrong[:20], [], f"{len(wrong)} differences")
    return comparison


def compare_on_a_machine(test, tree: pathlib.Path, folder: pathlib.Path, *options) -> None:
    """The same, served by a machine without an operating system; every file once."""
    image = harness.build_image(tree, folder / "image.virtio", *options, target="virtio")
    memory_mib = (image.stat().st_size >> 20) + 32
    with qemu.Guest(image, "--ipv6=off", memory_mib=memory_mib) as guest:
        comparison = Comparison(guest, tree)
        comparison.identity()
    print(f"{len(comparison.keys)} files compared on a machine of {memory_mib} MiB")
    test.assertEqual(comparison.wrong[:20], [], f"{len(comparison.wrong)} differences")


def check_manifest(test, tree: pathlib.Path, image: pathlib.Path) -> None:
    """`crunch inspect --format json` tells every path, size and SHA-256 of the tree."""
    done = harness.crunch("inspect", image, "--format", "json")
    test.assertEqual(done.returncode, 0, done.stderr)
    told = {entry["path"]: entry for entry in json.loads(done.stdout)["sites"][0]["files"]}
    test.assertEqual(sorted(told), keys_of(tree))
    for key, entry in told.items():
        data = (tree / key).read_bytes()
        test.assertEqual(entry["size"], len(data), key)
        test.assertEqual(entry["sha256"], hashlib.sha256(data).hexdigest(), key)
