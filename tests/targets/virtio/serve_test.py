#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Sites served by virtio machines: `crunch build -t virtio`, under QEMU's own emulation.

Method: images are built once; each machine is started by qemu.Guest and asked over ports that
QEMU's user network forwards. What a machine says is on its console, which is its serial line.
"""

import fcntl
import pathlib
import re
import ssl
import subprocess
import tempfile
import time
import unittest

import harness
import qemu
from harness import SITE
from qemu import Guest

CLIENT = harness.BUILD / "bin" / "conformance_client"
MACHINES = ("pc", "q35", "microvm", "microvm,acpi=off")
REFUSED = 1
USAGE = 2


def image(name: str, make_site, *options) -> pathlib.Path:
    """Built by who comes first, and again when the tool is newer."""
    harness.need(qemu.QEMU)
    harness.SHARED.mkdir(parents=True, exist_ok=True)
    made = harness.SHARED / f"{name}.virtio"
    with open(harness.SHARED / f"{name}.virtio.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists() or made.stat().st_mtime < harness.CRUNCH.stat().st_mtime:
            with tempfile.TemporaryDirectory() as folder:
                site = pathlib.Path(folder) / "site"
                site.mkdir()
                make_site(site)
                done = harness.crunch("build", site, "-t", "virtio", "-o", made, *options)
                if done.returncode != 0:
                    raise AssertionError(done.stderr)
    return made


def secure_image() -> pathlib.Path:
    """HTTPS, and HTTP which redirects to it unless told otherwise."""
    return image("secure", lambda folder: harness.write_tree(folder, SITE),
                 "--self-signed", "localhost")


def conformance_image() -> pathlib.Path:
    def make(folder):
        subprocess.run([str(CLIENT), "--write-site", str(folder)], check=True, timeout=60)
    return image("conformance", make)


def tls_context(version=None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


class Secure(harness.Client):
    """One HTTPS connection."""

    def __init__(self, port: int, context=None, session=None):
        self._context, self._session = context or tls_context(), session
        super().__init__("127.0.0.1", port)

    def connect(self, receive_buffer: int = 0) -> None:
        super().connect(receive_buffer)
        self.socket = self._context.wrap_socket(self.socket, server_hostname="localhost",
                                                session=self._session)


class Conformance(unittest.TestCase):
    def test_the_whole_table_on_every_machine(self):
        for machine, options in zip(MACHINES, ([], ["--cut", "7"], ["--cut", "1"], [])):
            with self.subTest(machine=machine), Guest(conformance_image(),
                                                      machine=machine) as guest:
                done = subprocess.run(
                    [str(CLIENT), "--host", "127.0.0.1", "--port", str(guest.port), "--encodings",
                     *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                    timeout=170, check=False)
                self.assertEqual(done.returncode, 0, done.stdout)
                if machine.endswith("acpi=off"):
                    guest.kill()  # no ACPI, no power button


class Https(unittest.TestCase):
    def test_every_file_in_16_mib(self):
        for machine in ("pc", "microvm"):
            with self.subTest(machine=machine), Guest(secure_image(), machine=machine,
                                                      memory_mib=24) as guest:
                with Secure(guest.https_port) as client:
                    for path, data in SITE.items():
                        answer = client.get("/" + path)
                        self.assertEqual((answer.status, answer.body), (200, data), path)

    def test_16_mib_are_enough(self):
        small = {name: data for name, data in SITE.items() if name != "big.bin"}
        made = image("small", lambda folder: harness.write_tree(folder, small),
                     "--self-signed", "localhost")
        with Guest(made, memory_mib=16) as guest:
            clients = [Secure(guest.https_port) for _ in range(20)]
            for path, data in small.items():
                for client in clients:
                    self.assertEqual(client.get("/" + path).body, data)
            for client in clients:
                client.close()

    def test_versions_and_resumption(self):
        with Guest(secure_image(), memory_mib=24) as guest:
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                context = tls_context(version)
                with Secure(guest.https_port, context) as first:
                    self.assertEqual(first.get("/style.css").body, SITE["style.css"])
                    session = first.socket.session
                with Secure(guest.https_port, context, session) as second:
                    self.assertEqual(second.get("/style.css").body, SITE["style.css"])
                    self.assertTrue(second.socket.session_reused, version)
            answer = guest.get("/style.css")
            self.assertEqual(answer.status, 308)

    def test_processors_without_random_bytes(self):
        for cpu in ("qemu64", "Nehalem"):
            with self.subTest(cpu=cpu):
                for machine in ("pc", "microvm"):
                    device = qemu.ENTROPY_DEVICE[machine]
                    with Guest(secure_image(), machine=machine, memory_mib=24, cpu=cpu,
                               extra=["-device", device]) as guest:
                        with Secure(guest.https_port) as client:
                            self.assertEqual(client.get("/style.css").body, SITE["style.css"])


class Lives(unittest.TestCase):
    def test_boot_line(self):
        with Guest(secure_image(), memory_mib=24) as guest:
            said = guest.wait_for(r"ready [\d.]+ ms after entry; image [\d.]+ MiB, memory .* MiB")
            used, total = map(float, re.search(r"memory ([\d.]+) of ([\d.]+)", said).groups())
            self.assertLess(used, total)
            self.assertRegex(guest.console(), r"site: \d+ files, digest [0-9a-f]{16}")

    def test_button_drains_and_stops(self):
        for machine in ("pc", "q35", "microvm"):
            with self.subTest(machine=machine), Guest(secure_image(), "--redirect=false",
                                                      machine=machine, memory_mib=24) as guest:
                with guest.client() as client:
                    # An answer under way is finished; an idle connection is closed.
                    client.send(client.request("/big.bin"))
                    client.receive_some()
                    guest.monitor("system_powerdown")
                    guest.wait_for("the power button was pressed")
                    self.assertEqual(client.receive().body, SITE["big.bin"])
                    self.assertTrue(client.is_closed_by_peer())
                self.assertEqual(guest.wait_for_end(), 0, guest.console())

    def test_idle_costs_nothing(self):
        for machine in ("pc", "microvm"):
            with self.subTest(machine=machine), Guest(secure_image(), "--redirect=false",
                                                      machine=machine, memory_mib=24) as guest:
                with guest.client() as client:
                    client.get("/style.css")
                    time.sleep(1)
                    before = guest.cpu_s()
                    time.sleep(3)
                    self.assertLess(guest.cpu_s() - before, 0.6, "busy while there is nothing")
                    self.assertEqual(client.get("/style.css").status, 200)

    def test_a_report_has_the_names_of_functions(self):
        with Guest(conformance_image(), "--ipv6=off") as guest:
            self.assertEqual(guest.get("/").status, 200)
            guest.monitor("inject-nmi")
            self.assertEqual(guest.wait_for_end(), 70, guest.console())
            report = guest.console().partition("panic: non-maskable interrupt")[2]
            # Wherever it came: asleep, or where a timer had just ended the sleep.
            self.assertRegex(report, r"\n  [0-9a-f]{16}  base::Loop::\w+\+\d+\n")
            self.assertRegex(report, r"\n  [0-9a-f]{16}  main\+\d+\n")

    def test_pause_and_resume(self):
        with Guest(secure_image(), "--redirect=false", memory_mib=24) as guest:
            with guest.client() as client:
                client.get("/style.css")
                guest.monitor("stop")
                client.send(client.request("/sub/page.html"))
                time.sleep(1.5)
                guest.monitor("cont")
                answer = client.receive()
                self.assertEqual(answer.body, SITE["sub/page.html"])

    def test_memory_is_flat_over_many_connections(self):
        def most_after(connections: int) -> float:
            with Guest(secure_image(), "--redirect=false", memory_mib=24) as guest:
                for _ in range(connections):
                    with guest.client() as client:
                        client.send(client.request("/style.css", {"Connection": "close"}))
                        self.assertEqual(client.receive().body, SITE["style.css"])
                self.assertEqual(guest.power_off(), 0)
                return float(re.search(r"at most ([\d.]+)", guest.console()).group(1))
        few, many = most_after(200), most_after(1500)
        self.assertLessEqual(many, few + 0.3)


class Refusals(unittest.TestCase):
    """What cannot work: one line that says why, and a status that is not 0."""

    def ends(self, status, sentence, append="", lines=1, extra=(), **options):
        got, said = qemu.run_to_end(secure_image(), append, memory_mib=24, extra=list(extra),
                                    **options)
        self.assertEqual(got, status, said)
        self.assertRegex(said, sentence)
        self.assertEqual(len(said.strip().splitlines()), lines, said)

    def net(self, *options) -> list:
        words = []
        for i, option in enumerate(options):
            words += ["-netdev", f"user,id=n{i},restrict=on", "-device", f"{option},netdev=n{i}"]
        return words

    def test_machines(self):
        self.ends(REFUSED, "error: this machine has no virtio network device")
        two = self.net("virtio-net-pci", "virtio-net-pci")
        self.ends(REFUSED, "error: this machine has 2 network devices", extra=two)
        self.ends(REFUSED, "error: nothing here gives random bytes", cpu="qemu64",
                  extra=self.net("virtio-net-pci"))
        self.ends(REFUSED, "error: a virtio device is older than virtio 1",
                  extra=self.net("virtio-net-pci,disable-modern=on"))
        self.ends(REFUSED, r"error: a virtio device has no MSI-X interrupts",
                  extra=self.net("virtio-net-pci,vectors=0"))

    def test_command_lines(self):
        one = self.net("virtio-net-pci")
        self.ends(USAGE, r"image: unknown option '--http-prot=8'; did you mean --http-port\?",
                  "--http-prot=8", extra=one)
        self.ends(USAGE, "image: option --http-port cannot be 'x'", "--http-port=x", extra=one)
        self.ends(USAGE, "image: unknown option 'stray'", "stray", extra=one)
        self.ends(REFUSED, 'error: the command line has a " without its second', '--ipv4="',
                  extra=one)

    def test_help_lists_the_keys(self):
        status, said = qemu.run_to_end(secure_image(), "--help", memory_mib=24)
        self.assertEqual(status, 0)
        for key in ("--http-port", "--https-port", "--ipv4", "--ipv6", "--log", "--log-level",
                    "--max-connections", "--hostname"):
            self.assertIn(key, said)

    def test_too_little_memory(self):
        got, said = qemu.run_to_end(conformance_image(), "", memory_mib=4)
        self.assertEqual((got, said.count("\n")), (REFUSED, 1), said)
        self.assertRegex(said, "error: this machine has .* of memory; the image alone needs")


if __name__ == "__main__":
    harness.main()
