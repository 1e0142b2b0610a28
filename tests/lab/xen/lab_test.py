#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The lab itself: that it finds out what guests do, and leaves nothing.

Method: guest.S, which needs no network, ends in each way that a guest can.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import harness
from lab import CRASH, POWEROFF, Lab

HERE = pathlib.Path(__file__).resolve().parent


def least_guest(folder: str) -> pathlib.Path:
    image = pathlib.Path(folder) / "guest"
    subprocess.run(["gcc", "-nostdlib", "-static", "-no-pie", "-m32", "-Wl,--build-id=none",
                    "-Wl,--no-warn-rwx-segments", "-T",
                    str(HERE / "guest.ld"), "-o", str(image), str(HERE / "guest.S")], check=True,
                   timeout=60)
    return image


class TheLab(unittest.TestCase):
    def test_guests_commands_and_what_is_left(self):
        with Lab(wires=2) as lab, tempfile.TemporaryDirectory() as folder:
            self.check_commands(lab)
            lab.put(least_guest(folder), "/least")
            # The first guest makes directories in xenstore that stay.
            lab.create("first", "/least", "power off").wait_for_end()
            before = lab.counts()
            self.assertEqual((before.domains, before.grants, before.interfaces), (1, 0, 0), before)
            self.assertGreater(before.event_channels, 0)
            self.check_guests(lab, before)
            lab.assert_nothing_left(before)

    def check_commands(self, lab: Lab) -> None:
        self.assertEqual(lab.call("echo said; exit 3"), (3, "said\n"))
        status, said = lab.call("echo before; sleep 1000", within_s=2)
        self.assertNotEqual(status, 0)
        self.assertIn("before", said)
        with self.assertRaisesRegex(AssertionError, "exits 1"):
            lab.run("xenstore-read /none")
        lab.put(bytes(range(256)) * 1000, "/some/where")
        self.assertIn(" 256000 ", lab.run("ls -l /some/where"))
        self.assertEqual(lab.xenstore("/local/domain/0/name"), "Domain-0")
        with self.assertRaisesRegex(AssertionError, "xl create"):
            lab.create("none", "/none")

    def check_guests(self, lab: Lab, before) -> None:
        stays = lab.create("stays", "/least", "stays, with $one 'quoted'", vifs=2)
        lab.wait_for(r"\(d\d+\) stays, with \$one 'quoted'")
        during = lab.counts()
        self.assertEqual(during.domains, 2)
        self.assertLessEqual(during.free_mib, before.free_mib - 32)
        self.assertGreater(during.event_channels, before.event_channels)
        self.assertEqual(during.interfaces, 2)
        self.assertGreater(during.xenstore_entries, before.xenstore_entries)
        for i in range(2):
            self.assertIn(stays.interface(i), lab.run(f"ls /sys/class/net/xenbr{i}/brif"))
        stays.netem("loss 3% delay 10ms")
        self.assertIn("loss 3%", lab.run(f"/sbin/tc qdisc show dev {stays.interface()}"))
        stays.netem("")
        stays.destroy()
        stays.wait_for_end()
        for does, reason in (("power off", POWEROFF), ("crash", CRASH)):
            ends = lab.create("ends", "/least", does)
            ends.wait_for_end()
            self.assertEqual(ends.reasons(), [reason])

    def test_a_test_that_dies_leaves_no_machine(self):
        # Before Xen has started, which it need not do for this.
        words = [sys.executable, "-B", "-c", "import lab, sys\ndef wait(made, *_):\n"
                 "  print(made.process.pid, flush=True)\n  sys.stdin.read()\n"
                 "lab.Lab.wait_for = wait\nlab.Lab()"]
        with subprocess.Popen(words, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True) as dies:
            said = dies.stdout.readline()
            dies.kill()
        if not said:
            raise unittest.SkipTest("no lab here: see the other tests")
        self.assertTrue(harness.eventually(lambda: not os.path.exists(f"/proc/{int(said)}")))


if __name__ == "__main__":
    harness.main()
