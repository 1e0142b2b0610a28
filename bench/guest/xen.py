# SPDX-License-Identifier: ISC
"""bench/guest/xen.py: the same two machines as guests of a real Xen, on one dom0, in one QEMU.

The lab of tests/lab/xen: QEMU emulates (TCG) one processor, on which Xen runs dom0 and the guest,
as PVH. The other machine's kernel finds netfront in its initramfs. The clock of a start begins
before the command for `xl create` is sent to dom0.
"""

import os
import pathlib
import re
import sys
import time
import unittest

import machines

sys.path.insert(0, str(machines.BENCH.parent / "tests" / "lab" / "xen"))
import lab as xen_lab  # noqa: E402

MAC = "00:16:3e:12:34:56"  # Xen's own prefix
KERNEL_WORDS = machines.KERNEL_WORDS.replace("ttyS0", "hvc0")


def start_lab() -> xen_lab.Lab:
    """In a network of its own, with the addresses of machines.py."""
    try:
        made = xen_lab.Lab(memory_mib=1536, dom0_mib=512)
    except unittest.SkipTest as missing:
        sys.exit(str(missing))
    for thread in os.listdir(f"/proc/{made.process.pid}/task"):
        os.sched_setaffinity(int(thread), {machines.GUEST_CPU})
    xen_lab.ip(f"neigh add {machines.GUEST} lladdr {MAC} dev wire0 nud permanent")
    return made


class Running:
    """A guest, with what the benchmarks ask of QEMU's process. `log`: gets its console's words."""

    def __init__(self, lab, guest, log):
        self.guest, self._log = guest, pathlib.Path(log)
        self.pid = lab.process.pid  # it pays for dom0's part, too
        self._looked = time.monotonic()

    def poll(self):
        """Not None: it has ended. Dom0 has other work, and is asked every three seconds."""
        if time.monotonic() - self._looked < 3:
            return None
        self._looked = time.monotonic()
        return None if self.guest.domid() is not None else 1

    def kill(self) -> None:
        self._log.write_text(self.guest.console(), encoding="utf-8")
        if self.guest.domid() is not None:
            self.guest.destroy()

    def wait(self) -> None:
        self.guest.wait_for_end()

    def end_and_count(self) -> int:
        """How many hypercalls it has made, by its own count."""
        self.guest.shutdown()
        self.guest.wait_for_end()
        return int(re.search(r"hypercalls (\d+)", self.guest.console()).group(1))


class Machine:
    def __init__(self, lab, name, files, cmdline, ramdisk=None):
        self.lab, self.name, self.files, self.cmdline = lab, name, files, cmdline
        self.kernel = f"/images/{files[0].name}"
        self.extra = f'ramdisk = "/images/{ramdisk.name}"' if ramdisk else ""
        for file in files:
            lab.put(file, f"/images/{file.name}")

    def image_bytes(self) -> int:
        return sum(os.path.getsize(file) for file in self.files)

    def start(self, memory_mib: int, log):
        guest = self.lab.create("bench", self.kernel, self.cmdline, memory_mib=memory_mib,
                                extra=self.extra, mac=MAC)
        return Running(self.lab, guest, log)


def prepare(lab, site: machines.Site) -> list:
    """-> ours and the other, in dom0."""
    image = site.build("xen")
    kernel, initrd = site.linux("xen-netfront")
    return [Machine(lab, "crunch", [image], site.boot_keys),
            Machine(lab, "Linux and nginx", [kernel, initrd], KERNEL_WORDS, ramdisk=initrd)]
