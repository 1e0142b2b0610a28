# SPDX-License-Identifier: ISC
"""tests/image/probe.py: the probe (tests/probe/config.hpp) as an image, and the mirror on its wire.

Gives: image(target); Mirror, on an interface of this network namespace or on the other end of
QEMU's `-netdev dgram`; laws_hold, what the probe says in the end.
"""

import re
import socket
import threading
import time

import harness

CONFIG = harness.ROOT / "tests" / "probe" / "config.hpp"
ETHERTYPE = b"\x88\xb5"
BURST = 60  # as tests/probe/net_laws.hpp has it
MIRROR = b"\x02\x00\x00\x00\x88\xb5"


def image(target: str):
    """Built once, with the ordinary configuration: `crunch build --config`."""
    at = harness.BUILD / f"probe.{target}"
    done = harness.crunch("build", "-t", target, "-o", at, "--config", CONFIG)
    if done.returncode != 0:
        raise AssertionError(f"crunch build exits {done.returncode}:\n{done.stderr}")
    return at


class Mirror:
    """Answers the probe's frames until it is closed. `wire` sends and receives whole frames."""

    def __init__(self, wire: socket.socket, to=None):
        self._wire, self._to = wire, to
        self._ends = False
        wire.settimeout(0.2)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @classmethod
    def on_interface(cls, name: str) -> "Mirror":
        every = 3  # ETH_P_ALL, whose frames come in their order, EtherType or not
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(every))
        wire.bind((name, every))
        return cls(wire)

    @classmethod
    def on_datagrams(cls) -> tuple:
        """(mirror, what QEMU's -netdev is told)."""
        wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        wire.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            theirs = other.getsockname()
        words = (f"dgram,local.type=inet,local.host=127.0.0.1,local.port={theirs[1]},"
                 f"remote.type=inet,remote.host=127.0.0.1,remote.port={wire.getsockname()[1]}")
        return cls(wire, theirs), words

    def _run(self) -> None:
        while not self._ends:
            try:
                frame = self._wire.recv(1 << 16)
            except (TimeoutError, OSError):
                continue
            if len(frame) >= 17 and frame[12:14] == ETHERTYPE and frame[6:12] != MIRROR:
                self._answer(frame)

    def _answer(self, frame: bytes) -> None:
        back = frame[6:12] + MIRROR + frame[12:]
        if frame[14:15] == b"E":
            self._send(back)
        elif frame[14:15] == b"B":
            for i in range(BURST):
                self._send(back[:15] + bytes([i >> 8, i & 0xff]) + back[17:])
                if i % 7 == 0:
                    time.sleep(0.02)

    def _send(self, frame: bytes) -> None:
        if self._to:
            self._wire.sendto(frame, self._to)
        else:
            self._wire.send(frame)

    def close(self) -> None:
        self._ends = True
        self._thread.join(5)
        self._wire.close()

    def __enter__(self) -> "Mirror":
        return self

    def __exit__(self, *error) -> None:
        self.close()


def sector(number: int, turn: int, sector_bytes: int) -> bytes:
    """What block::laws::fill of tests/block/laws.hpp makes."""
    whole = (1 << 64) - 1
    state = (number * 0x9e3779b97f4a7c15 + turn + 1) & whole
    out = bytearray()
    for _ in range(sector_bytes):
        state ^= state << 13 & whole
        state ^= state >> 7
        state ^= state << 17 & whole
        out.append(state >> 32 & 0xff)
    return bytes(out)


def assert_written(case, disk: bytes, sector_bytes: int) -> None:
    """That the last turn of the laws is on the disk: the large range in its middle."""
    count = len(disk) // sector_bytes
    large = min(count, 300_000 // sector_bytes)
    first = (count - large) // 2
    for number in (first, first + large // 2, first + large - 1):
        found = disk[number * sector_bytes:(number + 1) * sector_bytes]
        case.assertEqual(found, sector(number, 10, sector_bytes), f"sector {number}")


def assert_laws_hold(case, console: str) -> None:
    case.assertRegex(console, r"(?m)^probe: all laws hold\r?$", console)
    case.assertNotRegex(console, r"(?m)^probe: law ")
    print(re.search(r"(?m)^probe: (network|block) device.*$|$", console).group(0))
