# SPDX-License-Identifier: ISC
"""bench/measure.py: what the benchmarks share: free ports, pinned processes, CPU time, tables."""

import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


# A benchmark that is asked to end stops its servers first.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def which(program):
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def descendants(pid):
    """`pid` and every process below it."""
    found = [pid]
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            for child in f.read().split():
                found += descendants(int(child))
    except FileNotFoundError:
        pass
    return found


def cpu_seconds(pid):
    """utime + stime of `pid` and all its workers (proc(5), fields 14 and 15 of stat)."""
    ticks = 0
    for each in descendants(pid):
        try:
            with open(f"/proc/{each}/stat") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        except FileNotFoundError:
            pass
    return ticks / TICKS_PER_SECOND


def cpu_nanoseconds(pid):
    """The same to the nanosecond, of the threads that run now: for short runs (schedstat)."""
    total = 0
    for each in descendants(pid):
        for thread in os.listdir(f"/proc/{each}/task"):
            with open(f"/proc/{each}/task/{thread}/schedstat") as f:
                total += int(f.read().split()[0])
    return total


def wait_until_open(port, process, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"ended with status {process.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("does not answer")


def start(command, cpu, log):
    """A server in a process group of its own, on one core."""
    return subprocess.Popen(
        ["taskset", "-c", str(cpu)] + command,
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def stop(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def machine():
    """One line that says what the figures are from."""
    cpu = "unknown CPU"
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
    return (f"{os.cpu_count()} cores, {cpu}, Linux {platform.release().split('-')[0]}, "
            f"{time.strftime('%Y-%m-%d')}")


def table(head, rows):
    """A Markdown table, its columns aligned; the first to the left, the others to the right."""
    lines = [head] + rows
    widths = [max(len(str(line[i])) for line in lines) for i in range(len(head))]

    def text(line):
        cells = [str(line[0]).ljust(widths[0])]
        cells += [str(cell).rjust(w) for cell, w in zip(line[1:], widths[1:])]
        return "| " + " | ".join(cells) + " |"

    rule = ["-" * widths[0]] + ["-" * (w - 1) + ":" for w in widths[1:]]
    return "\n".join([text(head), text(rule)] + [text(row) for row in rows])
