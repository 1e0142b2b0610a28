# SPDX-License-Identifier: ISC
"""bench/guest/nested_machines.py: machines on KVM, in the nested lab (tests/lab/nested.py).

Gives: start_lab; prepare, which gives in the shape of machines.Machine: our image as a guest of
hvt-tender, our virtio image and Debian's kernel with nginx in QEMU with KVM. All run inside the one
emulated machine, so their figures compare with each other only; the processor's time is that of all
of it.
"""

import contextlib
import pathlib
import re
import sys

TESTS = pathlib.Path(__file__).resolve().parents[2] / "tests"
sys.path[:0] = [str(TESTS / "lab"), str(TESTS / "image")]
import machines  # noqa: E402
import nested  # noqa: E402
import packages  # noqa: E402

TAP = "bench"
FIRMWARE = ["/usr/share/seabios/bios-256k.bin", "/usr/share/qemu/linuxboot_dma.bin",
            "/usr/share/qemu/pvh.bin", "/usr/share/qemu/kvmvapic.bin"]
QEMU = (f"qemu-system-x86_64 -accel kvm -cpu host -M pc -L /firmware -nodefaults -no-reboot "
        f"-display none -serial stdio -netdev tap,id=wire,ifname={TAP},script=no,downscript=no "
        f"-device virtio-net-pci,netdev=wire,mac={machines.MAC},romfile=")


class Running(nested.Process):
    """In the place of a Popen. `pid` is the emulated machine's, which pays for everything."""

    def __init__(self, lab, command, log):
        super().__init__(lab.shell(f"start {command}; echo STATUS $?"))
        self.inner, self._lab, self._log = self.pid, lab, log
        self.pid = lab.process.pid

    def poll(self):
        return None if self.is_running() else 1

    def resident_mib(self) -> float:
        said = self._lab.run(f"cat /proc/{self.inner}/status")
        return int(re.search(r"VmRSS:\s+(\d+)", said).group(1)) / 1024

    def kill(self) -> None:
        self._lab.run(f"kill -KILL {self.inner}")

    def wait(self) -> None:
        self._reader.join(nested.WAIT_S)
        self._line.close()
        pathlib.Path(self._log).write_text(self.console(), encoding="utf-8")


class Machine:
    def __init__(self, lab, name, command, files):
        self._lab, self.name, self._command, self._files = lab, name, command, files
        self._places = [lab.put(file) for file in files]

    def image_bytes(self) -> int:
        return sum(pathlib.Path(file).stat().st_size for file in self._files)

    def start(self, memory_mib: int, log, *_):
        return Running(self._lab, self._command.format(*self._places, memory=memory_mib), log)


@contextlib.contextmanager
def start_lab():
    """In the namespace of machines.enter_network, on its tap."""
    tool = pathlib.Path(packages.BUILD) / "bin"
    lab = nested.Lab([tool / "hvt-tender", packages.program("qemu-system-x86_64")],
                     memory_mib=2048, tap="tap0",
                     files={f"firmware/{pathlib.Path(one).name}": pathlib.Path(one)
                            for one in FIRMWARE})
    try:
        lab.add_tap(TAP)
        yield lab
    finally:
        lab.close()


def prepare(lab, site: machines.Site) -> list:
    """-> ours by hvt-tender, ours by QEMU, and the other."""
    hvt, virtio = site.build("hvt"), site.build("virtio")
    kernel, initrd = site.linux("virtio_pci", "virtio_net")
    tender = (f"hvt-tender --mem={{memory}} --net:service={TAP} "
              f"--net-mac:service={machines.MAC} {{}} -- {site.boot_keys}")
    return [Machine(lab, "crunch, hvt", tender, [hvt]),
            Machine(lab, "crunch, virtio",
                    f"{QEMU} -m {{memory}} -kernel {{}} -append '{site.boot_keys}'", [virtio]),
            Machine(lab, "Linux and nginx", f"{QEMU} -m {{memory}} -kernel {{}} -initrd {{}} "
                    f"-append '{machines.KERNEL_WORDS}'", [kernel, initrd])]
