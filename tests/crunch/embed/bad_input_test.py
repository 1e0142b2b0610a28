#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""crunch embed on bad input: a sentence, nothing lost, nothing half-written.

Method: an output of a good run stands in the output's folder; after each failure it must still be
there, byte for byte, and nothing beside it.
"""

import fcntl
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness
from trees import COMPRESSIBLE, Folder, snapshot

NOBODY = 65534


class BadInput(Folder):
    def setUp(self):
        super().setUp()
        self.write("index.html", COMPRESSIBLE)
        self.embed()
        self.before = snapshot(self.out)

    def embed_refused(self, *words, exit_code=1, options=(), **more):
        done = self.crunch("embed", self.site, "-o", self.out, *options, **more)
        self.refused(done, exit_code, *words)
        self.assertEqual(snapshot(self.out), self.before)
        self.assertEqual(sorted(p.name for p in self.out.iterdir()), sorted(self.before))

    def as_nobody(self):
        """Root may read everything: another user is needed to be refused anything."""
        if os.getuid() != 0:
            return {}
        for path in [self.at, *self.at.rglob("*")]:
            if not path.is_symlink():
                os.chown(path, NOBODY, NOBODY)
        # The tool may lie where only root gets to.
        tool = self.at / "crunch"
        shutil.copy(harness.CRUNCH, tool)
        tool.chmod(0o755)
        return {"user": NOBODY, "group": NOBODY, "extra_groups": []}

    def run_as(self, user, *words):
        tool = self.at / "crunch" if user else harness.CRUNCH
        return subprocess.run([tool, *words], capture_output=True, text=True, timeout=60,
                              cwd=self.at, env={"PATH": os.environ["PATH"]}, **user)

    def test_missing_directory(self):
        done = self.crunch("embed", "nowhere", "-o", "new")
        self.refused(done, 1, '"nowhere"', "No such file")
        self.assertFalse((self.at / "new").exists())

    def test_directory_that_is_a_file(self):
        self.refused(self.crunch("embed", "site/index.html", "-o", "new"), 1,
                     '"site/index.html" is not a directory')
        self.assertFalse((self.at / "new").exists())

    def test_unreadable_file_and_directory(self):
        secret = self.write("a/secret.html")
        user = self.as_nobody()
        secret.chmod(0)
        done = self.run_as(user, "embed", "site", "-o", "out")
        self.refused(done, 1, "site/a/secret.html", "Permission denied")
        secret.chmod(0o644)
        secret.parent.chmod(0)
        done = self.run_as(user, "embed", "site", "-o", "out")
        self.refused(done, 1, '"site/a"', "Permission denied")
        secret.parent.chmod(0o755)
        self.assertEqual(snapshot(self.out), self.before)

    def test_output_that_cannot_be_written(self):
        user = self.as_nobody()
        self.out.chmod(0o555)
        self.refused(self.run_as(user, "embed", "site", "-o", "out"), 1, '"out"',
                     "Permission denied")
        self.out.chmod(0o755)
        self.assertEqual(snapshot(self.out), self.before)

    def test_output_is_a_file(self):
        (self.at / "file").write_text("mine")
        self.refused(self.crunch("embed", self.site, "-o", "file"), 1, '"file" is not a directory',
                     "give the name of one")
        self.assertEqual((self.at / "file").read_text(), "mine")

    def test_output_is_in_the_way(self):
        # Where a file should go is a directory.
        (self.out / "site.cpp").unlink()
        (self.out / "site.cpp").mkdir()
        done = self.crunch("embed", self.site, "-o", self.out)
        self.refused(done, 1, "site.cpp", "directory")

    def test_names_that_are_not_utf8(self):
        self.write(b"sub/caf\xe9.html")
        self.embed_refused(r'sub/caf\xe9.html"', "not UTF-8", "--exclude")
        self.embed("--exclude", "sub/")

    def test_pipes_and_sockets(self):
        os.mkfifo(self.site / "pipe")
        self.embed_refused('site/pipe"', "neither a file nor a directory")
        (self.site / "pipe").unlink()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.site / "socket"))
            self.embed_refused('site/socket"', "neither a file nor a directory")

    def test_links(self):
        (self.at / "outside").write_text("secret")
        (self.at / "site-b").mkdir()
        for target, why in [("../outside", "leaves the tree"), ("/etc/passwd", "leaves the tree"),
                            ("../site-b", "leaves the tree"), ("nothing", "leads to nothing"),
                            ("link", "loop"), (".", "loop"), ("..", "leaves the tree"),
                            ("../site", "loop"), ("folder/self", "loop")]:
            with self.subTest(target=target):
                (self.site / "folder").mkdir(exist_ok=True)
                if target == "folder/self":
                    os.symlink("../folder", self.site / "folder" / "self")
                os.symlink(target, self.site / "link")
                self.embed_refused("link", "self" if "self" in target else target, why)
                self.embed("--exclude", "link", "--exclude", "self", out=self.at / "other")
                os.unlink(self.site / "link")
                shutil.rmtree(self.site / "folder")

    def test_links_that_are_refused_are_named_at_once_and_may_be_followed(self):
        (self.at / "outside").mkdir()
        (self.at / "outside" / "page.html").write_text("<p>outside")
        (self.at / "one.html").write_text("<p>one")
        os.symlink("../outside", self.site / "a")
        os.symlink(self.at / "one.html", self.site / "b.html")
        os.symlink("nothing", self.site / "c")
        self.embed_refused('/a" to "../outside" leaves the tree', '/b.html" to "',
                           '/c" to "nothing" leads to nothing', "--exclude", "--follow-links")
        os.unlink(self.site / "c")
        os.symlink("..", self.site / "up")
        self.embed_refused("loop", options=["--follow-links"])
        os.unlink(self.site / "up")
        self.embed("--follow-links")
        self.assertLessEqual({"a/page.html", "b.html"}, set(self.files()))

    def test_links_that_lead_into_each_other(self):
        for a, b in [("a", "b"), ("b", "a")]:
            (self.site / a).mkdir()
            os.symlink("../" + b, self.site / a / "to")
        self.embed_refused("/to/to", "loop")

    def test_source_files_that_change_or_vanish(self):
        """While crunch is stopped by a pipe... it cannot be: so the tree changes all the time."""
        for i in range(300):
            self.write(f"{i}.html", COMPRESSIBLE + b"%d" % i)
        victim = self.site / "299.html"
        stop = threading.Event()

        def change():
            count = 0
            while not stop.is_set():
                count += 1
                victim.write_bytes(b"%d" % count * (count % 7 + 1))
                if count % 3 == 0:
                    victim.unlink()
                    victim.write_bytes(b"")

        thread = threading.Thread(target=change)
        thread.start()
        try:
            seen = ""
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline and not ("changed" in seen or "vanished" in seen):
                done = self.crunch("embed", self.site, "-o", self.at / "moving", "--no-cache")
                if done.returncode != 0:
                    self.assertIn("299.html", done.stderr)
                    seen += done.stderr
        finally:
            stop.set()
            thread.join()
        self.assertRegex(seen, "changed while it was being read|vanished while it was")

    def test_disk_full(self):
        """A limit on the size of files, and a file system with no room left, are the same to it."""
        self.write("big.bin", harness.noise(3_000_000, "big"))

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

        self.embed_refused("site.content", "too large", preexec_fn=limit)

    def test_file_system_full(self):
        if os.getuid() != 0:
            self.skipTest("only root may mount a small file system")
        small = self.at / "small"
        small.mkdir()
        mounted = subprocess.run(["unshare", "--mount", "true"], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("mount namespaces are not allowed here")
        self.write("big.bin", harness.noise(3_000_000, "big"))
        script = ('mount -t tmpfs -o size=1m none "$1" && cp -r "$2"/. "$1" && '
                  '"$3" embed "$4" -o "$1"; echo "exit $?"; ls -A "$1"; '
                  'cmp "$2"/site.content "$1"/site.content && echo same')
        done = subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", small, self.out,
                               harness.CRUNCH, self.site], capture_output=True, text=True,
                              timeout=60)
        if "exit 32" in done.stdout:
            self.skipTest("mounting is not allowed here")
        self.assertIn("No space left on device; free some space", done.stderr)
        self.assertEqual(done.stdout.split(), ["exit", "1", *sorted(self.before), "same"])

    def test_interrupted(self):
        self.write("big.bin", b"")
        os.truncate(self.site / "big.bin", 3 << 30)  # takes a while to read
        for number in [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]:
            process = subprocess.Popen([harness.CRUNCH, "embed", self.site, "-o", self.out,
                                        "--no-cache"], stderr=subprocess.PIPE, text=True)
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline and not any(
                    p.name.startswith(".crunch-") for p in self.out.iterdir()):
                time.sleep(0.01)
            process.send_signal(number)
            _, errors = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 128 + number, errors)
            self.assertIn("interrupted", errors)
            self.assertEqual(snapshot(self.out), self.before)

    def test_what_a_dead_one_left_goes_and_what_a_live_one_has_stays(self):
        """Whatever the numbers of their processes: in a container each may be 1."""
        self.embed()
        dead, live = self.out / ".crunch-1-0123456789abcdef", self.out / ".crunch-1-fedcba98"
        dead.mkdir()
        (dead / "x").write_text("x")
        live.write_text("x")
        with open(live) as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            self.embed()
            self.assertFalse(dead.exists())
            self.assertTrue(live.exists())
        self.embed()
        self.assertFalse(live.exists())

    def test_killed(self):
        """Nobody can clean up after SIGKILL but the next run."""
        self.write("big.bin", b"")
        os.truncate(self.site / "big.bin", 3 << 30)
        process = subprocess.Popen([harness.CRUNCH, "embed", self.site, "-o", self.out,
                                    "--no-cache"], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not any(
                p.name.startswith(".crunch-") for p in self.out.iterdir()):
            time.sleep(0.01)
        process.kill()
        process.wait(timeout=60)
        left = [path for path in self.out.iterdir() if path.name.startswith(".crunch-")]
        self.assertNotEqual(left, [])
        self.assertEqual({k: v for k, v in snapshot(self.out).items() if k in self.before},
                         self.before)
        (self.site / "big.bin").unlink()
        self.embed()
        self.assertEqual(snapshot(self.out), self.before)

    def test_words(self):
        embed = ["embed", self.site, "-o", self.out]
        for words, exit_code, parts in [
                (["embde"], 2, ['unknown command "embde"', "did you mean embed?"]),
                ([*embed, "--dotfile"], 2,
                 ['unknown option "--dotfile"', "did you mean --dotfiles?"]),
                ([*embed, "--excluded=x"], 2, ['"--excluded"', "did you mean --exclude?"]),
                ([*embed, "--xyzzy"], 2, ['unknown option "--xyzzy"', "crunch embed --help"]),
                ([*embed, "again"], 2, ['unexpected argument "again"']),
                ([*embed, "--effort", "bset"], 2, ['"bset"', "did you mean best?"]),
                ([*embed, "--encodings", "br,gzpi"], 2, ['"gzpi"', "did you mean gzip?"]),
                ([*embed, "--encodings", ""], 2, ["unknown encoding"]),
                ([*embed, "--threads", "0"], 2, ["--threads"]),
                ([*embed, "--threads", "many"], 2, ["--threads"]),
                ([*embed, "--name", "my-site"], 2, ['"my-site"', "C++ name"]),
                (["embed", self.site], 2, ["--output is required"]),
                (["embed", "-o", self.out], 2, ["DIR is required"]),
        ]:
            with self.subTest(words=words):
                self.refused(self.crunch(*words), exit_code, *parts)


if __name__ == "__main__":
    harness.main()
