#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The laws of devices on virtio's, in QEMU: the probe appliance, and a mirror on its wire."""

import pathlib
import tempfile
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


class BlockDevice(unittest.TestCase):
    """block/block.hpp: over PCI and MMIO, with sectors of 512 and 4096 bytes, and to read only."""

    def tried(self, machine: str, device: str, *words: str, drive="", size=2 << 20) -> tuple:
        """What the probe says, and the disk afterwards."""
        with tempfile.TemporaryDirectory() as folder:
            disk = pathlib.Path(folder) / "disk"
            disk.write_bytes(bytes(size))
            net = qemu.NETWORK_DEVICE[qemu.kind(machine)]
            status, said = qemu.run_to_end(
                probe.image(TARGET), "--try=block", machine=machine, within_s=120,
                extra=("-netdev", "user,restrict=on,id=wire", "-device", f"{net},netdev=wire",
                       "-drive", f"file={disk},if=none,format=raw,id=disk{drive}",
                       "-device", f"{device},drive=disk", *words))
            self.assertEqual(status, 0, said)
            return said, disk.read_bytes()

    def laws_hold(self, machine: str, device: str, *words: str, sector_bytes=512) -> None:
        said, disk = self.tried(machine, device, *words)
        probe.assert_laws_hold(self, said)
        self.assertIn(f"{len(disk) // sector_bytes} sectors of {sector_bytes} bytes", said)
        probe.assert_written(self, disk, sector_bytes)

    def test_pci(self):
        self.laws_hold("q35", "virtio-blk-pci")

    def test_sectors_of_4096_bytes(self):
        self.laws_hold("pc", "virtio-blk-pci,logical_block_size=4096,physical_block_size=4096",
                       sector_bytes=4096)

    def test_a_short_queue_without_a_cache(self):
        self.laws_hold("pc", "virtio-blk-pci,queue-size=4,seg-max-adjust=off,write-cache=off")

    def test_mmio(self):
        self.laws_hold("microvm", "virtio-blk-device", "-global",
                       "virtio-mmio.force-legacy=false")

    def test_mmio_of_the_old_version(self):
        self.laws_hold("microvm", "virtio-blk-device")

    def test_to_read_only(self):
        said, disk = self.tried("pc", "virtio-blk-pci", drive=",readonly=on")
        probe.assert_laws_hold(self, said)
        self.assertIn("bytes, to read", said)
        self.assertEqual(disk, bytes(len(disk)))


if __name__ == "__main__":
    harness.main()
