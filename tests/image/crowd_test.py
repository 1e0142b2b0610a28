#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""An image with its own network stack and 16 MiB, in a crowd of 10,000 connections that means ill.

Method: unix-tap, and a virtio machine in QEMU, on a tap of a namespace. At once, from one address:
connections that come and go, heads of 3 KB that stop, answers that nobody reads, uploads of 64 KiB,
TLS hellos that are cut, and whole ones that nobody goes on with. From another address an honest
client must be served, by HTTP and by HTTPS, and what is in use must not grow. QEMU's emulation gets
2,000 connections, or as many as CRUNCH_CROWD says.
"""

import contextlib
import os
import socket
import ssl
import threading
import time

import bare
import harness
import network
import qemu
from harness import must
from network import HOST4, IMAGE4, STATIC
from tap_test import OnTap, TapServer

SECONDS_MAX = 150
# An honest client tries again when its connection breaks or nothing comes.
PATIENCE_S = 60
HONEST = "10.9.0.77"
KEYS = ("--redirect=false", "--max-connections-per-client=1000000")


def client_hello() -> bytes:
    out = ssl.MemoryBIO()
    half = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        half.do_handshake()
    return out.read()


class Crowd:
    """Threads that attack IMAGE4 from HOST4, each again after `pause_s`, until they are told to
    stop."""

    def __init__(self, pause_s: float):
        self.pause_s = pause_s
        self.over = threading.Event()
        self.count = 0
        hello = client_hello()
        attacks = [(80, b"", 50), (443, b"", 50),
                   (80, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 3000, 300),
                   (80, b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n", 150),
                   (80, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n"
                    + b"x" * 65_000, 50),
                   (443, hello[:200], 200), (443, hello, 100)]
        self.threads = [threading.Thread(target=self.attack, args=one) for one in attacks]
        for thread in self.threads:
            thread.start()

    def attack(self, port: int, says: bytes, at_once: int) -> None:
        """Holds `at_once` connections that have said `says`; a new one replaces the oldest."""
        held = []
        while not self.over.is_set():
            with contextlib.suppress(OSError):
                one = socket.create_connection((IMAGE4, port), 1, (HOST4, 0))
                one.setblocking(False)
                held.append(one)
                self.count += 1
                with contextlib.suppress(OSError):
                    one.send(says)
            if len(held) > at_once:
                held.pop(0).close()
            time.sleep(self.pause_s)
        for one in held:
            one.close()

    def stop(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()


class InLittleMemory(OnTap):
    broken = 0

    def setUp(self):
        super().setUp()
        network.make_tap()
        must("ip", "addr", "add", f"{HONEST}/24", "dev", "tap0")

    def ask(self, secure: bool) -> float:
        """After how many seconds the honest client has its page."""
        begin = time.monotonic()
        while True:
            try:
                self.ask_once(secure)
                return time.monotonic() - begin
            except (OSError, AssertionError):
                self.broken += 1
                if time.monotonic() > begin + PATIENCE_S:
                    raise

    def ask_once(self, secure: bool) -> None:
        with socket.create_connection((IMAGE4, 443 if secure else 80), 5,
                                      (HONEST, 0)) as connection:
            if secure:
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                connection = context.wrap_socket(connection, server_hostname="localhost")
            connection.sendall(b"GET /style.css HTTP/1.1\r\nHost: localhost\r\n"
                               b"Connection: close\r\n\r\n")
            got = b""
            while part := connection.recv(65536):
                got += part
            self.assertTrue(got.startswith(b"HTTP/1.1 200 "), got[:200])
            self.assertTrue(got.endswith(harness.SITE["style.css"]), got[:200])

    def stand(self, connections: int, pause_s: float, memory_kib) -> None:
        """Through a crowd of so many; `memory_kib` says what is in use."""
        crowd, waits, memory = Crowd(pause_s), {False: [], True: []}, []
        try:
            begin = time.monotonic()
            while crowd.count < connections and time.monotonic() < begin + SECONDS_MAX:
                for secure, its in waits.items():
                    its.append(self.ask(secure))
                memory.append(memory_kib())
                time.sleep(0.1)
        finally:
            crowd.stop()
        self.assertGreaterEqual(crowd.count, connections)
        for secure, its in waits.items():
            print(f"{'HTTPS' if secure else 'HTTP'}: {len(its)} honest connections, served after "
                  f"{sorted(its)[len(its) // 2] * 1000:.0f} ms at the median, "
                  f"{max(its) * 1000:.0f} ms at the most")
        memory = [each for each in memory if each]
        print(f"{self.broken} more of them broke off, or got nothing in 5 s")
        self.assertLess(self.broken, len(waits[True]), "as many broke off as were served")
        middle, last = memory[len(memory) // 3:len(memory) * 2 // 3], memory[len(memory) * 2 // 3:]
        print(f"{crowd.count} connections; KiB in use: at most {max(memory)}, in the second third "
              f"{max(middle)}, in the last {max(last)}")
        self.assertLess(max(memory), 16 << 10)
        if connections >= 10_000:  # fewer do not take all that there is until the end
            self.assertLess(max(last), max(middle) + 512, "it grows")
        self.ask(False), self.ask(True)

    def test_unix_tap(self):
        image = self.image("--self-signed", "localhost")
        with TapServer(image, *STATIC, "--memory=16MiB", *KEYS,
                       ready=f"network: {IMAGE4}/24") as server:
            self.stand(10_000, 0.003, server.memory_kib)

    def test_virtio(self):
        harness.need("qemu-system-x86_64")
        files = bare.SMALL | {"big.bin": harness.noise(500_000, "crowd")}
        image = bare.site_image("virtio", "crowd", files)
        with qemu.Guest(image, " ".join((*KEYS, "--log-level=debug")),
                        on_tap=True, memory_mib=16) as guest:
            def memory_kib() -> int:
                return int(max(guest.memory_mib(), default=0) * 1024)
            self.stand(int(os.environ.get("CRUNCH_CROWD", "2000")), 0.03, memory_kib)
            self.assertTrue(guest.is_running(), guest.console())


if __name__ == "__main__":
    harness.main()
