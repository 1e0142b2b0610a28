# SPDX-License-Identifier: ISC
"""tests/lab/xen/sites.py: what the tests of sites under Xen share.

Gives: the lab that the tests of a class have in common, for it takes seconds to start; Site, a
guest of it that serves, at an address of its own; Asking, which leaves one no rest; ALL, whether
what takes minutes is run, too: CRUNCH_ALL_WIRES=1 in the environment.
"""

import functools
import os
import pathlib
import threading
import unittest

import bare
import client
import harness
import lab as xen_lab
from harness import SITE
from lab import POWEROFF, Lab

TARGET = "xen"
ALL = bool(os.environ.get("CRUNCH_ALL_WIRES"))
WAIT_S = xen_lab.WAIT_S
client.WAIT_S = WAIT_S  # the emulation of an emulation is slow
when_all = unittest.skipUnless(ALL, "takes minutes: CRUNCH_ALL_WIRES=1 runs it")


@functools.cache
def the_lab() -> Lab:
    made = Lab(wires=2)
    unittest.addModuleCleanup(made.stop)
    return made


LARGE = harness.noise(1 << 20, "large")


def large_image() -> pathlib.Path:
    """By HTTP alone, with one file of 1 MiB."""
    return bare.site_image(TARGET, "large", {**bare.SMALL, "large.bin": LARGE}, ())


@functools.cache
def in_dom0(image_file: pathlib.Path) -> str:
    at = f"/images/{image_file.name}"
    the_lab().put(image_file, at)
    return at


class Site(bare.Guest):
    """A guest that serves, at an address of its own."""

    count = 0

    def __init__(self, image_file, *keys, wait=True, address=True, **options):
        self.lab = the_lab()
        Site.count += 1
        self.host = self.lab.address(10 + Site.count)
        if address:
            keys = (f"--ipv4={self.host}/24", f"--ipv4-gateway={self.lab.address(1)}", *keys)
        self.guest = self.lab.create(f"site{Site.count}", in_dom0(image_file), " ".join(keys),
                                     **options)
        if wait:
            self.wait_for(r"network: [0-9.]+/\d+")

    def console(self) -> str:
        return self.guest.console()

    def is_running(self) -> bool:
        return self.guest.domid() is not None

    def ask_to_stop(self) -> None:
        self.guest.shutdown()

    def wait_for(self, pattern: str, within_s: float = WAIT_S, count: int = 1) -> str:
        return self.guest.wait_for(pattern, within_s, count)

    def wait_for_end(self, within_s: float = WAIT_S) -> int:
        self.guest.wait_for_end(within_s)
        return 0 if self.guest.reasons()[-1:] == [POWEROFF] else 1

    def kill(self) -> None:
        if self.is_running():
            self.guest.destroy()


class Asking:
    """Asks a site all the time, by one connection and by new ones, and reads /large.bin slowly; not
    one may fail."""

    def __init__(self, site: Site):
        self._site = site
        self._turns = 0
        self._ends = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            with self._site.client() as kept, \
                    harness.Client(self._site.host, self._site.port, 1 << 16) as slow:
                slow.send(slow.request("/large.bin", {"Connection": "close"}))
                large = b""
                while not self._ends.wait(0.5):
                    large += slow.socket.recv(1 << 14)
                    for get in (kept.get, self._site.get):
                        if get("/style.css").body != SITE["style.css"]:
                            raise AssertionError("not the file")
                    self._turns += 1
                while more := slow.socket.recv(1 << 16):
                    large += more
                if large.partition(b"\r\n\r\n")[2] != LARGE:
                    raise AssertionError("not the large file")
        except (AssertionError, OSError) as error:
            self._failure = error

    def more(self, turns: int) -> None:
        """Waits for so many turns from now on."""
        until = self._turns + turns + 1  # one may be under way
        harness.eventually(lambda: self._failure or self._turns >= until, WAIT_S)
        if self._failure or self._turns < until:
            raise AssertionError(f"{self._turns} turns, then {self._failure!r}")

    def end(self) -> None:
        self._ends.set()
        self._thread.join(2 * WAIT_S)
        if self._failure:
            raise AssertionError(f"{self._turns} turns, then {self._failure!r}")
