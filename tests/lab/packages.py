# SPDX-License-Identifier: ISC
"""tests/lab/packages.py: machines made of Debian's packages, which are never installed.

Gives: fetch, a package unpacked; Kernel, Debian's; Initramfs, a tree of programs, packed. Used by
the labs (tests/lab/...) and by the benchmarks of machines (bench/guest).

Kept:  packages lie unpacked in the build folder, build/packages/NAME; delete it to have newer ones.
Rules: whoever comes second waits for the first. What cannot be had is Missing: a skipped test.
"""

import contextlib
import fcntl
import gzip
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CRUNCH_BUILD", ROOT / "build")).resolve()
FOLDER = BUILD / "packages"
FETCH_S = 600

# A user space of one program.
APPLETS = ("sh awk basename brctl cat chmod cp cut date dd dirname dmesg echo env expr false "
           "grep head hostname insmod ip kill killall ln ls lsmod mkdir mknod mount mv nc od "
           "ping ping6 poweroff printf ps pwd reboot rm rmmod sed seq setsid sleep sort stat "
           "sync tail tar test timeout touch tr true umount uname wc wget xargs").split()


class Missing(unittest.SkipTest):
    """What a machine is made of is not there; the text says what, and how to have it."""


def run(*words, **options) -> str:
    options.setdefault("timeout", FETCH_S)
    done = subprocess.run(list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False, **options)
    if done.returncode != 0:
        raise Missing(f"{' '.join(map(str, words[:3]))} says: {done.stderr.strip()[-300:]}")
    return done.stdout


def program(name: str) -> pathlib.Path:
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        raise Missing(f"{name} is not installed (scripts/deps test bench)")
    return pathlib.Path(path)


@contextlib.contextmanager
def only_one(folder: pathlib.Path):
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fetch(name: str) -> pathlib.Path:
    """The folder that Debian's package `name` is unpacked in: downloaded once, without what it
    depends on. No script of the package is run."""
    target = FOLDER / name
    if target.is_dir():
        return target
    with only_one(FOLDER):
        if target.is_dir():
            return target
        with tempfile.TemporaryDirectory(dir=FOLDER) as work:
            run(program("apt-get"), "-q", "-o", "APT::Sandbox::User=root", "download", name,
                cwd=work)
            archives = list(pathlib.Path(work).glob("*.deb"))
            if len(archives) != 1:
                raise Missing(f"Debian's package {name} could not be downloaded")
            run("dpkg-deb", "-x", archives[0], f"{work}/unpacked")
            os.rename(f"{work}/unpacked", target)
    return target


class Kernel:
    """Debian's kernel of today: `path`, `version`, and its modules."""

    def __init__(self):
        said = run(program("apt-cache"), "depends", "linux-image-amd64")
        found = re.search(r"Depends: linux-image-(\S+)", said)
        if not found:
            raise Missing("apt knows no package linux-image-amd64: run apt-get update")
        self.version = found.group(1)
        self.root = fetch(f"linux-image-{self.version}")
        self.path = self.root / "boot" / f"vmlinuz-{self.version}"
        with only_one(FOLDER):
            if not (self.root / "lib/modules" / self.version / "modules.dep").exists():
                run(program("depmod"), "-b", self.root, self.version)

    def modules(self, *names: str) -> list:
        """The files of these modules and of what they need, in an order in which they load."""
        order: dict = {}
        for name in names:
            said = run(program("modprobe"), "-d", self.root, "-S", self.version, "--show-depends",
                       name)
            order.update(dict.fromkeys(re.findall(r"^insmod (\S+)", said, re.MULTILINE)))
        return [pathlib.Path(path) for path in order]


class Initramfs:
    """A tree for a kernel's first user space, with busybox in it; `pack` makes the archive."""

    def __init__(self, folder: pathlib.Path, applets=APPLETS):
        self.folder = folder
        for name in ("bin", "dev", "etc", "lib/modules", "proc", "root", "run", "sbin", "sys",
                     "tmp", "usr/bin", "usr/sbin", "var"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        shutil.copy(program("busybox"), folder / "bin/busybox")
        for applet in applets:
            (folder / "bin" / applet).symlink_to("busybox")

    def file(self, at: str, content, mode: int = 0o644) -> None:
        """`content`: bytes, text, or a path to copy from."""
        target = self.folder / at.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, pathlib.Path):
            shutil.copyfile(content, target)
        else:
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        target.chmod(mode)

    def init(self, script: str) -> None:
        self.file("init", script, 0o755)

    def program(self, path: pathlib.Path, at: str = "") -> None:
        """A program of this machine with the libraries that it is linked with."""
        self.file(at or str(path), path, 0o755)
        said = subprocess.run(["ldd", str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True, check=False).stdout
        for library in re.findall(r"(/\S+)", said):
            self.file(library, pathlib.Path(os.path.realpath(library)), 0o755)

    def modules(self, kernel: Kernel, *names: str) -> None:
        """Into /lib/modules; the file `order` there names what to insmod, a line each."""
        paths = kernel.modules(*names)
        for path in paths:
            self.file(f"lib/modules/{path.name}", path)
        self.file("lib/modules/order", "".join(f"{path.name}\n" for path in paths))

    def pack(self, to: pathlib.Path, level: int = 1) -> pathlib.Path:
        with gzip.GzipFile(to, "wb", compresslevel=level, mtime=0) as out:
            for path in sorted(self.folder.rglob("*")):
                _put_entry(out, path, str(path.relative_to(self.folder)))
            _put_record(out, "TRAILER!!!", 0, b"", 0)
        return to


def _put_entry(out, path: pathlib.Path, name: str) -> None:
    status = path.lstat()
    content = b""
    if path.is_symlink():
        content = os.readlink(path).encode()
    elif path.is_file():
        content = path.read_bytes()
    _put_record(out, name, status.st_mode, content, 1)


def _put_record(out, name: str, mode: int, content: bytes, links: int) -> None:
    """cpio's "newc" format, which the kernel reads; everything belongs to root."""
    fields = (0, mode, 0, 0, links, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
    record = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    out.write(record + b"\0" * (-len(record) % 4) + content + b"\0" * (-len(content) % 4))
