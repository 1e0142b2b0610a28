#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The laws of devices on virtio's, in QEMU: the probe appliance, and a mirror on its wire."""

import unittest

import harness
import probe
import qemu

TARGET = "virtio"


class NetDevice(unittest.TestCase):
    """net/device.hpp, over PCI and over MMIO of both versions."""

    def laws_hold(self, machine: str, device: str, *words_of_qemu: str) -> None:
        mirror, words = probe.Mirror.on_datagrams()
        with mirror:
            status, said = qemu.run_to_end(
                probe.image(TARGET), "--try=net", machine=machine, within_s=120,
                extra=("-netdev", f"{words},id=wire", "-device", f"{device},netdev=wire",
                       *words_of_qemu))
        self.assertEqual(status, 0, said)
        probe.assert_laws_hold(self, said)

    def test_pci(self):
        self.laws_hold("q35", "virtio-net-pci")

    def test_a_short_queue(self):
        self.laws_hold("pc", "virtio-net-pci,tx_queue_size=256,event_idx=off")

    def test_mmio(self):
        self.laws_hold("microvm", "virtio-net-device", "-global", "virtio-mmio.force-legacy=false")

    def test_mmio_of_the_old_version(self):
        self.laws_hold("microvm", "virtio-net-device,host_mtu=1400")


if __name__ == "__main__":
    harness.main()
