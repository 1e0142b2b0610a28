# SPDX-License-Identifier: ISC
"""bench/disk/run.py: reading a disk on a virtio machine, beside Linux in the same QEMU.

Method: bench/guest/machines.py has the machines and the network; QEMU emulates (TCG), and the host
has the disk's file in its page cache. Machines in turn, several rounds; a figure is the median of
its rounds: one pass over a disk in pieces, by the guest's own clock. Ours awaits one piece after
another, as a store does; Linux's is busybox's dd of the same piece, past its page cache (direct)
and through it (cached, with its read-ahead).
"""

import argparse
import os
import pathlib
import re
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "guest"))
import machines  # noqa: E402
import measure  # noqa: E402
import packages  # noqa: E402

PIECES_KIB = (64, 256)
CRUNCH = pathlib.Path(os.environ["CRUNCH_BENCH_BIN"]) / "crunch"
ROOT = pathlib.Path(os.environ["CRUNCH_BENCH_ROOT"])

READING = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
cd /lib/modules
for module in $(/bin/busybox cat order); do /bin/busybox insmod $module; done
until [ -b /dev/vda ]; do /bin/busybox usleep 10000; done
now() { /bin/busybox cut -d' ' -f1 /proc/uptime; }
for kib in %s; do
  begin=$(now); /bin/busybox dd if=/dev/vda of=/dev/null bs=${kib}k iflag=direct 2>/dev/null
  echo "direct $kib $begin $(now)"
  echo 3 > /proc/sys/vm/drop_caches
  begin=$(now); /bin/busybox dd if=/dev/vda of=/dev/null bs=${kib}k 2>/dev/null
  echo "cached $kib $begin $(now)"
  echo 3 > /proc/sys/vm/drop_caches
done
/bin/busybox poweroff -f
"""


def with_disk(path) -> list:
    return ["-drive", f"if=none,format=raw,file={path},id=disk,cache=writeback",
            "-device", "virtio-blk-pci,drive=disk"]


def to_end(machine, log, *options, within_s=240) -> str:
    process = machine.start(512, log, *options)
    try:
        process.wait(within_s)
    finally:
        machines.stop(process)
    return pathlib.Path(log).read_text(errors="replace")


def ours_to_read(site) -> list:
    image = site.folder / "reader"
    machines.run(CRUNCH, "build", "-t", "virtio", "-o", image, "--config",
                 ROOT / "bench" / "disk" / "config.hpp")
    return [machines.Machine(f"{kib}", ["-kernel", str(image), "-append", f"--piece={kib}"],
                             [image]) for kib in PIECES_KIB]


def linux_to_read(site):
    kernel = packages.Kernel()
    tree = packages.Initramfs(site.folder / "reading", applets=())
    tree.modules(kernel, "virtio_pci", "virtio_blk")
    tree.init(READING % " ".join(map(str, PIECES_KIB)))
    initrd = tree.pack(site.folder / "reading.gz")
    return machines.Machine("Linux", ["-kernel", str(kernel.path), "-initrd", str(initrd),
                                      "-append", machines.KERNEL_WORDS], [])


def read_disks(site, options, log) -> None:
    disk = site.folder / "disk"
    with open(disk, "wb") as file:
        for _ in range(options.mib):
            file.write(os.urandom(1 << 20))
    ours, linux = ours_to_read(site), linux_to_read(site)
    taken: dict = {}
    for _ in range(options.rounds):
        for machine in ours:
            said = to_end(machine, log, *with_disk(disk))
            found = re.search(r"disk: (\d+) bytes in (\d+) us", said)
            if not found:
                sys.exit(f"ours does not read: {said}")
            rate = int(found.group(1)) / int(found.group(2))
            taken.setdefault(("ours", machine.name), []).append(rate)
        said = to_end(linux, log, *with_disk(disk), within_s=600)
        for how, kib, begin, end in re.findall(r"(direct|cached) (\d+) ([\d.]+) ([\d.]+)", said):
            rate = (options.mib << 20) / (float(end) - float(begin)) / 1e6
            taken.setdefault((how, kib), []).append(rate)
    rows = []
    for kib in map(str, PIECES_KIB):
        ours_rate, direct, cached = (statistics.median(taken[who, kib])
                                     for who in ("ours", "direct", "cached"))
        rows.append([f"{kib} KiB", f"{ours_rate:.0f}", f"{direct:.0f}", f"{cached:.0f}",
                     f"{ours_rate / direct:.2f}", f"{ours_rate / cached:.2f}"])
    print(measure.table(["pieces of", "ours MB/s", "Linux direct", "Linux cached", "to direct",
                         "to cached"], rows), "\n")


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench disk", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default, words in (("rounds", 3, "of each machine"), ("mib", 300, "MiB on the disk")):
        parser.add_argument(f"--{name}", type=int, default=default,
                            help=f"{words} (default {default})")
    options = parser.parse_args()
    packages.Kernel()  # downloads it, before there is no network
    machines.enter_network(sys.argv)
    with tempfile.TemporaryDirectory(prefix="crunch-bench-") as work:
        print(f"{machines.about()}; median of {options.rounds} rounds\n", flush=True)
        read_disks(machines.Site(work, ()), options, os.path.join(work, "console"))


main()
