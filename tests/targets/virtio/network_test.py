#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""virtio machines on a tap, seen from a Linux host: real frames, offloads, bad wires, many clients.

Method: as tests/image/tap_test.py, with a guest of QEMU's on the tap. Here the host takes
checksums and segmentation off the guest, which QEMU's user network does not.
"""

import contextlib
import os
import pathlib
import resource
import signal
import subprocess
import tempfile
import unittest

import bare
import harness
import network
import qemu
from harness import SITE, must
from network import HOST4, IMAGE4, IMAGE6, file_of, make_tap

TARGET = "virtio"
AT_A_TIME = 200


class OnTap(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        network.need_taps()

    def setUp(self):
        network.enter_namespace()


class Serving(OnTap):
    def test_files_over_both_protocols_and_ping(self):
        harness.need("curl"), harness.need("ping")
        for machine in qemu.NETWORK_DEVICE:
            with self.subTest(machine=machine):
                network.enter_namespace()
                make_tap()
                with qemu.Guest(bare.site_image(TARGET), "--redirect=false", machine=machine,
                                on_tap=True) as guest:
                    guest.wait_for(f"network: {IMAGE6}/64")
                    for host in (IMAGE4, f"[{IMAGE6}]"):
                        for name in ("index.html", "empty.txt", "big.bin"):
                            got = file_of(f"http://{host}/{name}")
                            self.assertTrue(got == SITE[name], (host, name))
                        got = file_of(f"https://{host}/big.bin", "-k")
                        self.assertTrue(got == SITE["big.bin"], host)
                    must("ping", "-c", "2", "-i", "0.2", "-s", "2000", IMAGE4)
                    must("ping", "-c", "2", "-i", "0.2", "-s", "2000", IMAGE6)

    def test_http_conformance(self):
        make_tap()
        with qemu.Guest(bare.conformance_image(TARGET), "--redirect=false", on_tap=True) as guest:
            guest.wait_for(f"network: {IMAGE6}/64")
            for host in (IMAGE4, IMAGE6):
                bare.ask_conformance(self, host, 80)

    def test_a_host_without_offloads(self):
        harness.need("curl")
        make_tap()
        for device in ("virtio-net-pci,csum=off,gso=off,guest_csum=off,host_tso4=off,host_tso6=off",
                       "virtio-net-pci,host_tso6=off", "virtio-net-pci,event_idx=off"):
            with self.subTest(device=device), \
                    qemu.Guest(bare.site_image(TARGET), "--redirect=false", on_tap=True,
                               device=device):
                self.assertTrue(file_of(f"http://{IMAGE4}/big.bin") == SITE["big.bin"])


class BadWires(OnTap):
    def test_files_arrive_whole(self):
        harness.need("curl")
        table = [
            (1500, ["--loss", 0.01, "--duplicate", 0.02, "--corrupt", 0.01]),
            (1500, ["--loss", 0.05, "--burst", 3, "--delay-ms", 5, "--jitter-ms", 5]),
        ]
        size = 200_000
        data = harness.noise(size, "wire")
        image = bare.site_image(TARGET, "wire", {"index.html": b"x", "some.bin": data})
        for mtu, options in table:
            with self.subTest(mtu=mtu, options=options):
                with network.BadWire(mtu, *options) as wire, \
                        qemu.Guest(image, "--redirect=false", on_tap=True):
                    for scheme in ("http", "https"):
                        got = file_of(f"{scheme}://{IMAGE4}/some.bin", "-k", "--retry", "5",
                                      "--retry-all-errors", "-m", "250")
                        self.assertTrue(got == data, scheme)
                did = wire.did["to_a"]
                print(mtu, options, did)
                self.assertGreater(did["sent"], 2 * size / mtu)
                self.assertGreater(did["lost"], 0)
                if "--jitter-ms" in options:
                    self.assertGreater(did["overtaken"], 0)


class Many(OnTap):
    """As many connections at once as --max-connections says, and one more."""

    def open(self, guest, count: int, memory_mib: int) -> None:
        need_files(count + 100)
        with contextlib.ExitStack() as stack:
            clients = []
            for number in range(count):
                client = stack.enter_context(guest.client())
                answer = client.get("/style.css")
                self.assertEqual(answer.body, SITE["style.css"], number)
                clients.append(client)
            print(f"{count} open at once in {memory_mib} MiB")
            # All of them are still served; as many at a time as a tap's queue has room for.
            for begin in range(1, count, AT_A_TIME):
                some = clients[begin:begin + AT_A_TIME]
                for client in some:
                    client.send(client.request("/style.css"))
                for number, client in enumerate(some, begin):
                    self.assertEqual(client.receive().body, SITE["style.css"], number)
            # One more takes the place of the one that has been idle longest.
            last = stack.enter_context(guest.client())
            self.assertEqual(last.get("/style.css").body, SITE["style.css"])
            self.assertTrue(clients[0].is_closed_by_peer())

    def test_the_most_at_once(self):
        count, memory_mib = 1000, 16
        if os.environ.get("CRUNCH_ALL_CONNECTIONS"):
            count, memory_mib = 10_000, 128
        make_tap()
        keys = f"--max-connections={count} --max-connections-per-client={count}"
        with qemu.Guest(bare.small_image(TARGET), f"--redirect=false {keys}", on_tap=True,
                        memory_mib=memory_mib) as guest:
            self.open(guest, count, memory_mib)
            print(f"at most {guest.memory_most_mib()} MiB in use")


def need_files(count: int) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < count:
        raise unittest.SkipTest(f"takes {count} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, most))


class Run(OnTap):
    """`crunch run --net`."""

    def test_on_a_tap(self):
        make_tap()
        with tempfile.TemporaryDirectory() as folder:
            said = pathlib.Path(folder) / "said"
            with open(said, "wb") as out:
                run = subprocess.Popen(
                    [str(harness.CRUNCH), "run", str(bare.site_image(TARGET)), "--net", "tap0",
                     "--", *network.STATIC, "--redirect=false"],
                    stdin=subprocess.DEVNULL, stdout=out, stderr=out)
            try:
                self.assertTrue(harness.eventually(
                    lambda: f"network: {IMAGE4}/24, gateway {HOST4}" in said.read_text(), 60),
                    said.read_text())
                self.assertIn("runs on tap0 until Ctrl-C", said.read_text())
                self.assertTrue(file_of(f"http://{IMAGE4}/big.bin") == SITE["big.bin"])
                self.assertTrue(file_of(f"https://{IMAGE4}/big.bin", "-k") == SITE["big.bin"])
                run.send_signal(signal.SIGINT)
                self.assertEqual(run.wait(qemu.WAIT_S), 0, said.read_text())
            finally:
                run.kill()
                run.wait(qemu.WAIT_S)
            self.assertRegex(said.read_text(), "the power button was pressed")


if __name__ == "__main__":
    harness.main()
