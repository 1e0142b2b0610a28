# SPDX-License-Identifier: ISC
"""bench/guest/run.py: a machine under load: requests and TLS handshakes, and what QEMU pays.

Method: bench/guest/machines.py has both machines. wrk with 16 connections on the other core,
machines in turn, several rounds; handshakes by openssl s_time, one after another, not resumed.
QEMU's CPU time is what its process used meanwhile. A figure is the median of its rounds. Answers of
1 MiB are counted by their bytes: a slow machine finishes few of them in a round.
With --xen they are guests of a Xen in QEMU (bench/guest/xen.py); then QEMU's CPU time has dom0's
part in it, and hypercalls are counted: what the guest says at its end, less what one says that was
asked only once, for each request. With --nested they run on KVM in one emulated machine
(bench/guest/nested_machines.py), whose CPU time all of it is.
"""

import functools
import pathlib
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import machines  # noqa: E402
import measure  # noqa: E402

SIZES = {"1 KiB": 1 << 10, "10 KiB": 10 << 10, "1 MiB": 1 << 20}


def load(size, seconds, scheme="http"):
    """-> what wrk says."""
    done = subprocess.run(
        ["taskset", "-c", str(machines.CLIENT_CPU), "wrk", "-t1", "-c16", f"-d{seconds}s",
         f"{scheme}://{machines.GUEST}/{size}.bin"], stdout=subprocess.PIPE, text=True, check=True)
    if "Non-2xx" in done.stdout:
        raise RuntimeError(done.stdout)
    return done.stdout


def requests(size, seconds, scheme="http"):
    """-> requests a second."""
    said = load(size, seconds, scheme)
    if size < 1 << 20:
        return float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1))
    count, unit = re.search(r"Transfer/sec:\s+([\d.]+)([KMG]?)B", said).groups()
    return float(count) * 1024 ** " KMG".index(unit or " ") / size


def handshakes(seconds):
    done = subprocess.run(
        ["taskset", "-c", str(machines.CLIENT_CPU), "openssl", "s_time", "-connect",
         f"{machines.GUEST}:443", "-new", "-tls1_3", "-time", str(seconds)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
    count, real = re.search(r"(\d+) connections in (\d+) real seconds", done.stdout).groups()
    return int(count) / int(real)


LOADS = {name: functools.partial(requests, size) for name, size in SIZES.items()}
LOADS["1 MiB by TLS 1.3"] = functools.partial(requests, SIZES["1 MiB"], scheme="https")
LOADS["TLS 1.3 handshake"] = handshakes


def load_once(machine, seconds, log):
    """-> {what: (a second, microseconds of QEMU's CPU for each)}"""
    begin = time.monotonic()
    process = machine.start(256, log)
    try:
        if machines.first_byte_s(process, begin, 120) is None:
            raise RuntimeError(f"{machine.name} does not answer")
        found = {}
        for name, put_load in LOADS.items():
            before, since = measure.cpu_seconds(process.pid), time.monotonic()
            rate = put_load(seconds)
            spent = (measure.cpu_seconds(process.pid) - before) / (time.monotonic() - since)
            if rate == 0:
                sys.exit(f"{machine.name} answered nothing ({name}) in {seconds} s: give it more "
                         "by --seconds")
            found[name] = (rate, spent / rate * 1e6)
        return found
    finally:
        machines.stop(process)


def hypercalls_each(machine, size, seconds, log):
    """-> hypercalls for each request."""
    counts = []
    for is_loaded in (False, True):
        begin = time.monotonic()
        guest = machine.start(256, log)
        if machines.first_byte_s(guest, begin, 120) is None:
            raise RuntimeError(f"{machine.name} does not answer")
        said = load(size, seconds) if is_loaded else ""
        counts.append(guest.end_and_count())
    return (counts[1] - counts[0]) / int(re.search(r"(\d+) requests in", said).group(1))


def main():
    with machines.benchmark("guest", __doc__, SIZES.values(), rounds=(3, "of each machine"),
                            seconds=(5, "for each load")) as (options, contenders, log):
        taken = {}
        for _ in range(options.rounds):
            for machine in contenders:
                for name, figures in load_once(machine, options.seconds, log).items():
                    taken.setdefault((machine.name, name), []).append(figures)
        counts = {name: hypercalls_each(contenders[0], size, options.seconds, log)
                  for name, size in SIZES.items() if options.xen}
    print(f"{machines.about()}; median of {options.rounds} rounds of {options.seconds} s\n")
    rows = []
    for name in LOADS:
        row, rates = [name], []
        for machine in contenders:
            each = taken[machine.name, name]
            rates.append(statistics.median(one[0] for one in each))
            row += [f"{rates[-1]:,.{0 if rates[-1] >= 100 else 1}f}",
                    f"{statistics.median(one[1] for one in each):,.0f}"]
        # The first against the last, Linux.
        rows.append([*row, f"{rates[0] / rates[-1]:.1f}"])
    heads = [head for machine in contenders for head in (f"{machine.name} /s", "us of CPU")]
    print(measure.table(["", *heads, "ratio"], rows))
    for name, count in counts.items():
        print(f"hypercalls of ours for each request, {name}: {count:.2f}")


main()
