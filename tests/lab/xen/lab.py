# SPDX-License-Identifier: ISC
"""tests/lab/xen/lab.py: a real Xen with a dom0, in QEMU, on a network that only the test is on.

Gives: Lab, which runs commands in dom0 and makes guests; Guest. No KVM and nothing installed; root
for the network namespace.

    with Lab() as lab:
        lab.put(image, "/site.xen")
        guest = lab.create("site", "/site.xen", f"--ipv4={lab.address(2)}/24")
        guest.wait_for("listening")

Networks: the process enters a network namespace of its own, with the taps ctl0 (to dom0, for
commands, so that what a test does to the guests' network does not cut it off), wire0 and, with
wires=2, wire1: guests' networks, dom0's bridges xenbr0 and xenbr1. The host is .1 on each.
Rules: every wait has a bound. QEMU dies with the process that made the lab, and the taps with it;
nothing is left on the disk.
"""

import contextlib
import ctypes
import http.client
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import typing
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "image"))
import dom0  # noqa: E402
import harness  # noqa: E402

WAIT_S = 120.0
DOM0 = "10.8.0.2"
# Without what QEMU's emulation gets wrong for Xen: iret under SMAP; RDTSCP, which Xen then sees
# exit for no reason; the AVX state of dom0, which PVH guests spoil.
CPU = "max,-smap,-rdtscp,-xsave,-avx,-avx2"
PR_SET_PDEATHSIG = 1
CLONE_NEWNET = 0x40000000
POWEROFF, REBOOT, SUSPEND, CRASH = range(4)  # xen/sched.h
INCOMING = "--incoming"  # what xl adds to the name, and keeps for the logs, of one that migrates


class Counts(typing.NamedTuple):
    """What guests take of the host."""
    domains: int
    free_mib: int
    event_channels: int  # dom0's
    grants: int  # in use, of all domains
    interfaces: int  # dom0's vifs
    xenstore_entries: int


class Traffic(typing.NamedTuple):
    frames: int
    bytes: int


def _libc_call(name: str, *arguments) -> int:
    return getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments)


def enter_network(wires: int = 1) -> None:
    """This process, and what it starts from now on, alone with the taps."""
    harness.need_root()
    harness.need("ip")
    if not os.path.exists("/dev/net/tun"):
        raise unittest.SkipTest("no /dev/net/tun here")
    if _libc_call("unshare", CLONE_NEWNET) != 0:
        raise unittest.SkipTest("no network namespaces here")
    ip("link set lo up")
    for tap, network in [("ctl0", 8), *((f"wire{i}", 9 + i) for i in range(wires))]:
        ip(f"tuntap add {tap} mode tap")
        ip(f"addr add 10.{network}.0.1/24 dev {tap}")
        ip(f"-6 addr add fd0{network % 10}::1/64 dev {tap} nodad")
        ip(f"link set {tap} up")


def ip(words: str) -> None:
    subprocess.run(["ip", *words.split()], check=True, timeout=WAIT_S)


class Lab:
    """Xen and dom0, running; `with` ends them."""

    def __init__(self, wires: int = 1, memory_mib: int = 1024, dom0_mib: int = 448, cpus: int = 1):
        harness.need("qemu-system-x86_64")
        harness.need_root()
        self.files = dom0.prepare()  # needs the network that is left next
        self.wires = wires
        enter_network(wires)
        self._serial = tempfile.TemporaryFile()
        self._guests = 0
        self.process = subprocess.Popen(
            self._command(memory_mib, dom0_mib, cpus), stdin=subprocess.DEVNULL,
            stdout=self._serial, stderr=self._serial,
            preexec_fn=lambda: _libc_call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL))
        try:
            self.wait_for("LAB: ready", 4 * WAIT_S)
        except BaseException:
            self.stop()
            raise

    def _command(self, memory_mib: int, dom0_mib: int, cpus: int) -> list:
        words = ["qemu-system-x86_64", "-accel", "tcg,tb-size=128", "-cpu", CPU, "-smp", str(cpus),
                 "-m", str(memory_mib), "-nodefaults", "-display", "none", "-no-reboot",
                 "-serial", "stdio", "-kernel", str(self.files.xen), "-append",
                 f"console=com1 dom0_mem={dom0_mib}M,max:{dom0_mib}M dom0_max_vcpus=1 loglvl=all "
                 "guest_loglvl=all bootscrub=0 noreboot",
                 "-initrd", f"{self.files.kernel} console=hvc0 quiet panic=5,{self.files.archive}"]
        cards = [("ctl0", "01"), *((f"wire{i}", f"1{i}") for i in range(self.wires))]
        for tap, mac in cards:
            words += ["-netdev", f"tap,id={tap},ifname={tap},script=no,downscript=no", "-device",
                      f"virtio-net-pci,netdev={tap},mac=52:54:00:00:00:{mac},romfile="]
        return words

    def log(self) -> str:
        """What Xen and dom0's kernel have said on the serial line."""
        size = os.fstat(self._serial.fileno()).st_size
        return os.pread(self._serial.fileno(), size, 0).decode("latin-1").replace("\r", "")

    def wait_for(self, pattern: str, within_s: float = WAIT_S, since: int = 0) -> str:
        """The first match of `pattern` in the log, past its first `since` characters."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            ended = self.process.poll() is not None
            said = self.log()[since:]
            found = re.search(pattern, said)
            if found:
                return found.group(0)
            broken = re.search("Kernel panic.*|Panic on CPU.*|Dom0 crashed.*", said)
            if ended or broken:
                break
            time.sleep(0.05)
        raise AssertionError(f"no {pattern!r}; QEMU: {self.process.poll()}; log:\n"
                             f"{self.log()[-4000:]}")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(WAIT_S)
        self._serial.close()

    def __enter__(self) -> "Lab":
        return self

    def __exit__(self, *error) -> None:
        self.stop()

    # Dom0 -------------------------------------------------------------------------------------

    def _post(self, program: str, query, body, within_s: float) -> tuple:
        line = http.client.HTTPConnection(DOM0, 80, timeout=within_s)
        with contextlib.closing(line):
            line.request("POST", f"/cgi-bin/{program}?{query}", body)
            said = line.getresponse().read().decode("utf-8", "replace")
        text, _, status = said.rpartition("\nexit ")
        if not status.isdigit():
            raise AssertionError(f"dom0 did not finish: {said!r}")
        return int(status), text

    def call(self, script: str, within_s: float = WAIT_S) -> tuple:
        """Runs a shell script in dom0 -> (exit status, output)."""
        return self._post("run", round(within_s), script.encode(), within_s + WAIT_S)

    def run(self, script: str, within_s: float = WAIT_S) -> str:
        status, text = self.call(script, within_s)
        if status != 0:
            raise AssertionError(f"in dom0, {script!r} exits {status}: {text}")
        return text

    def file(self, log: str) -> str:
        """A file of /var/log/xen; "" where there is none. Cheaper than a command."""
        with contextlib.closing(http.client.HTTPConnection(DOM0, 80, timeout=WAIT_S)) as line:
            line.request("GET", f"/log/{log}")
            answer = line.getresponse()
            said = answer.read().decode("utf-8", "replace").replace("\r", "")
            return said if answer.status == 200 else ""

    def put(self, content, at: str) -> None:
        """`content`: bytes, or the path of a file of this machine."""
        if isinstance(content, (str, pathlib.Path)):
            content = pathlib.Path(content).read_bytes()
        status, text = self._post("put", at, content, WAIT_S)
        if status != 0:
            raise AssertionError(f"{at}: {text}")

    def put_disk(self, content, name: str) -> str:
        """A block device of dom0 that has `content`, for xl's disk=; see `disk`. Its path."""
        self.put(content, f"/disks/{name}")
        return self.run(f"losetup -f >/tmp/loop && losetup $(cat /tmp/loop) /disks/{name} && "
                        "cat /tmp/loop").strip()

    def disk(self, name: str) -> bytes:
        """What the file below such a disk has now."""
        with contextlib.closing(http.client.HTTPConnection(DOM0, 80, timeout=WAIT_S)) as line:
            line.request("GET", f"/disks/{name}")
            answer = line.getresponse()
            said = answer.read()
            if answer.status != 200:
                raise AssertionError(f"no disk {name}: {answer.status}")
            return said

    def xenstore(self, path: str) -> str:
        return self.run(f"xenstore-read {shlex.quote(path)}").rstrip("\n")

    def counts(self) -> Counts:
        text = self.run("xl list | tail -n +2 | wc -l; xl info free_memory; lsevtchn 0 | wc -l; "
                        "ls -d /sys/class/net/vif* 2>/dev/null | wc -l; xenstore-ls -f | wc -l")
        domains, free, channels, vifs, entries = map(int, text.split())
        return Counts(domains, free, channels, self.grants(), vifs, entries)

    def grants(self) -> int:
        """Grants in use, of all domains: Xen prints them when asked."""
        before = len(self.log())
        self.run("xl debug-keys g")
        said = self.wait_for(r"(?s)gnttab_usage_print_all \[.*gnttab_usage_print_all \]",
                             since=before)
        return len(re.findall(r"\[0x[0-9a-f]+\]", said))

    def netem(self, interface: str, rule: str) -> None:
        """Spoils what dom0 sends there; "": no more. Guests' frames leave by wire_card(0)."""
        # With its path, for the shell prefers its own small one.
        how = f"replace dev {interface} root netem {rule}" if rule else f"del dev {interface} root"
        self.run(f"/sbin/tc qdisc {how}")

    def wire_card(self, wire: int = 0) -> str:
        """Dom0's network card on the bridge."""
        return self.run(f"ls /sys/class/net/xenbr{wire}/brif | grep eth").strip()

    def assert_nothing_left(self, before: Counts) -> None:
        """The counts of now are those of `before`, once the backends of ended guests are gone."""
        harness.eventually(lambda: self.run("ls /sys/class/net; xl list").count("vif") == 0, 30)
        for _ in range(5):
            now = self.counts()
            if now == before:
                return
            time.sleep(1)
        raise AssertionError(f"before: {before}; now: {now}\n{self.run('xenstore-ls -f')}")

    def address(self, host: int, wire: int = 0) -> str:
        return f"10.{9 + wire}.0.{host}"

    # Guests -----------------------------------------------------------------------------------

    def create(self, name: str, kernel: str, cmdline: str = "", *, memory_mib: int = 32,
               vifs: int = 1, vif_extra: str = "", extra: str = "", vm_data=None,
               mac: str = "") -> "Guest":
        """xl create; `kernel` is a path in dom0, `extra` more lines of xl's configuration;
        `vm_data`: what is written below vm-data in xenstore before it starts; `mac`: not one of its
        own, for its only vif."""
        self._guests += 1
        wires = [f'"bridge=xenbr{i % self.wires},mac={mac or self.mac(self._guests, i)},'
                 f'script=vif-bridge{vif_extra}"' for i in range(vifs)]
        config = f'name = "{name}"\ntype = "pvh"\nkernel = "{kernel}"\ncmdline = "{cmdline}"\n' \
                 f'memory = {memory_mib}\nvcpus = 1\ntsc_mode = "native"\n' \
                 f'vif = [ {", ".join(wires)} ]\non_crash = "destroy"\n{extra}\n'
        self.put(config.encode(), f"/guests/{name}.xl")
        self.run(f"cd /var/log/xen; rm -f console/guest-{name}.log xl-{name}.log "
                 f"console/guest-{name}{INCOMING}.log xl-{name}{INCOMING}.log; "
                 f"xl create -q {'-p' if vm_data else ''} /guests/{name}.xl")
        made = Guest(self, name)
        if vm_data:
            folder = f"/local/domain/{made.domid()}/vm-data"
            for at, value in vm_data.items():
                self.run(f"xenstore-write -- {folder}/{at} {shlex.quote(value)}")
            self.run(f"xl unpause {name}")
        return made

    def mac(self, guest: int, vif: int = 0) -> str:
        return f"00:16:3e:00:{guest:02x}:{vif:02x}"

    def restore(self, name: str, saved: str) -> "Guest":
        self.run(f"xl restore {saved}")
        return Guest(self, name)


class Guest:
    """A domain, by its name."""

    def __init__(self, lab: Lab, name: str):
        self.lab, self.name = lab, name
        self._migrated = False

    def reasons(self) -> list:
        """Why the domains of this name have ended by themselves, so far."""
        said = "".join(self.lab.file(f"xl-{name}.log") for name in self._names())
        return [int(reason) for reason in re.findall(r"has shut down, reason code (\d+)", said)]

    def console(self) -> str:
        """All that the domains of this name have said since it was created."""
        return "".join(self.lab.file(f"console/guest-{name}.log") for name in self._names())

    def _names(self) -> list:
        return [self.name, self.name + INCOMING] if self._migrated else [self.name]

    def wait_for(self, pattern: str, within_s: float = WAIT_S, count: int = 1) -> str:
        """The `count`th match of `pattern` on the console."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            found = list(re.finditer(pattern, self.console()))
            if len(found) >= count:
                return found[count - 1].group(0)
            time.sleep(0.3)  # dom0 and the guest have one processor
        raise AssertionError(f"no {pattern!r} from {self.name}; it said:\n{self.console()}\nXen:\n"
                             f"{self.lab.log()[-2000:]}")

    def domid(self) -> int | None:
        status, said = self.lab.call(f"xl domid {self.name}")
        return int(said) if status == 0 else None

    def interface(self, vif: int = 0) -> str:
        """Dom0's end of its network."""
        return f"vif{self.domid()}.{vif}"

    def wait_for_end(self, within_s: float = WAIT_S) -> None:
        until = time.monotonic() + within_s
        while self.domid() is not None:
            if time.monotonic() > until:
                raise AssertionError(f"{self.name} goes on; it said:\n{self.console()}")
            time.sleep(0.3)

    def destroy(self) -> None:
        self.lab.run(f"xl destroy {self.name}")

    def shutdown(self) -> None:
        """Asks it to; see wait_for_end."""
        self.lab.run(f"xl shutdown {self.name}")

    def reboot(self) -> None:
        """Asks it to, and waits for the next domain of its name."""
        before = self.domid()
        self.lab.run(f"xl reboot {self.name}")
        if not harness.eventually(lambda: self.domid() not in (None, before), WAIT_S):
            raise AssertionError(f"{self.name} does not come back; it said:\n{self.console()}")

    def save(self, to: str, *options: str) -> None:
        self.lab.run(f"xl save {' '.join(options)} {self.name} {to}")

    def migrate(self) -> None:
        """From this host to this host, alive: to another domain of the same name."""
        before = self.domid()
        self._migrated = True
        # With no command to reach the other host, what stands in its place is run.
        self.lab.run(f"xl migrate -s '' {self.name} 'xl migrate-receive'", 4 * WAIT_S)
        if self.domid() in (None, before):
            raise AssertionError(f"{self.name} has not moved")

    def sent(self, vif: int = 0) -> Traffic:
        """What came from it to dom0; a large segment is one frame."""
        folder = f"/sys/class/net/{self.interface(vif)}/statistics"
        return Traffic(*map(int, self.lab.run(f"cd {folder}; cat rx_packets rx_bytes").split()))

    def netem(self, rule: str, vif: int = 0) -> None:
        """Spoils what dom0 sends to it: "loss 5% delay 20ms"; "": no more."""
        self.lab.netem(self.interface(vif), rule)
