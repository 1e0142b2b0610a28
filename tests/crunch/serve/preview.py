# SPDX-License-Identifier: ISC
"""tests/crunch/serve/preview.py: a running `crunch serve`."""

import re
import time

import harness


class Preview(harness.Server):
    """`with Preview(site, "--host", "127.0.0.2") as server:`; the kernel chooses the port."""

    def __init__(self, site, *words, port: int | None = 0, **options):
        where = [] if port is None else ["--http", str(port)]
        super().__init__(harness.CRUNCH, "serve", str(site), *where, *words,
                         http_port=None, **options)

    def wait_for_port(self, scheme: str = "http") -> int:
        pattern = re.compile(r" is served at " + scheme + r"://\S*:(\d+)/ ")
        until = time.monotonic() + harness.WAIT_S
        while time.monotonic() < until and self.process.poll() is None:
            found = pattern.search(self.out())
            if found:
                return int(found.group(1))
            time.sleep(0.01)
        raise AssertionError(f"no URL; status {self.process.poll()}, "
                             f"out: {self.out()!r}, err: {self.err()!r}")
