# SPDX-License-Identifier: ISC
"""tests/image/qemu.py: bare machines in QEMU, which emulates them (TCG): no KVM, no privileges.

Gives: Guest, a machine that runs; run_to_end, for one that ends by itself.

Rules: every machine has a bound in time and is ended by its own process id; guests are reached by
ports of 127.0.0.1 that were free a moment before.
"""

import contextlib
import pathlib
import re
import socket
import subprocess
import tempfile
import time

import harness

QEMU = "qemu-system-x86_64"
WAIT_S = 60.0

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
