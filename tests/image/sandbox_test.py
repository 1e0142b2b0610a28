#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A sealed image: which system calls serving makes, and what becomes of others.

Method: strace lists the calls of an image that serves everything it can; tests/image/sandbox has a
job that does what a program that was taken over would do.
"""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

import harness
from harness import SITE, Server
from tls_test import make_certificate

HERE = pathlib.Path(__file__).resolve().parent

# By number, what each deed of tests/image/sandbox/config.hpp calls.
FORBIDDEN = {"execute": 59, "debug": 101, "write": 257, "fork": 57, "code": 9}

# What an image that serves files from inside itself, with threads and a log, may call: no socket is
# made, no file opened, nothing executed. More than these is worth a second look.
SERVING = {"epoll_wait", "epoll_ctl", "accept4", "recvfrom", "sendto", "sendmsg", "sendfile",
           "read", "write", "close", "shutdown", "futex", "getrandom", "mmap", "munmap",
           "mprotect", "brk",
           "madvise", "mremap", "clone", "clone3", "rseq", "set_robust_list", "rt_sigprocmask",
           "rt_sigreturn", "rt_sigaction", "exit", "exit_group", "restart_syscall", "sched_yield",
           "sched_getaffinity", "clock_nanosleep", "gettid", "getpid"}


def status_of(pid: int) -> dict:
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return dict(re.findall(r"^(\w+):[ \t]*(.*)$", text, re.MULTILINE))


def write_site(folder):
    harness.write_tree(folder, SITE)


class Sealed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = harness.shared_image()

    def test_it_says_so_and_each_thread_is_sealed(self):
        with Server(self.image, "--threads=3", "--log-level=debug") as server:
            self.assertEqual(server.get("/").status, 200)
            self.assertTrue(harness.eventually(
                lambda: len(os.listdir(f"/proc/{server.process.pid}/task")) >= 3))
            for task in os.listdir(f"/proc/{server.process.pid}/task"):
                status = status_of(int(task))
                self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), task)
                # Root may read what is to be read again, and nothing else.
                self.assertEqual(int(status["CapEff"], 16) & ~(1 << 2), 0, task)
                self.assertEqual(int(status["CapPrm"], 16) & ~(1 << 2), 0, task)

    def test_switched_off(self):
        with Server(self.image, "--sandbox=false") as server:
            self.assertEqual(status_of(server.process.pid)["Seccomp"],
                             status_of(os.getpid())["Seccomp"])
            self.assertEqual(server.get("/").status, 200)

    def test_the_calls_that_serving_makes(self):
        harness.need("strace")
        with tempfile.TemporaryDirectory() as folder:
            trace = pathlib.Path(folder) / "trace"
            # -D: the image is the process that is started, so it is the one that gets signals.
            command = ["strace", "-D", "-f", "-o", str(trace)]
            with Server(self.image, "--threads=2", "--log=combined", command=command) as server:
                for name, data in SITE.items():
                    with server.client() as client:
                        for _ in range(3):
                            self.assertEqual(client.get("/" + name).body, data)
                self.assertEqual(server.get("/none").status, 404)
                self.assertEqual(server.stop(), 0)
            self.assertTrue(harness.eventually(
                lambda: re.search(r"\+\+\+ exited with 0 \+\+\+\n$", trace.read_text())))
            lines = trace.read_text(errors="replace").splitlines()
            sealed = next((i for i, line in enumerate(lines) if "seccomp(" in line), None)
            self.assertIsNotNone(sealed, "it never sealed itself")
            text = "\n".join(lines[sealed + 1:])
            self.assertNotIn("SIGSYS", text)
            refused = re.findall(r"^.*ENOSYS.*$", text, re.MULTILINE)
            self.assertEqual([line for line in refused if "clone3" not in line], [])
            calls = set(re.findall(r"^\d+ +(\w+)\(", text, re.MULTILINE))
            self.assertLessEqual(calls, SERVING)
            print(f"{len(calls)} system calls while serving: {', '.join(sorted(calls))}")

    def test_no_key_makes_it_call_what_it_may_not(self):
        """Each boot key's code runs behind the filter: connections, a file read again, the end."""
        with tempfile.TemporaryDirectory() as folder:
            cert, key = make_certificate(pathlib.Path(folder), "localhost", "localhost")
            secure = [f"--cert={cert}", f"--key={key}", "--https-port=0", "--redirect=false"]
            table = {
                "address": ["--address=127.0.0.1"], "cert": secure, "key": secure,
                "https-port": secure, "redirect": [*secure[:3], "--redirect=true"],
                "hsts": [*secure, "--hsts=60"], "http-port": [],
                "max-connections": ["--max-connections=2", "--threads=2"],
                "max-connections-per-client": ["--max-connections-per-client=1"],
                "idle-timeout": ["--idle-timeout=1s"], "log": ["--log=json"],
                "threads": ["--threads=3"], "memory": ["--memory=8MiB"], "sandbox": [],
                "user": ["--user=65534:65534"] if os.getuid() == 0 else [],
                "log-level": ["--log-level=debug"], "drain-delay": ["--drain-delay=1s"],
                "management-port": ["--management-port=0"],
                "http2": [*secure, "--http2=false"], "h2c": ["--h2c=true"],
                "trusted-proxy": ["--trusted-proxy=127.0.0.0/8"],
                "proxy-protocol": ["--proxy-protocol=true", "--trusted-proxy=127.0.0.0/8"],
                "log-privacy": ["--log=combined", "--log-privacy=short"],
                "management-address": ["--management-port=0", "--management-address=127.0.0.1"],
            }
            listed = re.findall(r"^ +--([a-z0-9-]+)", harness.must(self.image, "--help"),
                                re.MULTILINE)
            others = {"help", "probe"}  # ask something, and never serve
            self.assertEqual(set(listed) - others - set(table), set(), "a key without a row")
            for name in set(listed) & set(table):
                with self.subTest(key=name):
                    self.use(table[name])

    def use(self, keys):
        """Does with an image what there is to do, and reads what it says of system calls."""
        with Server(self.image, *keys) as server:
            def connect():
                one = server.client()
                if "--proxy-protocol=true" in keys:
                    one.send(b"PROXY UNKNOWN\r\n")
                return one

            def ask():
                with connect() as one:
                    self.assertIn(one.get("/").status, (200, 308))

            with connect() as idle:
                for _ in range(3):
                    ask()
                idle.send(b"GET / HT")
                if "--https-port=0" in keys:
                    port = server.wait_for_port("https")
                    with harness.SecureClient("127.0.0.1", port) as client:
                        self.assertEqual(client.get("/big.bin").body, SITE["big.bin"])
                server.process.send_signal(signal.SIGHUP)
                if "--idle-timeout=1s" in keys:
                    self.assertTrue(idle.is_closed_by_peer())
                ask()
            self.assertEqual(server.stop(), 0)
            self.assertNotIn("system call", server.err())

    def test_every_deed_ends_it_or_fails(self):
        config = HERE / "sandbox" / "config.hpp"
        image = harness.built_once("sandbox", "unix", write_site, "--config", str(config),
                                   sources=[config])
        for deed, number in FORBIDDEN.items():
            with self.subTest(deed=deed):
                server = Server(image, f"--deed={deed}", "--threads=2")
                try:
                    self.assertEqual(server.process.wait(harness.WAIT_S), -signal.SIGSYS)
                    self.assertIn(f"error: system call {number} is forbidden", server.err())
                finally:
                    server.kill()
        self.assertFalse(os.path.exists("/tmp/taken"))
        with Server(image, "--deed=connect") as server:
            said = "warning: system call 41 fails"
            self.assertTrue(harness.eventually(lambda: said in server.err()))
            self.assertEqual(server.get("/").status, 200)
            self.assertEqual(server.stop(), 0)
            self.assertEqual(server.err().count(said), 1)
        with Server(image, "--deed=connect", "--sandbox=false") as server:
            self.assertEqual(server.get("/").status, 200)
            self.assertNotIn("system call", server.err())

    def test_a_directory_is_served(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            site = harness.write_tree(folder / "site", SITE)
            image = harness.build_image(site, folder / "image", "--set", "store=directory")
            for threads in (1, 2):
                with Server(image, f"--directory={site}", f"--threads={threads}") as server:
                    for name, data in SITE.items():
                        self.assertEqual(server.get("/" + name).body, data, name)
                    (site / "new.txt").write_bytes(b"new")
                    self.assertEqual(server.get("/new.txt").body, b"new")
                    self.assertNotIn("system call", server.err())

    def test_another_user(self):
        harness.need_root()
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            image = shutil.copy(self.image, folder)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
            for keys in ([], ["--sandbox=false"], ["--threads=2"]):
                with self.subTest(keys=keys), Server(image, "--user=65534:65533", *keys) as server:
                    self.assertEqual(server.get("/big.bin").body, SITE["big.bin"])
                    for task in os.listdir(f"/proc/{server.process.pid}/task"):
                        status = status_of(int(task))
                        self.assertEqual(status["Uid"].split(), ["65534"] * 4)
                        self.assertEqual(status["Gid"].split(), ["65533"] * 4)
                        self.assertEqual(status["Groups"].split(), [])
                        for name in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
                            self.assertEqual(int(status[name], 16), 0, name)

    def test_another_user_on_a_privileged_port(self):
        """The port is bound before, by each thread's socket."""
        harness.need_root()
        probe = subprocess.run(["unshare", "--net", "true"], check=False, stderr=subprocess.DEVNULL)
        if probe.returncode != 0:
            self.skipTest("this machine forbids network namespaces")
        command = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
        with Server(self.image, "--user=65534:65534", "--threads=3", command=command,
                    http_port=80) as server:
            self.assertEqual(server.port, 80)
            self.assertEqual(status_of(server.process.pid)["Uid"].split(), ["65534"] * 4)

    def test_bad_users(self):
        for value, status, said in (("nobody", 2, "as 65534:65534"), ("1", 2, "as 65534:65534")):
            server = Server(self.image, f"--user={value}", wait=False)
            try:
                self.assertEqual(server.process.wait(harness.WAIT_S), status)
                self.assertIn(said, server.err())
            finally:
                server.kill()

    def test_an_empty_root(self):
        harness.need_root()
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            shutil.copy(self.image, folder)
            command = [harness.need("chroot"), folder]
            with Server("/" + self.image.name, "--user=65534:65534", "--threads=2",
                        command=command) as server:
                self.assertEqual(server.get("/big.bin").body, SITE["big.bin"])
                # The site, the division of memory, the port: and no word of what cannot be had.
                self.assertEqual(server.err().count("\n"), 3, server.err())


if __name__ == "__main__":
    harness.main()
