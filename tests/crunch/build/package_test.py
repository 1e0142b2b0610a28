#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The Debian package: what is in it, and that the crunch in it builds images.

Method: cpack of the build tree; the package is unpacked beside, and its crunch builds an image that
is the build tree's byte for byte. With CRUNCH_TEST_DEBOOTSTRAP=1, as root and with a mirror at
hand, debootstrap also makes a fresh Debian 12, in which apt installs the package and crunch builds
an image: by hand, as it takes minutes.
"""

import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "embed"))

import harness
from trees import COMPRESSIBLE, Folder


class Package(Folder):
    def setUp(self):
        super().setUp()
        self.write("index.html", COMPRESSIBLE)

    def packed(self) -> pathlib.Path:
        harness.must("cpack", "--config", harness.BUILD / "CPackConfig.cmake", "-B",
                     self.at / "made", timeout=300)
        return next((self.at / "made").glob("crunch_*.deb"))

    def test_holds_what_the_tool_needs_and_nothing_of_this_tree(self):
        harness.need("dpkg-deb")
        package = self.packed()
        fields = harness.must("dpkg-deb", "--field", package)
        self.assertIn("Package: crunch\n", fields)
        depends = next(line for line in fields.splitlines() if line.startswith("Depends: "))
        for other in ["g++ (>= 4:12)", "libc6-dev", "libc6 (>= "]:
            self.assertIn(other, depends)
        # Its other libraries are linked statically: no Debian package of one is needed.
        self.assertNotIn("libssl", depends)
        root = self.at / "root"
        harness.must("dpkg-deb", "--extract", package, root)
        self.assertEqual([path.name for path in root.iterdir()], ["usr"])
        for path in ["bin/crunch", "lib/crunch/unix.target", "lib/crunch/unix/main.o",
                     "lib/crunch/libcrunch_crypto.a", "lib/crunch/include/kv/kv.hpp",
                     "lib/cmake/crunch/crunchConfig.cmake", "share/doc/crunch/copyright"]:
            self.assertTrue((root / "usr" / path).exists(), path)
        for target in (root / "usr/lib/crunch").glob("*.target"):
            self.assertNotIn(str(harness.ROOT), target.read_text(), target)
        made = []
        for tool in [root / "usr/bin/crunch", harness.CRUNCH]:
            made.append(self.at / f"image {len(made)}")
            harness.must(tool, "build", self.site, "-t", "unix", "-o", made[-1], "--no-cache",
                         timeout=300)
        self.assertEqual(made[0].read_bytes(), made[1].read_bytes())

    def test_installs_on_a_fresh_debian(self):
        if os.environ.get("CRUNCH_TEST_DEBOOTSTRAP") != "1":
            self.skipTest("CRUNCH_TEST_DEBOOTSTRAP=1 asks for it; it takes minutes")
        harness.need("debootstrap")
        root = self.at / "debian"
        harness.must("debootstrap", "--variant=minbase", "bookworm", root, timeout=900)
        shutil.copy(self.packed(), root / "crunch.deb")
        shutil.copytree(self.site, root / "site")
        # crunch finds its files by /proc/self/exe, as in every installed Debian.
        script = ("mount -t proc proc /proc && apt-get update -q && "
                  "DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "
                  "/crunch.deb && crunch build /site -t unix -o /image && crunch inspect /image")
        done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "chroot", root, "sh", "-ec",
                               script], capture_output=True, text=True, timeout=1200, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("target  unix", done.stdout)
        # And the image runs without that root.
        self.assertIn("--http-port", harness.must(root / "image", "--help"))


if __name__ == "__main__":
    harness.main()
