# SPDX-License-Identifier: ISC
"""bench/http2/run.py: HTTP/2 over TLS of an image and of other servers, with one certificate.

Method: one server core, one client core (h2load). Each server's own CPU time (all its processes)
is set against what the client received, so a slow or busy client core does not matter. All servers
run at once and are loaded in turn, several rounds; a figure is the median of its rounds, in
microseconds of CPU for each request. TLS 1.3, x25519, TLS_AES_128_GCM_SHA256, ECDSA P-256. The
column HTTP/1.1 is our own image by HTTP/1.1 over TLS, one request at a time on as many connections.
Aims: less than every other server, and at 100 streams and 1 KiB at most 0.6 of our own HTTP/1.1.

Then the user-space instructions of one request of 1 KiB over h2c, by callgrind: those of a long run
less those of a short one, by the requests between them.
"""

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "../tls")]
import measure  # noqa: E402
import servers  # noqa: E402

SERVER_CPU, CLIENT_CPU = 0, 1
OURS, OURS_H1 = "crunch", "crunch, HTTP/1.1"
SERVERS = {OURS: servers.crunch, "nginx": servers.nginx_http2, "h2o": servers.h2o}
SIZES = {"1 KiB": 1024, "10 KiB": 10240, "100 KiB": 102400, "1 MiB": 1 << 20}
STREAMS = (1, 100)
CONNECTIONS = (1, 16, 64)
QUICK = [("1 KiB", 1, 1), ("1 KiB", 100, 1), ("1 MiB", 100, 16)]


def load(port, size, streams, connections, seconds, http1=False):
    """Requests by the bytes of the answers: large ones are not whole when the time ends."""
    out = subprocess.run(
        ["taskset", "-c", str(CLIENT_CPU), "h2load", "-t1", f"-c{connections}", f"-m{streams}",
         f"-D{seconds}", *(["--h1"] if http1 else ["--npn-list=h2"]), "-w20", "-W24",
         f"https://127.0.0.1:{port}/{size}.bin"],
        capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    failed = re.search(r"requests: .* (\d+) failed", out)
    data = re.search(r"\((\d+)\) data", out)
    protocol = re.search(r"Application protocol: (\S+)", out)
    if not failed or not data or not protocol or protocol[1] != ("http/1.1" if http1 else "h2"):
        raise RuntimeError("h2load: " + out.strip().replace("\n", " | "))
    # Those under way when the time ended are not failures.
    if int(failed[1]) > streams * connections or int(data[1]) < size:
        raise RuntimeError(f"h2load: {failed[1]} requests failed, {data[1]} bytes came")
    return int(data[1]) / size


class Server:
    def __init__(self, name, make, work):
        self.name, self.port = name, measure.free_port()
        self.log = open(f"{work}/{name}.log", "ab")
        self.process = measure.start(make(work, self.port), SERVER_CPU, self.log)
        try:
            measure.wait_until_open(self.port, self.process)
        except RuntimeError:
            self.stop()
            raise

    def microseconds(self, *what, **more):
        before = measure.cpu_seconds(self.process.pid)
        requests = load(self.port, *what, **more)
        return (measure.cpu_seconds(self.process.pid) - before) / requests * 1e6

    def stop(self):
        measure.stop(self.process)
        self.log.close()


def columns_of(running):
    """What is measured in one row: a name, and how."""
    columns = {}
    for server in running:
        columns[server.name] = (server, {})
        if server.name == OURS:
            columns[OURS_H1] = (server, {"http1": True})
    return columns


def measure_row(columns, row, options):
    name, streams, connections = row
    figures = {column: [] for column in columns}
    for number in range(options.rounds + 1):
        for column, (server, how) in columns.items():
            count = 1 if how else streams
            figure = server.microseconds(SIZES[name], count, connections, options.seconds, **how)
            if number != 0:  # the first is a warm-up
                figures[column].append(figure)
    return {column: statistics.median(each) for column, each in figures.items()}


def line_of(row, medians):
    name, streams, connections = row
    least = min((medians[c] for c in medians if c not in (OURS, OURS_H1)), default=None)
    return [f"{name}, {streams} stream{'s' if streams > 1 else ''}, {connections} connections",
            *[f"{medians[column]:,.1f}" for column in medians],
            f"{medians[OURS] / least:.2f}" if least else "none",
            f"{medians[OURS] / medians[OURS_H1]:.2f}"]


def instructions(work):
    """Of one request of 1 KiB over h2c, 100 streams on a connection."""
    totals = []
    for count in (1000, 4000):
        port, out = measure.free_port(), f"{work}/callgrind.out"
        process = subprocess.Popen(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", f"{work}/image",
             f"--http-port={port}", "--https-port=0", "--h2c=true", "--sandbox=false", "--log=off"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            measure.wait_until_open(port, process, 60)
            done = subprocess.run(["h2load", "-c1", "-m100", f"-n{count}",
                                   f"http://127.0.0.1:{port}/1024.bin"],
                                  capture_output=True, text=True, check=True, timeout=120).stdout
            if f"{count} succeeded" not in done:
                raise RuntimeError("h2load: " + done)
        finally:
            measure.stop(process)
        with open(out, encoding="utf-8") as f:
            totals.append(int(re.search(r"^(?:summary|totals): (\d+)", f.read(), re.M)[1]))
    return (totals[1] - totals[0]) / 3000


def rows_of(options):
    rows = [(size, streams, connections) for size in SIZES for streams in STREAMS
            for connections in CONNECTIONS]
    return [row for row in (QUICK if options.quick else rows)
            if not options.row or re.search(options.row, f"{row[0]}, {row[1]}, {row[2]}")]


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench http2", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=1, help="of each round (default 1)")
    parser.add_argument("--rounds", type=int, default=3, help="besides a warm-up (default 3)")
    parser.add_argument("--quick", action="store_true", help="three rows only")
    parser.add_argument("--row", metavar="REGEX",
                        help="only rows that match, such as '1 KiB, 100, 16'")
    parser.add_argument("--tool", help="the crunch that builds our image")
    options = parser.parse_args()
    if measure.which("h2load") is None or os.cpu_count() < 2:
        sys.exit("scripts/bench http2 needs h2load (nghttp2-client) and two cores")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="crunch-bench-") as work:
        os.chmod(work, 0o755)
        servers.prepare(work,
                        options.tool or os.path.join(os.environ["CRUNCH_BENCH_BIN"], "crunch"),
                        "P-256", SIZES.values())
        running, skipped, lines = [], {}, []
        try:
            for name, make in SERVERS.items():
                try:
                    running.append(Server(name, make, work))
                except RuntimeError as why:
                    skipped[name] = str(why)
            if OURS not in [server.name for server in running]:
                sys.exit(f"the image does not run: {skipped}")
            columns = columns_of(running)
            for row in rows_of(options):
                print(f"measuring {row} ...", file=sys.stderr)
                lines.append(line_of(row, measure_row(columns, row, options)))
        finally:
            for server in running:
                server.stop()
        print(f"{measure.machine()}; median of {options.rounds} rounds of {options.seconds} s\n")
        print(measure.table(["CPU, microseconds a request", *columns, "crunch / least",
                             "crunch / own HTTP/1.1"], lines))
        if measure.which("valgrind") is None:
            skipped["instructions"] = "valgrind is not installed"
        else:
            print(f"\n1 KiB over h2c, 100 streams: {instructions(work):,.0f} instructions each")
        for name, why in skipped.items():
            print(f"\nskipped: {name}: {why}")


main()
