# SPDX-License-Identifier: ISC
"""tests/hostile/checks.py: a table of what a host does with a packet: its rows.

Gives: row, which adds a row, and check, which makes one of a function. What is played is given a
wire.Peer and says in words what the host did; `right` is what the RFC wants said. Where Linux, or
this project's stack, says something else, the row says so, and `verdict` says why that is.
"""

import dataclasses
from collections.abc import Callable


@dataclasses.dataclass
class Row:
    name: str
    rfc: str
    right: str
    play: Callable
    linux: str = ""  # empty: what is right
    ours: str = ""
    verdict: str = ""

    def wanted(self, column: str) -> str:
        return getattr(self, column) or self.right


ROWS: list[Row] = []


def row(*fields, **differences) -> None:
    added = Row(*fields, **differences)
    if bool(added.linux or added.ours) != bool(added.verdict):
        raise AssertionError(f"{added.name}: a difference has a verdict, and only a difference")
    ROWS.append(added)


def check(rfc: str, right: str, **differences):
    """Names the row after the function."""
    def add(play):
        row(play.__name__.replace("_", " "), rfc, right, play, **differences)
        return play
    return add
