# SPDX-License-Identifier: ISC
"""bench/guest/run.py: a machine under load: requests and TLS handshakes, and what QEMU pays.

Method: bench/guest/machines.py has both machines. wrk with 16 connections on the other core,
machines in turn, several rounds; handshakes by openssl s_time, one after another, not resumed.
QEMU's CPU time is what its process used meanwhile. A figure is the median of its rounds.
"""

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import machines  # noqa: E402
import measure  # noqa: E402

SIZES = {"1 KiB": 1 << 10, "10 KiB": 10 << 10, "1 MiB": 1 << 20}


def requests(size, seconds):
    """-> requests a second."""
    done = subprocess.run(
        ["taskset", "-c", str(machines.CLIENT_CPU), "wrk", "-t1", "-c16", f"-d{seconds}s",
         f"http://{machines.GUEST}/{size}.bin"], stdout=subprocess.PIPE, text=True, check=True)
    if "Non-2xx" in done.stdout:
        raise RuntimeError(done.stdout)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout).group(1))


def handshakes(seconds):
    done = subprocess.run(
        ["taskset", "-c", str(machines.CLIENT_CPU), "openssl", "s_time", "-connect",
         f"{machines.GUEST}:443", "-new", "-tls1_3", "-time", str(seconds)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
    count, real = re.search(r"(\d+) connections in (\d+) real seconds", done.stdout).groups()
    return int(count) / int(real)


def load_once(machine, seconds, log):
    """-> {what: (a second, microseconds of QEMU's CPU for each)}"""
    begin = time.monotonic()
    process = machine.start(256, log)
    try:
        if machines.first_byte_s(process, begin, 120) is None:
            raise RuntimeError(f"{machine.name} does not answer")
        loads = {name: lambda size=size: requests(size, seconds) for name, size in SIZES.items()}
        loads["TLS 1.3 handshake"] = lambda: handshakes(seconds)
        found = {}
        for name, load in loads.items():
            before, since = measure.cpu_seconds(process.pid), time.monotonic()
            rate = load()
            spent = (measure.cpu_seconds(process.pid) - before) / (time.monotonic() - since)
            found[name] = (rate, spent / rate * 1e6)
        return found
    finally:
        machines.stop(process)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench guest", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5, help="for each load (default 5)")
    options = parser.parse_args()
    if os.environ.get("CRUNCH_BENCH_NETWORK") != "1":
        machines.packages.Kernel()  # downloads it
    machines.enter_network(sys.argv)
    with tempfile.TemporaryDirectory(prefix="crunch-bench-") as work:
        log = os.path.join(work, "console")
        contenders = machines.prepare(work, SIZES.values())
        taken = {}
        for _ in range(options.rounds):
            for machine in contenders:
                for name, figures in load_once(machine, options.seconds, log).items():
                    taken.setdefault((machine.name, name), []).append(figures)
        print(f"{machines.about()}; median of {options.rounds} rounds of {options.seconds} s\n")
        rows = []
        for name in [*SIZES, "TLS 1.3 handshake"]:
            row = [name]
            for machine in contenders:
                each = taken[machine.name, name]
                row += [f"{statistics.median(one[0] for one in each):.0f}",
                        f"{statistics.median(one[1] for one in each):.0f}"]
            rows.append([*row, f"{float(row[1]) / float(row[3]):.1f}"])
        print(measure.table(["", "crunch /s", "us of CPU", "Linux, nginx /s", "us of CPU", "ratio"],
                            rows))


main()
