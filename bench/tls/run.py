# SPDX-License-Identifier: ISC
"""bench/tls/run.py: HTTPS of an image and of other servers, with the same certificate.

Method: one server core, one client core. Each server's own CPU time (all its processes) is set
against what the client counted, so a slow or busy client core does not matter. All servers run at
once and are loaded in turn, several rounds; a figure is the median of its rounds, and the ratios
are of one run. TLS 1.3, x25519, TLS_AES_128_GCM_SHA256 everywhere; ECDSA P-256, unless --key says
otherwise.

Rows: connections with a whole handshake (bench_tls_client; each asks once for one byte), the same
with a resumed session, requests of 1 KiB on 64 kept connections (wrk), MB of 1 MiB files on 16 kept
connections (wrk), all for each second of the server's CPU; and the memory that an idle connection
adds (RssAnon of all processes, 2,000 connections that have asked once).
"""

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import measure  # noqa: E402
import servers  # noqa: E402

SERVER_CPU, CLIENT_CPU = 0, 1
OURS, PEER = "crunch", "nginx"
SIZES = (1, 1024, 1 << 20)
MEMORY = "idle connection"
ROWS = {"full handshakes": "/s", "resumed handshakes": "/s", "requests of 1 KiB": "/s",
        "bulk": "MB/s", MEMORY: "KiB"}
IDLE_COUNT = 2000

SERVERS = {OURS: servers.crunch, PEER: servers.nginx, "h2o": servers.h2o}


def memory_kib(pid):
    total = 0
    for each in measure.descendants(pid):
        with open(f"/proc/{each}/status", encoding="utf-8") as f:
            found = re.search(r"^RssAnon:\s*(\d+)", f.read(), re.M)
            total += int(found[1])
    return total


class Server:
    def __init__(self, name, make, work):
        self.name, self.port = name, measure.free_port()
        self.log = open(f"{work}/{name}.log", "ab")
        self.process = measure.start(make(work, self.port), SERVER_CPU, self.log)
        self.figures = {row: [] for row in ROWS}
        try:
            measure.wait_until_open(self.port, self.process)
        except RuntimeError:
            self.stop()
            raise

    def client(self, what, amount):
        return ["taskset", "-c", str(CLIENT_CPU),
                os.path.join(os.environ["CRUNCH_BENCH_BIN"], "bench_tls_client"), str(self.port),
                what, str(amount)]

    def handshakes(self, what, options):
        done = subprocess.run(self.client(what, options.seconds), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{self.name}, {what}: {done.stderr.strip()}")
        return int(done.stdout)

    def requests(self, size, connections, options):
        out = subprocess.run(["taskset", "-c", str(CLIENT_CPU), "wrk", "-t1", f"-c{connections}",
                              f"-d{options.seconds}s",
                              f"https://127.0.0.1:{self.port}/{size}.bin"],
                             capture_output=True, text=True, check=True).stdout
        counted = re.search(r"(\d+) requests in", out)
        if "Non-2xx" in out or counted is None or int(counted[1]) == 0:
            raise RuntimeError("wrong answers: " + out)
        return int(counted[1])

    def idle_kib(self):
        with subprocess.Popen(self.client("idle", IDLE_COUNT), stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as client:
            before = memory_kib(self.process.pid)
            if client.stdout.readline() != "open\n":
                raise RuntimeError(f"{self.name}: the idle connections were not opened")
            after = memory_kib(self.process.pid)
            client.stdin.close()
        return (after - before) / IDLE_COUNT

    def round(self, row, options):
        """One figure: of work for each CPU second, or KiB."""
        if row == MEMORY:
            return self.idle_kib()
        before = measure.cpu_seconds(self.process.pid)
        if row == "bulk":
            work = self.requests(1 << 20, 16, options) * (1 << 20) / 1e6
        elif row == "requests of 1 KiB":
            work = self.requests(1024, 64, options)
        else:
            work = self.handshakes(row.split(" ", maxsplit=1)[0], options)
        return work / (measure.cpu_seconds(self.process.pid) - before)

    def stop(self):
        measure.stop(self.process)
        self.log.close()


def report(running, rows):
    names = [server.name for server in running]
    lines = []
    for row in rows:
        medians = {s.name: statistics.median(s.figures[row]) for s in running if s.figures[row]}
        line = [f"{row}, {ROWS[row]}"]
        for server in running:
            if server.name not in medians:
                line.append("none")
                continue
            spread = (max(server.figures[row]) - min(server.figures[row])) / 2
            digits = 1 if row == MEMORY else 0
            line.append(f"{medians[server.name]:,.{digits}f} ±{spread:,.{digits}f}")
        line.append(f"{medians[OURS] / medians[PEER]:.2f}" if PEER in medians else "")
        lines.append(line)
    print(measure.table(["for each second of the server's CPU", *names, f"{OURS} / {PEER}"], lines))


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench tls", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=2, help="of each round (default 2)")
    parser.add_argument("--rounds", type=int, default=5, help="besides a warm-up (default 5)")
    parser.add_argument("--row", choices=ROWS, help="only this one")
    parser.add_argument("--only", metavar="REGEX", help="only servers whose name matches")
    parser.add_argument("--key", choices=servers.KEYS, default="P-256", help="of the certificate")
    parser.add_argument("--tool", help="the crunch that builds our image")
    options = parser.parse_args()
    if measure.which("wrk") is None or os.cpu_count() < 2:
        sys.exit("scripts/bench tls needs wrk and two cores")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    rows = [row for row in ROWS if options.row in (None, row)]
    with tempfile.TemporaryDirectory(prefix="crunch-bench-") as work:
        os.chmod(work, 0o755)
        servers.prepare(work,
                        options.tool or os.path.join(os.environ["CRUNCH_BENCH_BIN"], "crunch"),
                        options.key, SIZES)
        running, skipped = [], {}
        try:
            for name, make in SERVERS.items():
                if options.only and not re.search(options.only, name):
                    continue
                try:
                    running.append(Server(name, make, work))
                except RuntimeError as why:
                    skipped[name] = str(why)
            if OURS not in [server.name for server in running]:
                sys.exit(f"the image does not run: {skipped}")
            # Memory first and once: what a peak has left behind would be taken again unseen.
            for row in sorted(rows, key=lambda row: row != MEMORY):
                print(f"measuring {row} ...", file=sys.stderr)
                for number in range(1 if row == MEMORY else options.rounds + 1):
                    for server in running:
                        try:
                            figure = server.round(row, options)
                        except RuntimeError as why:
                            if server.name == OURS:
                                raise
                            skipped[f"{server.name}, {row}"] = str(why)
                            continue
                        if number != 0 or row == MEMORY:  # the first is a warm-up
                            server.figures[row].append(figure)
            print(f"{measure.machine()}; {options.key}; median of {options.rounds} rounds of "
                  f"{options.seconds} s\n")
            report(running, rows)
        finally:
            for server in running:
                server.stop()
        for name, why in skipped.items():
            print(f"\nskipped: {name}: {why}")


main()
