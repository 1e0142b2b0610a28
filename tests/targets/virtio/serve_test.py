#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Sites served by virtio machines: `crunch build -t virtio`, under QEMU's own emulation.

Method: images are built once; each machine is started by qemu.Guest and asked over ports that
QEMU's user network forwards. What a machine says is on its console, which is its serial line.
"""

import re
import time
import unittest

import bare
import harness
import qemu
from harness import SITE
from qemu import Guest

TARGET = "virtio"
REFUSED = 1
USAGE = 2


class OnVirtio(bare.Suite):
    target = TARGET
    machine = ""

    def start(self, image_file, *keys, memory_mib=24, wait=True) -> Guest:
        return Guest(image_file, " ".join(keys), machine=self.machine, memory_mib=memory_mib,
                     wait=wait)


class OnPc(OnVirtio, unittest.TestCase):
    machine = "pc"
    connections = 10_000


class OnQ35(OnVirtio, unittest.TestCase):
    machine = "q35"
    connections = 1200


class OnMicrovm(OnVirtio, unittest.TestCase):
    machine = "microvm"
    cuts = ("1",)
    connections = 1200


class Machines(unittest.TestCase):
    """What is QEMU's or virtio's alone."""

    def test_without_acpi(self):
        with Guest(bare.conformance_image(TARGET), "--redirect=false",
                   machine="microvm,acpi=off") as guest:
            bare.ask_conformance(self, guest.host, guest.port)
            guest.kill()  # no ACPI, no power button

    def test_devices_named_on_the_command_line(self):
        """As Firecracker names them; those that are not there are passed over."""
        # QEMU's slots without ACPI: 8, of 512 bytes; the last one is taken first.
        slots = [f"virtio_mmio.device={size}@{0xfeb00000 + 512 * i:#x}:{5 + i}"
                 for i, size in enumerate(["512"] * 6 + ["0x200", "4K"])]
        with Guest(bare.small_image(TARGET), " ".join(["--redirect=false", *slots]),
                   machine="microvm,acpi=off,auto-kernel-cmdline=off") as guest:
            self.assertEqual(guest.get("/style.css").body, SITE["style.css"])
            guest.kill()

    def test_processors_without_random_bytes(self):
        for cpu in ("qemu64", "Nehalem"):
            for machine, device in qemu.ENTROPY_DEVICE.items():
                with self.subTest(cpu=cpu, machine=machine), \
                        Guest(bare.small_image(TARGET), machine=machine, cpu=cpu,
                              extra=["-device", device]) as guest:
                    with guest.secure_client() as client:
                        self.assertEqual(client.get("/style.css").body, SITE["style.css"])

    def test_boot_takes_10_ms(self):
        """At one nanosecond an instruction, whatever the host does meanwhile."""
        for machine in qemu.NETWORK_DEVICE:
            with self.subTest(machine=machine), \
                    Guest(bare.small_image(TARGET), machine=machine,
                          extra=["-icount", "shift=0,sleep=off"]) as guest:
                said = guest.wait_for(r"ready [\d.]+ ms after entry")
                print(machine, said)
                self.assertLessEqual(float(re.search(r"[\d.]+", said).group(0)), 10)

    def test_idle_costs_nothing(self):
        for machine in qemu.NETWORK_DEVICE:
            with self.subTest(machine=machine), Guest(bare.small_image(TARGET), "--redirect=false",
                                                      machine=machine) as guest:
                with guest.client() as client:
                    client.get("/style.css")
                    time.sleep(1)
                    before = guest.cpu_s()
                    time.sleep(3)
                    self.assertLess(guest.cpu_s() - before, 0.6, "busy while there is nothing")
                    self.assertEqual(client.get("/style.css").status, 200)

    def test_a_report_has_the_names_of_functions(self):
        with Guest(bare.plain_image(TARGET), "--ipv6=off") as guest:
            self.assertEqual(guest.get("/").status, 200)
            guest.monitor("inject-nmi")
            self.assertEqual(guest.wait_for_end(), 70, guest.console())
            report = guest.console().partition("panic: non-maskable interrupt")[2]
            # Wherever it came: asleep, or where a timer had just ended the sleep.
            self.assertRegex(report, r"\n  [0-9a-f]{16}  base::Loop::\w+\+\d+\n")
            self.assertRegex(report, r"\n  [0-9a-f]{16}  main\+\d+\n")

    def test_pause_and_resume(self):
        for machine in qemu.NETWORK_DEVICE:
            with self.subTest(machine=machine), Guest(bare.small_image(TARGET), "--redirect=false",
                                                      machine=machine) as guest:
                with guest.client() as client:
                    client.get("/style.css")
                    guest.monitor("stop")
                    client.send(client.request("/sub/page.html"))
                    time.sleep(1.5)
                    guest.monitor("cont")
                    answer = client.receive()
                    self.assertEqual(answer.body, SITE["sub/page.html"])


class Refusals(unittest.TestCase):
    """What cannot work: one line that says why, and a status that is not 0."""

    def ends(self, status, sentence, append="", lines=1, extra=(), **options):
        got, said = qemu.run_to_end(bare.small_image(TARGET), append, extra=list(extra),
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
        self.ends(REFUSED, "error: this machine has no virtio network device", machine="microvm")
        for cpu in ("qemu64", "Nehalem"):
            self.ends(REFUSED, "error: nothing here gives random bytes", cpu=cpu,
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

    def test_too_many_devices(self):
        many = "virtio_mmio.device=512@0xfeb00000:5 " * 33
        self.ends(REFUSED, "error: the command line names over 32 devices", many)

    def test_help_lists_the_keys(self):
        status, said = qemu.run_to_end(bare.small_image(TARGET), "--help")
        self.assertEqual(status, 0)
        # By section, as a process does.
        for section, key in (("NETWORK", "--ipv4=ADDRESS/N"), ("NETWORK", "--hostname=TEXT"),
                             ("HTTP", "--http-port=PORT"), ("HTTP", "--log=off|combined|json"),
                             ("HTTPS", "--https-port=PORT"), ("HTTP", "--max-connections=N"),
                             ("LOG", "--log-level=error|warning|info|debug")):
            self.assertRegex(said, rf"(?m)^{section}\r?\n(?:(?!\S).*\n)*"
                                   rf"       {re.escape(key)}\r?\n")

    def test_too_little_memory(self):
        got, said = qemu.run_to_end(bare.plain_image(TARGET), "", memory_mib=5)
        self.assertEqual((got, said.count("\n")), (REFUSED, 1), said)
        self.assertRegex(said, "error: this machine has .* of memory; the image alone needs")


if __name__ == "__main__":
    harness.main()
