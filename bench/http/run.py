# SPDX-License-Identifier: ISC
"""bench/http/run.py: requests per second and CPU time per request of static file servers.

Method: the server on core 0, the client (wrk, 64 connections) on core 1. CPU time is the server's
own utime + stime, all its processes together, over the requests that wrk counted; so it does not
matter that the client is the slower of the two. For each size and mode all servers run at once and
are loaded in turn, several rounds; a figure is the median of its rounds, so ratios are of one run.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import measure  # noqa: E402
import servers  # noqa: E402

SIZES = {"1 KiB": 1024, "10 KiB": 10240, "100 KiB": 102400, "1 MiB": 1048576}
MODES = {"keep-alive": [], "one request": ["-H", "Connection: close"]}
SERVER_CPU, CLIENT_CPU = 0, 1


def load(port, size, mode, seconds, connections):
    """wrk's (requests, seconds), or an exception if any answer was wrong."""
    command = ["taskset", "-c", str(CLIENT_CPU), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s",
               *MODES[mode], f"http://127.0.0.1:{port}/{size}.bin"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    counted = re.search(r"(\d+) requests in ([\d.]+)(m?s)", out)
    if "Non-2xx" in out or counted is None or int(counted[1]) == 0:
        raise RuntimeError("wrong answers: " + out)
    unit = 1000 if counted[3] == "ms" else 1
    return int(counted[1]), float(counted[2]) / unit


class Server:
    def __init__(self, name, make, work, files, size):
        self.port = measure.free_port()
        self.name = name
        self.log = open(os.path.join(work, "server.log"), "ab")
        command = make(work, files, self.port, size)
        self.process = measure.start(command, SERVER_CPU, self.log)
        self.cpu_us, self.rate = [], []
        try:
            measure.wait_until_open(self.port, self.process)
        except RuntimeError:
            self.stop()
            raise

    def round(self, size, mode, options):
        before = measure.cpu_seconds(self.process.pid)
        requests, seconds = load(self.port, size, mode, options.seconds, options.connections)
        used = measure.cpu_seconds(self.process.pid) - before
        self.cpu_us.append(used * 1e6 / requests)
        self.rate.append(requests / seconds)

    def stop(self):
        measure.stop(self.process)
        self.log.close()


def measure_cell(size, mode, work, files, skipped, options):
    """{server: (CPU microseconds, requests per second, spread of the former)} of one size, mode."""
    running = []
    try:
        for name, make in {**servers.CONSTANT, **servers.SERVERS}.items():
            if name in skipped or (options.only and not re.search(options.only, name)):
                continue
            try:
                running.append(Server(name, make, work, files, size))
            except (servers.Missing, RuntimeError) as why:
                skipped[name] = str(why)
        for round_number in range(options.rounds + 1):
            for server in running:
                server.round(size, mode, options)
                if round_number == 0:  # warm-up
                    server.cpu_us.clear()
                    server.rate.clear()
        return {s.name: (statistics.median(s.cpu_us), statistics.median(s.rate),
                         (max(s.cpu_us) - min(s.cpu_us)) / 2) for s in running}
    finally:
        for server in running:
            server.stop()


def report(cells, skipped, options):
    sizes = [size for size in SIZES if not options.size or size == options.size]
    for mode in MODES:
        if options.mode and mode != options.mode:
            continue
        print(f"\n### {mode}: CPU time per request in us (requests/s)\n")
        names = [name for name in {**servers.CONSTANT, **servers.SERVERS}
                 if any(name in cells[size, mode] for size in sizes)]
        rows = []
        for name in names:
            row = [name]
            for size in sizes:
                cpu_us, rate, spread = cells[size, mode][name]
                row.append(f"{cpu_us:.1f} ±{spread:.1f} ({rate:,.0f})")
            rows.append(row)
        print(measure.table(["server"] + sizes, rows))
    for name, why in skipped.items():
        print(f"\nskipped: {name}: {why}")


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench http", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=1, help="of each round (default 1)")
    parser.add_argument("--rounds", type=int, default=5, help="besides a warm-up (default 5)")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--size", choices=SIZES, help="only this one")
    parser.add_argument("--mode", choices=MODES, help="only this one")
    parser.add_argument("--only", metavar="REGEX", help="only servers whose name matches")
    parser.add_argument("--tool", help="the crunch that builds our image")
    options = parser.parse_args()
    if measure.which("wrk") is None or os.cpu_count() < 2:
        sys.exit("scripts/bench http needs wrk and two cores")
    with tempfile.TemporaryDirectory(prefix="crunch-bench-") as work:
        os.chmod(work, 0o755)
        files = os.path.join(work, "files")
        servers.make_files(files, SIZES.values())
        servers.make_image(options.tool or os.path.join(os.environ["CRUNCH_BENCH_BIN"], "crunch"),
                           files, work)
        skipped, cells = {}, {}
        for mode in MODES:
            for size, size_bytes in SIZES.items():
                if options.size in (None, size) and options.mode in (None, mode):
                    print(f"measuring {size}, {mode} ...", file=sys.stderr)
                    cells[size, mode] = measure_cell(size_bytes, mode, work, files, skipped,
                                                     options)
        print(f"{measure.machine()}; {options.connections} connections, median of "
              f"{options.rounds} rounds of {options.seconds} s")
        report(cells, skipped, options)


main()
