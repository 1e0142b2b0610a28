#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""crunch package for machines: libvirt starts and stops what it writes.

Method: virt-xml-validate judges the domains. libvirt's session mode, as a user without rights and
in namespaces of its own, starts one under QEMU's emulation, shows its console and presses its
power button. Firecracker and Cloud Hypervisor need /dev/kvm, so their words are held against lists
of what the programs read: for Firecracker VmmConfig in src/vmm/src/resources.rs and the structures
in src/vmm/src/vmm_config/ (github.com/firecracker-microvm/firecracker); for Cloud Hypervisor the
options in cloud-hypervisor/src/main.rs (github.com/cloud-hypervisor/cloud-hypervisor).
"""

import json
import os
import pathlib
import shlex
import subprocess
import tempfile
import unittest

import bare
import harness
from harness import call, crunch, need

NOBODY = 65534

# Of each object: what must be there, and what may.
FIRECRACKER = {
    "": ({"boot-source", "drives"},
         {"machine-config", "network-interfaces", "entropy", "balloon", "cpu-config", "logger",
          "metrics", "mmds-config", "vsock"}),
    "boot-source": ({"kernel_image_path"}, {"boot_args", "initrd_path"}),
    "machine-config": ({"vcpu_count", "mem_size_mib"},
                       {"smt", "cpu_template", "track_dirty_pages", "huge_pages"}),
    "drives": ({"drive_id", "is_root_device"},
               {"path_on_host", "is_read_only", "partuuid", "cache_type", "rate_limiter",
                "io_engine", "socket"}),
    "network-interfaces": ({"iface_id", "host_dev_name"},
                           {"guest_mac", "rx_rate_limiter", "tx_rate_limiter"}),
    "entropy": (set(), {"rate_limiter"}),
}
CLOUD_HYPERVISOR = {"--kernel", "--cmdline", "--cpus", "--memory", "--net", "--disk", "--serial",
                    "--console"}

# As the user: what virsh says of the machine's life, told by the lines that begin with "= ".
LIFE = """
virsh() { command virsh -q -c qemu:///session "$@"; }
virsh domcapabilities --virttype qemu >/dev/null || exit 70
virsh create "$1" || exit 1
(sleep 60 | timeout 60 script -qfc "virsh -q -c qemu:///session console $2" console) >/dev/null &
for i in $(seq 200); do curl -s -o got http://127.0.0.1:8080/style.css && break; sleep 0.1; done
virsh shutdown "$2"
for i in $(seq 40); do
  if curl -si http://127.0.0.1:8080/style.css | grep -qi '^connection: close'; then
    echo "= still serves"; break
  fi
  sleep 0.1
done
for i in $(seq 200); do virsh domstate "$2" >/dev/null 2>&1 || { echo "= has gone"; break; }
  sleep 0.1; done
"""


class Machines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = bare.plain_image("virtio")
        cls._folder = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls._folder.name)

    @classmethod
    def tearDownClass(cls):
        cls._folder.cleanup()

    def package(self, *words) -> None:
        done = crunch("package", self.image, *words)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_domains_are_valid(self):
        validate = need("virt-xml-validate")
        for i, words in enumerate(((), ("--emulated",), ("--network", "br0"),
                                   ("--boot=--hostname=\"a'b <&> c\"", "--disk", "/a'b,c&d",
                                    "--disk", "/e", "--memory", "64"))):
            file = self.folder / f"{i}.xml"
            self.package("--libvirt", file, *words)
            done = call(validate, file, "domain")
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_nothing_but_a_package_is_replaced(self):
        disk = self.folder / "disk"
        disk.write_bytes(b"keys of somebody")
        for option in ("--libvirt", "--firecracker", "--cloud-hypervisor"):
            done = crunch("package", self.image, option, disk, "--network", "tap0")
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("exists and is no package of this kind", done.stderr)
            self.assertEqual(disk.read_bytes(), b"keys of somebody")
            for _ in range(2):  # its own it replaces
                self.package(option, self.folder / f"own{option}", "--network", "tap0")

    def test_libvirt_starts_it_and_shuts_it_down(self):
        harness.need_root()
        for program in ("virsh", "libvirtd", "catatonit", "script", "curl", "qemu-system-x86_64"):
            need(program)
        self.package("--libvirt", self.folder / "site.xml", "--name", "site", "--emulated",
                     "--boot=--log=combined --drain-delay=6s")
        home = pathlib.Path(tempfile.mkdtemp(prefix="libvirt", dir="/tmp"))
        self.addCleanup(call, "rm", "-rf", home)
        # Another user reads the image and its description.
        domain = (self.folder / "site.xml").read_text().replace(str(self.image), f"{home}/site")
        (home / "site.xml").write_text(domain)
        (home / "site").write_bytes(self.image.read_bytes())
        (home / "life").write_text(LIFE)
        for path in (home, *home.iterdir()):
            os.chown(path, NOBODY, NOBODY)
        inside = f"""
            mount --make-rprivate / && ip link set lo up && cd {home}
            exec catatonit -- setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups \\
              env HOME={home} XDG_RUNTIME_DIR={home} timeout 100 bash life {home}/site.xml site
            """
        done = subprocess.run(["unshare", "-mnpf", "--mount-proc", "--kill-child", "bash", "-c",
                               inside], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=120, check=False)
        if done.returncode == 70:
            self.skipTest("libvirt cannot start a machine here: " + done.stdout[-500:])
        self.assertEqual((home / "got").read_bytes(), harness.SITE["style.css"], done.stdout)
        self.assertIn("= still serves", done.stdout)
        self.assertIn("= has gone", done.stdout)
        console = (home / "console").read_text(errors="replace")
        self.assertIn("GET /style.css", console)

    def test_firecracker(self):
        file = self.folder / "firecracker.json"
        self.package("--firecracker", file, "--network", "tap0", "--boot=--log=json --dhcp",
                     "--disk", "/a disk")
        config = json.loads(file.read_text())
        objects = {"": [config]}
        for name, value in config.items():
            objects[name] = value if isinstance(value, list) else [value]
        for name, values in objects.items():
            required, allowed = FIRECRACKER[name]
            for value in values:
                self.assertLessEqual(required, set(value), name)
                self.assertLessEqual(set(value), required | allowed, name)
        self.assertEqual(config["boot-source"], {"kernel_image_path": str(self.image.resolve()),
                                                 "boot_args": "--log=json --dhcp"})
        self.assertEqual(config["drives"][0]["path_on_host"], "/a disk")

    def test_cloud_hypervisor(self):
        file = self.folder / "cloud-hypervisor.sh"
        boot = "--log=json \"--hostname=a'b c\""
        self.package("--cloud-hypervisor", file, "--network", "tap0", "--boot=" + boot,
                     "--disk", "/a,b")
        # A program of this name that says its words.
        said = self.folder / "cloud-hypervisor"
        said.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
        said.chmod(0o755)
        words = harness.must(file, env={**os.environ,
                                        "PATH": f"{self.folder}:{os.environ['PATH']}"})
        words = words.splitlines()
        options = {words[i]: words[i + 1] for i in range(0, len(words), 2)}
        self.assertLessEqual(set(options), CLOUD_HYPERVISOR)
        self.assertEqual(options["--cmdline"], boot)
        self.assertEqual(options["--kernel"], str(self.image.resolve()))
        self.assertEqual(options["--net"], "tap=tap0")
        self.assertEqual(options["--disk"], 'path="/a,b"')
        self.assertEqual(shlex.split(file.read_text())[0:3], ["#!/bin/sh", "exec",
                                                              "cloud-hypervisor"])

    def test_mistakes(self):
        out = self.folder / "x"
        for words, said in (((self.image, "--libvirt", out, "--oci", out), "machines or"),
                            ((self.image, self.image, "--libvirt", out), "takes one image"),
                            ((harness.CRUNCH, "--libvirt", out), "crunch"),
                            ((self.image, "--libvirt", out, "--boot=a\nb"), "--boot"),
                            ((self.image, "--libvirt", out, "--network", "a" * 16), "--network"),
                            ((self.image, "--libvirt", out, "--disk", "a\tb"), "--disk"),
                            ((self.image, "--libvirt", out, *["--disk", "a"] * 17), "17 times"),
                            ((self.image, "--cloud-hypervisor", out, "--network", "tap0",
                              "--disk", 'a"b'), "--disk"),
                            ((self.image, "--firecracker", out), "--network"),
                            ((self.image, "--cloud-hypervisor", out), "--network"),
                            ((self.image, "--oci", out), "-t unix")):
            done = crunch("package", *words)
            self.assertNotEqual(done.returncode, 0, words)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertIn(said, done.stderr)
        self.assertFalse(out.exists())


if __name__ == "__main__":
    harness.main()
