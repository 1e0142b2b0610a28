#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Sites served by guests of hvt-tender: `crunch build -t hvt`, on KVM in the nested lab.

Method: tests/lab/nested.py has the machine; every test starts guests in it and speaks to them from
outside, each on a tap and with an address of its own.
"""

import os
import pathlib
import re
import sys
import time
import unittest

import bare
import harness
import nested
import packages
import probe
from harness import SITE
from nested import Guest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "libos"))
from faults_test import FAULTS, PANIC  # noqa: E402

TARGET = "hvt"
PROBE = harness.BUILD / "bin" / "hvt_probe"
TENDER = harness.BUILD / "bin" / "hvt-tender"
TENDER_TEST = harness.BUILD / "bin" / "tender_guests_test"
FAILED, USAGE, INTERRUPTED = 1, 2, 130
# A solo5-hvt, built from Solo5's own source, if there is one: Stock runs on it.
STOCK = os.environ.get("CRUNCH_STOCK_TENDER", "")
AS_NOBODY = "/bin/setpriv --reuid 65534 --regid 65534 --clear-groups"
# The suite is 60 s of the processor's time; without this, its longest parts are cut.
IS_LONG = os.environ.get("CRUNCH_LAB_LONG") == "1"
HTTPS_CHECKS = () if IS_LONG else ("--only", "http2", "--only", "openssl", "--only", "bad_starts",
                                   "--only", "bad_records")


class Served(bare.Suite, unittest.TestCase):
    target = TARGET
    cuts = ("7",) if IS_LONG else ()
    connections = 1500 if IS_LONG else 160

    def start(self, image_file, *keys, memory_mib=24, wait=True) -> Guest:
        return Guest(image_file, *keys, memory_mib=memory_mib, wait=wait)

    def test_https_conformance(self):
        with self.start(bare.conformance_image(TARGET)) as guest:
            harness.check_https(guest.host, guest.https_port, *HTTPS_CHECKS)


def run_to_end(image, *keys, **options) -> tuple:
    """(status, what it said) of a guest that ends by itself."""
    guest = Guest(image, *keys, wait=False, **options)
    try:
        return guest.wait_for_end(), guest.console()
    finally:
        guest.kill()


class Faults(unittest.TestCase):
    def test_each_gives_its_report_and_status(self):
        for fault, report in FAULTS.items():
            with self.subTest(fault=fault):
                status, said = run_probe(fault)
                self.assertEqual(status, PANIC, said)
                self.assertRegex(said, report)
                self.assertRegex(said, r"\n  rip [0-9a-f]{16}  rsp [0-9a-f]{16}")

    def test_what_works(self):
        for words in ("memory", "vectors", "clocks", "random"):
            with self.subTest(words=words):
                status, said = run_probe(words)
                self.assertEqual(status, 0, said)
                self.assertNotIn("FAILED", said)
        self.assertIn("seeded 1", said)
        self.assertEqual(run_probe("exit")[0], 3)


def run_probe(words: str) -> tuple:
    return run_to_end(PROBE, words, has_address=False)


def disk(size: int) -> str:
    """What attaches a new one to an image that has one in its manifest."""
    nested.lab().write("/tmp/disk", bytes(size))
    return "--block:disk1=/tmp/disk"


class Laws(unittest.TestCase):
    """Of devices, on hvt's: by the ring and by a hypercall for each frame."""

    def test_of_net_devices(self):
        for options in ([], ["--no-net-ring"]):
            with self.subTest(options=options), probe.Mirror.on_interface(nested.TAP):
                options = [*options, disk(65536)]
                status, said = run_to_end(probe.image(TARGET), "--try=net", has_address=False,
                                          options=options)
                self.assertEqual(status, 0, said)
                probe.assert_laws_hold(self, said)


class Ends(unittest.TestCase):
    """What a guest and a tender end with, and what they say then."""

    def ends(self, status: int, pattern: str, image, *keys, **options) -> None:
        found, said = run_to_end(image, *keys, **options)
        self.assertEqual(found, status, said)
        self.assertRegex(said, pattern)

    def test_what_it_is_told_wrongly(self):
        image = bare.small_image(TARGET)
        self.ends(USAGE, "unknown option '--http-prot=80'; did you mean --http-port", image,
                  "--http-prot=80")
        self.ends(FAILED, "the command line is longer than 4095 characters", image, "a" * 5000)
        self.ends(0, r"(?s)--ipv4=.*--log-level", image, "--help")
        self.ends(FAILED, "this machine has [0-9]+ KiB of memory; the image alone needs", image,
                  memory_mib=4)

    def test_sigint_asks_and_the_second_kills(self):
        with Guest(bare.site_image(TARGET), "--redirect=false") as guest:
            with guest.client() as client:
                client.send(client.request("/big.bin"))
                client.receive_some()
                guest.signal("INT")  # drains: the answer that nobody reads is not finished
                guest.wait_for("the tender was asked to end")
                self.assertTrue(guest.is_running())
                guest.signal("INT")
                self.assertEqual(guest.wait_for_end(), INTERRUPTED)

    def test_hypercalls_are_traced(self):
        for options, way in ((["--trace"], "ring"), (["--trace", "--no-net-ring"], "net")):
            with Guest(bare.small_image(TARGET), "--redirect=false", options=options) as guest:
                self.assertEqual(guest.get("/style.css").body, SITE["style.css"])
                for call in ("walltime", "puts", "poll", rf"{way}_read, handle 1, \d+ bytes: 0",
                             rf"{way}_write, handle 1, \d+ bytes: 0"):
                    guest.wait_for(rf"hvt: {call}")


class Hypercalls(unittest.TestCase):
    """Frames by hypercalls alone, and by the ring: the same bytes, in how many exits."""

    def calls_for(self, *options) -> dict:
        with Guest(bare.site_image(TARGET), "--redirect=false",
                   options=["--count", *options]) as guest:
            with guest.client() as client:
                for path, data in SITE.items():
                    self.assertEqual(client.get("/" + path).body, data, path)
            guest.signal("TERM")
            self.assertEqual(guest.wait_for_end(), 0, guest.console())
            said = re.search("hvt: the guest's hypercalls: (.*)", guest.console()).group(1)
            return {name: int(count) for count, name in re.findall(r"(\d+) (\w+)", said)}

    def test_with_and_without_the_ring(self):
        frames = sum(map(len, SITE.values())) // 1460
        alone, ring = self.calls_for("--no-net-ring"), self.calls_for()
        self.assertGreater(alone["net_write"], frames)
        self.assertNotIn("kick", alone)
        self.assertNotIn("net_write", ring)
        self.assertNotIn("net_read", ring)
        self.assertLess(ring["kick"], frames / 4)


class Tender(unittest.TestCase):
    def test_with_guests_of_a_few_instructions(self):
        """tender_test.cpp, which KVM of the test's own machine skips if there is none. This one
        offers guests SVM, so that it shows whether they are told."""
        nested.lab().run(f"mkdir -p {TENDER.parent}; ln -s /bin/{TENDER.name} {TENDER}")
        said = nested.lab().run(f"{TENDER_TEST.name} 2>&1; echo STATUS $?")
        self.assertTrue(said.endswith("STATUS 0\n"), said)
        self.assertIn("[       OK ] Guest.ThatIsHostileIsEndedAndTheReasonSaid", said)
        self.assertNotIn("SKIPPED", said)


class Privileges(unittest.TestCase):
    def test_none_are_kept(self):
        with Guest(bare.small_image(TARGET)) as guest:
            status = nested.lab().run(f"cat /proc/{guest.pid}/status")
            for line in (r"Uid:\s65534\s65534\s65534\s65534", r"Gid:\s65534\s65534\s65534\s65534",
                         r"Groups:\s*", "Cap(Inh|Prm|Eff|Amb):\t0000000000000000",
                         r"NoNewPrivs:\s1", r"Seccomp:\s2"):
                self.assertRegex(status, rf"(?m)^{line}$")

    def test_an_ordinary_user_runs_a_guest(self):
        nested.lab().run("chmod 666 /dev/kvm")
        try:
            with Guest(bare.small_image(TARGET), "--redirect=false", command=AS_NOBODY) as guest:
                self.assertEqual(guest.get("/style.css").body, SITE["style.css"])
        finally:
            nested.lab().run("chmod 600 /dev/kvm")


class Kvm(unittest.TestCase):
    """What is said where KVM cannot be used."""

    def refused(self, pattern: str, **options) -> None:
        status, said = run_to_end(PROBE, "exit", has_address=False, **options)
        self.assertEqual(status, FAILED, said)
        self.assertRegex(said, f"^hvt-tender: {pattern}")

    def test_missing(self):
        nested.lab().run("mv /dev/kvm /dev/away")
        try:
            self.refused("/dev/kvm is not there: load the kernel's module kvm-intel or kvm-amd, "
                         "switch virtualisation on .* build the image for unix, or for virtio")
        finally:
            nested.lab().run("mv /dev/away /dev/kvm")

    def test_forbidden(self):
        self.refused("no permission to open /dev/kvm: add this user to the group that owns it",
                     command=AS_NOBODY)

    def test_not_emulated_here(self):
        _, said = run_to_end(PROBE, "exit", has_address=False)
        self.assertNotIn("emulates", said)


@unittest.skipUnless(STOCK, "CRUNCH_STOCK_TENDER names no solo5-hvt of Solo5's")
class Stock(unittest.TestCase):
    """The images on Solo5's own tender, which never says that the guest is to end."""

    options = {"tender": pathlib.Path(STOCK).name}

    def test_every_file_and_the_end(self):
        for memory_mib in (24, 25, 33):  # is made a multiple of 2 MiB
            with Guest(bare.site_image(TARGET), "--redirect=false", memory_mib=memory_mib,
                       **self.options) as guest:
                guest.wait_for(rf"ready .* MiB, memory .* of {memory_mib // 2 * 2 - 1}\.0 MiB")
                for client in (guest.client(), guest.secure_client()):
                    with client:
                        for path, data in SITE.items():
                            answer = client.get("/" + path)
                            self.assertEqual((answer.status, answer.body), (200, data), path)
                time.sleep(3)  # polls that end by time alone
                self.assertEqual(guest.get("/style.css").body, SITE["style.css"])
                guest.signal("TERM")
                self.assertEqual(guest.wait_for_end(), FAILED, guest.console())
                self.assertRegex(guest.console(), "Exiting on signal 15")

    def test_what_it_ends_with(self):
        small, fault = bare.small_image(TARGET), next(iter(FAULTS))
        for image, words, memory_mib, status, pattern in (
                (small, "--help", 24, 0, r"(?s)--ipv4=.*--log-level"),
                (small, "--http-prot=80", 24, USAGE, "unknown option '--http-prot=80'"),
                (small, "--help", 4, FAILED, "this machine has [0-9]+ KiB of memory"),
                (PROBE, "exit", 24, 3, "^"), (PROBE, "clocks", 24, 0, "^"),
                (PROBE, fault, 24, PANIC, FAULTS[fault])):
            with self.subTest(words=words, memory_mib=memory_mib):
                found, said = run_to_end(image, words, has_address=False, memory_mib=memory_mib,
                                         **self.options)
                self.assertEqual(found, status, said)
                self.assertRegex(said, pattern)


class Run(unittest.TestCase):
    """`crunch run` of such an image, in the lab."""

    @classmethod
    def setUpClass(cls):
        nested.put_recipe(TARGET)

    def start(self, *words):
        image = nested.lab().put(bare.small_image(TARGET))
        line = nested.lab().shell(f"start crunch run {image} {' '.join(words)}; echo STATUS $?")
        return nested.Process(line)

    def test_a_network_of_its_own(self):
        for name in ("TERM", "INT", "HUP"):
            with self.subTest(signal=name):
                with self.start("--net", "auto", "--memory", "16", "--",
                                "--redirect=false") as run:
                    said = run.wait_for(r"served at http://([0-9.]+)/ and https://\1/ until")
                    run.wait_for(r"network: 10\.83\.0\.2/24")
                    address = re.search(r"http://([0-9.]+)/", said).group(1)
                    page = nested.lab().run(f"wget -q -O - http://{address}/style.css")
                    self.assertEqual(page.encode(), SITE["style.css"])
                    self.assertIn("br-crunch0", nested.lab().run("/bin/ip link"))
                    run.signal(name)
                    self.assertEqual(run.wait_for_end(), 0, run.console())
                self.assertNotIn("crunch0", nested.lab().run("/bin/ip link"))

    def test_what_a_killed_one_leaves(self):
        lab = nested.lab()
        # Of others, whatever they are called: one without our alias, one that something is on.
        lab.run("/bin/ip link add br-crunch7 type bridge; /bin/ip link add br-crunch8 type bridge; "
                "/bin/ip link set br-crunch8 alias 'made by crunch run --net auto'; "
                "/bin/ip tuntap add other mode tap; /bin/ip link set other master br-crunch8")
        words = ("--net", "auto", "--memory", "16")
        run = self.start(*words)
        try:
            run.wait_for(r"network: 10\.83\.0\.2/24")
            run.signal("KILL")
            # crunch's end may be told before the tender, whose parent it was, says anything.
            self.assertTrue(harness.eventually(
                lambda: "the tender was asked to end" in run.all_said(), nested.WAIT_S),
                run.all_said())
        finally:
            run.kill()
        until = time.monotonic() + nested.WAIT_S
        while " crunch0: " in lab.run("/bin/ip link") and time.monotonic() < until:
            time.sleep(0.1)
        self.assertNotIn(" crunch0: ", lab.run("/bin/ip link"))
        before = lab.run("cat /sys/class/net/br-crunch0/ifindex")
        self.assertRegex(before, r"^\d+$")
        with self.start(*words) as run:
            run.wait_for(r"network: 10\.83\.0\.2/24")
            self.assertNotEqual(lab.run("cat /sys/class/net/br-crunch0/ifindex"), before)
            run.signal("TERM")
            self.assertEqual(run.wait_for_end(), 0, run.console())
        links = lab.run("/bin/ip link")
        self.assertNotIn("br-crunch0", links)
        self.assertIn("br-crunch7", links)
        self.assertIn("br-crunch8", links)

    def test_on_a_tap(self):
        nested.lab().add_tap("taprun")
        with self.start("--net", "taprun", "--trace", "--", "--ipv4=10.9.0.200/24",
                        "--hostname='a b'", "--redirect=false") as run:
            run.wait_for(r"network: 10\.9\.0\.200/24")
            run.wait_for("hvt: ring_write")
            with harness.Client("10.9.0.200", 80) as client:
                self.assertEqual(client.get("/style.css").body, SITE["style.css"])
            run.signal("TERM")
            self.assertEqual(run.wait_for_end(), 0, run.console())

    def test_what_it_cannot_do(self):
        for words, status, pattern in (
                ("", USAGE, "needs --net: a tap that is there, or, as root, auto"),
                ("--net tap0 --net tap1", USAGE, "has one network device: give --net once"),
                ("--net tap0 --kvm", USAGE, "--kvm are for machines in QEMU"),
                ("--net tap0 --disk /tmp/x", USAGE, "without a disk: build it with --set vault"),
                ("--net nowhere", FAILED, "there is no tap 'nowhere'; make it: ip tuntap add"),
                ("--net auto -- --no-such-key", USAGE, "unknown option '--no-such-key'")):
            with self.subTest(words=words):
                with self.start(words) as run:
                    self.assertEqual(run.wait_for_end(), status, run.console())
                    self.assertRegex(run.console(), pattern)
        image = nested.lab().put(bare.small_image(TARGET))
        said = nested.lab().run(f"{AS_NOBODY} crunch run {image} --net auto; true")
        self.assertRegex(said, "cannot make .*making a network takes root: call crunch with sudo")


if __name__ == "__main__":
    nested.main(TENDER, TENDER_TEST, harness.CRUNCH, packages.program("setpriv"),
                *filter(None, [STOCK]))
