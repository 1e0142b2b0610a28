#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""`crunch run`: programs in its place, machines under QEMU; how they are reached, and how they end.
"""

import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import unittest

import bare
import harness
import qemu
from harness import SITE

TARGET = "virtio"


class Run:
    """A running `crunch run`; what it says goes to a file."""

    def __init__(self, image, *words):
        self._folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self._folder.name) / "said"
        with open(self.path, "wb") as out:
            self.process = subprocess.Popen([str(harness.CRUNCH), "run", str(image), *words],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            preexec_fn=harness.die_with_parent)

    def said(self) -> str:
        return self.path.read_text(errors="replace")

    def wait_for(self, pattern: str) -> re.Match:
        if not harness.eventually(lambda: re.search(pattern, self.said())
                                  or self.process.poll() is not None):
            raise AssertionError(f"no {pattern!r} in time: {self.said()}")
        found = re.search(pattern, self.said())
        if not found:
            raise AssertionError(f"no {pattern!r}; exit {self.process.poll()}: {self.said()}")
        return found

    def children(self) -> list:
        task = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(word) for word in task.read_text().split()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(harness.WAIT_S)
        self._folder.cleanup()


class Machines(unittest.TestCase):
    def test_serves_until_ctrl_c(self):
        with Run(bare.small_image(TARGET)) as run:
            ports = run.wait_for(r"http://localhost:(\d+)/ and https://localhost:(\d+)/ until")
            run.wait_for(r"network: [\d.]+/\d+ ")
            http, https = map(int, ports.groups())
            with harness.Client("127.0.0.1", http) as client:
                answer = client.get("/style.css", {"Host": f"localhost:{http}"})
                self.assertEqual(answer.status, 308)
                # The redirect leads to the forwarded port.
                self.assertEqual(answer.fields["location"], f"https://localhost:{https}/style.css")
            with harness.SecureClient("127.0.0.1", https) as client:
                self.assertEqual(client.get("/style.css").body, SITE["style.css"])
            run.process.send_signal(signal.SIGINT)
            self.assertEqual(run.process.wait(harness.WAIT_S), 0, run.said())
            self.assertIn("the power button was pressed", run.said())

    def test_boot_keys_and_status(self):
        with Run(bare.plain_image(TARGET), "--", "--http-prot=1") as run:
            self.assertEqual(run.process.wait(qemu.WAIT_S), 2, run.said())
            self.assertIn("did you mean --http-port?", run.said())
        with Run(bare.plain_image(TARGET), "--", "--help") as run:
            self.assertEqual(run.process.wait(qemu.WAIT_S), 0)
            self.assertIn("--max-connections", run.said())

    def test_ports(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            done = harness.crunch("run", bare.plain_image(TARGET), "--http", port)
            self.assertEqual(done.returncode, 1)
            self.assertIn(str(port), done.stderr)
        with Run(bare.plain_image(TARGET), "--http", str(port), "--memory", "40") as run:
            run.wait_for(rf"is served at http://localhost:{port}/ until")
            run.wait_for(r"of 3\d\.\d MiB")
            run.wait_for(r"network: [\d.]+/\d+ ")
            with harness.Client("127.0.0.1", port) as client:
                self.assertEqual(client.get("/").status, 200)

    def test_the_images_own_port(self):
        """The URL leads to the port that the image serves on, whoever said it."""
        with Run(bare.plain_image(TARGET), "--", "--http-port=8123") as run:
            port = int(run.wait_for(r"is served at http://localhost:(\d+)/ until").group(1))
            run.wait_for(r"listening on port 8123 ")
            run.wait_for(r"network: [\d.]+/\d+ ")
            with harness.Client("127.0.0.1", port) as client:
                self.assertEqual(client.get("/").status, 200)

    def test_two_at_once(self):
        """Neither takes the ports of the other, however soon it comes."""
        with Run(bare.plain_image(TARGET)) as one, Run(bare.plain_image(TARGET)) as two:
            ports = set()
            for run in (one, two):
                found = run.wait_for(r"is served at http://localhost:(\d+)/ until")
                run.wait_for(r"network: [\d.]+/\d+ ")
                ports.add(found.group(1))
            self.assertEqual(len(ports), 2)

    def test_qemu_goes_with_crunch(self):
        with Run(bare.plain_image(TARGET)) as run:
            run.wait_for("listening on port 80")
            children = run.children()
            self.assertEqual(len(children), 1)
            run.process.kill()
            run.process.wait(harness.WAIT_S)
            self.assertTrue(harness.eventually(
                lambda: not pathlib.Path(f"/proc/{children[0]}").exists()
                or "\nState:\tZ" in pathlib.Path(f"/proc/{children[0]}/status").read_text()))

    def test_what_cannot_run(self):
        done = harness.crunch("run", "/bin/true")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no manifest", done.stderr)
        nowhere = {**os.environ, "PATH": "/nonexistent"}
        done = harness.crunch("run", bare.plain_image(TARGET), env=nowhere)
        self.assertEqual(done.returncode, 1)
        self.assertIn("apt install qemu-system-x86", done.stderr)
        done = harness.crunch("run", bare.plain_image(TARGET), "--", 'a"b')
        self.assertEqual(done.returncode, 2)
        for words in (["none0"], ["lo", "--net", "none0"]):
            done = harness.crunch("run", bare.plain_image(TARGET), "--net", *words)
            self.assertEqual(done.returncode, 1)
            self.assertIn("there is no network device \"none0\"", done.stderr)

    def test_a_machine_is_no_program(self):
        for target in (TARGET, "hvt", "xen"):
            with self.subTest(target=target):
                done = harness.call(bare.plain_image(target), timeout=20)
                self.assertEqual(done.returncode, 2)
                self.assertIn("start it by crunch run", done.stdout)


class Programs(unittest.TestCase):
    def test_run_in_place(self):
        with Run(harness.shared_image(), "--", "--http-port=0") as run:
            port = int(run.wait_for(r"listening on port (\d+)").group(1))
            with harness.Client("127.0.0.1", port) as client:
                self.assertEqual(client.get("/style.css").body, SITE["style.css"])
            run.process.terminate()
            self.assertEqual(run.process.wait(harness.WAIT_S), 0)
        done = harness.crunch("run", harness.shared_image(), "--memory", "32")
        self.assertEqual(done.returncode, 2)
        self.assertIn("for machines", done.stderr)


@unittest.skipUnless((harness.BUILD / "lib/crunch/xen.target").exists(), "no Xen headers here")
class XenGuests(unittest.TestCase):
    """With an xl that shows what it is given."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.at = pathlib.Path(folder.name)
        cls.image = cls.at / "my site.xen"
        (cls.at / "content").mkdir()
        (cls.at / "content" / "index.html").write_text("site")
        cls.build()

    @classmethod
    def build(cls):
        subprocess.run([harness.CRUNCH, "build", cls.at / "content", "-t", "xen", "-o", cls.image,
                        "--no-cache"], stdout=subprocess.DEVNULL, check=True,
                       timeout=harness.WAIT_S)

    def run_with(self, path: str, *words) -> tuple:
        done = subprocess.run([harness.CRUNCH, "run", self.image, *words], text=True, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=harness.WAIT_S,
                              env={**os.environ, "PATH": path})
        return done.returncode, done.stdout

    def fake_xl(self) -> str:
        fake = self.at / "bin" / "xl"
        fake.parent.mkdir(exist_ok=True)
        fake.write_text('#!/bin/sh\necho "xl $1 of $#"\ncat "$2"\nexit 7\n')
        fake.chmod(0o755)
        return f"{fake.parent}:{os.environ['PATH']}"

    def test_a_configuration_is_written_once(self):
        companion = self.at / "my site.xl"
        text = companion.read_text()
        self.assertIn(f'kernel = "{self.image}"', text)
        self.assertIn('name   = "my-site"', text)
        self.assertNotRegex(text, "@[A-Z]+@")
        self.assertIn('#   disk = [ "format=raw,vdev=xvda,', text)
        companion.write_text("mine")
        self.build()
        self.assertEqual(companion.read_text(), "mine")

    def test_xl_is_handed_what_the_command_says(self):
        status, said = self.run_with(self.fake_xl(), "--net", "br7", "--memory", "48", "--",
                                     "--log=json", "--hostname=a b")
        self.assertEqual(status, 7, said)
        for line in ("xl create of 2", "cmdline = '--log=json \"--hostname=a b\"'", "memory = 48",
                     'vif = [ "bridge=br7" ]', f'kernel = "{self.image}"', 'type   = "pvh"'):
            self.assertIn(line + "\n", said)

    def test_a_device_for_each_net(self):
        status, said = self.run_with(self.fake_xl(), "--net", "br7", "--net", "br8")
        self.assertEqual(status, 7, said)
        self.assertIn('\nvif = [ "bridge=br7", "bridge=br8" ]\n', said)
        status, said = self.run_with(self.fake_xl())
        self.assertIn('\nvif = [ "bridge=xenbr0" ]\n', said)

    def test_without_xl_a_sentence(self):
        status, said = self.run_with("/nowhere")
        self.assertEqual(status, 1)
        self.assertIn("there is no xl in PATH", said)

    def test_disks_are_those_of_its_configuration(self):
        status, said = self.run_with(self.fake_xl(), "--disk", "site.disk")
        self.assertEqual(status, 2, said)
        self.assertIn("the .xl file beside the image has a line `disk` for them", said)
        self.assertNotIn("xl create of", said)

    def test_what_a_guest_cannot_have_is_refused(self):
        path = self.fake_xl()
        for words in (["--kvm"], ["--http", "8080"], ["--net", 'a"b'], ["--", "--log=it's"]):
            status, said = self.run_with(path, *words)
            self.assertEqual(status, 2, said)


if __name__ == "__main__":
    harness.main()
