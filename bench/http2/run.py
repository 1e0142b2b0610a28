# SPDX-License-Identifier: ISC
"""bench/http2/run.py: CPU time of each request over HTTP/2, of an image and of other servers.

Method: bench/tls/servers.py's servers, all up at once, each on core 0; h2load on core 1 asks them
in turn, several rounds. A figure is the server's own CPU time (of all its threads,
/proc/PID/schedstat) over the requests, in microseconds, less what the connections alone cost: a run
with one request for each is taken from it. So neither a slow client nor a busy machine matters
much; only figures of one run are to be compared. Shown are medians, and the median of the rounds'
ratios to the best peer.

Rows: files of 1, 10, 100 KiB and 1 MiB; 1 and 100 streams at once on 1, 16 and 64 connections, and
our own HTTP/1.1 over TLS. A connection has fewer streams than 100 where they would be more than
640 MiB. Aims: less than every other server, and at 100 streams and 1 KiB at most 0.6 of our own
HTTP/1.1.

Then the user-space instructions of one request of 1 KiB over h2c, by callgrind: those of a long run
less those of a short one, by the requests between them; and what HTTP/2 adds to an image.
"""

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "../tls")]
import growth  # noqa: E402
import measure  # noqa: E402
import servers  # noqa: E402

SERVER_CPU, CLIENT_CPU = 0, 1
SIZES = {1024: "1 KiB", 10240: "10 KiB", 102400: "100 KiB", 1 << 20: "1 MiB"}
STREAMS = (1, 100)
CONNECTIONS = (1, 16, 64)
OURS, OLD = "crunch", "crunch, HTTP/1.1"
SERVERS = {OURS: servers.crunch, "nginx": servers.nginx_http2, "h2o": servers.h2o}
# An image ends a connection after 10,000 requests, and h2load opens no other.
REQUESTS_MAX = 9000
BYTES_OF_A_RUN = 96 << 20
BYTES_AT_ONCE = 640 << 20


class Server:
    def __init__(self, name, work):
        self.name, self.port = name, measure.free_port()
        self.log = open(f"{work}/{name}.log", "ab")
        self.process = measure.start(SERVERS[name](work, self.port), SERVER_CPU, self.log)
        try:
            measure.wait_until_open(self.port, self.process)
        except RuntimeError:
            self.stop()
            raise

    def run(self, size, connections, streams, requests, is_old=False):
        """The server's CPU seconds."""
        before = measure.cpu_nanoseconds(self.process.pid)
        said = subprocess.run(
            ["taskset", "-c", str(CLIENT_CPU), "h2load", "-t1", f"-n{requests}",
             f"-c{connections}", f"-m{streams}", *(["--h1"] if is_old else []),
             f"https://127.0.0.1:{self.port}/{size}.bin"],
            capture_output=True, text=True, check=True, timeout=120).stdout
        spent = measure.cpu_nanoseconds(self.process.pid) - before
        protocol = "http/1.1" if is_old else "h2"
        if f" {requests} 2xx" not in said or f"Application protocol: {protocol}\n" not in said:
            raise RuntimeError(f"{self.name}: wrong answers: {said}")
        return spent / 1e9

    def stop(self):
        measure.stop(self.process)
        self.log.close()


def requests_of(size, connections, streams, share):
    """How many in a run, and of how many streams."""
    count = min(REQUESTS_MAX, BYTES_OF_A_RUN // size) // share
    at_once = min(connections * streams, BYTES_AT_ONCE // size)
    return max(count, at_once, 2 * connections), max(1, at_once // connections)


def a_round(running, cells, share, until):
    """{(name, cell): microseconds}, as far as the time goes."""
    figures, idle = {}, {}
    who = [(server, False) for server in running]
    who += [(server, True) for server in running if server.name == OURS]
    for size, connections, streams in cells:
        for server, is_old in who:
            if time.monotonic() > until:
                return figures
            if is_old and streams != 1:
                continue
            name = OLD if is_old else server.name
            if (name, connections) not in idle:
                idle[name, connections] = server.run(1024, connections, 1, connections, is_old)
            requests, at_once = requests_of(size, connections, streams, share)
            spent = server.run(size, connections, at_once, requests, is_old)
            more = max(spent - idle[name, connections], 0)
            figures[name, (size, connections, streams)] = more / (requests - connections) * 1e6
    return figures


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


def report(names, cells, rounds):
    def figures(name, cell):
        return [each[name, cell] for each in rounds if (name, cell) in each]

    def ratio(cell, others):
        """Of ours to the least of the others, in the same round."""
        found = []
        for each in rounds:
            theirs = [each[other] for other in others if other in each]
            if (OURS, cell) in each and theirs:
                found.append(each[OURS, cell] / min(theirs))
        return f"{statistics.median(found):.2f}" if found else "-"

    lines = []
    for cell in cells:
        size, connections, streams = cell
        line = [f"{SIZES[size]}, {streams} x {connections}"]
        for name in (*names, OLD):
            mine = figures(name, cell)
            line.append(f"{statistics.median(mine):,.1f}" if mine else "")
        line.append(ratio(cell, [(name, cell) for name in names if name != OURS]))
        line.append(ratio(cell, [(OLD, (size, connections, 1))]))
        lines.append(line)
    print(measure.table(["size, streams x connections", *names, OLD, "/ best peer", "/ HTTP/1.1"],
                        lines))


def start(work, only):
    """The servers that run, and why others do not."""
    running, skipped = [], {}
    for name in SERVERS:
        if only and not re.search(only, name):
            continue
        try:
            running.append(Server(name, work))
        except RuntimeError as why:
            skipped[name] = str(why)
    return running, skipped


def measure_requests(work, tool, running, options):
    until = time.monotonic() + options.within
    cells = [(size, connections, streams) for size in SIZES if options.size in (None, size)
             for streams in STREAMS for connections in CONNECTIONS]
    rounds = []
    while len(rounds) < options.rounds and time.monotonic() < until:
        print(f"round {len(rounds) + 1} ...", file=sys.stderr)
        rounds.append(a_round(running, cells, 4 if options.quick else 1, until))
    print(f"{measure.machine()}, load {os.getloadavg()[0]:.0f}; P-256; microseconds of CPU for "
          f"each request, median of {len(rounds)} rounds\n")
    report([server.name for server in running], cells, rounds)
    if measure.which("valgrind") is None:
        print("\nskipped: instructions: valgrind is not installed")
    else:
        print(f"\n1 KiB over h2c, 100 streams: {instructions(work):,.0f} instructions each")
    print("\n" + growth.text(work, tool))


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench http2", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true",
                        help="3 rounds with a quarter of the requests")
    parser.add_argument("--within", type=int, default=1800, metavar="SECONDS",
                        help="no new run after that; the table has what there is (default 1800)")
    parser.add_argument("--size", type=int, choices=SIZES, help="only this one")
    parser.add_argument("--only", metavar="REGEX", help="only servers whose name matches")
    parser.add_argument("--page", action="store_true",
                        help="instead, Chromium's first paint of a page over a slow line")
    parser.add_argument("--tool", help="the crunch that builds our image")
    options = parser.parse_args()
    if options.quick:
        options.rounds = min(options.rounds, 3)
    if measure.which("h2load") is None or os.cpu_count() < 2:
        sys.exit("scripts/bench http2 needs h2load (nghttp2-client) and two cores")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    tool = options.tool or os.path.join(os.environ["CRUNCH_BENCH_BIN"], "crunch")
    with tempfile.TemporaryDirectory(prefix="crunch-bench-") as work:
        os.chmod(work, 0o755)
        if options.page:
            import page  # needs Chromium and what drives it in tests/
            servers.prepare(work, tool, "P-256", (), page.write_page, ["--encodings", "none"])
        else:
            servers.prepare(work, tool, "P-256", SIZES)
        running, skipped = start(work, options.only)
        try:
            if OURS not in [server.name for server in running]:
                sys.exit(f"the image does not run: {skipped}")
            if options.page:
                page.measure_page(running, options.rounds)
            else:
                measure_requests(work, tool, running, options)
        finally:
            for server in running:
                server.stop()
        for name, why in skipped.items():
            print(f"\nskipped: {name}: {why}")


main()
