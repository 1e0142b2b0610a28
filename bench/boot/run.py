# SPDX-License-Identifier: ISC
"""bench/boot/run.py: a machine's start: QEMU's start to the first byte, image, smallest memory.

Method: bench/guest/machines.py has both machines. The clock starts before QEMU is spawned; the
client asks every 5 ms until it is answered. Machines in turn; a figure is the median. The memory is
the least of a list, tried from above, with which a machine answers.
"""

import argparse
import os
import pathlib
import re
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "guest"))
import machines  # noqa: E402
import measure  # noqa: E402

MEMORIES_MIB = [128, 112, 104, 96, 88, 80, 64, 48, 32, 16, 12, 10, 8, 7, 6, 5, 4]


def start_once(machine, memory_mib, log, give_up_s):
    begin = time.monotonic()
    process = machine.start(memory_mib, log)
    try:
        return machines.first_byte_s(process, begin, give_up_s)
    finally:
        machines.stop(process)


def smallest_memory(machine, log, give_up_s):
    least = None
    for memory in MEMORIES_MIB:
        if start_once(machine, memory, log, give_up_s) is None:
            break
        least = memory
    return least


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench boot", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--give-up", type=float, default=60, help="seconds (default 60)")
    options = parser.parse_args()
    if os.environ.get("CRUNCH_BENCH_NETWORK") != "1":
        machines.packages.Kernel()  # downloads it
    machines.enter_network(sys.argv)
    with tempfile.TemporaryDirectory(prefix="crunch-bench-") as work:
        log = os.path.join(work, "console")
        contenders = machines.prepare(work, [1024])
        taken = {machine.name: [] for machine in contenders}
        guest_ms = []
        for _ in range(options.rounds):
            for machine in contenders:
                spent = start_once(machine, 256, log, options.give_up)
                if spent is None:
                    sys.exit(f"{machine.name} does not answer")
                taken[machine.name].append(spent)
                with open(log, encoding="utf-8", errors="replace") as console:
                    said = re.search(r"ready ([\d.]+) ms after entry", console.read())
                if said:
                    guest_ms.append(float(said.group(1)))
        rows = []
        for machine in contenders:
            times = taken[machine.name]
            memory = smallest_memory(machine, log, options.give_up)
            rows.append([machine.name, f"{statistics.median(times):.2f}", f"{min(times):.2f}",
                         f"{machine.image_bytes() / 1e6:.1f}", memory or "-"])
        print(f"{machines.about()}; median of {options.rounds}\n")
        print(measure.table(["machine", "first byte s", "least", "image MB", "memory MiB"], rows))
        print(f"\nOurs, from entry to listening, by its own clock: median "
              f"{statistics.median(guest_ms):.0f} ms")


main()
