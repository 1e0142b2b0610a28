# SPDX-License-Identifier: ISC
"""bench/start/run.py: from exec to the first byte of an answer.

Method: the server on core 0. The clock starts just before it is spawned; then the client, on
core 1, connects again and again until it is let in, asks for a page of 1 KiB and stops the clock
at the first byte. Servers in turn, several rounds; a figure is the median of its rounds.
"""

import argparse
import os
import signal
import socket
import statistics
import sys
import tempfile
import time

BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [BENCH, os.path.join(BENCH, "http")]
import measure  # noqa: E402
import servers  # noqa: E402

SERVER_CPU, CLIENT_CPU = 0, 1
BODY_BYTES = 1024
GIVE_UP_S = 10


def first_byte(port, process, end):
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=GIVE_UP_S) as s:
                s.sendall(f"GET /{BODY_BYTES}.bin HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                if s.recv(1):
                    return time.monotonic()
        except (ConnectionRefusedError, ConnectionResetError):
            if os.waitpid(process, os.WNOHANG)[0]:
                raise RuntimeError("ended at once") from None
    raise RuntimeError("does not answer")


def start_once(command, port, log):
    """Milliseconds from exec to the first byte."""
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {SERVER_CPU})  # which the child inherits
    files = [(os.POSIX_SPAWN_DUP2, log.fileno(), fd) for fd in (1, 2)]
    begin = time.monotonic()
    process = os.posix_spawn(command[0], command, os.environ, file_actions=files, setpgroup=0)
    os.sched_setaffinity(0, {CLIENT_CPU})
    try:
        return (first_byte(port, process, begin + GIVE_UP_S) - begin) * 1000
    finally:
        os.sched_setaffinity(0, ours)
        try:
            os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench start", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=25, help="besides a warm-up (default 25)")
    parser.add_argument("--tool", help="the crunch that builds our image")
    options = parser.parse_args()
    if os.cpu_count() < 2:
        sys.exit("scripts/bench start needs two cores")
    tool = options.tool or os.path.join(os.environ["CRUNCH_BENCH_BIN"], "crunch")
    with tempfile.TemporaryDirectory(prefix="crunch-bench-") as work:
        os.chmod(work, 0o755)
        files = os.path.join(work, "files")
        servers.make_files(files, [BODY_BYTES])
        servers.make_image(tool, files, work)
        taken, skipped = {}, {}
        contenders = {"floor (epoll)": servers.CONSTANT["floor (epoll)"], **servers.SERVERS}
        with open(os.path.join(work, "server.log"), "ab") as log:
            for round_number in range(options.rounds + 1):
                for name, make in contenders.items():
                    if name in skipped:
                        continue
                    port = measure.free_port()
                    try:
                        spent = start_once(make(work, files, port, BODY_BYTES), port, log)
                    except (servers.Missing, RuntimeError) as why:
                        skipped[name] = str(why)
                        continue
                    if round_number > 0:
                        taken.setdefault(name, []).append(spent)
        print(f"{measure.machine()}; median of {options.rounds} starts\n")
        rows = [[name, f"{statistics.median(each):.1f}", f"{min(each):.1f}", f"{max(each):.1f}"]
                for name, each in taken.items()]
        print(measure.table(["exec to first byte", "median ms", "least", "most"], rows))
        for name, why in skipped.items():
            print(f"\nskipped: {name}: {why}")


main()
