# SPDX-License-Identifier: ISC
"""tests/hostile/campaign.py: batches of attacks on a running image, with an honest client beside.

Gives: Campaign, which fuzzers run their batches in, and arguments(), their command line.

After each batch the process must live, the honest client must be served in time, and the memory
that is the process's own must not have grown by more than GROWTH_MIB. Each batch has its own
random numbers, made of the seed and its number, so a failure is repeated from its batch on.
"""

import argparse
import pathlib
import random
import secrets
import sys
import time

# For who starts a fuzzer by hand: what it shares with the tests of images.
sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1] / "image"))
import harness  # noqa: E402

SERVED_WITHIN_S = 20.0  # what the honest client waits for each answer, on a busy machine
PATIENCE_S = 60.0  # how long it tries again
GROWTH_MIB = 8


class Found(AssertionError):
    """What an attack brought about."""


def arguments(description: str, targets) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", choices=targets, default=targets[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="how long (10)")
    parser.add_argument("--seed", type=int, default=None, help="of the random numbers (a new one)")
    parser.add_argument("--batch", type=int, default=0, help="the first batch's number (0)")
    return parser.parse_args()


class Campaign:
    """Runs `attack(random, batch)`, which yields what it does in words, and `honest()`, which
    raises when it is not served, in turn."""

    def __init__(self, server, attack, honest, growth_mib: int = GROWTH_MIB):
        self.server, self.attack, self.honest = server, attack, honest
        self.growth_mib = growth_mib
        self.attacks = self.batches = 0
        self.slowest_s = 0.0
        self._did: list[str] = []
        self._base_kib = 0

    def run(self, seconds: float, seed: int | None = None, first_batch: int = 0) -> None:
        seed = secrets.randbelow(1 << 32) if seed is None else seed
        print(f"seed {seed}", flush=True)
        until = time.monotonic() + seconds
        batch = first_batch
        self._ask()
        self._base_kib = self.server.memory_kib()
        try:
            while time.monotonic() < until or batch == first_batch:
                self._run_batch(seed, batch)
                batch += 1
        except (AssertionError, OSError) as wrong:
            harness.eventually(lambda: self.server.process.poll() is not None, 0.5)
            last = "\n".join(f"  {words}" for words in self._did[-60:])
            raise Found(
                f"{wrong}; the process {self._state()}\nin batch {batch}, which did last:\n{last}\n"
                f"the image said: {self.server.err()[-3000:]}\n"
                f"to repeat: {sys.executable} {self.attack.__code__.co_filename} "
                f"--target {self.server.target} --seconds {seconds:g} --seed {seed} "
                f"--batch {max(first_batch, batch - 1)}") from wrong
        print(f"{self.attacks} attacks in {self.batches} batches; the honest client waited "
              f"{self.slowest_s * 1000:.0f} ms at most; memory {self._base_kib} KiB at first, "
              f"{self.server.memory_kib()} KiB at last")

    def _state(self) -> str:
        status = self.server.process.poll()
        return "lives" if status is None else f"has ended, with status {status}"

    def _run_batch(self, seed: int, batch: int) -> None:
        self._did.clear()
        for words in self.attack(random.Random(f"{seed}:{batch}"), batch):
            self._did.append(words)
            self.attacks += 1
        self.batches += 1
        self._ask()
        kib = self.server.memory_kib()
        if kib > self._base_kib + self.growth_mib * 1024:
            raise Found(f"memory has grown from {self._base_kib} to {kib} KiB")

    def _ask(self) -> None:
        if self.server.process.poll() is not None:
            raise Found("it is not there")
        began = time.monotonic()
        while True:
            try:
                self.honest()
                break
            except TimeoutError:
                if time.monotonic() - began > PATIENCE_S:
                    raise
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)
