#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The library OS on a machine: what must work, and what every fault ends in.

Method: probe.cpp, linked with libos, is started under QEMU once for each case, on several machines
and processors; its console and QEMU's exit status are compared.
"""

import re
import time
import unittest

import harness
import qemu

PROBE = harness.BUILD / "bin" / "libos_probe"
PANIC = 70

# What the command line says -> what the report says, and a function that the backtrace begins with.
FAULTS = {
    "null": r"panic: null pointer, at address 0000000000000010",
    "write-text": r"panic: write to read-only memory, at address 0{10}[0-9a-f]{6}\n",
    "write-constant": r"panic: write to read-only memory",
    "execute-data": r"panic: execution of data",
    "execute-heap": r"panic: execution of data",
    "execute-stack": r"panic: execution of data",
    "read-nothing": r"panic: read of what is not there, at address 00007fff00000000",
    "overflow": r"panic: stack overflow",
    "divide": r"panic: division by zero",
    "undefined": r"panic: undefined instruction",
    "abort": r"panic: aborted",
    "assert": r"probe.cpp:\d+: .*: assertion failed: zero == 1\n\npanic: aborted",
    "throw": r"uncaught exception of type St13runtime_error: nobody catches this\n\npanic: aborted",
    "exhaust": r"uncaught exception of type St9bad_alloc",
    "protect": r"(?s)made read-only\n\npanic: write to read-only memory",
}


def run(words, **options):
    return qemu.run_to_end(PROBE, words, **options)


class Faults(unittest.TestCase):
    def test_each_gives_its_report(self):
        for fault, report in FAULTS.items():
            with self.subTest(fault=fault):
                status, said = run(fault)
                self.assertEqual(status, PANIC, said)
                self.assertRegex(said, report)
                self.assertRegex(said, r"\n  rip [0-9a-f]{16}  rsp [0-9a-f]{16}")
                self.assertRegex(said, r"memory used \d+ KiB of 152\d\d KiB")
                trace = re.findall(r"^  ([0-9a-f]{16})\b", said.partition("backtrace:")[2],
                                   re.MULTILINE)
                self.assertGreaterEqual(len(trace), 4, said)
                self.assertNotIn("FAILED", said)
                self.assertNotIn("(and a fault", said)

    def test_main_is_in_the_backtrace(self):
        symbols = harness.symbols_of(PROBE)
        _, said = run("null")
        trace = [int(word, 16) for word in re.findall(r"^  ([0-9a-f]{16})$", said, re.MULTILINE)]
        names = [harness.symbol_at(symbols, address) for address in trace]
        self.assertIn("read_null", names[0])
        self.assertIn("main", names)

    def test_a_full_machine_says_so(self):
        _, said = run("exhaust")
        used, total = map(int, re.search(r"memory used (\d+) KiB of (\d+) KiB", said).groups())
        self.assertGreater(used, total - 512)


class Works(unittest.TestCase):
    def good(self, words, **options) -> str:
        status, said = run(words, **options)
        self.assertEqual(status, 0, said)
        self.assertNotIn("FAILED", said)
        return said

    def test_memory_on_machines_of_all_sizes(self):
        for mib in (5, 16, 300, 5000):
            with self.subTest(mib=mib):
                # Exhausting 5000 MiB would take the host's.
                words = "memory" if mib < 1000 else "vectors"
                self.good(words, memory_mib=mib)

    def test_every_machine_and_processor(self):
        for machine in ("pc", "q35", "microvm", "microvm,acpi=off"):
            for cpu in ("max", "Nehalem", "qemu64"):
                with self.subTest(machine=machine, cpu=cpu):
                    self.assertIn("sum 21065", self.good("vectors", machine=machine, cpu=cpu))

    def test_clocks(self):
        for machine in ("pc", "q35"):
            said = self.good("clocks", machine=machine)
            date = int(re.search(r"date (\d+)", said).group(1))
            self.assertLess(abs(date - time.time()), 3600)

    def test_random_bytes(self):
        """-cpu max has RDSEED and RDRAND, the other none."""
        self.assertIn("seeded 1", self.good("random"))
        self.assertIn("seeded 0", self.good("random", cpu="qemu64"))

    def test_errors_have_words(self):
        self.good("message")

    def test_unknown_system_calls_are_told_once(self):
        said = self.good("unknown-call")
        self.assertEqual(said.count("warning: system call 41 is not there"), 1, said)

    def test_the_command_line_becomes_arguments(self):
        said = self.good('--a=b  c "d e"   --f="g h"i')
        words = ["--a=b", "c", "d e", "--f=g hi"]
        self.assertEqual(re.findall(r"argument <(.*)>", said), words)

    def test_exit_status(self):
        self.assertEqual(run("exit")[0], 3)


class Refusals(unittest.TestCase):
    """What cannot work: one line, and status 1."""

    def refused(self, sentence, words="", **options):
        status, said = run(words, **options)
        self.assertEqual(status, 1, said)
        self.assertEqual(said.strip().count("\n"), 0, said)
        self.assertRegex(said, "error: " + sentence)

    def test_processors(self):
        self.refused("this processor has no 64-bit mode", cpu="qemu32")
        self.refused("this processor has no SSE2", cpu="qemu64,-sse2")
        self.refused(r"this processor cannot forbid execution of data \(NX\)", cpu="max,-nx")

    def test_memory(self):
        self.refused(r"this machine has \d+ KiB of memory; the image alone needs \d+ KiB",
                     memory_mib=3)

    def test_command_lines(self):
        self.refused('the command line has a " without its second', 'a "b')
        self.refused("the command line has more than 254 words", "a " * 300)
        # More than QEMU's own loader has room for: what it hands over is no start info any more.
        self.refused("this machine does not start by the PVH ABI", "a" * 5000)
        self.refused("the command line has 'virtio_mmio.device=4K@x:5', which names no device",
                     "virtio_mmio.device=4K@x:5")


if __name__ == "__main__":
    harness.main()
