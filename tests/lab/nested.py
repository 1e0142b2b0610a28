# SPDX-License-Identifier: ISC
"""tests/lab/nested.py: a machine that has KVM, on machines that have none.

Debian's kernel in QEMU, which emulates a processor with virtualisation (AMD's SVM): inside, kvm-amd
and a tender see KVM as it is on hardware, only slower. The machine's network card is bridged with
the taps that are made in it, and leads out into the network namespace that the test is alone in: so
a test speaks to the guests in the machine directly, with its own sockets.

Gives: Lab, the machine; main, for a test file that has one for all its tests; Guest, an image of
ours that a tender runs in it. Inside the machine runs a shell for each connection to a port of it.
Rules: root; one Lab in a process. Whatever waits has a bound; the machine dies with the test.
"""

import contextlib
import itertools
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import bare
import client
import harness
import network
import packages

MACHINE = "10.9.0.99"  # network.HOST4 is the test
MAC = "52:54:00:09:00:99"  # not QEMU's usual one, which a guest inside may have
SHELL_PORT = 1000
WAIT_S = 120.0
client.WAIT_S = WAIT_S  # the emulation of an emulation is slow
TAP = "lab0"
NOBODY = 65534  # who may open the taps in the machine
KERNEL_WORDS = "console=ttyS0 quiet panic=-1 mitigations=off"
MODULES = ("kvm-amd", "tun", "virtio_pci", "virtio_net", "bridge")

INIT = f"""#!/bin/sh
export PATH=/bin:/sbin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
cd /lib/modules
for module in $(cat order); do insmod $module || echo "cannot load $module"; done
cd /
chmod 666 /dev/net/tun
/bin/ip link set lo up
/bin/ip link add br0 type bridge
/bin/ip link set eth0 master br0
/bin/ip link set eth0 up
/bin/ip addr add {MACHINE}/24 dev br0
/bin/ip link set br0 up
echo the lab is ready
exec nc -ll -p {SHELL_PORT} -e /bin/serve
"""
# sh itself would read on behind the line, into what is for the script.
SERVE = """#!/bin/sh
exec 2>&1
read -r script
eval "$script"
"""
# Says which process a program becomes.
START = """#!/bin/sh
echo $$
exec "$@"
"""


def enter_network() -> None:
    """This process goes into a network namespace of its own, where the machine's card leads to."""
    network.need_taps()
    packages.Kernel()  # is downloaded outside
    network.enter_namespace()
    network.make_tap(TAP)


def main(*programs) -> None:
    """harness.main with a lab: `lab()` is the machine, which has these programs."""
    global _lab
    try:
        enter_network()
        _lab = Lab(programs)
    except unittest.SkipTest as why:
        print(f"SKIPPED: {why}")
        sys.exit(77)
    try:
        harness.main()
    finally:
        print(f"the lab took {_lab.cpu_s():.0f} s of the processor")
        _lab.close()


def lab() -> "Lab":
    return _lab


_lab = None


class Lab:
    """The machine, which runs. `programs`: of this machine, put into /bin with their libraries.
    `modules`: of the kernel, besides those of MODULES; `files`: {place: what is there}; `tap`: of
    this namespace, which the machine's card is."""

    def __init__(self, programs=(), modules=(), memory_mib=640, tap=TAP, files=None):
        self._folder = tempfile.TemporaryDirectory()
        work = pathlib.Path(self._folder.name)
        kernel = packages.Kernel()
        tree = packages.Initramfs(work / "initramfs")
        tree.modules(kernel, *MODULES, *modules)
        # Busybox's knows no taps; its shell prefers it unless told where the other is.
        (tree.folder / "bin/ip").unlink()
        for program in (packages.program("ip"), *programs):
            tree.program(pathlib.Path(program), f"bin/{pathlib.Path(program).name}")
        for place, content in (files or {}).items():
            tree.file(place, content)
        tree.init(INIT)
        tree.file("bin/serve", SERVE, 0o755)
        tree.file("bin/start", START, 0o755)
        self.console_path = work / "console"
        self._there: dict = {}
        self.process = subprocess.Popen(
            [str(packages.program("qemu-system-x86_64")), "-machine", "pc", "-accel", "tcg",
             "-cpu", "max", "-m", str(memory_mib), "-nodefaults", "-no-user-config",
             "-no-reboot", "-display", "none", "-serial", f"file:{self.console_path}", "-kernel",
             str(kernel.path), "-initrd", str(tree.pack(work / "initrd.gz")), "-append",
             KERNEL_WORDS, "-netdev", f"tap,id=wire,ifname={tap},script=no,downscript=no",
             "-device", f"virtio-net-pci,netdev=wire,mac={MAC},romfile="],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            preexec_fn=_die_with_parent)
        try:
            self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(OSError):
                if self.run("echo yes", within_s=5.0) == "yes\n":
                    return
            time.sleep(0.1)
        raise AssertionError(f"the lab does not start; its console:\n{self.console()}")

    def console(self) -> str:
        with contextlib.suppress(FileNotFoundError):
            return self.console_path.read_text(errors="replace")
        return ""

    def shell(self, script: str, content: bytes = b"", within_s=WAIT_S) -> socket.socket:
        """A shell in the machine that runs `script`, one line: what it prints can be read.
        `content` is what the script finds on its standard input."""
        line = socket.create_connection((MACHINE, SHELL_PORT), timeout=within_s)
        line.settimeout(within_s)
        line.sendall(script.encode() + b"\n" + content)
        return line

    def run(self, script: str, content: bytes = b"", within_s=WAIT_S) -> str:
        """What `script` prints."""
        with self.shell(script, content, within_s) as line:
            said = b""
            while data := line.recv(1 << 16):
                said += data
        return said.decode(errors="replace")

    def write(self, place: str, content: bytes) -> None:
        said = self.run(f"mkdir -p $(dirname {place}); head -c {len(content)} > {place}; "
                        f"stat -c %s {place}", content)
        if said != f"{len(content)}\n":
            raise AssertionError(f"{place} could not be written in the lab: {said!r}")

    def put(self, path: pathlib.Path) -> str:
        """The file's place in the machine, where it is put if it is not there yet."""
        path = pathlib.Path(path)
        key = (str(path), path.stat().st_mtime_ns)
        if key not in self._there:
            place = f"/tmp/{len(self._there)}-{path.name}"
            self.write(place, path.read_bytes())
            self._there[key] = place
        return self._there[key]

    def add_tap(self, name: str) -> None:
        said = self.run(f"/bin/ip tuntap add {name} mode tap user {NOBODY} && "
                        f"/bin/ip link set {name} master br0 && /bin/ip link set {name} up && "
                        "echo made")
        if said != "made\n":
            raise AssertionError(f"no tap in the lab: {said}")

    def cpu_s(self) -> float:
        """What QEMU has used of the processor so far."""
        status = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = status.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(60)
        self._folder.cleanup()


def _die_with_parent() -> None:
    import ctypes  # pylint: disable=import-outside-toplevel
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def put_recipe(target: str) -> None:
    """For `crunch run` in the lab: all of the recipe but the files that only a build takes."""
    recipe = (harness.BUILD / f"lib/crunch/{target}.target").read_text()
    kept = re.sub(r"(?m)^(include|main|object|library) .*\n", "", recipe)
    lab().write(f"/lib/crunch/{target}.target", kept.encode())


class Process(bare.Guest):
    """What the lab's `start` runs, behind which the shell says its status."""

    def __init__(self, line: socket.socket):
        self._said = b""
        self._line = line
        said = line.makefile("rb", buffering=0)
        self.pid = int(said.readline())
        line.settimeout(None)
        self._reader = threading.Thread(target=self._read, args=[said], daemon=True)
        self._reader.start()

    def _read(self, said) -> None:
        with contextlib.suppress(OSError):
            while data := said.read(1 << 16):
                self._said += data

    def console(self) -> str:
        return self.all_said().partition("STATUS")[0]

    def all_said(self) -> str:
        """What those whom it leaves behind say after its end, too."""
        return self._said.decode(errors="replace")

    def is_running(self) -> bool:
        return self._reader.is_alive() and b"STATUS" not in self._said

    def signal(self, name: str) -> None:
        lab().run(f"kill -{name} {self.pid}")

    def ask_to_stop(self) -> None:
        self.signal("TERM")

    def wait_for_end(self, within_s: float = WAIT_S) -> int:
        self._reader.join(within_s)
        found = re.search(rb"STATUS (\d+)\n", self._said)
        if not found:
            raise AssertionError(f"it does not end; console:\n{self.console()}")
        return int(found.group(1))

    def kill(self) -> None:
        if self.is_running():
            self.signal("KILL")
        self._reader.join(WAIT_S)
        self._line.close()


class Guest(Process):
    """A guest of hvt-tender, or of `tender`, in the lab, on a tap and with an address of its own.

    `command` comes before the tender; `options` are the tender's. Without `has_address` it is told
    `keys` alone.
    """

    _numbers = itertools.count(2)

    def __init__(self, image, *keys, memory_mib=24, wait=True, options=(), command="",
                 tender="hvt-tender", has_address=True):
        number = next(Guest._numbers)
        self.host, self._tap = f"10.9.0.{number}", f"tap{number}"
        place = lab().put(image)
        lab().add_tap(self._tap)
        if has_address:
            keys = (f"--ipv4={self.host}/24", "--ipv6=off", *keys)
        words = [command, tender, *options, f"--mem={memory_mib}",
                 f"--net:service={self._tap}", "--", place, *(f"'{key}'" for key in keys)]
        super().__init__(lab().shell(f"start {' '.join(words)}; echo STATUS $?"))
        if not wait:
            return
        try:
            self.wait_for(r"network: [0-9.]+/\d+")
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        super().kill()
        lab().run(f"/bin/ip link del {self._tap}")
