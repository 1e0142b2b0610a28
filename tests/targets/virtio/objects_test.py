#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A machine's image is made of the same objects as a process, but for main, devices and libos.

Method: the recipes that crunch builds by are compared, and the code that runs below the C library
is disassembled.
"""

import re
import unittest

import harness

LIB = harness.BUILD / "lib"
# Compiled for below the C library: CRUNCH_EARLY_FLAGS in targets/libos/CMakeLists.txt.
EARLY = {
    "libcrunch_libos.a": ["clock", "heap", "pages", "paging", "pvh", "random", "report", "serial",
                          "start", "system_calls", "traps"],
    "libcrunch_targets_xen.a": ["console_ring", "hypercall", "life", "machine", "shared"],
    "libcrunch_targets_virtio.a": ["arrivals", "calendar", "machine", "power", "words"],
    "libcrunch_targets_hvt.a": ["machine"],
}


def recipe(target: str) -> dict:
    words: dict = {}
    for line in (LIB / "crunch" / f"{target}.target").read_text().splitlines():
        if line and not line.startswith("#"):
            word, _, value = line.partition(" ")
            words.setdefault(word, []).append(value)
    return words


class Objects(unittest.TestCase):
    def test_the_same_archives(self):
        process = recipe("unix")
        for target in ("virtio", "hvt"):
            machine = recipe(target)
            own = {str(LIB / f"libcrunch_targets_{target}.a"), str(LIB / "libcrunch_libos.a")}
            if target == "virtio":
                own.add(str(LIB / "libcrunch_virtio_protocol.a"))
            self.assertEqual(set(machine["library"]) - set(process["library"]), own)
            self.assertLessEqual(set(process["library"]), set(machine["library"]))
            # And compiled alike: only the target's header differs.
            differ = set(process["compile"]) ^ set(machine["compile"])
            self.assertEqual(len(differ), 2)
            self.assertTrue(all(flag.startswith("-DCRUNCH_TARGET") for flag in differ), differ)

    def test_early_code_needs_no_c_library(self):
        for archive, objects in EARLY.items():
            wanted = harness.must("nm", "--undefined-only", LIB / archive)
            code = harness.must("objdump", "-d", "--no-show-raw-insn", LIB / archive)
            for name in objects:
                with self.subTest(archive=archive, object=name):
                    of_this = wanted.partition(f"\n{name}.cpp.o:")[2].partition(".o:")[0]
                    self.assertNotRegex(of_this, r" U (mem|str|__stack_chk|__cxa|_Unwind)")
                    instructions = code.partition(f"\n{name}.cpp.o: ")[2].partition(".o: ")[0]
                    self.assertIn("Disassembly of section .text", instructions)
                    self.assertIsNone(re.search(r"%[xyz]mm\d|%st\(|%mm\d", instructions))


if __name__ == "__main__":
    harness.main()
