# SPDX-License-Identifier: ISC
"""tests/image/network.py: networks that only a test is on: a namespace, taps, bad wires.

Gives: enter_namespace, make_tap, dhcp_server, and BadWire, a client's host and a tap with a wire
between them that loses, doubles, delays and changes frames; addresses for both sides. Takes root.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import struct
import subprocess
import tempfile
import unittest

import harness
from harness import call, must

HOST4, IMAGE4 = "10.9.0.1", "10.9.0.2"
HOST6, IMAGE6 = "fd09::1", "fd09::2"
STATIC = [f"--ipv4={IMAGE4}/24", f"--ipv4-gateway={HOST4}", f"--ipv6={IMAGE6}/64"]


def need_taps() -> None:
    harness.need_root()
    harness.need("ip")
    if not os.path.exists("/dev/net/tun"):
        raise unittest.SkipTest("no /dev/net/tun here")


def enter_namespace() -> None:
    """This process and what it starts are alone on their network."""
    if ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0:  # CLONE_NEWNET
        raise unittest.SkipTest("no network namespaces here")
    must("ip", "link", "set", "lo", "up")


def make_tap(name: str = "tap0", with_addresses: bool = True) -> None:
    must("ip", "tuntap", "add", name, "mode", "tap")
    if with_addresses:
        must("ip", "addr", "add", f"{HOST4}/24", "dev", name)
        must("ip", "-6", "addr", "add", f"{HOST6}/64", "dev", name, "nodad")
    must("ip", "link", "set", name, "up")


def file_of(url: str, *options) -> bytes:
    """By curl, for at most 50 s, or what `-m` among the options says for each attempt."""
    with tempfile.NamedTemporaryFile() as file:
        done = call("curl", "-sS", "-f", "-o", file.name, "-m", "50", *options, url, timeout=900)
        if done.returncode != 0:
            raise AssertionError(f"curl {url}: {done.stdout}")
        return pathlib.Path(file.name).read_bytes()


@contextlib.contextmanager
def dhcp_server(folder, interface: str, addresses: str, *options):
    """Gives `addresses`, "FIRST,LAST", to who asks on `interface`. -> the file of its leases; what
    it says is in dnsmasq.log of `folder`, too."""
    harness.need("dnsmasq")
    leases = pathlib.Path(folder) / "leases"
    with open(pathlib.Path(folder) / "dnsmasq.log", "wb") as log, \
            subprocess.Popen(["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0",
                              f"--interface={interface}", "--bind-interfaces", "--log-dhcp",
                              "--user=root", f"--dhcp-range={addresses},1h",
                              f"--dhcp-leasefile={leases}", "--pid-file=", *options],
                             stdout=log, stderr=log) as dnsmasq:
        try:
            yield leases
        finally:
            dnsmasq.terminate()
            dnsmasq.wait(20)


def open_tap(name: str) -> int:
    """A tap that goes with its descriptor; the kernel finishes checksums on it."""
    tun = os.open("/dev/net/tun", os.O_RDWR)
    request = struct.pack("16sH22x", name.encode(), 0x0002 | 0x1000)  # IFF_TAP | IFF_NO_PI
    fcntl.ioctl(tun, 0x400454CA, request)  # TUNSETIFF
    return tun


class BadWire:
    """In a namespace of its own: HOST4, a bad wire (tests/net/wire.cpp), a bridge, and tap0 on it.

    `options` are the wire's. At the end of `with`, `did` is what it did to the frames.
    """

    def __init__(self, mtu: int, *options):
        enter_namespace()
        ends = [open_tap("near"), open_tap("far")]
        must("ip", "tuntap", "add", "tap0", "mode", "tap")
        must("ip", "link", "add", "br0", "type", "bridge")
        for name in ("near", "far", "tap0", "br0"):
            must("ip", "link", "set", name, "mtu", mtu)
        for name in ("far", "tap0"):
            off = pathlib.Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6")
            if off.exists():  # not at an MTU below 1,280
                off.write_text("1")
            must("ip", "link", "set", name, "master", "br0")
        must("ip", "addr", "add", f"{HOST4}/24", "dev", "near")
        # Linux answers for HOST4 on every interface: by the bridge there would be no wire between.
        pathlib.Path("/proc/sys/net/ipv4/conf/br0/arp_ignore").write_text("1")
        for name in ("near", "far", "tap0", "br0"):
            must("ip", "link", "set", name, "up")
        self._process = subprocess.Popen(
            [str(harness.BUILD / "bin" / "wire"), *(f"fd:{end}" for end in ends),
             *map(str, options)], pass_fds=ends, stdout=subprocess.PIPE, text=True,
            preexec_fn=harness.die_with_parent)
        for end in ends:
            os.close(end)

    def __enter__(self) -> "BadWire":
        return self

    def __exit__(self, *_) -> None:
        self._process.terminate()
        self.did = json.loads(self._process.communicate(timeout=20)[0])
