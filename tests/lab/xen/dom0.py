# SPDX-License-Identifier: ISC
"""tests/lab/xen/dom0.py: what the lab starts: Xen, Debian's kernel, and a dom0 of one archive.

Gives: prepare, the three files, made once in build/lab/xen from Debian's packages (packages.py).
Dom0 has busybox, Xen's own programs, tc and the scripts of tests/lab/xen/dom0, and no disk.
"""

import gzip
import lzma
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import typing

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import packages  # noqa: E402

FOLDER = packages.BUILD / "lab" / "xen"

# Debian 12's: what Xen's programs are linked with and this machine may not have.
LIBRARIES = ("libxencall1", "libxendevicemodel1", "libxenevtchn1", "libxenforeignmemory1",
             "libxengnttab1", "libxenhypfs1", "libxenstore4", "libxentoolcore1", "libxentoollog1",
             "libyajl2")
# In /usr/lib/xen-VERSION/bin; what is in /usr/bin are scripts that call these.
PROGRAMS = ("libxl-save-helper", "lsevtchn", "xen-init-dom0", "xenconsole", "xenconsoled",
            "xenstored", "xl")
STORE_PROGRAMS = ("exists", "list", "ls", "read", "rm", "watch", "write")
MODULES = ("xen-privcmd", "xenfs", "xen-evtchn", "xen-gntdev", "xen-gntalloc", "bridge",
           "virtio_pci", "virtio_net", "xen-netback", "xen-blkback", "loop", "sch_netem")
LIBRARY_FOLDER = "lib/x86_64-linux-gnu"


class Files(typing.NamedTuple):
    xen: pathlib.Path
    kernel: pathlib.Path  # the ELF file inside: Xen takes 3 s to unpack Debian's
    archive: pathlib.Path


def prepare() -> Files:
    """Downloads what is missing: call it before the process leaves the network."""
    files = Files(FOLDER / "xen", FOLDER / "vmlinux", FOLDER / "dom0.gz")
    with packages.only_one(FOLDER):
        sources = [pathlib.Path(packages.__file__), pathlib.Path(__file__),
                   *(HERE / "dom0").iterdir()]
        newest = max(source.stat().st_mtime for source in sources)
        if files.archive.exists() and files.archive.stat().st_mtime > newest:
            return files
        kernel = packages.Kernel()
        version = xen_version()
        hypervisor = packages.fetch(f"xen-hypervisor-{version}-amd64")
        files.xen.write_bytes(gzip.decompress(
            (hypervisor / f"boot/xen-{version}-amd64.gz").read_bytes()))
        files.kernel.write_bytes(unpacked(kernel.path.read_bytes()))
        with tempfile.TemporaryDirectory(dir=FOLDER) as work:
            archive = make_archive(pathlib.Path(work), kernel, version)
            os.rename(archive, files.archive)
    return files


def xen_version() -> str:
    said = packages.run(packages.program("apt-cache"), "depends", "xen-system-amd64")
    found = re.search(r"Depends: xen-hypervisor-([\d.]+)-amd64", said)
    if not found:
        raise packages.Missing("apt knows no package xen-system-amd64: run apt-get update")
    return found.group(1)


def unpacked(image: bytes) -> bytes:
    """The ELF file in a compressed kernel."""
    begin = image.find(b"\xfd7zXZ\0")
    if begin < 0:
        raise packages.Missing("Debian's kernel is not compressed by xz any more")
    return lzma.LZMADecompressor().decompress(image[begin:])


def make_archive(work: pathlib.Path, kernel: packages.Kernel, version: str) -> pathlib.Path:
    root = work / "root"
    applets = subprocess.run([str(packages.program("busybox")), "--list"], text=True, check=True,
                             stdout=subprocess.PIPE).stdout.split()
    # "tc" below is the real one.
    tree = packages.Initramfs(root, [one for one in applets if one not in ("busybox", "tc")])
    tools = packages.fetch(f"xen-utils-{version}") / f"usr/lib/xen-{version}"
    folders = [packages.fetch(f"libxenmisc{version}") / f"usr/lib/xen-{version}",
               *(packages.fetch(name) / "usr" for name in LIBRARIES)]
    programs = {f"usr/lib/xen/bin/{name}": tools / "bin" / name for name in PROGRAMS}
    store = packages.fetch("xenstore-utils") / "usr/bin"
    programs |= {f"bin/xenstore-{name}": store / f"xenstore-{name}" for name in STORE_PROGRAMS}
    programs["sbin/tc"] = packages.program("tc")
    libraries(tree, programs, [folder / LIBRARY_FOLDER for folder in folders])
    # Debian's programs look for others where the package has them.
    (root / f"usr/lib/xen-{version}").symlink_to("xen")
    tree.modules(kernel, *MODULES)
    for name in ("run", "put"):
        tree.file(f"www/cgi-bin/{name}", HERE / "dom0" / name, 0o755)
    for name in ("block", "vif-bridge"):
        tree.file(f"etc/xen/scripts/{name}", HERE / "dom0" / name, 0o755)
    tree.file("etc/xen/xl.conf", 'autoballoon="off"\n')
    for name in ("run/lock", "run/xen", "var/lib/xen", "var/lib/xenstored",
                 "var/log/xen/console"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("run", "lock"):
        (root / "var" / name).symlink_to("/run" if name == "run" else "/run/lock")
    tree.file("init", HERE / "dom0/init", 0o755)
    return tree.pack(work / "dom0.gz")


def libraries(tree: packages.Initramfs, programs: dict, folders: list) -> None:
    """The programs, at their places, with the libraries they take: from the packages, or this
    machine's."""
    search = {"LD_LIBRARY_PATH": ":".join(map(str, folders)), "PATH": os.environ["PATH"]}
    found = {"libgcc_s.so.1": pathlib.Path(f"/{LIBRARY_FOLDER}/libgcc_s.so.1")}  # by dlopen
    for at, path in programs.items():
        tree.file(at, path, 0o755)
        said = packages.run("ldd", path, env=search)
        missing = re.findall(r"(\S+) => not found", said)
        if missing:
            raise packages.Missing(f"{path.name} needs {', '.join(missing)}")
        found |= {name: pathlib.Path(where)
                  for name, where in re.findall(r"(\S+) => (/\S+)", said)}
    for name, where in found.items():
        tree.file(f"{LIBRARY_FOLDER}/{name}", where.resolve(), 0o755)
    tree.file("lib64/ld-linux-x86-64.so.2",
              pathlib.Path("/lib64/ld-linux-x86-64.so.2").resolve(), 0o755)
