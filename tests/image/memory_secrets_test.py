#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A private key's text is in no memory of an image that serves with it.

Method: the key is read by the image in each way that there is; then all memory that the process, or
the machine, can write is searched for each line of the key's PEM text, and for the DER around the
number. What TLS signs with, the number itself, it must keep. That the search finds what is there is
shown with the certificate, which is no secret and stays.
"""

import base64
import pathlib
import tempfile
import unittest

import harness
import qemu
import tls_test
import vault_test
from harness import SITE, Server

PIECE_BYTES = 1 << 20


def lines_of(path) -> list[bytes]:
    """Of PEM, those that are long enough to be found nowhere by chance."""
    return [line for line in pathlib.Path(path).read_bytes().splitlines()
            if len(line) >= 24 and not line.startswith(b"-----")]


def der_of(path) -> bytes:
    return base64.b64decode(b"".join(
        line for line in pathlib.Path(path).read_bytes().splitlines()
        if not line.startswith(b"-----")))


def number_in(der: bytes) -> bytes:
    """The private number of a P-256 key, with the two bytes before it."""
    at = der.index(b"\x02\x01\x01\x04\x20") + 3
    return der[at:at + 34]


def memory_of_process(pid: int) -> list[bytes]:
    """What it can write, but for files that it maps."""
    found = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            begin, end = (int(word, 16) for word in line.split()[0].split("-"))
            if "w" not in line.split()[1]:
                continue
            memory.seek(begin)
            parts = []
            while begin < end:
                part = memory.read(min(PIECE_BYTES, end - begin))
                if not part:
                    break
                parts.append(part)
                begin += len(part)
            found.append(b"".join(parts))
    return found


class Secrets(unittest.TestCase):
    def setUp(self):
        if not harness.has_tls():
            self.skipTest("this crunch was built without TLS")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.cert, self.key = tls_test.make_certificate(self.folder, "one", "localhost")

    def check(self, memory: list[bytes]) -> None:
        der = der_of(self.cert)
        self.assertTrue(any(der[-64:] in part for part in memory), "the search finds nothing")
        for line in lines_of(self.key):
            self.assertFalse(any(line in part for part in memory), "a line of the key's text")
        number = number_in(der_of(self.key))
        self.assertFalse(any(number in part for part in memory), "the key as DER")

    def make_disk(self) -> pathlib.Path:
        path = self.folder / "site.disk"
        for words in (("format", path, "--vault"), ("set", path, "tls/cert", self.cert),
                      ("set", path, "tls/key", self.key)):
            vault_test.disk(*words)
        return path

    def on_unix(self, program: pathlib.Path, *keys: str) -> None:
        harness.need_root()  # a sealed process shows its memory to nobody else
        with Server(program, "--https-port=0", *keys) as server:
            port = server.wait_for_port("https")
            answer, body, _ = tls_test.https_get(port, "/style.css", self.cert)
            self.assertEqual((answer.status, body), (200, SITE["style.css"]))
            self.check(memory_of_process(server.process.pid))

    def test_of_a_file_on_unix(self):
        self.on_unix(harness.shared_image(), f"--cert={self.cert}", f"--key={self.key}")

    def test_of_a_vault_on_unix(self):
        self.on_unix(vault_test.image("unix", "block"), f"--vault={self.make_disk()}")

    def test_of_a_directory_on_unix(self):
        path = self.folder / "vault"
        (path / "tls").mkdir(parents=True, mode=0o700)
        for name, of in (("cert", self.cert), ("key", self.key)):
            (path / "tls" / name).write_bytes(pathlib.Path(of).read_bytes())
        self.on_unix(vault_test.image("unix", "directory"), f"--vault={path}")

    def test_of_a_vault_on_a_machine(self):
        mib = 64
        extra = ["-drive", f"if=none,format=raw,file={self.make_disk()},id=d",
                 "-device", "virtio-blk-pci,drive=d"]
        with qemu.Guest(vault_test.image("virtio", "block"), memory_mib=mib, extra=extra) as guest:
            guest.wait_for(r"listening on port 443 \(https\)")
            answer, body, _ = tls_test.https_get(guest.https_port, "/style.css", self.cert)
            self.assertEqual((answer.status, body), (200, SITE["style.css"]))
            out = self.folder / "memory"
            guest.monitor("stop")
            guest.monitor({"execute": "pmemsave", "arguments": {
                "val": 0, "size": mib << 20, "filename": str(out)}})
            guest.monitor("cont")
            self.check([out.read_bytes()])


if __name__ == "__main__":
    harness.main()
