#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A virtio machine with 16 MiB in a crowd that means ill, and an honest client beside it.

Method: QEMU's user network, so the crowd is one client, which the boot line allows everything.
At once: thousands of connections that come and go, heads of 3 KB that stop, answers that nobody
reads, TLS greetings that stop, uploads. Meanwhile an honest client must get in, by HTTP and by
HTTPS; afterwards at once. It lives in the memory that it has.
"""

import contextlib
import socket
import ssl
import threading
import time
import unittest

import bare
import harness
import qemu
from harness import SITE

TARGET = "virtio"
SECONDS = 15
# An honest client tries again when it is turned away.
PATIENCE_S = 60


class Crowd:
    """Threads that attack one guest until they are told to stop."""

    def __init__(self, guest):
        self.guest = guest
        self.over = threading.Event()
        self.count = 0
        attacks = [(guest.port, b"", 50), (guest.port, b"", 50),
                   (guest.port, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 3000, 300),
                   (guest.port, b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n", 150),
                   (guest.port, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n"
                    + b"x" * 60_000, 50),
                   (guest.https_port, b"\x16\x03\x01\x02\x00\x01", 200)]
        self.threads = [threading.Thread(target=self.attack, args=one) for one in attacks]
        for thread in self.threads:
            thread.start()

    def attack(self, port: int, says: bytes, at_once: int) -> None:
        """Holds `at_once` connections that have said `says`; a new one replaces the oldest."""
        held = []
        while not self.over.is_set():
            with contextlib.suppress(OSError):
                one = socket.create_connection(("127.0.0.1", port), timeout=1)
                one.setblocking(False)
                held.append(one)
                self.count += 1
                with contextlib.suppress(OSError):
                    one.send(says)
            if len(held) > at_once:
                held.pop(0).close()
            time.sleep(0.02)
        for one in held:
            one.close()

    def stop(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()


class InLittleMemory(unittest.TestCase):
    def served_after(self, get) -> float:
        """After how many seconds an honest client has its page."""
        begin = time.monotonic()
        while time.monotonic() < begin + PATIENCE_S:
            with contextlib.suppress(OSError, EOFError, ssl.SSLError, AssertionError):
                with get() as client:
                    answer = client.get("/style.css")
                    if answer.status == 200 and answer.body == SITE["style.css"]:
                        return time.monotonic() - begin
            time.sleep(0.1)
        self.fail(f"an honest client was not served in {PATIENCE_S} s")

    def test_a_crowd_in_16_mib(self):
        with qemu.Guest(bare.site_image(TARGET), "--redirect=false "
                        "--max-connections-per-client=1000000", memory_mib=16) as guest:
            crowd = Crowd(guest)
            try:
                waits = []
                end = time.monotonic() + SECONDS
                while time.monotonic() < end:
                    waits.append(self.served_after(guest.client))
                    waits.append(self.served_after(guest.secure_client))
                print(f"{crowd.count} connections of a crowd; {len(waits)} honest ones beside it, "
                      f"served after {sorted(waits)[len(waits) // 2]:.2f} s at the median, "
                      f"{max(waits):.2f} s at the most")
            finally:
                crowd.stop()
            self.assertTrue(guest.is_running(), guest.console())
            time.sleep(1)
            self.assertLess(self.served_after(guest.client), 5)
            self.assertNotIn("panic", guest.console())
            print(f"at most {guest.memory_most_mib()} MiB in use")


if __name__ == "__main__":
    harness.main()
