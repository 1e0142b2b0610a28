# SPDX-License-Identifier: ISC
"""bench/stack/run.py: our own TCP (net/lwip, over a tap) beside Linux's.

Method: network namespaces of its own (takes root), each server on core 0, the client on core 1.
Requests: the client's host is the other side of the server's tap, or of its veth. CPU time is the
server process's utime + stime over the requests that wrk counted; it holds the system calls that
carry frames, and for kernel sockets the kernel's TCP. Bulk: one file by curl over the same bad wire
for both (tests/net/wire.cpp between two taps, then a bridge), for some seconds; bytes over time.
"""

import argparse
import contextlib
import ctypes
import fcntl
import json
import os
import random
import re
import resource
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import measure  # noqa: E402

SIZES = {"1 KiB": 1024, "10 KiB": 10240, "100 KiB": 102400, "1 MiB": 1048576}
BULK = 100_000_000
CLIENT, SERVER = "10.9.0.1", "10.9.0.2"
BUSY = [64, 1000, 9500]
DELAYS_MS = [0, 20, 100]
LOSSES = [0, 0.01, 0.05]
# Linux's rule: the same as ours. Its default may be another.
CONTROL = "cubic"
# Bytes and fetches, over a wire of 40 ms that loses 1 % each way.
SHORT = {15_000: 300, 100_000: 150, 1_000_000: 40}
BOTTLENECK = 2_500_000  # bytes a second

NGINX = """
daemon off; worker_processes 1; pid {work}/nginx.pid; error_log {work}/nginx.err crit;
events {{ worker_connections 16384; }}
http {{
  access_log off; sendfile on; tcp_nopush on; server_tokens off;
  keepalive_timeout 65; keepalive_requests 1000000000;
  open_file_cache max=1000; types {{ application/octet-stream bin; }}
  client_body_temp_path {work}/t1; proxy_temp_path {work}/t2; fastcgi_temp_path {work}/t3;
  uwsgi_temp_path {work}/t4; scgi_temp_path {work}/t5;
  server {{ listen {server}:80; root {files}; }}
}}
"""


def must(*words):
    subprocess.run([*map(str, words)], check=True, stdout=subprocess.DEVNULL)


def new_namespace():
    if ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0:  # CLONE_NEWNET
        sys.exit("bench stack: takes root, for network namespaces")
    must("ip", "link", "set", "lo", "up")


class Servers:
    """Started for one table and ended after it; a namespace of its own for those on the kernel."""

    def __init__(self, work, tool, files):
        self.work, self.files = work, files
        self.images = {}
        for target in ("unix", "unix-tap"):
            image = os.path.join(work, target)
            subprocess.run([tool, "build", files, "-t", target, "-o", image], check=True,
                           stdout=subprocess.DEVNULL)
            self.images[target] = image
        nginx = measure.which("nginx")
        self.nginx = None
        if nginx:
            config = os.path.join(work, "nginx.conf")
            with open(config, "w") as f:
                f.write(NGINX.format(work=work, files=files, server=SERVER))
            self.nginx = [nginx, "-c", config, "-e", os.path.join(work, "nginx.err")]
        self.log = open(os.path.join(work, "log"), "ab")

    def names(self):
        found = {"crunch unix-tap": None, "crunch unix": [self.images["unix"]]}
        if self.nginx:
            found["nginx"] = self.nginx
        return found

    def start_tap(self, *more):
        return measure.start([self.images["unix-tap"], "--tap=tap0", f"--ipv4={SERVER}/24",
                              "--ipv6=off", *more], 0, self.log)

    def start_behind_veth(self, command, bridge=None):
        """The server in a namespace whose veth's other end is here, or in `bridge`."""
        process = subprocess.Popen(
            ["unshare", "-n", "taskset", "-c", "0", "sh", "-c",
             "for i in $(seq 500); do ip link set veth1 up 2>/dev/null && break; sleep 0.02; done; "
             f"ip addr add {SERVER}/24 dev veth1; "
             f"ip route replace 10.9.0.0/24 dev veth1 src {SERVER} congctl {CONTROL}; "
             "echo 1 >/proc/sys/net/ipv4/tcp_no_metrics_save; "
             "exec \"$@\"", "sh", *command], stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log, start_new_session=True)
        time.sleep(0.3)
        must("ip", "link", "add", "veth0", "type", "veth", "peer", "name", "veth1")
        must("ip", "link", "set", "veth1", "netns", process.pid)
        if bridge:
            must("ip", "link", "set", "veth0", "master", bridge)
        else:
            must("ip", "addr", "add", f"{CLIENT}/24", "dev", "veth0")
        must("ip", "link", "set", "veth0", "up")
        return process


def wait_until_served(process):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"a server ended with status {process.returncode}")
        try:
            with socket.create_connection((SERVER, 80), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("a server does not answer")


def start_near(servers, name, command, *more):
    """The server, if it is ours with more options, with the client's host as its neighbour."""
    new_namespace()
    if command is not None:
        process = servers.start_behind_veth([*command, *more] if name != "nginx" else command)
    else:
        must("ip", "tuntap", "add", "tap0", "mode", "tap")
        must("ip", "addr", "add", f"{CLIENT}/24", "dev", "tap0")
        must("ip", "link", "set", "tap0", "up")
        process = servers.start_tap(*more)
    wait_until_served(process)
    return process


def wrk(size, seconds, connections):
    out = subprocess.run(["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds}s",
                          f"http://{SERVER}/{size}.bin"], capture_output=True, text=True,
                         check=True).stdout
    counted = re.search(r"(\d+) requests in ([\d.]+)(m?s)", out)
    if "Non-2xx" in out or counted is None:
        raise RuntimeError("wrong answers: " + out)
    return int(counted[1]), float(counted[2]) / (1000 if counted[3] == "ms" else 1)


def cpu_per_request(process, size, options, connections):
    used, rates = [], []
    for _ in range(options.rounds):
        before = measure.cpu_seconds(process.pid)
        count, seconds = wrk(size, options.seconds, connections)
        if count == 0:
            raise RuntimeError("no request was answered: is the machine busy?")
        used.append((measure.cpu_seconds(process.pid) - before) * 1e6 / count)
        rates.append(count / seconds)
    return statistics.median(used), statistics.median(rates)


def requests_table(servers, options):
    rows = []
    for name, command in servers.names().items():
        process = start_near(servers, name, command)
        row = [name]
        for size in SIZES.values():
            used, rate = cpu_per_request(process, size, options, 32)
            row.append(f"{used:.1f} ({rate:,.0f})")
        rows.append(row)
        measure.stop(process)
    print("CPU time for each keep-alive request, in microseconds; in parentheses requests/s:\n")
    print(measure.table(["server", *SIZES], rows), flush=True)


def memory_kib(pid):
    total = 0
    for each in measure.descendants(pid):
        with open(f"/proc/{each}/status") as f:
            total += int(re.search(r"RssAnon:\s*(\d+)", f.read())[1])
    return total


def connections_table(servers, options):
    rows = []
    for name, command in servers.names().items():
        if name == "nginx":
            continue
        process = start_near(servers, name, command)
        row, held, before = [name], [], memory_kib(process.pid)
        for count in (10, 1000, 5000):
            while len(held) < count:
                held.append(socket.create_connection((SERVER, 80), timeout=10))
            used, _ = cpu_per_request(process, 1024, options, 10)
            row.append(f"{used:.1f}")
        row.append(f"{(memory_kib(process.pid) - before) / len(held):.1f} KiB")
        rows.append(row)
        for each in held:
            each.close()
        measure.stop(process)
    print("\nCPU time for a request of 1 KiB, in microseconds, while so many other connections are "
          "open and idle; and the server's memory for each:\n")
    print(measure.table(["server", "10", "1,000", "5,000", "memory"], rows), flush=True)


def ask_at_random(held, seconds):
    """One request of 1 KiB after another on connections chosen at random, 32 at once."""
    request = f"GET /1024.bin HTTP/1.1\r\nHost: {SERVER}\r\n\r\n".encode()
    chance, count, end = random.Random(1), 0, time.monotonic() + seconds
    while time.monotonic() < end:
        asked = chance.sample(held, 32)
        for each in asked:
            each.send(request)
        for each in asked:
            got = 0
            while got < 1024:  # a head comes before the last of these
                more = each.recv(4096)
                if not more:
                    raise RuntimeError("the server closed a busy connection")
                got += len(more)
        count += len(asked)
    return count


def busy_table(servers, options):
    rows = []
    for name, command in servers.names().items():
        row = [name]
        for count in BUSY:
            process = start_near(servers, name, command, "--max-connections=10000",
                                 "--max-connections-per-client=10000")
            held = [socket.create_connection((SERVER, 80), timeout=10) for _ in range(count)]
            ask_at_random(held, 0.5)
            before = measure.cpu_seconds(process.pid)
            done = ask_at_random(held, options.seconds * options.rounds)
            row.append(f"{(measure.cpu_seconds(process.pid) - before) * 1e6 / done:.1f}")
            for each in held:
                each.close()
            measure.stop(process)
        rows.append(row)
    print("\nCPU time for a request of 1 KiB, in microseconds, on one of so many connections that "
          "are all in use:\n")
    print(measure.table(["server", *(f"{count:,}" for count in BUSY)], rows), flush=True)


def open_tap(name):
    tun = os.open("/dev/net/tun", os.O_RDWR)
    request = struct.pack("16sH22x", name.encode(), 0x0002 | 0x1000)  # IFF_TAP | IFF_NO_PI
    fcntl.ioctl(tun, 0x400454CA, request)  # TUNSETIFF
    return tun


@contextlib.contextmanager
def wired(servers, wire_program, command, *faults):
    """The server behind a wire with `faults`; gives a list that will have what the wire did."""
    new_namespace()
    ends = [open_tap("near"), open_tap("far")]
    must("ip", "link", "add", "br0", "type", "bridge")
    must("ip", "link", "set", "far", "master", "br0")
    must("ip", "addr", "add", f"{CLIENT}/24", "dev", "near")
    for name in ("near", "far", "br0"):
        must("ip", "link", "set", name, "up")
    if command is not None:
        server = servers.start_behind_veth(command, "br0")
    else:
        must("ip", "tuntap", "add", "tap0", "mode", "tap")
        must("ip", "link", "set", "tap0", "master", "br0")
        must("ip", "link", "set", "tap0", "up")
        server = servers.start_tap()
    wire = subprocess.Popen(
        ["taskset", "-c", "1", wire_program, *(f"fd:{end}" for end in ends), *map(str, faults)],
        pass_fds=ends, stdout=subprocess.PIPE, text=True)
    did = []
    try:
        wait_until_served(server)
        yield did
    finally:
        wire.terminate()
        did.append(json.loads(wire.communicate(timeout=10)[0]))
        measure.stop(server)
        for end in ends:
            os.close(end)


def fetch(size):
    """A new connection, one request; seconds to the last byte."""
    begin = time.monotonic()
    with socket.create_connection((SERVER, 80), timeout=30) as one:
        one.sendall(f"GET /{size}.bin HTTP/1.1\r\nHost: {SERVER}\r\n"
                    "Connection: close\r\n\r\n".encode())
        got = 0
        while more := one.recv(1 << 20):
            got += len(more)
    if got < size:
        raise RuntimeError(f"{got} bytes of {size}")
    return time.monotonic() - begin


def short_table(servers, wire_program):
    rows = []
    for size, count in SHORT.items():
        row = [f"{size // 1000:,} KB, {count}"]
        for command in (None, servers.nginx):
            if command is None or servers.nginx:
                with wired(servers, wire_program, command, "--delay-ms", 20, "--loss", 0.01):
                    took = sorted(fetch(size) * 1000 for _ in range(count))
                row.append(" / ".join(f"{took[min(int(len(took) * part), len(took) - 1)]:.0f}"
                                      for part in (0.5, 0.95, 0.99)))
        rows.append(row)
    print("\nFetches, each on a new connection, over 40 ms (both ways together) and 1 % loss (each "
          "way), ms to the last byte, p50 / p95 / p99:\n")
    heads = ["fetches", "crunch unix-tap", f"nginx on Linux's TCP ({CONTROL})"]
    print(measure.table(heads[:len(rows[0])], rows), flush=True)


def bottleneck_table(servers, wire_program):
    rows = []
    for name, command in (("crunch unix-tap", None), ("nginx", servers.nginx)):
        if name == "nginx" and not command:
            continue
        with wired(servers, wire_program, command, "--delay-ms", 20, "--bytes-per-second",
                   BOTTLENECK) as did:
            took = statistics.median(fetch(1_000_000) * 1000 for _ in range(10))
        most = max(did[0].values(), key=lambda way: way["sent"])
        rows.append([name, f"{took:.0f} ms", f"{100 * most['lost'] / most['sent']:.1f} %"])
    print("\n1 MB over 40 ms and a link of 2.5 MB/s with a queue of 256 frames, and the part of "
          f"frames that the queue dropped (nginx: Linux's TCP, {CONTROL}):\n")
    print(measure.table(["server", "fetch", "dropped"], rows), flush=True)


def bulk(servers, wire_program, command, delay_ms, loss, seconds):
    """MB/s of one file over the wire."""
    # Half of the delay each way; loss each way.
    with wired(servers, wire_program, command, "--loss", loss, "--delay-ms", delay_ms / 2):
        done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-m", str(seconds), "-w",
                               "%{size_download} %{time_total}", f"http://{SERVER}/{BULK}.bin"],
                              capture_output=True, text=True)
        size, taken = done.stdout.split()
        return int(size) / float(taken) / 1e6


def bulk_table(servers, wire_program, options):
    cells = [(delay, loss) for delay in DELAYS_MS for loss in LOSSES]
    rows = []
    for delay, loss in cells:
        row = [f"{delay} ms, {loss * 100:.0f} %"]
        speeds = []
        for name in ("crunch unix-tap", "nginx"):
            if name == "nginx" and not servers.nginx:
                row += ["-", "-"]
                continue
            command = None if name == "crunch unix-tap" else servers.nginx
            speeds.append(statistics.median(
                bulk(servers, wire_program, command, delay, loss, options.bulk_seconds)
                for _ in range(options.bulk_rounds)))
            row.append(f"{speeds[-1]:.2f}")
        if len(speeds) == 2:
            row.append(f"{speeds[0] / speeds[1]:.2f}")
        rows.append(row)
    print(f"\n{BULK // 10 ** 6} MB over a wire with delay (both ways together) and loss (each "
          f"way), MB/s over at most {options.bulk_seconds} s:\n")
    linux = f"nginx on Linux's TCP ({CONTROL})"
    print(measure.table(["wire", "crunch unix-tap", linux, "ratio"], rows), flush=True)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench stack", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=2, help="of each load (default 2)")
    parser.add_argument("--rounds", type=int, default=3, help="of each load (default 3)")
    parser.add_argument("--bulk-seconds", type=int, default=10, help="of each transfer")
    parser.add_argument("--bulk-rounds", type=int, default=3, help="of each transfer")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (16384, 16384))
    binaries = os.environ["CRUNCH_BENCH_BIN"]
    print(measure.machine() + "\n")
    with tempfile.TemporaryDirectory() as work:
        files = os.path.join(work, "files")
        os.makedirs(files)
        for size in (*SIZES.values(), *SHORT, BULK):
            with open(os.path.join(files, f"{size}.bin"), "wb") as f:
                f.write(os.urandom(size))
        os.chmod(work, 0o755)
        servers = Servers(work, os.path.join(binaries, "crunch"), files)
        requests_table(servers, options)
        connections_table(servers, options)
        busy_table(servers, options)
        wire = os.path.join(binaries, "wire")
        short_table(servers, wire)
        bottleneck_table(servers, wire)
        bulk_table(servers, wire, options)


if __name__ == "__main__":
    main()
