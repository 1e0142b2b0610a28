# SPDX-License-Identifier: ISC
"""tests/image/qemu.py: bare machines in QEMU, which emulates them (TCG): no KVM, no privileges.

Gives: Guest, a machine that runs; run_to_end, for one that ends by itself.

Rules: every machine has a bound in time and is ended by its own process id; guests are reached by
ports of 127.0.0.1 that were free a moment before.
"""

import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile

import bare
import harness
import network
from bare import WAIT_S

QEMU = "qemu-system-x86_64"

# The guest's network device on each machine; microvm has no PCI.
NETWORK_DEVICE = {"pc": "virtio-net-pci", "q35": "virtio-net-pci", "microvm": "virtio-net-device"}
ENTROPY_DEVICE = {"pc": "virtio-rng-pci", "q35": "virtio-rng-pci", "microvm": "virtio-rng-device"}


def kind(machine: str) -> str:
    return machine.partition(",")[0]


def command(image, append="", machine="pc", cpu="max", memory_mib=16, extra=()) -> list:
    """QEMU's command line, without network."""
    return [harness.need(QEMU), "-accel", "tcg", "-M", machine, "-cpu", cpu, "-m", str(memory_mib),
            "-kernel", str(image), "-append", append, "-nodefaults", "-display", "none",
            "-no-reboot", "-device", "isa-debug-exit,iobase=0x501,iosize=1", *extra]


def status_of(exit_code: int) -> int:
    """The guest's status: 0 by switching off, others by the debug exit, as 2 * status + 1."""
    return exit_code // 2


def run_to_end(image, append="", within_s=WAIT_S, **options) -> tuple:
    """(status, console) of a machine that ends by itself; the firmware's words are left out."""
    words = command(image, append, **options) + ["-serial", "stdio"]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          errors="replace", stderr=subprocess.PIPE, timeout=within_s, check=False)
    if done.returncode not in (0, *range(3, 256, 2)):
        raise AssertionError(f"QEMU exits {done.returncode}: {done.stderr}")
    return status_of(done.returncode), console_of(done.stdout)


def console_of(text: str) -> str:
    text = text.replace("\r\n", "\n")
    return re.sub(r"(?s).*?Booting from ROM\.*", "", text, count=1)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Guest(bare.Guest):
    """A machine on ports of 127.0.0.1 that QEMU forwards; or on network.make_tap's tap0, where it
    is told its addresses; or with a device on each of `taps`, open ones. Its power button stops
    it."""

    def __init__(self, image, append="", machine="pc", extra=(), wait=True, on_tap=False,
                 device="", taps=(), **options):
        self._folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self._folder.name)
        self.console_path, self.err_path = folder / "console", folder / "err"
        if taps:
            wires = [f"tap,fd={tap}" for tap in taps]
        elif on_tap:
            self.host, wires = network.IMAGE4, ["tap,ifname=tap0,script=no,downscript=no"]
            append = " ".join([*network.STATIC, append])
        else:
            self.port, self.https_port = free_port(), free_port()
            wires = [f"user,restrict=on,hostfwd=tcp:127.0.0.1:{self.port}-:80,"
                     f"hostfwd=tcp:127.0.0.1:{self.https_port}-:443"]
        words = command(image, append, machine=machine, extra=extra, **options)
        words += ["-serial", f"file:{self.console_path}",
                  "-qmp", f"unix:{folder}/qmp,server=on,wait=off"]
        for i, wire in enumerate(wires):
            words += ["-netdev", f"{wire},id=wire{i}",
                      "-device", f"{device or NETWORK_DEVICE[kind(machine)]},netdev=wire{i}"]
        with open(self.err_path, "wb") as err:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=err, stderr=err,
                                            pass_fds=taps,
                                            preexec_fn=harness.die_with_parent)
        if wait:
            try:
                self.wait_for(r"network: [0-9.]+/\d+\b")
            except BaseException as error:
                said = self.err_path.read_text()
                self.kill()
                raise AssertionError(f"{error}; QEMU says: {said!r}") from error

    def console(self) -> str:
        with contextlib.suppress(FileNotFoundError):
            return console_of(self.console_path.read_text(errors="replace"))
        return ""

    def is_running(self) -> bool:
        return self.process.poll() is None

    def monitor(self, *commands: str | dict) -> None:
        """QMP commands, one after another, by name or whole; each must be answered by a
        success."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(WAIT_S)
            line.connect(f"{self._folder.name}/qmp")
            answers = line.makefile("r")
            answers.readline()
            for command_name in ("qmp_capabilities", *commands):
                whole = {"execute": command_name} if isinstance(command_name, str) else command_name
                line.sendall(json.dumps(whole).encode())
                while True:
                    answer = json.loads(answers.readline())
                    if "return" in answer:
                        break
                    if "error" in answer:
                        raise AssertionError(f"{command_name}: {answer}")

    def cpu_s(self) -> float:
        """What QEMU has used of the processor so far."""
        status = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = status.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ask_to_stop(self) -> None:
        self.monitor("system_powerdown")

    def wait_for_end(self, within_s: float = WAIT_S) -> int:
        return status_of(self.process.wait(within_s))

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(WAIT_S)
        self._folder.cleanup()
