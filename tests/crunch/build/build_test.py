#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""crunch build and crunch inspect, from outside: the image, and what is said when there is none.

Method: images of small sites; those that are started are started in an empty root where that is
allowed. What images answer to requests is tested in tests/image.
"""

import json
import os
import pathlib
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "embed"))

import harness
from trees import COMPRESSIBLE, Folder, sha256

CONFIG = harness.ROOT / "site-example" / "config.hpp"


class Build(Folder):
    def setUp(self):
        super().setUp()
        self.write("index.html", COMPRESSIBLE)
        self.write("sub/caf\u00e9 \x1b[1m.txt", b"text")
        self.image = self.at / "image"

    def build(self, *words, image=None, site=None, **options):
        return self.crunch("build", site or self.site, "-t", "unix", "-o", image or self.image,
                           *words, **options)

    def built(self, *words, **options):
        done = self.build(*words, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def nothing_left(self, *expected):
        self.assertEqual(sorted(p.name for p in self.at.iterdir()),
                         sorted(["site", "cache", *expected]))

    def test_the_same_bytes_and_touched_only_when_changed(self):
        self.built()
        self.assertEqual(stat.S_IMODE(self.image.stat().st_mode), 0o755)
        before = self.image.stat()
        self.assertIn("unchanged", self.built().stdout)
        self.assertEqual(self.image.stat().st_mtime_ns, before.st_mtime_ns)
        self.assertEqual(self.image.stat().st_ino, before.st_ino)
        # Elsewhere, by another path, with nothing cached.
        copy = self.at / "another place" / "a copy"
        shutil.copytree(self.site, copy)
        other = self.at / "another place" / "other image"
        self.built("--no-cache", "--threads", "3", site=copy, image=other)
        self.assertEqual(other.read_bytes(), self.image.read_bytes())
        self.assertNotIn(os.fsencode(self.at), self.image.read_bytes())
        self.nothing_left("image", "another place")
        self.write("new.html")
        self.built()
        self.assertNotEqual(self.image.stat().st_ino, before.st_ino)

    def test_needs_nothing_on_its_machine(self):
        self.built()
        headers = subprocess.run(["readelf", "-ld", self.image], capture_output=True, text=True,
                                 check=True).stdout
        self.assertNotIn("INTERP", headers)
        self.assertNotIn("NEEDED", headers)
        if os.getuid() != 0:
            self.skipTest("only root may chroot")
        empty = self.at / "empty"
        empty.mkdir()
        shutil.copy(self.image, empty / "image")
        done = subprocess.run(["chroot", empty, "/image", "--help"], capture_output=True,
                              text=True, timeout=20)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("--http-port", done.stdout)

    def test_keep_symbols(self):
        """IMAGE.debug has the names and lines of the code that IMAGE has without them."""
        self.built("--keep-symbols")
        debug = self.at / "image.debug"
        self.nothing_left("image", "image.debug")
        names = subprocess.run(["nm", debug], capture_output=True, text=True, check=True).stdout
        self.assertRegex(names, r"\bT main\n")
        self.assertIn("no symbols", subprocess.run(["nm", self.image], capture_output=True,
                                                   text=True, check=False).stderr)
        text = ["objcopy", "-O", "binary", "--only-section=.text"]
        for path in (self.image, debug):
            subprocess.run([*text, path, f"{path}.text"], check=True)
        self.assertEqual((self.at / "image.text").read_bytes(),
                         (self.at / "image.debug.text").read_bytes())

    def test_config(self):
        self.built()
        default = self.image.read_bytes()
        mine = self.at / "my config.hpp"
        mine.write_text(CONFIG.read_text())
        self.built("--config", mine, image=self.at / "custom")
        self.assertIn(b'"config": "my config.hpp"', (self.at / "custom").read_bytes())
        self.assertNotEqual((self.at / "custom").read_bytes(), default)
        mine.write_text("#error it is not finished\n")
        done = self.build("--config", mine)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot compile the configuration", done.stderr)
        self.assertIn("my config.hpp", done.stderr)
        self.assertIn("it is not finished", done.stderr)
        self.assertEqual(self.image.read_bytes(), default)
        self.nothing_left("image", "custom", "my config.hpp")

    def test_a_second_embedded_site_is_refused_in_a_sentence(self):
        mine = self.at / "two.hpp"
        mine.write_text(CONFIG.read_text().replace(
            'generic_kv_ro<crunched_site>("site")', 'generic_kv_ro<crunched_docs>("site")').replace(
            'Site crunched_site;', 'Site crunched_site, crunched_docs;'))
        self.refused_build(["--config", mine], ['"crunched_docs"', "one directory", "[[host]]"])

    def test_the_compilers_temporary_files_are_beside_the_image(self):
        script = self.at / "compiler"
        script.write_text('#!/bin/sh\necho "$TMPDIR" >>"$0.said"\nexec g++ "$@"\n')
        script.chmod(0o755)
        self.built(env={"CXX": str(script)})
        said = (self.at / "compiler.said").read_text().splitlines()
        self.assertTrue(said[-1].startswith(f"{self.at}/.crunch-"), said)

    def refused_build(self, words, parts, exit_code=1, **options):
        self.refused(self.build(*words, **options), exit_code, *parts)
        self.assertFalse(self.image.exists())
        self.assertEqual([p for p in self.at.iterdir() if p.name.startswith(".")], [])

    def test_words(self):
        for words, parts in [
                (["-t", "unxi"], ["--target"]),
                (["--confg", "x"], ['unknown option "--confg"', "did you mean --config?"])]:
            with self.subTest(words=words):
                self.refused_build(words, parts, exit_code=2)
        for target, parts in [("unxi", ['unknown target "unxi"', "did you mean unix?"]),
                              ("mainframe", ['unknown target "mainframe"', "unix"]),
                              ("../unix", ["unknown target"]), ("", ["unknown target"])]:
            with self.subTest(target=target):
                done = self.crunch("build", self.site, "-t", target, "-o", self.image)
                self.refused(done, 2, *parts)

    def test_what_a_newcomer_types(self):
        """Without a word there is the list of commands; help is a command; a near miss is named."""
        done = self.crunch()
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"\n  build +Turn a directory")
        self.assertEqual(self.crunch("help", "build").stdout,
                         self.crunch("build", "--help").stdout)
        self.assertIn("did you mean --http-port?", self.crunch("serve", "--port=1", "x").stderr)
        self.assertIn("--set http-port=VALUE",
                      self.crunch("build", "--http-port=1", "x", "-o", "y").stderr)
        # A target is not asked for, and the last line starts the image.
        done = self.crunch("build", self.site, "-o", self.image)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.splitlines()[-1],
                         f"start it: {self.image} --http-port=8080")

    def test_places(self):
        self.refused_build(["--config", "nowhere.hpp"], ['"nowhere.hpp"', "No such file"])
        self.refused_build([], ["nosite", "No such file"], site=self.at / "nosite")
        self.refused_build([], ["is not a directory"], site=self.site / "index.html")
        self.refused(self.build(image=self.site), 1, "is a directory; give the name of a file")
        self.refused(self.build(image=str(self.at) + "/new/"), 1, "is a directory")
        self.refused(self.build(image=self.at / "no" / "image"), 1, '/no"',
                     "make the directory first")
        self.refused(self.build(image="/dev/null"), 1, "not an ordinary file")
        page = self.site / "index.html"
        self.refused(self.build(image=page), 1, 'index.html" exists and is not an image')
        self.assertEqual(page.read_bytes(), COMPRESSIBLE)

    def test_words_after_an_option_are_not_taken_for_it(self):
        self.refused(self.crunch("build", "--cert", "a.pem", "--key", "b.pem", self.site, "-t",
                                 "unix", "-o", self.image), 1, '"a.pem"', "No such file")
        self.refused_build(["--self-signed", ""], ["--self-signed takes a host name"], 2)

    def test_an_rsa_certificate_without_an_ecdsa_one_is_noted(self):
        harness.need("openssl")
        words = []
        for name, kind in [("rsa", ["rsa:2048"]),
                           ("ecdsa", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"])]:
            cert, key = str(self.at / f"{name}.pem"), str(self.at / f"{name}.key")
            subprocess.run(["openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-keyout", key,
                            "-out", cert, "-days", "30", "-subj", "/CN=localhost", "-addext",
                            "subjectAltName=DNS:localhost"], check=True, capture_output=True)
            words += ["--cert", cert, "--key", key]
            said = self.built(*words).stderr
            note = f"note: {self.at}/rsa.pem: signing with an RSA key"
            self.assertEqual(note in said, name == "rsa", said)

    def test_roots(self):
        self.refused_build(["--roots", "nowhere.pem"], ['"nowhere.pem"', "No such file"])
        key = self.at / "empty.pem"
        key.write_text("nothing\n")
        self.refused_build(["--roots", key], [f"{key}: not a certificate"])
        key.write_text("")
        self.refused_build(["--roots", key], [f"{key}: the file is empty"])
        harness.need("openssl")
        root = self.at / "root.pem"
        for until, said in [("21260101000000Z", ""), ("20200101000000Z", "expired on 2020-01-01")]:
            self.authority(root, until)
            done = self.built("--roots", str(root))
            self.assertEqual("warning" in done.stderr, bool(said), done.stderr)
            self.assertIn(said, done.stderr)
        if pathlib.Path("/etc/ssl/certs/ca-certificates.crt").exists():
            for name in ("letsencrypt", "debian"):
                self.built("--roots", name)

    def authority(self, path, until):
        """A root that ends at a time, as openssl ca makes it."""
        (self.at / "index").write_text("")
        (self.at / "ca.cnf").write_text(
            f"[ca]\ndefault_ca = d\n[d]\ndatabase = {self.at}/index\nnew_certs_dir = {self.at}\n"
            "default_md = sha256\npolicy = p\nunique_subject = no\nrand_serial = yes\n"
            "[p]\ncommonName = supplied\n[v]\nbasicConstraints = critical,CA:TRUE\n")
        key = str(self.at / "ca.key")
        for words in (["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                       "-nodes", "-keyout", key, "-out", str(self.at / "ca.csr"), "-subj",
                       "/CN=root"],
                      ["ca", "-batch", "-selfsign", "-config", str(self.at / "ca.cnf"), "-keyfile",
                       key, "-in", str(self.at / "ca.csr"), "-out", str(path), "-startdate",
                       "20190101000000Z", "-enddate", until, "-extensions", "v", "-notext"]):
            subprocess.run(["openssl", *words], check=True, capture_output=True)

    def test_the_wrong_directory_is_noted(self):
        self.assertNotIn("note", self.built().stderr)
        for folder, known in [("public", True), ("drafts", False)]:
            with self.subTest(folder=folder):
                above = self.at / f"above {folder}"
                (above / folder).mkdir(parents=True)
                (above / folder / "index.html").write_bytes(COMPRESSIBLE)
                done = self.built(site=above)
                self.assertIn(f'note: there is no index.html in "{above}"', done.stderr)
                (self.assertIn if known else self.assertNotIn)("did you mean", done.stderr)

    def test_compiler(self):
        self.refused_build([], ["no C++ compiler in PATH", "apt install g++"],
                           env={"PATH": str(self.at)})
        self.refused_build([], ['"no-such-compiler"'], env={"CXX": "no-such-compiler"})
        old = self.at / "bin" / "g++"
        old.parent.mkdir()
        old.write_text('#!/bin/sh\n'
                       'printf "#define __GNUC__ 8\\n#define __VERSION__ \\"8.3\\"\\n"\n')
        old.chmod(0o755)
        self.refused_build([], ["gcc 8", "too old", "g++ 12"], env={"PATH": f"{old.parent}"})
        self.refused_build([], ["gcc 8", "too old"], env={"CXX": str(old)})
        shutil.rmtree(old.parent)
        found = shutil.which("clang++-16") or shutil.which("clang++")
        if found:
            self.built(env={"CXX": f"{found} -O1"})

    def test_disk_full(self):
        self.write("big.bin", harness.noise(2_500_000, "big"))
        self.image.write_text("\x7fELF: the old image")

        # The content fits, the image, which has the program too, does not.
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (2_600_000, 2_600_000))

        done = self.build(preexec_fn=limit)
        self.assertEqual(done.returncode, 1)
        self.assertIn("crunch: cannot", done.stderr)
        self.assertIn("too large", done.stderr)
        self.assertEqual(self.image.read_text(), "\x7fELF: the old image")
        self.nothing_left("image")

    def test_image_inside_the_site(self):
        image = self.site / "image"
        for dotfiles in [], ["--dotfiles"]:
            with self.subTest(dotfiles=dotfiles):
                image.unlink(missing_ok=True)
                done = self.built(*dotfiles, image=image)
                # What it works in, which lies there too, is none of the site's.
                self.assertNotIn("dotfile", done.stdout)
                self.assertEqual(done.stderr, "")
                done = self.built(*dotfiles, image=image)
                self.assertIn("unchanged", done.stdout)
                self.assertIn("left out", done.stderr)

    def test_interrupted(self):
        os.truncate(self.write("big.bin", b""), 3 << 30)
        process = subprocess.Popen([harness.CRUNCH, "build", self.site, "-t", "unix", "-o",
                                    self.image, "--no-cache"], stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not list(self.at.glob(".crunch-*/.crunch-*")):
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 128 + signal.SIGTERM, errors)
        self.assertEqual([p.name for p in self.at.iterdir()], ["site"])


class Inspect(Folder):
    def setUp(self):
        super().setUp()
        self.tree = {"index.html": COMPRESSIBLE, "a/caf\u00e9\x1b[2J.txt": b"text", "empty": b""}
        for key, data in self.tree.items():
            self.write(key, data, modified=1_600_000_000)
        self.image = self.at / "image"
        done = self.crunch("build", self.site, "-t", "unix", "-o", self.image)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_json(self):
        done = self.crunch("inspect", self.image, "--format", "json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        said = json.loads(done.stdout)
        self.assertEqual(said["image"]["target"], "unix")
        self.assertEqual(said["image"]["config"], "default")
        self.assertEqual(said["image"]["size"], self.image.stat().st_size)
        self.assertEqual("crunch " + said["image"]["crunch"] + "\n",
                         self.crunch("--version").stdout)
        site, = said["sites"]
        self.assertRegex(site["site_digest"], "^[0-9a-f]{64}$")
        self.assertEqual({f["path"]: (f["size"], f["sha256"]) for f in site["files"]},
                         {key: (len(data), sha256(data)) for key, data in self.tree.items()})
        index = next(f for f in site["files"] if f["path"] == "index.html")
        self.assertEqual(index["type"], "text/html; charset=utf-8")
        self.assertEqual(index["modified"], "2020-09-13T12:26:40Z")
        self.assertEqual(list(index["encodings"]), ["gzip", "br", "zstd"])
        for form in index["encodings"].values():
            self.assertLess(form["size"], len(COMPRESSIBLE))
            self.assertRegex(form["sha256"], "^[0-9a-f]{64}$")
        self.assertIn("http-port", [key["name"] for key in said["graph"]["keys"]])

    def test_text(self):
        done = self.crunch("inspect", self.image)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for line in ["target  unix", "config  default", "site    site: 3 files, "]:
            self.assertIn(line, done.stdout)
        for key, data in self.tree.items():
            self.assertIn(sha256(data), done.stdout)
        self.assertNotIn("\x1b", done.stdout)  # a name is no command to a terminal
        self.assertIn(r'"a/caf' + "\u00e9" + r'\x1b[2J.txt"', done.stdout)

    def test_a_reader_that_leaves_early(self):
        reader, writer = os.pipe()
        os.close(reader)
        for words in ["inspect", self.image], ["describe", self.image]:
            with self.subTest(words=words):
                done = subprocess.run([harness.CRUNCH, *words], stdout=writer,
                                      stderr=subprocess.PIPE, timeout=60)
                self.assertEqual((done.returncode, done.stderr), (0, b""))
        os.close(writer)

    def test_what_is_no_image(self):
        text = self.at / "text"
        text.write_text("#!/bin/sh\n")
        (self.at / "empty").write_bytes(b"")
        for path, part in [(text, "not an ELF file"), (self.at / "empty", "not an ELF file"),
                           ("/bin/ls", "no manifest"), (self.at, "not a file"),
                           (self.at / "none", "No such file"), ("/dev/null", "not a file")]:
            self.refused(self.crunch("inspect", path), 1, part)
        self.refused(self.crunch("inspect", self.image, "--format", "jsn"), 2,
                     'unknown format "jsn"', "did you mean json?")
        cut = self.at / "cut"
        whole = self.image.read_bytes()
        for size in [3, 63, 64, 4096, len(whole) // 2, len(whole) - 1]:
            cut.write_bytes(whole[:size])
            self.refused(self.crunch("inspect", cut), 1, '/cut"')


if __name__ == "__main__":
    harness.main()
