#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""examples/two-networks on lwIP: a site on a service network, another on a management network.

Method: the appliance is between two network namespaces, one for each of its networks, in each of
which a Linux host is its neighbour and the router to one and the same client address behind it. It
is a process with two taps, and a machine under QEMU with two devices (with CRUNCH_ALL_WIRES=1 also
without PCI).
"""

import concurrent.futures
import contextlib
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

import bare
import harness
import network
import qemu
from harness import call, must

CONFIG = harness.ROOT / "examples" / "two-networks" / "config.hpp"
SERVICE, MANAGEMENT = {"index.html": b"the site\n"}, {"index.html": b"the status\n"}
# The host on a network, the appliance, and a client behind the host: the same on both networks.
HOSTS = {"service": "10.9.0.1", "management": "10.8.0.1"}
IMAGES = {"service": "10.9.0.2", "management": "10.8.0.2"}
IMAGES6 = {"service": "fd09::2", "management": "fd08::2"}
CLIENT, CLIENT6 = "192.0.2.7", "2001:db8::7"
KEYS = [f"--ipv4={IMAGES['service']}/24", f"--ipv4-gateway={HOSTS['service']}",
        "--ipv6=fd09::2/64", "--ipv6-gateway=fd09::1",
        f"--management-ipv4={IMAGES['management']}/24",
        f"--management-ipv4-gateway={HOSTS['management']}",
        "--management-ipv6=fd08::2/64", "--management-ipv6-gateway=fd08::1"]


class Net:
    """One network: a namespace of its own with a tap, whose descriptor is `tap`."""

    def __init__(self, name: str):
        network.enter_namespace()
        self._namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self.name, self.tap = name, network.open_tap("tap0")
        host6 = IMAGES6[name].replace("::2", "::1")
        for words in (["addr", "add", f"{HOSTS[name]}/24", "dev", "tap0"],
                      ["-6", "addr", "add", f"{host6}/64", "dev", "tap0", "nodad"],
                      ["addr", "add", f"{CLIENT}/32", "dev", "lo"],
                      ["-6", "addr", "add", f"{CLIENT6}/128", "dev", "lo", "nodad"],
                      ["link", "set", "tap0", "up"],
                      # The appliance is taken for the router to its other network.
                      *(["route", "add", f"{there}/32", "via", IMAGES[name]]
                        for other, there in IMAGES.items() if other != name),
                      *(["-6", "route", "add", f"{there}/128", "via", IMAGES6[name]]
                        for other, there in IMAGES6.items() if other != name)):
            must("ip", *words)

    def call(self, *words) -> subprocess.CompletedProcess:
        return call("nsenter", f"--net=/proc/{os.getpid()}/fd/{self._namespace}", *words)

    def ask(self, address: str, port: int, client: str = "") -> bytes:
        """What curl gets from there; nothing: it cannot connect."""
        host = f"[{address}]" if ":" in address else address
        done = self.call("curl", "-sS", "--connect-timeout", "3", "-m", "40",
                         *(["--interface", client] if client else []), f"http://{host}:{port}/")
        return done.stdout.encode() if done.returncode == 0 else b""

    def close(self) -> None:
        os.close(self._namespace)
        with contextlib.suppress(OSError):
            os.close(self.tap)


class Checks:
    """What every appliance on two networks must do; `self.nets` are they."""

    def answers_on_each_network(self):
        page = {"service": (80, SERVICE), "management": (8080, self.management)}
        for name, net in self.nets.items():
            port, files = page[name]
            for address, client in ((IMAGES[name], CLIENT), (IMAGES6[name], CLIENT6)):
                with self.subTest(network=name, address=address):
                    self.assertEqual(net.ask(address, port), files["index.html"])
                    # By the gateway, which is another one on each network.
                    self.assertEqual(net.ask(address, port, client), files["index.html"])
                    self.assertEqual(net.call("ping", "-c", "1", "-W", "20", address).returncode, 0)

    def answers_on_no_other(self):
        wrong = [(net, address, port) for name, net in self.nets.items() for other in self.nets
                 if other != name for address in (IMAGES[other], IMAGES6[other])
                 for port in (80, 8080)]
        # And each port only where it belongs.
        wrong += [(self.nets["service"], IMAGES["service"], 8080),
                  (self.nets["management"], IMAGES["management"], 80)]
        # At once, as each waits for what does not come.
        with concurrent.futures.ThreadPoolExecutor(len(wrong)) as pool:
            for (net, address, port), got in zip(wrong, pool.map(lambda w: w[0].ask(*w[1:]), wrong),
                                                 strict=True):
                with self.subTest(network=net.name, address=address, port=port):
                    self.assertEqual(got, b"")


class TwoNetworks(Checks, unittest.TestCase):
    management = MANAGEMENT

    @classmethod
    def setUpClass(cls):
        network.need_taps()
        harness.need("curl"), harness.need("ping"), harness.need("nsenter")

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def build(self, target: str, *options) -> pathlib.Path:
        site = harness.write_tree(self.folder / "site", SERVICE)
        return harness.build_image(site, self.folder / "image", "--config", CONFIG, *options,
                                   target=target)

    def make_networks(self) -> None:
        self.nets = {name: Net(name) for name in HOSTS}
        for net in self.nets.values():
            self.addCleanup(net.close)

    def test_a_process_with_two_taps(self):
        status = harness.write_tree(self.folder / "status", MANAGEMENT)
        image = self.build("unix-tap", "--set", "management-store=directory")
        self.refuses(image)
        self.make_networks()
        taps = [net.tap for net in self.nets.values()]
        with harness.Server(image, f"--tap=fd:{taps[0]}", f"--management-tap=fd:{taps[1]}",
                            f"--management-directory={status}", *KEYS, http_port=80,
                            pass_fds=taps) as server:
            for line in ("network: fd09::2/64", "management: fd08::2/64",
                         "management: 10.8.0.2/24, gateway 10.8.0.1"):
                self.assertTrue(harness.eventually(lambda what=line: what in server.err(), 60),
                                server.err())
            self.answers_on_each_network()
            self.answers_on_no_other()

    def test_a_machine_with_two_devices(self):
        image = self.build("virtio")
        one = ("-netdev", "user,restrict=on,id=only", "-device", "virtio-net-pci,netdev=only")
        for keys, says in (("", "--management-device=2: this machine has 1 network device; give it "
                                "another one"),
                           ("--management-device=1", "--management-device=1: that network device "
                                                     "is another stack's already")):
            status, said = qemu.run_to_end(image, keys, extra=one)
            self.assertEqual(status, 1, said)
            self.assertIn(f"error: {says}", said)
        self.management = SERVICE  # the same files: there is no directory
        everywhere = os.environ.get("CRUNCH_ALL_WIRES")
        for machine in ("pc", "microvm") if everywhere else ("pc",):
            with self.subTest(machine=machine):
                self.make_networks()
                taps = [net.tap for net in self.nets.values()]
                with qemu.Guest(image, " ".join(KEYS), machine=machine, taps=taps) as guest:
                    guest.wait_for("network: fd09::2/64")
                    guest.wait_for("management: fd08::2/64")
                    self.answers_on_each_network()
                    if machine == "pc":
                        self.answers_on_no_other()

    def test_crunch_run_with_two_taps(self):
        image = self.build("virtio")
        network.enter_namespace()
        for tap, host in zip(("tap0", "tap1"), HOSTS.values()):
            network.make_tap(tap, with_addresses=False)
            must("ip", "addr", "add", f"{host}/24", "dev", tap)
        said = self.folder / "said"
        with open(said, "wb") as out:
            run = subprocess.Popen(
                [str(harness.CRUNCH), "run", str(image), "--net", "tap0", "--net", "tap1", "--",
                 f"--ipv4={IMAGES['service']}/24", "--ipv6=off",
                 f"--management-ipv4={IMAGES['management']}/24", "--management-ipv6=off"],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            self.assertTrue(harness.eventually(
                lambda: f"management: {IMAGES['management']}/24" in said.read_text()
                or run.poll() is not None, 60), said.read_text())
            self.assertIn("runs on tap0 and tap1 until Ctrl-C", said.read_text())
            # Each address answers on its own wire only, so this is the order of the options.
            for name, port in (("service", 80), ("management", 8080)):
                self.assertEqual(network.file_of(f"http://{IMAGES[name]}:{port}/"),
                                 SERVICE["index.html"])
            run.send_signal(signal.SIGINT)
            self.assertEqual(run.wait(qemu.WAIT_S), 0, said.read_text())
        finally:
            run.kill()
            run.wait(qemu.WAIT_S)

    def test_a_machine_with_one_device_too_many(self):
        image = bare.small_image("virtio")
        extra = ("-netdev", "user,restrict=on,id=more", "-device", "virtio-net-pci,netdev=more")
        with qemu.Guest(image, extra=extra) as guest:
            guest.wait_for("warning: this machine has network devices that this image does not use")

    def test_a_target_with_one_device_says_so(self):
        done = harness.crunch("build", harness.write_tree(self.folder / "site", SERVICE), "-t",
                              "hvt", "-o", self.folder / "image", "--config", CONFIG)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("this target has one network device, so there is one stack", done.stderr)

    def refuses(self, image):
        network.enter_namespace()
        network.make_tap()
        table = [
            ([], "there is no tap 'tap1'; make it first: ip tuntap add tap1"),
            (["--management-tap=tap0"], "the tap 'tap0' is another stack's already: "
                                        "--management-tap=NAME names its own"),
            (["--management-tap=fd:99"], "--management-tap=fd:99 is no open tap"),
            (["--management-ipv4=10.8.0.2/24", "--management-ipv4-gateway=10.7.0.1"],
             "--management-ipv4-gateway cannot be '10.7.0.1': it is outside the network "
             "10.8.0.0/24 that --management-ipv4 names"),
        ]
        for keys, says in table:
            with self.subTest(keys=keys):
                done = call(image, "--management-directory=/", *keys)
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertIn(says, done.stdout)


if __name__ == "__main__":
    harness.main()
