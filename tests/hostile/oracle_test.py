#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Linux as the oracle: one script of packets, played to an image of unix-tap and to Linux.

Method: each check says in words what the host did (checks.py). What the RFC wants said is in its
row; where Linux or ours says something else, that is in the row, too, with the verdict. So both
columns of the table are asserted. The environment's CRUNCH_ORACLE, part of a name, chooses rows.
"""

import os
import time
import unittest

import connection_checks
import harness
import ip_checks
import ipv6_checks
import path_checks
import segment_checks
from checks import ROWS
from wire import Host, Peer

ALL = (segment_checks, connection_checks, path_checks, ip_checks, ipv6_checks)  # they fill ROWS


def verdict_on(row, column: str, said: str) -> str:
    """What is wrong with it; empty: nothing."""
    if said == row.wanted(column):
        return ""
    return f"{row.name} (RFC {row.rfc}): {said!r}, not {row.wanted(column)!r}"


def play(peer: Peer, row) -> str:
    """What the host did; after it, it answers a ping."""
    try:
        said = row.play(peer)
        peer.settle()
        return said
    except AssertionError as error:
        return f"FAILED: {error}"


class Oracle(unittest.TestCase):
    def play_all(self, target: str, column: str) -> None:
        rows = [row for row in ROWS if os.environ.get("CRUNCH_ORACLE", "") in row.name]
        wrong, began = [], time.monotonic()
        with Host(target) as host:
            peer = Peer(host)
            for row in rows:
                at = time.monotonic()
                said = play(peer, row)
                took = time.monotonic() - at
                found = verdict_on(row, column, said)
                if found:
                    wrong.append(found)
                note = f"   <-- not {row.wanted(column)!r}" if found else ""
                note += f"   ({row.verdict})" if row.verdict else ""
                note += f"   {took:.1f} s" if took > 0.5 else ""
                print(f"{row.rfc:24.24} | {row.name:56.56} | {said}{note}", flush=True)
        print(f"{len(rows)} checks in {time.monotonic() - began:.1f} s")
        self.assertFalse(wrong, "\n" + "\n".join(wrong))

    def test_unix_tap(self):
        self.play_all("unix-tap", "ours")

    def test_linux(self):
        self.play_all("linux", "linux")


if __name__ == "__main__":
    harness.main()
