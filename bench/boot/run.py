# SPDX-License-Identifier: ISC
"""bench/boot/run.py: a machine's start: QEMU's start to the first byte, image, smallest memory.

Method: bench/guest/machines.py has both machines. The clock starts before QEMU is spawned; the
client asks every 5 ms until it is answered. Machines in turn; a figure is the median. The memory is
the least of a list with which a machine answers, found by halving; one that takes twice as
long as with 256 MiB is said not to answer. With --xen they are guests of a Xen in QEMU
(bench/guest/xen.py), and the clock starts before `xl create`. With --nested they run on KVM in an
emulated machine (bench/guest/nested_machines.py), also as a guest of hvt-tender; resident is what
tender or QEMU have in memory with the least that answers, the guest's included.
"""

import bisect
import pathlib
import re
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "guest"))
import machines  # noqa: E402
import measure  # noqa: E402

MEMORIES_MIB = [4, 5, 6, 7, 8, 10, 12, 16, 32, 48, 64, 80, 88, 96, 104, 112, 128]


# What the guest executes counts as its time, at one nanosecond an instruction.
BY_INSTRUCTIONS = ["-icount", "shift=0,sleep=off"]


def start_once(machine, memory_mib, log, give_up_s, *options):
    """-> seconds to the first byte, and what the guest says itself: milliseconds to listening."""
    begin = time.monotonic()
    try:
        process = machine.start(memory_mib, log, *options)
    except AssertionError:  # xl will not
        return None, None
    try:
        spent = machines.first_byte_s(process, begin, give_up_s)
        if spent is not None and hasattr(process, "resident_mib"):
            machine.resident_mib = process.resident_mib()
    finally:
        machines.stop(process)
    console = pathlib.Path(log).read_text(errors="replace")
    said = re.search(r"ready ([\d.]+) ms after entry", console)
    return spent, float(said.group(1)) if said else None


def smallest_memory(machine, log, give_up_s):
    """Of MEMORIES_MIB, or "-"; and what it then has resident, where the machine can tell."""
    resident = {}

    def answers(memory):
        if start_once(machine, memory, log, give_up_s)[0] is None:
            return False
        resident[memory] = getattr(machine, "resident_mib", None)
        return True

    at = bisect.bisect_left(MEMORIES_MIB, True, key=answers)
    if at == len(MEMORIES_MIB):
        return "-", None
    return MEMORIES_MIB[at], resident[MEMORIES_MIB[at]]


def main():
    with machines.benchmark("boot", __doc__, [1024], rounds=(5, "of each machine"),
                            give_up=(120.0, "seconds")) as (options, contenders, log):
        taken = {machine.name: [] for machine in contenders}
        guest_ms: dict = {}
        for _ in range(options.rounds):
            for machine in contenders:
                spent, said_ms = start_once(machine, 256, log, options.give_up)
                if spent is None:
                    sys.exit(f"{machine.name} does not answer")
                taken[machine.name].append(spent)
                if said_ms is not None:
                    guest_ms.setdefault(machine.name, []).append(said_ms)
        rows = []
        for machine in contenders:
            times = taken[machine.name]
            usual = statistics.median(times)
            memory, resident = smallest_memory(machine, log, max(5.0, 2 * usual))
            rows.append([machine.name, f"{usual:.2f}", f"{min(times):.2f}",
                         f"{machine.image_bytes() / 1e6:.1f}", memory])
            if options.nested:
                rows[-1].append(f"{resident:.0f}" if resident else "-")
        by_qemu = not options.xen and not options.nested
        counted = (start_once(contenders[0], 256, log, options.give_up, *BY_INSTRUCTIONS)[1]
                   if by_qemu else None)
    print(f"{machines.about()}; median of {options.rounds}\n")
    heads = ["machine", "first byte s", "least", "image MB", "memory MiB"]
    print(measure.table(heads + ["resident MiB"] * options.nested, rows))
    for name, each in guest_ms.items():
        print(f"\n{name}, from entry to listening: {statistics.median(each):.0f} ms by its own "
              f"clock under emulation (median; least {min(each):.0f})" +
              (f", {counted} ms at one nanosecond an instruction" if counted else ""))


main()
