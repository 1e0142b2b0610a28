#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Images that serve a tar archive (store=tar), on Unix and on a machine with a content device.

Method: one site, crunched and packed: both must answer the conformance table, and each request of a
list alike, header by header. Archives by other tars are served; hostile ones end the start with one
sentence.
"""

import io
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import unittest

import bare
import harness
import qemu
from harness import SITE, Server

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "crunch" / "run"))
import run_test  # noqa: E402

CONFORMANCE = SITE | {
    "_redirects": b"/old/* /sub/:splat 301\n/gone /sub/page 302\n",
    "_headers": b"/*\n  X-Site: yes\n/style.css\n  Cache-Control: max-age=60\n",
    "app.0123abcd.js": b"console.log('a');\n" * 200, "note.txt": b"plain words " * 100,
    "twin.css": SITE["style.css"], "a-b": b"no type", "sub/deep/x.json": b'{"a": 1}' * 50,
}
PATHS = ["/", "/index.html", "/style.css", "/twin.css", "/empty.txt", "/sub/", "/sub", "/sub/page",
         "/sub/page.html", "/big.bin", "/nothing", "/old/page", "/gone", "/app.0123abcd.js",
         "/note.txt", "/a-b", "/sub/deep/x.json", "/sub/deep", "/_headers", "/.crunch/plan",
         "/.crunch/index", "/.crunch/packed", "/.crunch/br/index.html", "/..%2fx"]
FIELDS = [{}, {"Accept-Encoding": "br"}, {"Accept-Encoding": "gzip, zstd;q=0.5"},
          {"Range": "bytes=3-17"}, {"Range": "bytes=-5", "Accept-Encoding": "gzip"},
          {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}]


def write_site(folder: pathlib.Path) -> None:
    harness.write_tree(folder, CONFORMANCE)


def image(target: str, store: str, *options) -> pathlib.Path:
    return harness.built_once(f"store-{store}{'-vault' if options else ''}.{target}", target,
                              write_site, "--set", f"store={store}", *options)


def archive_of(folder: pathlib.Path, files=None) -> pathlib.Path:
    site = harness.write_tree(folder / "site", files or CONFORMANCE)
    harness.must(harness.CRUNCH, "pack", site, "-o", folder / "site.tar")
    return folder / "site.tar"


def answers(ask) -> dict:
    """What there is to compare: `ask` is a client."""
    all_of_them = {}
    for path in PATHS:
        for fields in FIELDS:
            for method in ("GET", "HEAD"):
                answer = ask(path, fields, method)
                head = dict(answer.fields)
                head.pop("date", None)
                all_of_them[path, str(fields), method] = (answer.status, head, answer.body)
        etag = ask(path, {}, "GET").fields.get("etag")
        if etag:
            answer = ask(path, {"If-None-Match": etag}, "GET")
            all_of_them[path, "If-None-Match", "GET"] = (answer.status, answer.fields.get("etag"))
    return all_of_them


def asked(host: str, port: int) -> dict:
    with harness.Client(host, port) as client:
        return answers(lambda path, fields, method: client.get(path, fields, method))


def compare(test: unittest.TestCase, left: dict, right: dict) -> None:
    test.assertEqual(set(left), set(right))
    for question, answer in left.items():
        test.assertEqual(answer, right[question], question)
    test.assertGreater(len(left), 250)


def conformance_archive(folder: pathlib.Path) -> pathlib.Path:
    client = harness.BUILD / "bin" / "conformance_client"
    (folder / "site").mkdir()
    subprocess.run([client, "--write-site", folder / "site"], check=True, timeout=60)
    harness.must(harness.CRUNCH, "pack", folder / "site", "-o", folder / "site.tar")
    return folder / "site.tar"


class Archives(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_conformance_on_unix(self):
        archive = conformance_archive(self.folder)
        with Server(image("unix", "tar"), f"--archive={archive}", "--threads=2") as server:
            for options in ([], ["--cut", "7"]):
                done = harness.call(harness.BUILD / "bin" / "conformance_client", "--port",
                                    server.port, "--encodings", *options, timeout=170)
                self.assertEqual(done.returncode, 0, done.stdout)
            self.assertNotIn("system call", server.err())

    def test_alike_on_unix(self):
        # One tree, as the times of its files count.
        archive = archive_of(self.folder)
        crunched = harness.build_image(self.folder / "site", self.folder / "image")
        with Server(crunched) as one, \
                Server(image("unix", "tar"), f"--archive={archive}") as other:
            compare(self, asked("127.0.0.1", one.port), asked("127.0.0.1", other.port))

    def test_on_a_machine(self):
        archive = conformance_archive(self.folder)
        with self.machine(image("virtio", "tar"), archive) as guest:
            bare.ask_conformance(self, guest.host, guest.port)

    def test_alike_on_a_machine_with_a_vault(self):
        archive = archive_of(self.folder)
        crunched = harness.build_image(self.folder / "site", self.folder / "image")
        vault = self.folder / "vault"
        harness.must(harness.CRUNCH, "disk", "format", vault, "--vault")
        program = image("virtio", "tar", "--set", "vault=block")
        with self.machine(program, vault, archive) as guest, Server(crunched) as one:
            self.assertIn("the archive on block device 2", guest.console())
            compare(self, asked("127.0.0.1", one.port), asked(guest.host, guest.port))

    def test_crunch_run_attaches_both(self):
        archive = archive_of(self.folder, SITE)
        vault = self.folder / "vault"
        harness.must(harness.CRUNCH, "disk", "format", vault, "--vault")
        with run_test.Run(image("virtio", "tar", "--set", "vault=block"), "--disk", str(vault),
                          "--disk", str(archive)) as run:
            port = int(run.wait_for(r"http://localhost:(\d+)/").group(1))
            run.wait_for(r"network: [\d.]+/\d+ ")
            run.wait_for(r"listening on port 80 \(http\)")
            self.assertIn("the archive on block device 2", run.said())
            with harness.Client("127.0.0.1", port) as client:
                self.assertEqual(client.get("/style.css").body, SITE["style.css"])

    def machine(self, program, *disks) -> qemu.Guest:
        extra = []
        for i, disk in enumerate(disks):
            extra += ["-drive", f"if=none,format=raw,file={disk},id=d{i}",
                      "-device", f"virtio-blk-pci,drive=d{i}"]
        return qemu.Guest(program, "--redirect=false", memory_mib=64, extra=extra)

    def test_archives_of_other_tars(self):
        site = harness.write_tree(self.folder / "site", {
            **SITE, ".git/config": b"secret", "sub/.env": b"secret",
            ".well-known/security.txt": b"Contact: nobody"})
        for name in ("gnu", "ustar", "pax"):
            archive = self.folder / f"{name}.tar"
            harness.must("tar", "cf", archive, f"--format={name}", "-C", site, ".")
            with Server(image("unix", "tar"), f"--archive={archive}") as server:
                for path, data in SITE.items():
                    self.assertEqual(server.get("/" + path).body, data)
                self.assertEqual(server.get("/sub/page").status, 200)
                self.assertEqual(server.get("/.well-known/security.txt").status, 200)
                for path in ("/.git/config", "/sub/.env"):
                    self.assertEqual(server.get(path).status, 404)
                self.assertIn("2 below names with a '.' left out, not by crunch pack", server.err())
        (site / "_headers").write_bytes(b"/*\n  X-Site: yes\n")
        harness.must("tar", "cf", archive, "-C", site, ".")
        with Server(image("unix", "tar"), f"--archive={archive}") as server:
            self.assertEqual(server.get("/_headers").status, 404)
            self.assertIn("has _headers, whose rules are not in force", server.err())

    def test_units_that_would_lack_the_archive_are_not_written(self):
        for option in ("--systemd", "--kubernetes"):
            done = harness.crunch("package", image("unix", "tar"), option, self.folder / "units")
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("serves an archive, which --archive names", done.stderr)
            self.assertFalse((self.folder / "units").exists())

    def refuses(self, path, *named, keys=None) -> None:
        server = Server(image("unix", "tar"), *([f"--archive={path}"] if keys is None else keys),
                        wait=False)
        try:
            self.assertEqual(server.process.wait(harness.WAIT_S), 1, server.err())
            for text in named:
                self.assertIn(text, server.err())
            self.assertEqual(server.err().count("error:"), 1, server.err())
        finally:
            server.kill()

    def hostile(self, **fields) -> pathlib.Path:
        path = self.folder / "hostile.tar"
        with tarfile.open(path, "w", format=fields.pop("format", tarfile.PAX_FORMAT)) as archive:
            member = tarfile.TarInfo("index.html")
            for name, value in fields.items():
                setattr(member, name, value)
            archive.addfile(member, io.BytesIO(b"x" * member.size))
        return path

    def test_what_is_wrong_with_an_archive(self):
        self.refuses("", "name it by --archive=FILE", "crunch pack", keys=[])
        self.refuses(self.folder / "none", "No such file")
        self.refuses(self.folder, "neither a file nor a block device")
        path = archive_of(self.folder)
        whole = path.read_bytes()
        path.write_bytes(whole[:len(whole) // 2 // 512 * 512])
        self.refuses(path, "was cut short", "copy it again")
        path.write_bytes(whole[:1000])
        self.refuses(path, "no multiple", "takes a whole tar archive")
        path.write_bytes(b"")
        self.refuses(path, "is empty")
        path.write_bytes(b"<html>" * 1024)
        self.refuses(path, "is no tar archive")
        path.write_bytes(whole)
        harness.must("gzip", path)
        packed = path.with_suffix(".tar.gz")
        packed.write_bytes(packed.read_bytes() + bytes(-packed.stat().st_size % 512))
        self.refuses(packed, "is compressed: decompress it first")
        path.write_bytes(whole)
        extra = harness.write_tree(self.folder / "extra", {"new.txt": b"new"})
        harness.must("tar", "rf", path, "-C", extra, "new.txt")
        self.refuses(path, "was changed after crunch pack")
        at = whole.rindex(b"crunch02")
        path.write_bytes(whole[:at + 40] + b"\x7f" + whole[at + 41:])
        self.refuses(path, "is damaged")

    def test_hostile_archives(self):
        self.refuses(self.hostile(name="../x"), '"../x"', "no path below the top")
        self.refuses(self.hostile(name="/etc/passwd"), "no path below the top")
        self.refuses(self.hostile(type=tarfile.SYMTYPE, linkname="/etc/passwd"), "symbolic link")
        self.refuses(self.hostile(type=tarfile.LNKTYPE, linkname="../../etc/passwd"), "is a link")
        self.refuses(self.hostile(pax_headers={"path": "a/../../b"}), "no path below the top")
        self.refuses(self.hostile(pax_headers={"size": "9" * 30}), "size")
        self.refuses(self.hostile(pax_headers={"comment": "x" * 200_000}), "more than 64 KiB")
        path = self.hostile()
        data = bytearray(path.read_bytes())
        data[124:136] = b"zzzzzzzzzzz\0"
        data[148:156] = b"        "
        data[148:156] = b"%06o\0 " % sum(data[:512])
        path.write_bytes(bytes(data))
        self.refuses(path, "size that is no number")

    def test_what_is_wrong_on_a_machine(self):
        program = image("virtio", "tar")
        for disks, named in (([], "content-device"), ([b"x" * 4096], "is no tar archive"),
                             ([archive_of(self.folder).read_bytes()[:4096]], "was cut short")):
            extra = network = ["-netdev", "user,id=n", "-device", "virtio-net-pci,netdev=n"]
            for data in disks:
                (self.folder / "disk").write_bytes(data)
                extra = [*network, "-drive",
                         f"if=none,format=raw,file={self.folder / 'disk'},id=d0",
                         "-device", "virtio-blk-pci,drive=d0"]
            status, console = qemu.run_to_end(program, extra=extra, memory_mib=32)
            self.assertEqual(status, 1, console)
            self.assertIn(named, console)


if __name__ == "__main__":
    harness.main()
