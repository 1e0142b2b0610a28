# SPDX-License-Identifier: ISC
"""tests/lab/nested.py: a machine that has KVM, on machines that have none.

Debian's kernel in QEMU, which emulates a processor with virtualisation (AMD's SVM): inside, kvm-amd
and a tender see KVM as it is on hardware, only slower. The machine's network card is bridged with
the taps that are made in it, and leads out into the network namespace that the test is alone in: so
a test speaks to the guests in the machine directly, with its own sockets.

Gives: enter_network, Lab. Inside the machine runs a shell for each connection to a port of it.
Rules: root; one Lab in a process. Whatever waits has a bound; the machine dies with the test.
"""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import packages

HOST, MACHINE = "10.9.0.1", "10.9.0.99"
GUESTS = [f"10.9.0.{number}" for number in range(2, 90)]
SHELL_PORT = 1000
WAIT_S = 120.0
TAP = "lab0"
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


def enter_network() -> None:
    """Starts this program again in a network namespace of its own; then goes on."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("takes root: run scripts/test as root or with sudo")
    if os.environ.get("CRUNCH_LAB_NETWORK") != str(os.getpid()):
        os.environ["CRUNCH_LAB_NETWORK"] = str(os.getpid())  # exec keeps the number
        packages.Kernel()  # is downloaded outside
        sys.stdout.flush()
        os.execvp("unshare", ["unshare", "--net", sys.executable, "-B", *sys.argv])
    for words in (["link", "set", "lo", "up"], ["tuntap", "add", TAP, "mode", "tap"],
                  ["addr", "add", f"{HOST}/24", "dev", TAP], ["link", "set", TAP, "up"]):
        packages.run("ip", *words)


class Lab:
    """The machine, which runs. `programs`: of this machine, put into /bin with their libraries.
    `modules`: of the kernel, besides those of MODULES."""

    def __init__(self, programs=(), modules=(), memory_mib=640, cpu="max", folder=None, prefix=()):
        self._folder = tempfile.TemporaryDirectory(dir=folder)
        work = pathlib.Path(self._folder.name)
        kernel = packages.Kernel()
        tree = packages.Initramfs(work / "initramfs")
        tree.modules(kernel, *MODULES, *modules)
        # Busybox's knows no taps; its shell prefers it unless told where the other is.
        (tree.folder / "bin/ip").unlink()
        for program in (packages.program("ip"), *programs):
            tree.program(pathlib.Path(program), f"bin/{pathlib.Path(program).name}")
        tree.init(INIT)
        tree.file("bin/serve", SERVE, 0o755)
        self.console_path = work / "console"
        self._there: dict = {}
        self.process = subprocess.Popen(
            [*prefix, str(packages.program("qemu-system-x86_64")), "-machine", "pc", "-accel",
             "tcg", "-cpu", cpu, "-m", str(memory_mib), "-nodefaults", "-no-user-config",
             "-no-reboot", "-display", "none", "-serial", f"file:{self.console_path}", "-kernel",
             str(kernel.path), "-initrd", str(tree.pack(work / "initrd.gz")), "-append",
             KERNEL_WORDS, "-netdev", f"tap,id=wire,ifname={TAP},script=no,downscript=no",
             "-device", "virtio-net-pci,netdev=wire,romfile="],
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
        """A shell in the machine that runs `script`, one line: what it prints can be read. `content` is what
        the script finds on its standard input."""
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

    def put(self, path: pathlib.Path) -> str:
        """The file's place in the machine, where it is put if it is not there yet."""
        path = pathlib.Path(path)
        key = (str(path), path.stat().st_mtime_ns)
        if key not in self._there:
            place = f"/tmp/{len(self._there)}-{path.name}"
            content = path.read_bytes()
            said = self.run(f"head -c {len(content)} > {place}; stat -c %s {place}", content)
            if said != f"{len(content)}\n":
                raise AssertionError(f"{path} did not arrive in the lab: {said!r}")
            self._there[key] = place
        return self._there[key]

    def add_tap(self, name: str) -> None:
        said = self.run(f"/bin/ip tuntap add {name} mode tap && /bin/ip link set {name} master br0 "
                        f"&& /bin/ip link set {name} up && echo made")
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
