#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Images of unix-tap: a process with a network stack of its own, seen from a Linux host.

Method: each test makes a network namespace, in which nothing else is, with a tap; the host's side
of the tap is Linux's, with curl, ping, dnsmasq, radvd and the conformance table's client on it.
"""

import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

import harness
import network
from harness import SITE, Server, call, must
from network import HOST4, IMAGE4, IMAGE6, STATIC, enter_namespace, file_of, make_tap

CLIENT = harness.BUILD / "bin" / "conformance_client"


class TapServer(Server):
    """Listens on a port that is its own alone; says so."""

    def __init__(self, image, *keys, ready: str = "", **options):
        super().__init__(image, *keys, http_port=80, **options)
        if ready:
            self.wait_for_line(ready)

    def wait_for_line(self, pattern: str) -> str:
        found = []

        def is_there() -> bool:
            found[:] = re.findall(pattern, self.err())
            return bool(found)

        if not harness.eventually(is_there, 30):
            raise AssertionError(f"no line {pattern!r} in {self.err()!r}")
        return found[0]


class OnTap(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        network.need_taps()

    def setUp(self):
        enter_namespace()
        self._folder = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self._folder.name)
        self.addCleanup(self._folder.cleanup)

    def image(self, *options, files=None) -> pathlib.Path:
        site = harness.write_tree(self.folder / "site", files or SITE)
        return harness.build_image(site, self.folder / "image", *options, target="unix-tap")


class Serving(OnTap):
    def test_files_over_both_protocols_and_ping(self):
        harness.need("curl"), harness.need("ping")
        make_tap()
        with TapServer(self.image(), *STATIC, ready=f"network: {IMAGE6}/64") as server:
            self.assertRegex(server.err(), rf"network: {IMAGE4}/24, gateway {HOST4}\n")
            for host in (IMAGE4, f"[{IMAGE6}]"):
                for name in ("index.html", "empty.txt", "big.bin"):
                    with self.subTest(host=host, name=name):
                        self.assertEqual(file_of(f"http://{host}/{name}"), SITE[name])
            must("ping", "-c", "2", "-i", "0.2", IMAGE4)
            must("ping", "-c", "2", "-i", "0.2", IMAGE6)
            # In two fragments, there and back.
            must("ping", "-c", "1", "-s", "2000", IMAGE4)
            must("ping", "-c", "1", "-s", "2000", IMAGE6)

    def test_large_segments_are_the_hosts_to_cut(self):
        harness.need("curl")
        make_tap()

        def taken() -> int:  # packets that the host got from the image
            counts = re.search(r"tap0:\s*\d+\s+(\d+)", pathlib.Path("/proc/net/dev").read_text())
            return int(counts.group(1))

        with TapServer(self.image(), *STATIC, ready=f"network: {IMAGE6}/64"):
            for host in (IMAGE4, f"[{IMAGE6}]"):
                before = taken()
                self.assertEqual(file_of(f"http://{host}/big.bin"), SITE["big.bin"])
                self.assertLess(taken() - before, len(SITE["big.bin"]) / 1460 / 2)

    def test_fifty_connections_of_wrk(self):
        harness.need("wrk")
        make_tap()
        with TapServer(self.image(), *STATIC, ready=f"network: {IMAGE6}/64"):
            for host in (IMAGE4, f"[{IMAGE6}]"):
                said = must("wrk", "-t1", "-c50", "-d2s", f"http://{host}/big.bin")
                self.assertNotIn("Non-2xx", said)
                self.assertNotIn("Socket errors", said)
                self.assertGreater(int(re.search(r"(\d+) requests in", said).group(1)), 50)

    def test_https(self):
        harness.need("curl")
        if not harness.has_tls():
            self.skipTest("crunch was built without TLS")
        make_tap()
        with TapServer(self.image("--self-signed", "localhost"), *STATIC,
                       ready=f"network: {IMAGE6}/64"):
            for host in (IMAGE4, f"[{IMAGE6}]"):
                self.assertEqual(file_of(f"https://{host}/big.bin", "-k"), SITE["big.bin"])

    def test_the_conformance_table(self):
        make_tap()
        image = harness.conformance_image("unix-tap")
        with TapServer(image, *STATIC, ready=f"network: {IMAGE6}/64"):
            for options in (["--host", IMAGE4], ["--host", IMAGE4, "--cut", "7"],
                            ["--host", IMAGE6]):
                with self.subTest(options=options):
                    done = call(CLIENT, "--port", 80, "--encodings", *options, timeout=170)
                    print(done.stdout)
                    self.assertEqual(done.returncode, 0, done.stdout)

    def test_the_conformance_of_https(self):
        make_tap()
        image = harness.conformance_image("unix-tap", "--self-signed", "localhost")
        with TapServer(image, *STATIC, ready=f"network: {IMAGE6}/64"):
            harness.check_https(IMAGE4, 443)
            harness.check_https(IMAGE6, 443, "--only", "bad_starts")

    def test_small_and_large_mtus(self):
        harness.need("curl")
        for mtu in (576, 1280, 9000):
            with self.subTest(mtu=mtu):
                name = f"tap{mtu}"
                must("ip", "tuntap", "add", name, "mode", "tap")
                must("ip", "link", "set", name, "mtu", mtu)
                must("ip", "addr", "add", f"{HOST4}/24", "dev", name)
                must("ip", "link", "set", name, "up")
                with TapServer(self.image(), f"--tap={name}", f"--ipv4={IMAGE4}/24", "--ipv6=off",
                               ready=f"network: {IMAGE4}/24"):
                    self.assertEqual(file_of(f"http://{IMAGE4}/big.bin"), SITE["big.bin"])
                must("ip", "link", "del", name)

    def test_an_inherited_descriptor(self):
        harness.need("curl")
        make_tap()
        tun = network.open_tap("tap0")
        with TapServer(self.image(), f"--tap=fd:{tun}", *STATIC, pass_fds=[tun],
                       ready=f"network: {IMAGE4}/24"):
            self.assertEqual(file_of(f"http://{IMAGE4}/big.bin"), SITE["big.bin"])
        os.close(tun)

    def test_an_idle_image_sleeps(self):
        harness.need("strace"), harness.need("curl")
        make_tap()
        # The host is silent but for what it is asked to do.
        pathlib.Path("/proc/sys/net/ipv6/conf/tap0/disable_ipv6").write_text("1")
        with TapServer(self.image(), *STATIC, ready=f"network: {IMAGE6}/64") as server:
            self.assertEqual(file_of(f"http://{IMAGE4}/index.html"), SITE["index.html"])
            with harness.Client(IMAGE4, 80) as kept:
                self.assertEqual(kept.get("/index.html").status, 200)
                # Linux asks again who has the address about 5 s after it last sent something.
                time.sleep(16)
                self.assert_sleeps(server, 5)

    def assert_sleeps(self, server: Server, seconds: float) -> None:
        trace = self.folder / "trace"
        with subprocess.Popen(["strace", "-f", "-p", str(server.process.pid), "-o", str(trace)],
                              stderr=subprocess.DEVNULL) as strace:
            time.sleep(seconds)
            strace.send_signal(signal.SIGINT)
            strace.wait(20)
        calls = [line for line in trace.read_text().splitlines() if "epoll_wait" in line]
        # The one that it was found in; and the keep-alive timeout of HTTP may fall into the time.
        self.assertLessEqual(len(calls), 2, calls)


class Addresses(OnTap):
    def test_dhcp(self):
        harness.need("curl")
        make_tap()
        with network.dhcp_server(self.folder, "tap0", f"{HOST4[:-1]}50,{HOST4[:-1]}60") as leases, \
                TapServer(self.image(), "--ipv6=off", "--hostname=shop") as server:
            address = server.wait_for_line(
                rf"network: (10\.9\.0\.\d+)/24, gateway {re.escape(HOST4)} \(DHCP\)")
            self.assertEqual(file_of(f"http://{address}/big.bin"), SITE["big.bin"])
            self.assertIn(f" {address} shop ", leases.read_text())

    def test_an_address_of_dhcp_that_another_host_has(self):
        harness.need("curl")
        make_tap()
        only = f"{HOST4[:-1]}50"
        must("ip", "addr", "add", f"{only}/32", "dev", "lo")
        with network.dhcp_server(self.folder, "tap0", f"{only},{only}", "--no-ping"), \
                TapServer(self.image(), "--ipv6=off") as server:
            server.wait_for_line(rf"has the address {re.escape(only)} that the DHCP server gave to "
                                 "this one: it is declined")
            must("ip", "addr", "del", f"{only}/32", "dev", "lo")
            self.assertTrue(harness.eventually(
                lambda: server.err().count(f"network: {only}/24") == 2, 60), server.err())
            self.assertEqual(file_of(f"http://{only}/big.bin"), SITE["big.bin"])
        self.assertIn(f"DHCPDECLINE(tap0) {only}", (self.folder / "dnsmasq.log").read_text())

    def test_slaac(self):
        harness.need("radvd"), harness.need("curl")
        make_tap()
        config = self.folder / "radvd.conf"
        config.write_text("interface tap0 { AdvSendAdvert on; MinRtrAdvInterval 3; "
                          "MaxRtrAdvInterval 4; prefix fd09:0:0:7::/64 { }; };\n")
        must("ip", "-6", "addr", "add", "fd09:0:0:7::1/64", "dev", "tap0", "nodad")
        with subprocess.Popen(["radvd", "-n", "-C", str(config), "-p",
                               str(self.folder / "radvd.pid"), "-m", "none"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as radvd:
            try:
                with TapServer(self.image(), f"--ipv4={IMAGE4}/24") as server:
                    address = server.wait_for_line(r"network: (fd09::7:[0-9a-f:]+)/64")
                    self.assertEqual(file_of(f"http://[{address}]/big.bin"), SITE["big.bin"])
            finally:
                radvd.terminate()
                radvd.wait(20)

    def test_no_dhcp_server(self):
        make_tap()
        with TapServer(self.image(files={"index.html": b"x"}), "--ipv6=off") as server:
            server.wait_for_line("no DHCP server has answered for 10 s; still asking")

    def test_another_host_has_the_address(self):
        make_tap()
        must("ip", "addr", "add", f"{IMAGE4}/32", "dev", "tap0")
        must("ip", "-6", "addr", "add", f"{IMAGE6}/128", "dev", "tap0", "nodad")
        with TapServer(self.image(files={"index.html": b"x"}), *STATIC) as server:
            server.wait_for_line(r"another host, with the MAC [0-9a-f:]{17}, has the address "
                                 + re.escape(IMAGE4))
            server.wait_for_line(rf"another host has the address {IMAGE6} too")


def reno_bytes_per_second(mtu: int, delay_ms: float, loss: float) -> float:
    """What a sender by Reno's rule brings through (Padhye et al. 1998, equation 30): losses halve
    its window, and where the window is small they cost a retransmission's time."""
    round_trip_s = 2 * delay_ms / 1000 + 0.01
    timeout_s = max(0.3, 2 * round_trip_s)
    halving = round_trip_s * (2 * loss / 3) ** 0.5
    waiting = timeout_s * min(1, 3 * (3 * loss / 8) ** 0.5) * loss * (1 + 32 * loss ** 2)
    return (mtu - 40) / max(halving + waiting, round_trip_s / 100)


class BadWires(OnTap):
    """A client's host, a bad wire, a bridge, and the image's tap on it."""

    def test_files_arrive_whole(self):
        harness.need("curl")
        table = [
            (1500, 0.01, 0, ["--duplicate", 0.02, "--corrupt", 0.01]),
            (1500, 0.05, 5, ["--burst", 3, "--jitter-ms", 5]),
            (576, 0.01, 50, ["--trailing", 0.01]),
        ]
        if os.environ.get("CRUNCH_ALL_WIRES"):
            table += [(mtu, loss, delay, ["--jitter-ms", delay / 4])
                      for mtu in (576, 1500, 9000) for loss in (0, 0.01, 0.05, 0.2)
                      for delay in (50, 300)]
        # What should come in 40 s, of the 250 s that it has; but no more than tells something.
        sizes = {(mtu, loss, delay): int(min(40 * reno_bytes_per_second(mtu, delay, loss),
                                             max(200_000, 100 * mtu)))
                 for mtu, loss, delay, _ in table}
        files = {f"{size}.bin": harness.noise(size, "wire") for size in sizes.values()}
        image = self.image(files={"index.html": b"x", **files})
        for mtu, loss, delay, more in table:
            name = f"{sizes[mtu, loss, delay]}.bin"
            with self.subTest(mtu=mtu, loss=loss, delay=delay, more=more, name=name):
                began = time.monotonic()
                with network.BadWire(mtu, "--loss", loss, "--delay-ms", delay, *more) as wire:
                    with TapServer(image, f"--ipv4={IMAGE4}/24", "--ipv6=off"):
                        got = file_of(f"http://{IMAGE4}/{name}", "--retry", "5",
                                      "--retry-all-errors", "-m", "250")
                        self.assertTrue(got == files[name])
                did = wire.did["to_a"]
                print(mtu, loss, delay, more, name, did, f"{time.monotonic() - began:.1f} s")
                self.assertGreater(did["sent"], len(got) / mtu)
                if loss * did["sent"] > 10:
                    self.assertGreater(did["lost"], 0)


class BadStarts(OnTap):
    def test_what_is_wrong_is_said(self):
        image = self.image(files={"index.html": b"x"})
        make_tap()
        table = [
            (["--tap=tap7"], "there is no tap 'tap7'; make it first: ip tuntap add tap7"),
            (["--tap=lo"], "'lo' is no tap that can be opened"),
            (["--tap="], "it takes the name of a tap"),
            (["--tap=fd:99"], "--tap=fd:99 is no open tap"),
            (["--tap=fd:x"], "is the number of an open descriptor"),
            (["--ipv4=10.9.0.2/24", "--ipv4-gateway=10.8.0.1"], "outside the network 10.9.0.0/24"),
            (["--ipv6=fd09::2"], "it takes auto, off, or an address"),
        ]
        for keys, says in table:
            with self.subTest(keys=keys):
                done = call(image, *keys)
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertIn(says, done.stdout)
        done = call(image, "--ipv4=10.9.0.2")  # not of the key's type
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("as in 192.0.2.2/24", done.stdout)

    def test_a_tap_in_use(self):
        image = self.image(files={"index.html": b"x"})
        make_tap()
        with TapServer(image, *STATIC):
            done = call(image, *STATIC)
            self.assertEqual(done.returncode, 1)
            self.assertIn("the tap 'tap0' is in use: another process has it open", done.stdout)

    def test_no_permission(self):
        harness.need("setpriv")
        image = self.image(files={"index.html": b"x"})
        self.folder.chmod(0o755)
        make_tap()
        done = call("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", image, *STATIC)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, "no permission (for the tap 'tap0': run as root|to open)")

    def test_a_tap_that_is_down(self):
        image = self.image(files={"index.html": b"x"})
        must("ip", "tuntap", "add", "tap0", "mode", "tap")
        with TapServer(image, *STATIC) as server:
            server.wait_for_line("is it up\\? ip link set tap0 up")


if __name__ == "__main__":
    harness.main()
