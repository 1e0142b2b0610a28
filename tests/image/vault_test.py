#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Images with a vault: HTTPS with a certificate that is in no image, on Unix and on a machine.

Method: certificates by openssl, disks by crunch disk, images started by crunch run or by
themselves; each fault of a vault ends the start with one sentence that names the place.
"""

import contextlib
import pathlib
import signal
import ssl
import sys
import tempfile
import unittest

import harness
import tls_test
from harness import SITE, Server

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "crunch" / "run"))
import run_test  # noqa: E402


def write_site(folder: pathlib.Path) -> None:
    harness.write_tree(folder, SITE)


def image(target: str, vault: str) -> pathlib.Path:
    return harness.built_once(f"vault-{vault}.{target}", target, write_site,
                              "--set", f"vault={vault}")


def disk(*words) -> str:
    return harness.must(harness.CRUNCH, "disk", *words)


class Vaults(unittest.TestCase):
    def setUp(self):
        if not harness.has_tls():
            self.skipTest("this crunch was built without TLS")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.cert, self.key = tls_test.make_certificate(self.folder, "one", "localhost")

    def make_disk(self, *, filled: bool = True) -> pathlib.Path:
        path = self.folder / "site.disk"
        disk("format", path, "--vault", "--size", "64KiB")
        if filled:
            disk("set", path, "tls/cert", self.cert)
            disk("set", path, "tls/key", self.key)
        return path

    def make_directory(self) -> pathlib.Path:
        path = self.folder / "vault"
        (path / "tls").mkdir(parents=True, mode=0o700)
        (path / "tls" / "cert").write_bytes(pathlib.Path(self.cert).read_bytes())
        (path / "tls" / "key").write_bytes(pathlib.Path(self.key).read_bytes())
        return path

    def serves(self, port: int, trusted: str) -> None:
        answer, body, names = tls_test.https_get(port, "/style.css", trusted)
        self.assertEqual((answer.status, body), (200, SITE["style.css"]))
        self.assertEqual(names, ["localhost"])

    def refuses(self, program: pathlib.Path, path, *named) -> None:
        server = Server(program, f"--vault={path}", wait=False)
        with server_killed(server):
            self.assertEqual(server.process.wait(harness.WAIT_S), 1, server.err())
            said = server.err()
            for text in (str(path), *named):
                self.assertIn(text, said)
            self.assertEqual(said.count("error:"), 1, said)

    def test_a_file_on_unix(self):
        program, path = image("unix", "block"), self.make_disk()
        with Server(program, f"--vault={path}", "--https-port=0", "--threads=2") as server:
            self.serves(server.wait_for_port("https"), self.cert)
            # It has the disk alone.
            done = harness.crunch("disk", "show", path)
            self.assertEqual(done.returncode, 1)
            self.assertIn("in use by another process", done.stderr)
        self.assertIn("tls/key", disk("show", path))
        with Server(program) as server:  # none is named: as without a vault
            self.assertEqual(server.get("/").status, 200)
        with Server(program, f"--vault={self.empty_disk()}") as server:
            self.assertEqual(server.get("/").status, 200)

    def empty_disk(self) -> pathlib.Path:
        path = self.folder / "empty.disk"
        disk("format", path, "--vault")
        return path

    def test_a_sealed_process_serves(self):
        with Server(image("unix", "block"), f"--vault={self.make_disk()}", "--https-port=0",
                    "--log-level=debug") as server:
            self.serves(server.wait_for_port("https"), self.cert)
            self.assertNotIn("system call", server.err())

    def test_what_is_wrong_with_a_file(self):
        program = image("unix", "block")
        self.refuses(program, self.folder / "none", "No such file")
        self.refuses(program, self.folder, "Is a directory")
        path = self.folder / "other"
        path.write_bytes(bytes(65536))
        self.refuses(program, path, "no vault yet", "crunch disk format")
        path.write_bytes(b"x" * 65536)
        self.refuses(program, path, "no vault; nothing was changed")
        self.assertEqual(path.read_bytes(), b"x" * 65536)
        path = self.make_disk()
        disk("remove", path, "tls/key")
        self.refuses(program, path, "only one of tls/cert and tls/key")
        disk("set", path, "tls/key", self.cert)
        self.refuses(program, path, "tls/key in the vault")
        disk("set", path, "tls/key", self.key)
        whole = path.read_bytes()
        at = whole.index(pathlib.Path(self.key).read_bytes()[:64])
        path.write_bytes(whole[:at] + b"X" + whole[at + 1:])
        self.refuses(program, path, "tls/key", "damaged")
        path.write_bytes(whole[:100] + b"X" + whole[101:])
        with Server(program, f"--vault={path}", "--https-port=0") as server:
            self.serves(server.wait_for_port("https"), self.cert)
            self.assertIn("one whole copy of its index", server.err())

    def test_a_directory_on_unix(self):
        program, path = image("unix", "directory"), self.make_directory()
        with Server(program, f"--vault={path}", "--https-port=0", "--threads=2") as server:
            port = server.wait_for_port("https")
            self.serves(port, self.cert)
            # Another certificate, put in place as an operator would, is read on SIGHUP.
            cert, key = tls_test.make_certificate(self.folder, "two", "localhost")
            (path / "tls" / "cert").write_bytes(pathlib.Path(cert).read_bytes())
            (path / "tls" / "key").write_bytes(pathlib.Path(key).read_bytes())
            server.process.send_signal(signal.SIGHUP)
            self.assertTrue(harness.eventually(lambda: "read again" in server.err()), server.err())
            for _ in range(8):  # whichever thread answers
                self.assertTrue(harness.eventually(lambda: trusts(port, cert)))
            (path / "tls" / "key").unlink()
            server.process.send_signal(signal.SIGHUP)
            self.assertTrue(harness.eventually(lambda: "only one of" in server.err()))
            self.serves(port, cert)
            self.refuses(program, path, "in use by another process")
        self.refuses(program, self.folder / "none", "No such file")

    def test_a_disk_of_a_machine(self):
        program, path = image("virtio", "block"), self.make_disk()
        with run_test.Run(program, "--disk", str(path)) as run:
            ports = run.wait_for(r"http://localhost:(\d+)/ and https://localhost:(\d+)/ until")
            run.wait_for(r"network: [\d.]+/\d+ ")
            self.serves(int(ports.group(2)), self.cert)
            done = harness.crunch("disk", "set", path, "a", self.cert)
            self.assertEqual(done.returncode, 1)
            self.assertIn("in use by another process", done.stderr)
            run.process.send_signal(signal.SIGINT)
            self.assertEqual(run.process.wait(harness.WAIT_S), 0, run.said())
        self.assertIn("2 values are whole", disk("check", path))
        for words, named in ((["--disk", str(self.empty_disk()), "--disk", str(path), "--",
                               "--vault-device=2"], r"listening on port \d+ \(https\)"),
                             (["--", "--vault-device=0"], r"listening on port 80 \(http\)")):
            with run_test.Run(program, *words) as run:
                run.wait_for(named)

    def test_what_is_wrong_with_a_machines_disk(self):
        program = image("virtio", "block")
        zeros = self.folder / "zeros"
        zeros.write_bytes(bytes(65536))
        for words, named in (([], r"vault-device"),
                             (["--disk", str(zeros)],
                              r"the vault on block device 1 is empty and no vault yet")):
            with run_test.Run(program, *words) as run:
                self.assertEqual(run.process.wait(harness.WAIT_S), 1, run.said())
                self.assertRegex(run.said(), named)
        self.assertEqual(zeros.read_bytes(), bytes(65536))
        path = self.make_disk()
        for words, named, code in ((["--disk", str(self.folder / "none")], "No such file", 1),
                                   (["--disk", str(path), "--disk", str(path)], "twice", 2)):
            done = harness.crunch("run", program, *words)
            self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
            self.assertIn(named, done.stderr)


def trusts(port: int, cert: str) -> bool:
    try:
        tls_test.https_get(port, "/", cert)
        return True
    except ssl.SSLError:
        return False


@contextlib.contextmanager
def server_killed(server: Server):
    try:
        yield
    finally:
        server.kill()


if __name__ == "__main__":
    harness.main()
