#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""An image as a service of systemd: sockets that it is handed, and what it tells its manager.

Method: a stand-in for the manager: it holds the listening sockets, starts the image with them as
sd_listen_fds(3) says, and reads its notifications (sd_notify(3)) from a datagram socket. Debian's
systemd-socket-activate starts it once, too.
"""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import harness
from harness import Client, eventually


class Manager:
    """Holds sockets by name, and starts the image with them."""

    def __init__(self, image, *names):
        self._folder = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self._folder.name)
        self.image = image
        self.sockets = []
        for name in names:
            listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
            self.sockets.append((name, listening))
        self.notifications = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notifications.bind(str(self.folder / "notify"))
        self.notifications.settimeout(harness.WAIT_S)
        self.process = None
        self.start_count = 0

    def port(self, name: str) -> int:
        return next(held.getsockname()[1] for its, held in self.sockets if its == name)

    def start(self, *keys, names=None, **environment) -> None:
        held = [listening for _, listening in self.sockets]
        names = names or ":".join(name for name, _ in self.sockets)
        self.start_count += 1
        self.err = self.folder / f"err{self.start_count}"

        def prepare():
            harness.die_with_parent()
            spare = [os.dup2(one.fileno(), 100 + at) for at, one in enumerate(held)]
            for at, fd in enumerate(spare):
                os.dup2(fd, 3 + at)
                os.close(fd)
        words = ["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", str(self.image), *keys]
        with open(self.err, "wb") as err:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=err, stderr=err, preexec_fn=prepare,
                close_fds=False,
                env={**os.environ, "LISTEN_FDS": str(len(held)), "LISTEN_FDNAMES": names,
                     "NOTIFY_SOCKET": str(self.folder / "notify"), **environment})

    def told(self) -> list:
        return self.notifications.recv(4096).decode().splitlines()

    def wait_for(self, line: str) -> None:
        until = time.monotonic() + harness.WAIT_S
        while line not in self.told():
            assert time.monotonic() < until, self.err.read_text()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(harness.WAIT_S)

    def __enter__(self) -> "Manager":
        return self

    def __exit__(self, *_) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(harness.WAIT_S)
        for _, held in self.sockets:
            held.close()
        self.notifications.close()
        self._folder.cleanup()


class Service(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = harness.shared_image()

    def test_it_serves_on_the_sockets_that_it_is_handed(self):
        for threads in ("1", "3"):
            with Manager(self.image, "http", "management") as manager:
                # Its own ports would be other ones, and need a right.
                manager.start(f"--threads={threads}")
                manager.wait_for("READY=1")
                for _ in range(20):
                    with Client("127.0.0.1", manager.port("http")) as client:
                        self.assertEqual(client.get("/").status, 200)
                with Client("127.0.0.1", manager.port("management")) as client:
                    self.assertEqual(client.get("/healthz").status, 200)
                self.assertEqual(manager.stop(), 0)
                self.assertIn("STOPPING=1", manager.told())

    def test_its_manager_is_told(self):
        with Manager(self.image, "http") as manager:
            manager.start(WATCHDOG_USEC="400000")
            first = manager.told()
            self.assertEqual(first[0], "READY=1")
            self.assertRegex(first[1], "^STATUS=.+")
            begun = time.monotonic()
            for _ in range(4):
                self.assertEqual(manager.told(), ["WATCHDOG=1"])
            self.assertLess(time.monotonic() - begun, 4 * 0.4)
            manager.process.send_signal(signal.SIGTERM)
            manager.wait_for("STOPPING=1")
            self.assertEqual(manager.process.wait(harness.WAIT_S), 0)

    def test_a_watchdog_of_another_process(self):
        with Manager(self.image, "http") as manager:
            manager.start(WATCHDOG_USEC="100000", WATCHDOG_PID="1")
            self.assertEqual(manager.told()[0], "READY=1")
            manager.notifications.settimeout(0.5)
            with self.assertRaises(TimeoutError):
                manager.told()

    def test_a_restart_refuses_no_connection(self):
        with Manager(self.image, "http") as manager:
            manager.start()
            manager.wait_for("READY=1")
            port, ending = manager.port("http"), threading.Event()
            failures, served = [], []

            def ask():
                while not ending.is_set():
                    try:
                        with Client("127.0.0.1", port) as client:
                            served.append(client.get("/style.css").status)
                    except OSError as error:
                        failures.append(repr(error))
            threads = [threading.Thread(target=ask) for _ in range(4)]
            for thread in threads:
                thread.start()
            for _ in range(5):
                time.sleep(0.2)
                self.assertEqual(manager.stop(), 0)
                manager.start()
                manager.wait_for("READY=1")
            time.sleep(0.2)
            ending.set()
            for thread in threads:
                thread.join()
            self.assertEqual(failures, [])
            self.assertEqual(set(served), {200})
            self.assertGreater(len(served), 500)

    def test_names_and_sockets_that_do_not_serve(self):
        with Manager(self.image, "http") as manager:
            manager.start(names="site.socket")
            self.assertEqual(manager.process.wait(harness.WAIT_S), 1)
            self.assertIn("'site.socket'; FileDescriptorName= is http, https or management",
                          manager.err.read_text())
        with Manager(self.image) as manager, socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            manager.sockets.append(("http", deaf))
            manager.start()
            self.assertEqual(manager.process.wait(harness.WAIT_S), 1)
            self.assertIn("is no TCP socket that listens", manager.err.read_text())

    def test_a_socket_that_is_not_used_is_said(self):
        with Manager(self.image, "http", "https") as manager:
            manager.start()
            manager.wait_for("READY=1")
            self.assertTrue(eventually(
                lambda: "warning: the socket https that was handed over is not used"
                in manager.err.read_text()))

    def test_what_is_another_process_s_is_left_alone(self):
        with Manager(self.image, "http") as manager:
            with harness.Server(self.image, env={**os.environ, "LISTEN_PID": "1",
                                                 "LISTEN_FDS": "1"}) as server:
                self.assertEqual(server.get("/").status, 200)
            self.assertIsNone(manager.process)

    def test_systemd_s_own_activation(self):
        program = harness.need("systemd-socket-activate")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = subprocess.Popen(
            [program, "-l", f"127.0.0.1:{port}", "--fdname=http", str(self.image)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=harness.die_with_parent)
        try:
            def served() -> bool:
                with contextlib.suppress(OSError), Client("127.0.0.1", port) as client:
                    return client.get("/").status == 200
                return False
            self.assertTrue(eventually(served))
        finally:
            process.terminate()
            process.wait(harness.WAIT_S)


if __name__ == "__main__":
    harness.main()
