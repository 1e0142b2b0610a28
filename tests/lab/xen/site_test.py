#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Sites served by guests of a real Xen: `crunch build -t xen`, `xl create`.

Method: the tests of a class share one lab (lab.py), which takes seconds to start; each makes its
guests anew. With CRUNCH_ALL_WIRES=1 in the environment: the whole of bare.Suite, with one vif and
again with two (else of two HTTP's table alone), the table also over TLS and cut in pieces; twelve
more wires; ten guests at once; fifty guests one after another instead of three; three saves and
three moves in a row instead of one; an idle guest.
"""

import contextlib
import functools
import os
import pathlib
import re
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

import bare
import harness
import lab as xen_lab
import qemu
from harness import SITE
from lab import CRASH, POWEROFF, Lab

TARGET = "xen"
ALL = bool(os.environ.get("CRUNCH_ALL_WIRES"))
WAIT_S = xen_lab.WAIT_S
harness.WAIT_S = WAIT_S  # the emulation of an emulation is slow
when_all = unittest.skipUnless(ALL, "takes minutes: CRUNCH_ALL_WIRES=1 runs it")


@functools.cache
def the_lab() -> Lab:
    made = Lab(wires=2)
    unittest.addModuleCleanup(made.stop)
    return made


@functools.cache
def in_dom0(image_file: pathlib.Path) -> str:
    at = f"/images/{image_file.name}"
    the_lab().put(image_file, at)
    return at


class Site(bare.Guest):
    """A guest that serves, at an address of its own."""

    count = 0

    def __init__(self, image_file, *keys, wait=True, address=True, **options):
        self.lab = the_lab()
        Site.count += 1
        self.host = self.lab.address(10 + Site.count)
        if address:
            keys = (f"--ipv4={self.host}/24", f"--ipv4-gateway={self.lab.address(1)}", *keys)
        self.guest = self.lab.create(f"site{Site.count}", in_dom0(image_file), " ".join(keys),
                                     **options)
        if wait:
            self.wait_for(r"network: [0-9.]+/\d+")

    def console(self) -> str:
        return self.guest.console()

    def is_running(self) -> bool:
        return self.guest.domid() is not None

    def ask_to_stop(self) -> None:
        self.guest.shutdown()

    def wait_for(self, pattern: str, within_s: float = WAIT_S, count: int = 1) -> str:
        return self.guest.wait_for(pattern, within_s, count)

    def wait_for_end(self, within_s: float = WAIT_S) -> int:
        self.guest.wait_for_end(within_s)
        return 0 if self.guest.reasons()[-1:] == [POWEROFF] else 1

    def kill(self) -> None:
        if self.is_running():
            self.guest.destroy()


class Asking:
    """Asks a site all the time, by one connection and by new ones; not one may fail."""

    def __init__(self, site: Site):
        self._site = site
        self._answered = 0
        self._ends = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            with self._site.client() as kept:
                while not self._ends.wait(0.2):
                    for get in (kept.get, self._site.get):
                        if get("/style.css").body != SITE["style.css"]:
                            raise AssertionError("not the file")
                    self._answered += 1
        except (AssertionError, OSError) as error:
            self._failure = error

    def more(self, turns: int) -> None:
        """Waits for so many turns from now on."""
        # One may be under way.
        until = self._answered + turns + 1
        harness.eventually(lambda: self._failure or self._answered >= until, WAIT_S)
        if self._failure or self._answered < until:
            raise AssertionError(f"{self._answered} turns, then {self._failure!r}")

    def close(self) -> None:
        self._ends.set()
        self._thread.join(2 * WAIT_S)


class OnXen(bare.Suite, unittest.TestCase):
    target = TARGET
    cuts = ("1", "7") if ALL else ()
    connections = 400

    def start(self, image_file, *keys, memory_mib=24, wait=True) -> Site:
        return Site(image_file, *keys, memory_mib=memory_mib, wait=wait)

    def setUp(self):
        the_lab()

    def test_https_conformance(self):
        # HTTP's table over TLS takes most of the time.
        parts = () if ALL else ("openssl", "curl", "bad_starts", "bad_records")
        with self.start(bare.conformance_image(self.target)) as guest:
            harness.check_https(guest.host, guest.https_port,
                                *(word for part in parts for word in ("--only", part)))


for NAME in ("test_boot_keys", "test_boot_line", "test_memory_is_flat_over_many_connections"):
    setattr(OnXen, NAME, when_all(getattr(OnXen, NAME)))


@when_all
class OnTwoNetworks(OnXen):
    """The same with a second vif."""

    def start(self, image_file, *keys, memory_mib=24, wait=True) -> Site:
        return Site(image_file, *keys, memory_mib=memory_mib, wait=wait, vifs=2)


class Hosts(unittest.TestCase):
    """What a host does with its guests."""

    WIRES = ["loss 8% delay 5ms", "delay 10ms 5ms reorder 25% duplicate 2%"]
    if ALL:
        WIRES += [f"loss {loss}% delay {delay}ms {delay // 4}ms"
                  for loss in (2, 5, 15) for delay in (4, 50, 300)]
        WIRES += ["corrupt 2%", "loss 20% 50%", "rate 1mbit delay 20ms"]

    def setUp(self):
        self.lab = the_lab()

    def site(self, *keys, image_file=None, **options) -> Site:
        made = Site(image_file or bare.small_image(TARGET), "--redirect=false", *keys, **options)
        self.addCleanup(made.kill)
        return made

    def assert_serves(self, site: Site, files=None) -> None:
        for path, data in (files or {"index.html": SITE["index.html"]}).items():
            self.assertEqual(site.get("/" + path).body, data, path)

    @when_all
    def test_ten_guests_at_once(self):
        sites = [self.site(memory_mib=16, wait=False) for _ in range(10)]
        for site in sites:
            site.wait_for("network: ")
        self.assertEqual(self.lab.counts().domains, 11)
        for site in [*sites, *reversed(sites)]:
            # With ten on one processor, what is asked first may be asked in vain.
            self.assertTrue(harness.eventually(site.answers, WAIT_S), site.console())
            self.assert_serves(site)
        for site in sites:
            site.ask_to_stop()
        for site in sites:
            self.assertEqual(site.wait_for_end(), 0, site.console())

    def test_created_and_destroyed_again_and_again(self):
        self.site(memory_mib=16).kill()  # the first makes directories that stay
        before = self.lab.counts()
        for i in range(50 if ALL else 3):
            site = self.site(memory_mib=16 if i % 2 else 32, vifs=1 + i % 2)
            self.assert_serves(site)
            if i % 3:
                site.kill()
            else:
                site.stop()
        self.lab.assert_nothing_left(before)

    def test_two_networks(self):
        with self.site(image_file=bare.conformance_image(TARGET), vifs=2) as site:
            self.assertIn("this guest has 2 network devices", site.console())
            bare.ask_conformance(self, site.host, site.port)

    def test_reboot(self):
        site = self.site()
        self.assert_serves(site)
        site.guest.reboot()
        site.wait_for("network: ", count=2)
        self.assert_serves(site)
        self.assertEqual(site.stop(), 0)

    def test_put_away_and_taken_up(self):
        site = self.site(memory_mib=8)
        with site.client() as kept:
            site.guest.save("/saved", "-c")  # and goes on
            self.assertEqual(kept.get("/style.css").body, SITE["style.css"])
            self.assertIn("taken up again: it was not put away after all", site.console())
            for _ in range(3 if ALL else 1):
                site.guest.save("/saved")
                self.assertFalse(site.is_running())
                site.guest = self.lab.restore(site.guest.name, "/saved")
                # The same connection, and new ones.
                self.assertEqual(kept.get("/style.css").body, SITE["style.css"])
                self.assert_serves(site, bare.SMALL)
                self.lab.run("rm /saved")
                self.assertRegex(site.console(), "(?m)^taken up again$")
        site.ask_to_stop()
        site.guest.wait_for_end()

    def test_moved_while_it_serves(self):
        """In the one host there is: a domain made beside the first, which ends."""
        site = self.site(memory_mib=8)
        with contextlib.closing(Asking(site)) as asking:
            asking.more(3)
            for _ in range(3 if ALL else 1):
                site.guest.migrate()
                asking.more(3)
        self.assertRegex(site.console(), "(?m)^taken up again$")
        self.assertEqual(self.lab.run("xl list").count(site.guest.name), 1)
        self.assert_serves(site, bare.SMALL)
        self.assertEqual(site.stop(), 0)

    def test_a_report_of_a_crash(self):
        site = self.site()
        self.assert_serves(site)
        self.lab.run(f"xl trigger {site.guest.name} nmi")
        site.guest.wait_for_end()
        self.assertEqual(site.guest.reasons(), [CRASH])
        report = site.console().partition("panic: non-maskable interrupt")[2]
        self.assertRegex(report, r"\n  [0-9a-f]{16}  base::Loop::\w+\+\d+\n")
        self.assertRegex(report, r"\n  [0-9a-f]{16}  main\+\d+\n")

    def test_examples(self):
        def example(name: str) -> pathlib.Path:
            return harness.built_once(
                f"{name}.{TARGET}", TARGET, lambda folder: harness.write_tree(folder, bare.SMALL),
                "--config", harness.ROOT / "examples" / name / "config.hpp")
        with Site(example("file-server"), memory_mib=16) as site:
            self.assert_serves(site, bare.SMALL)
        hello = self.lab.create("hello", in_dom0(example("hello-console")),
                                "--greeting=good-day --pause=10ms --times=2", memory_mib=16)
        hello.wait_for_end()
        self.assertEqual(hello.reasons(), [POWEROFF], hello.console())
        self.assertEqual(re.findall("(?m)^good-day$", hello.console()), ["good-day"] * 2)

    def test_balloons_are_refused(self):
        site = self.site()
        self.lab.call(f"xl mem-set {site.guest.name} 8", within_s=60)
        site.wait_for("(?i)memory.*(?:refuse|keep|cannot|not give)")
        self.assert_serves(site, bare.SMALL)
        self.assertEqual(site.stop(), 0)

    def test_the_hosts_network_starts_again(self):
        site = self.site()
        self.assert_serves(site)
        name = site.guest.interface()
        module = "$(find /lib/modules -name xen-netback.ko)"
        for _ in range(2):
            self.lab.run(f"rmmod xen_netback; insmod {module}; i=0; "
                         f"until [ -e /sys/class/net/{name} ] || [ $i -gt 300 ]; "
                         "do usleep 100000; i=$((i + 1)); done; "
                         f"ip link set {name} master xenbr0; ip link set {name} up")
            self.assertTrue(harness.eventually(site.answers, WAIT_S), site.console())
            self.assert_serves(site, bare.SMALL)
        self.assertEqual(site.stop(), 0)

    def test_an_address_from_the_host(self):
        address = self.lab.address(200)
        site = self.site(address=False, vif_extra=f",ip={address}")
        site.host = address
        self.assertRegex(site.console(), f"network: {re.escape(address)}/24")
        self.assert_serves(site)

    def test_keys_and_a_certificate_from_the_host(self):
        with tempfile.TemporaryDirectory() as folder:
            cert, key = (pathlib.Path(folder) / name for name in ("cert", "key"))
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                            "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert,
                            "-days", "30", "-subj", "/CN=given"], check=True,
                           stderr=subprocess.DEVNULL, timeout=WAIT_S)
            pem = cert.read_text()
            given = {"tls/cert": pem, "tls/key": key.read_text(), "keys/http-port": "8000"}
        site = self.site(vm_data=given)
        self.assertIn("listening on port 8000 (http)", site.console())
        with site.secure_client() as client:
            self.assertEqual(client.socket.getpeercert(binary_form=True),
                             ssl.PEM_cert_to_DER_cert(pem))
            self.assertEqual(client.get("/style.css").body, SITE["style.css"])

    def test_files_arrive_whole_over_bad_wires(self):
        data = harness.noise(300_000, "wire")
        image_file = bare.site_image(TARGET, "wire", {"index.html": b"x", "some.bin": data}, ())
        card = self.lab.wire_card()
        with Site(image_file) as site:
            for rule in self.WIRES:
                with self.subTest(rule=rule):
                    self.lab.netem(site.guest.interface(), rule)
                    self.lab.netem(card, rule)
                    done = subprocess.run(
                        ["curl", "-sS", "-f", "-m", "250", "--retry", "5", "--retry-all-errors",
                         f"http://{site.host}/some.bin"], stdout=subprocess.PIPE,
                        timeout=10 * WAIT_S, check=False)
                    said = self.lab.run(f"/sbin/tc -s qdisc show dev {card}")
                    self.lab.netem(site.guest.interface(), "")
                    self.lab.netem(card, "")
                    self.assertEqual(done.returncode, 0)
                    self.assertTrue(done.stdout == data)
                    print(rule, re.findall(r"Sent .*", said))
                    # All went through it, large segments as one packet: few enough for none to be
                    # lost now and then.
                    went = int(re.search(r"Sent (\d+) bytes", said).group(1))
                    self.assertGreater(went, len(data))

    def test_large_segments_and_few_hypercalls(self):
        large = harness.noise(1 << 20, "large")
        image_file = bare.site_image(TARGET, "large", {**bare.SMALL, "large.bin": large}, ())
        turns, connections = 50, 16
        with Site(image_file, memory_mib=16) as site, contextlib.ExitStack() as stack:
            before = site.guest.sent()
            self.assertEqual(site.get("/large.bin").body, large)
            after = site.guest.sent()
            clients = [stack.enter_context(site.client()) for _ in range(connections)]
            for _ in range(turns):
                for client in clients:
                    client.send(client.request("/style.css"))
                for client in clients:
                    self.assertEqual(client.receive().body, SITE["style.css"])
            site.ask_to_stop()
            site.wait_for_end()
            said = site.wait_for(r"hypercalls \d+, .*")
        frames, size = after.frames - before.frames, after.bytes - before.bytes
        print(f"1 MiB left in {frames} frames of {size // frames} bytes")
        self.assertGreater(size, len(large))
        self.assertGreater(size / frames, 4 * 1514)  # acknowledgements are among them, too
        calls = int(said.split()[1].rstrip(","))  # in all its life
        print(f"{calls / turns / connections:.2f} hypercalls a request; {said}")
        self.assertLess(calls, 2 * turns * connections)

    @when_all
    def test_idle_costs_nothing(self):
        site = self.site()
        self.assert_serves(site)

        def spent_s() -> float:
            return float(self.lab.run(f"xl list {site.guest.name}").split()[-1])
        time.sleep(1)
        before = spent_s()
        time.sleep(5)
        self.assertLess(spent_s() - before, 0.6, "busy while there is nothing")
        self.assert_serves(site)


class ElsewhereThanXen(unittest.TestCase):
    def test_qemu_alone(self):
        status, said = qemu.run_to_end(bare.small_image(TARGET), memory_mib=32)
        self.assertNotEqual(status, 0, said)
        self.assertRegex(said, "(?i)xen")
        self.assertEqual(len(said.strip().splitlines()), 1, said)


if __name__ == "__main__":
    harness.main()
