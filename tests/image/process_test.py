#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The image as a Unix process: where it runs, how it starts, refuses to start, and ends.

Method: the image of harness.SITE, started anew by each test, seen from outside only.
"""

import contextlib
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

import harness
from harness import SITE, Client, Server


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


class Starting(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = harness.shared_image()

    def refuses(self, *keys, **options) -> str:
        """Starts the image, which must end by itself; gives (status, what it wrote)."""
        server = Server(self.image, *keys, wait=False, **options)
        try:
            status = server.process.wait(harness.WAIT_S)
            return status, server.out() + server.err()
        finally:
            server.kill()

    def test_needs_nothing_else_in_a_chroot(self):
        harness.need_root()
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(self.image, folder)
            command = [harness.need("chroot"), folder]
            with Server("/" + self.image.name, command=command) as server:
                # Nothing but the image is there, and nothing is made.
                self.assertEqual(os.listdir(folder), [self.image.name])
                for name in ("index.html", "big.bin"):
                    self.assertEqual(server.get("/" + name).body, SITE[name])

    def test_is_static(self):
        file = subprocess.run([harness.need("file"), "-L", str(self.image)], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        self.assertIn("statically linked", file)

    def test_says_where_it_listens(self):
        with Server(self.image) as server:
            self.assertIn(f"listening on port {server.port} (http)", server.err())
            self.assertEqual(server.out(), "")  # which is for the access log

    def test_port_taken(self):
        with Server(self.image) as server:
            status, text = self.refuses(http_port=server.port)
            self.assertEqual(status, 1, text)
            self.assertIn(str(server.port), text)
            self.assertRegex(text.lower(), "in use|taken|already")
            self.assertEqual(server.get("/").status, 200)  # the first one does not care

    def test_privileged_port(self):
        harness.need_root()
        first = int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
        if first <= 1:
            self.skipTest("every user may listen on every port here")
        setpriv = [harness.need("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups",
                   "--bounding-set=-all", "--inh-caps=-all"]
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            image = shutil.copy(self.image, folder)
            server = Server(image, command=setpriv, http_port=first - 1, wait=False)
            try:
                self.assertEqual(server.process.wait(harness.WAIT_S), 1, server.err())
                text = server.out() + server.err()
                self.assertIn(str(first - 1), text)
                self.assertRegex(text.lower(), "permission|privilege|not allowed|may not")
            finally:
                server.kill()

    def test_help(self):
        server = Server(self.image, "--help", http_port=None, wait=False)
        try:
            self.assertEqual(server.process.wait(harness.WAIT_S), 0)
            # A page of a manual: headings on the left, keys and then words below them.
            page = re.split(r"(?m)^(\S.*)\n", server.out())
            sections = dict(zip(page[1::2], page[2::2]))
            self.assertEqual(list(sections)[:2], ["NAME", "SYNOPSIS"])
            for section, key in (("HTTP", "--http-port=PORT"), ("HTTP", "--max-connections=N"),
                                 ("HTTP", "--log=off|combined|json"), ("PROCESS", "--threads=N"),
                                 ("LOG", "--log-level=error|warning|info|debug"),
                                 ("HELP", "--help")):
                self.assertRegex(sections[section],
                                 rf"(?m)^       {re.escape(key)}\n              \S")
            self.assertEqual(server.err(), "")
        finally:
            server.kill()

    def test_bad_boot_keys(self):
        table = [
            (["--htp-port=80"], "--http-port"),  # the nearest is suggested
            (["--thread=2"], "--threads"),
            (["--completely-else"], "unknown"),
            (["surplus"], "surplus"),
            (["--http-port=65536"], "65536"),
            (["--http-port=-1"], "-1"),
            (["--http-port=80x"], "80x"),
            (["--http-port="], "http-port"),
            (["--http-port"], "http-port"),
            (["--threads=0"], "threads"),
            (["--log=apache"], "combined"),  # what it could be
            (["--max-connections=many"], "many"),
        ]
        for keys, expected in table:
            with self.subTest(keys=keys):
                status, text = self.refuses(*keys, http_port=None)
                self.assertEqual(status, 2, text)
                self.assertIn(expected, text)

    def test_threads(self):
        with Server(self.image, "--threads=2") as server:
            threads = os.listdir(f"/proc/{server.process.pid}/task")
            self.assertGreaterEqual(len(threads), 2)
            for _ in range(50):  # the kernel spreads them over both
                self.assertEqual(server.get("/style.css").body, SITE["style.css"])

    def test_both_ip_versions(self):
        with Server(self.image) as server:
            with server.client("127.0.0.1") as client:
                self.assertEqual(client.get("/").body, SITE["index.html"])
            if not has_ipv6():
                self.skipTest("this machine has no IPv6")
            with server.client("::1") as client:
                self.assertEqual(client.get("/").body, SITE["index.html"])

    def test_without_ipv6(self):
        """A kernel without IPv6 is no reason not to start."""
        harness.need_root()
        probe = subprocess.run(["unshare", "--net", "true"], check=False, stderr=subprocess.DEVNULL)
        if probe.returncode != 0:
            self.skipTest("this machine forbids network namespaces")
        script = ("ip link set lo up && echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6 && "
                  'exec "$@"')
        harness.need("ip")
        command = ["unshare", "--net", "sh", "-c", script, "sh"]
        with Server(self.image, command=command) as server:
            self.assertNotEqual(server.port, 0)


class Ending(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = harness.shared_image()

    def test_signals_end_it_with_status_0(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=how), Server(self.image) as server:
                self.assertEqual(server.get("/").status, 200)
                self.assertEqual(server.stop(how), 0, server.err())

    def test_idle_connections_do_not_hold_it(self):
        with Server(self.image) as server, server.client() as used, server.client() as fresh:
            self.assertEqual(used.get("/").status, 200)
            self.assertEqual(server.stop(within_s=10), 0)
            self.assertTrue(used.is_closed_by_peer(5))
            # The kernel may not have shown it to the image yet, which waits for first bytes.
            with contextlib.suppress(OSError):
                fresh.send(fresh.request("/"))
            self.assertTrue(fresh.is_closed_by_peer(5))

    def test_a_running_answer_finishes(self):
        for threads in (1, 2):
            key = f"--threads={threads}"
            with self.subTest(key), Server(self.image, key) as server:
                with Client("127.0.0.1", server.port, receive_buffer=4096) as slow:
                    slow.send(slow.request("/big.bin"))
                    begin = slow.receive_exactly(65536)
                    self.assertIn(b"200", begin.split(b"\r\n")[0])
                    server.process.send_signal(signal.SIGTERM)
                    self.assertTrue(harness.eventually(lambda s=server: self.refused(s.port)),
                                    "still takes connections after SIGTERM")
                    self.assertIsNone(server.process.poll(), "left in the middle of an answer")
                    body = begin.split(b"\r\n\r\n", 1)[1]
                    body += slow.receive_exactly(harness.BIG_BYTES - len(body))
                    self.assertEqual(body, SITE["big.bin"])
                    self.assertEqual(server.stop(), 0, server.err())

    def test_a_client_that_never_reads_does_not_hold_it_for_ever(self):
        with Server(self.image) as server:
            with Client("127.0.0.1", server.port, receive_buffer=4096) as stuck:
                stuck.send(stuck.request("/big.bin"))
                stuck.receive_exactly(1)
                self.assertEqual(server.stop(within_s=60), 0, server.err())

    @staticmethod
    def refused(port: int) -> bool:
        try:
            Client("127.0.0.1", port).close()
            return False
        except OSError:
            return True


class Limits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = harness.shared_image()

    def test_few_descriptors(self):
        """More connections than descriptors: it survives, and serves when some are free again."""
        prlimit = [harness.need("prlimit"), "--nofile=20:20"]
        with Server(self.image, command=prlimit) as server:
            crowd = [server.client() for _ in range(100)]
            self.assertIsNone(server.process.poll(), server.err())
            for client in crowd:
                client.close()
            self.assertEqual(server.get("/").body, SITE["index.html"])
            self.assertTrue(harness.eventually(lambda: server.descriptors() < 20))

    def test_max_connections(self):
        """At the maximum, the one that has been idle for longest makes room; when none is idle, the
        newcomer is told so. Answers under way are never touched."""
        with Server(self.image, "--max-connections=4") as server:
            idle = [server.client() for _ in range(4)]
            for client in idle:
                self.assertEqual(client.get("/").status, 200)
            busy = [Client("127.0.0.1", server.port, receive_buffer=4096) for _ in range(4)]
            for client in busy:
                client.send(client.request("/big.bin"))
                client.receive_exactly(1)
            for client in idle:
                self.assertTrue(client.is_closed_by_peer())
            self.assertEqual(server.get("/").status, 503)
            for client in busy:
                client.receive_exactly(harness.BIG_BYTES)
                client.close()
            self.assertTrue(harness.eventually(lambda: server.get("/").status == 200))

    def test_max_connections_is_the_total_of_all_threads(self):
        with Server(self.image, "--max-connections=4", "--threads=3") as server:
            clients, served = [], 0
            for _ in range(24):
                clients.append(server.client())
                served += clients[-1].get("/").status == 200
            self.assertEqual(served, 24)  # whichever thread the longest idle one is on
            alive = sum(not client.is_closed_by_peer(within_s=0.2) for client in clients)
            self.assertLessEqual(alive, 4)
            for client in clients:
                client.close()

    def test_idle_timeout(self):
        with Server(self.image, "--idle-timeout=1s") as server:
            with server.client() as client:
                self.assertEqual(client.get("/").status, 200)
                self.assertTrue(client.is_closed_by_peer())

    def test_ten_thousand_connections(self):
        wanted = 10_000
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        count = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard - 200)
        if count < wanted:
            print(f"the hard limit of descriptors is {hard}: {count} connections instead")
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (count + 200, hard))
        # An address of this test's own, so that its ports in TIME_WAIT are in nobody's way.
        host = f"127.{1 + os.getpid() % 200}.{os.getpid() // 200 % 200}.1"
        clients = []
        try:
            with Server(self.image, f"--max-connections={count + 100}") as server:
                for _ in range(count):
                    clients.append(Client(host, server.port))
                before = server.memory_kib()
                for _ in range(2):  # all of them are alive, twice
                    for client in clients:
                        client.send(client.request("/style.css"))
                    for client in clients:
                        self.assertEqual(client.receive().body, SITE["style.css"])
                each = server.memory_kib() / count
                print(f"{count} connections: {each:.1f} KiB each ({before} KiB before requests)")
                for client in clients:
                    client.close()
        finally:
            for client in clients:
                client.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class SlowClients(unittest.TestCase):
    """Clients that hold connections hold no memory that grows, and hold nobody else up."""

    COUNT = 200
    EACH_KIB = 64  # more than a connection's buffers, far less than an answer

    @classmethod
    def setUpClass(cls):
        cls.image = harness.shared_image()

    def test_never_reading(self):
        with Server(self.image) as server:
            before = server.memory_kib()
            crowd = [Client("127.0.0.1", server.port, receive_buffer=4096)
                     for _ in range(self.COUNT)]
            try:
                for client in crowd:
                    client.send(client.request("/big.bin") * 20)
                for _ in range(20):
                    self.assertEqual(server.get("/sub/page.html").status, 200)
                grown = server.memory_kib() - before
                self.assertLess(grown, self.COUNT * self.EACH_KIB)
            finally:
                for client in crowd:
                    client.close()

    def test_byte_by_byte(self):
        with Server(self.image) as server:
            before = server.memory_kib()
            crowd = [server.client() for _ in range(self.COUNT)]
            head = crowd[0].request("/", {"X-Filler": "y" * 100})
            try:
                for byte in head[:60]:
                    for client in crowd:
                        client.send(bytes([byte]))
                    self.assertEqual(server.get("/style.css").status, 200)
                self.assertLess(server.memory_kib() - before, self.COUNT * self.EACH_KIB)
                for client in crowd:  # slow is not wrong: they are answered
                    client.send(head[60:])
                for client in crowd:
                    self.assertEqual(client.receive().body, SITE["index.html"])
            finally:
                for client in crowd:
                    client.close()

    def test_endless_header(self):
        """A head that never ends is cut off at the maximum."""
        with Server(self.image) as server, server.client() as client:
            before = server.memory_kib()
            refused = threading.Event()

            def pour():
                try:
                    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
                    for _ in range(20_000):
                        client.send(b"X-More: " + b"z" * 1000 + b"\r\n")
                except OSError:
                    refused.set()

            pouring = threading.Thread(target=pour)
            pouring.start()
            answer = client.receive()
            self.assertEqual(answer.status, 431)
            client.close()
            pouring.join(harness.WAIT_S)
            self.assertTrue(refused.is_set(), "took 20 MB of header")
            self.assertLess(server.memory_kib() - before, 4096)


if __name__ == "__main__":
    harness.main()
