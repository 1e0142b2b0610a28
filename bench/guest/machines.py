# SPDX-License-Identifier: ISC
"""bench/guest/machines.py: the same site in two machines: ours, and Debian's kernel with nginx.

Both are started by the same QEMU with the same devices, emulated (TCG), on a tap of a network
namespace that only the benchmark is in. The other machine's kernel is Debian's package, unpacked
and never installed; its initramfs has busybox, nginx and its libraries, virtio's modules, files.
"""

import argparse
import contextlib
import importlib
import os
import pathlib
import platform
import socket
import subprocess
import sys
import tempfile
import time

BENCH = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(BENCH), str(BENCH.parent / "tests" / "lab")]
import measure  # noqa: E402
import packages  # noqa: E402

HOST, GUEST = "10.9.0.1", "10.9.0.2"
MAC = "52:54:00:12:34:56"
GUEST_CPU, CLIENT_CPU = 0, 1
KERNEL_WORDS = "console=ttyS0 quiet panic=-1 mitigations=off"

NGINX = """
user root; worker_processes 1; pid nginx.pid; error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  open_file_cache max=1000 inactive=600s; open_file_cache_valid 600s;
  server { listen 80; listen 443 ssl; root /files; ssl_certificate /etc/cert.pem;
           ssl_certificate_key /etc/key.pem; ssl_protocols TLSv1.3; ssl_session_tickets off; }
}
"""
INIT = f"""#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
cd /lib/modules
for module in $(/bin/busybox cat order); do /bin/busybox insmod $module; done
/bin/busybox ip link set lo up
until /bin/busybox ip link set eth0 up; do /bin/busybox usleep 10000; done
/bin/busybox ip addr add {GUEST}/24 dev eth0
exec /usr/sbin/nginx -p /dev/ -g 'daemon off;' -c /etc/nginx.conf
"""


def run(*words, **options):
    return subprocess.run(list(map(str, words)), check=True, stdout=subprocess.PIPE, text=True,
                          **options).stdout


def enter_network(again: list) -> None:
    """Starts this program again in a network namespace with a tap; then goes on."""
    if os.environ.get("CRUNCH_BENCH_NETWORK") != "1":
        if os.geteuid() != 0:
            sys.exit("this benchmark makes a network namespace: run it as root")
        os.environ["CRUNCH_BENCH_NETWORK"] = "1"
        os.execvp("unshare", ["unshare", "--net", sys.executable, *again])
    run("ip", "link", "set", "lo", "up")
    run("ip", "tuntap", "add", "tap0", "mode", "tap")
    run("ip", "addr", "add", f"{HOST}/24", "dev", "tap0")
    run("ip", "link", "set", "tap0", "up")
    run("ip", "neigh", "add", GUEST, "lladdr", MAC, "dev", "tap0", "nud", "permanent")


class Machine:
    """How a machine is started: QEMU's words for kernel and command line."""

    def __init__(self, name, words, files):
        self.name, self.words, self.files = name, words, files

    def image_bytes(self) -> int:
        return sum(os.path.getsize(file) for file in self.files)

    def start(self, memory_mib: int, log, *options):
        """`options`: QEMU's, besides."""
        command = ["taskset", "-c", str(GUEST_CPU), "qemu-system-x86_64", "-accel", "tcg", "-M",
                   "pc", "-cpu", "max", "-m", str(memory_mib), *self.words, "-nodefaults",
                   "-no-reboot", "-display", "none", "-serial", f"file:{log}", "-netdev",
                   "tap,id=wire,ifname=tap0,script=no,downscript=no", "-device",
                   f"virtio-net-pci,netdev=wire,mac={MAC},romfile=", *options]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                start_new_session=True)


def first_byte_s(process, begin: float, give_up_s: float):
    """Seconds from `begin` to the first byte of an answer; None: there was none."""
    request = b"GET /1024.bin HTTP/1.1\r\nHost: guest\r\n\r\n"
    while time.monotonic() - begin < give_up_s:
        if process.poll() is not None:
            return None
        try:
            with socket.create_connection((GUEST, 80), timeout=0.25) as line:
                line.settimeout(5)
                line.sendall(request)
                if line.recv(1):
                    return time.monotonic() - begin
        except OSError:
            time.sleep(0.005)
    return None


def stop(process) -> None:
    process.kill()
    process.wait()


class Site:
    """Files of these sizes, and what serves them."""

    boot_keys = f"--ipv4={GUEST}/24 --ipv4-gateway={HOST} --redirect=false --ipv6=off"

    def __init__(self, work: str, sizes):
        self.folder = pathlib.Path(work)
        self.files = self.folder / "files"
        self.files.mkdir()
        for size in sizes:
            (self.files / f"{size}.bin").write_bytes(os.urandom(size))
        self.cert, self.key = self.folder / "cert.pem", self.folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key, "-out",
                        self.cert, "-days", "30", "-subj", "/CN=guest", "-addext",
                        "subjectAltName=DNS:guest"], check=True, stderr=subprocess.DEVNULL)

    def build(self, target: str) -> pathlib.Path:
        """Our image."""
        image = self.folder / f"site.{target}"
        tool = pathlib.Path(os.environ["CRUNCH_BENCH_BIN"]) / "crunch"
        run(tool, "build", self.files, "-t", target, "-o", image, "--cert", self.cert, "--key",
            self.key)
        return image

    def linux(self, *modules: str) -> tuple:
        """Debian's kernel, and an initramfs of nginx and these modules."""
        kernel = packages.Kernel()
        tree = packages.Initramfs(self.folder / "initramfs", applets=())
        for name in ("var/lib/nginx", "var/log/nginx"):
            (tree.folder / name).mkdir(parents=True)
        tree.program(packages.program("nginx"), "usr/sbin/nginx")
        tree.modules(kernel, *modules)
        tree.file("etc/nginx.conf", NGINX)
        tree.file("etc/passwd", "root:x:0:0:root:/:/bin/sh\n")
        tree.file("etc/group", "root:x:0:\n")
        tree.file("etc/cert.pem", self.cert)
        tree.file("etc/key.pem", self.key)
        for file in self.files.iterdir():
            tree.file(f"files/{file.name}", file)
        tree.init(INIT)
        return kernel.path, tree.pack(self.folder / "initrd.gz", level=9)


def prepare(site: Site) -> list:
    """-> ours and the other."""
    image = site.build("virtio")
    kernel, initrd = site.linux("virtio_pci", "virtio_net")
    return [Machine("crunch", ["-kernel", str(image), "-append", site.boot_keys], [image]),
            Machine("Linux and nginx", ["-kernel", str(kernel), "-initrd", str(initrd), "-append",
                                        KERNEL_WORDS], [kernel, initrd])]


@contextlib.contextmanager
def benchmark(name: str, doc: str, sizes, **arguments):
    """Parses the options of `scripts/bench NAME` (their defaults, and their words of help), enters
    the network, and gives them, the machines over files of these sizes, and a console's file.
    With --xen, the machines are guests of a Xen in QEMU; with --nested, on KVM in it."""
    parser = argparse.ArgumentParser(prog=f"scripts/bench {name}", description=doc,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    for argument, (default, words) in arguments.items():
        parser.add_argument(f"--{argument.replace('_', '-')}", type=type(default), default=default,
                            help=f"{words} (default {default})")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--xen", action="store_true", help="as guests of a Xen in QEMU")
    place.add_argument("--nested", action="store_true",
                       help="on KVM in an emulated machine: also as a guest of hvt-tender")
    options = parser.parse_args()
    if not options.xen:
        if os.environ.get("CRUNCH_BENCH_NETWORK") != "1":
            packages.Kernel()  # downloads it
        enter_network(sys.argv)
    with tempfile.TemporaryDirectory(prefix="crunch-bench-") as work:
        site, console = Site(work, sizes), os.path.join(work, "console")
        if not options.xen and not options.nested:
            yield options, prepare(site), console
            return
        # Here, for they are made of this file.
        where = importlib.import_module("xen" if options.xen else "nested_machines")
        with where.start_lab() as lab:
            yield options, where.prepare(lab, site), console


def about() -> str:
    return f"{measure.machine()}, QEMU's emulation on core {GUEST_CPU} ({platform.machine()})"
