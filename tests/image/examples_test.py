#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""examples/hello-console and examples/file-server: other appliances, for every target.

Method: the targets are those that the tool has recipes for; each recipe says how an image is run.
hello-console is built for all of them, file-server for one of each way (for all of them with
CRUNCH_ALL_WIRES=1), with no change but -t. They are run where this machine can: processes, also on
a tap of their own, and machines under QEMU; the others must say what they are made of.
"""

import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

import harness
import network
import qemu

EXAMPLES = harness.ROOT / "examples"
# A machine has a network device, even if nobody uses it.
NETWORK = ("-netdev", "user,restrict=on,id=wire", "-device", "virtio-net-pci,netdev=wire")
PAGE = {"index.html": b"<p>a file\n"}
# A job over the parts of a target that no example has.
REPORTS = """\
#pragma once
#include <array>
#include <string>
#include "config/parts/target_parts.hpp"
namespace {
using namespace config;
template <class Console, class Clock, class Entropy>
struct Reports {
  Console& console;
  Clock& clock;
  Entropy& entropy;
  base::Task<void> run() {
    for (int i = 0; i < 2; ++i) {
      std::array<std::byte, 16> random{};
      entropy.fill(random);
      std::string text = "at " + std::to_string(clock.now().time_since_epoch().count()) +
                         " ns, on " + std::to_string(clock.wall_s()) + ":";
      for (std::byte byte : random) text += " " + std::to_string(std::to_integer<int>(byte));
      console.write(text + "\\n");
    }
    co_return;
  }
  void drain() {}
};
struct Connect {
  template <class Console, class Clock, class Entropy>
  Reports<Console, Clock, Entropy> operator()(auto&, Console& console, Clock& clock,
                                              Entropy& entropy) const {
    return {console, clock, entropy};
  }
};
template <class... M>
using ReportsOf = Reports<M...>;
constexpr auto reports = foreign<ReportsOf>(
    "Reports", console_type >> clock_type >> entropy_type >> job, Connect{});
constexpr auto app = jobs(reports(default_console, default_clock, default_entropy));
}
"""


def targets() -> list:
    """Those that crunch was built with."""
    return sorted(path.stem for path in (harness.BUILD / "lib" / "crunch").glob("*.target"))


def usual_targets() -> list:
    """One program and one machine, and with CRUNCH_ALL_WIRES all."""
    everywhere = os.environ.get("CRUNCH_ALL_WIRES")
    return [target for target in targets() if everywhere or target in ("unix", "virtio")]


class Examples(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def build(self, example: str, target: str, *words) -> pathlib.Path:
        image = self.folder / f"{example}.{target}"
        done = harness.crunch("build", *words, "-t", target, "-o", image, "--config",
                              EXAMPLES / example / "config.hpp")
        self.assertEqual(done.returncode, 0, done.stderr)
        return image

    def test_hello_console(self):
        self.assertIn("unix", targets())
        for target in targets():
            with self.subTest(target=target):
                image = self.build("hello-console", target)
                described = harness.crunch("describe", image).stdout
                self.assertTrue(described.startswith(
                    "Hello : job\n├── console : console\n└── time : time\n"), described)
                # What it is made of and its keys are read from the image, whatever it runs on.
                inspected = harness.crunch("inspect", image).stdout
                self.assertRegex(inspected, rf"(?m)^target +{target}$")
                self.assertRegex(inspected, r"(?m)^key +--greeting=hello +both +default\b")
                keys = ["--greeting=good-day", "--pause=10ms", "--times=2"]
                if target == "virtio":
                    status, said = qemu.run_to_end(image, " ".join(keys), extra=NETWORK)
                elif target == "unix":
                    done = subprocess.run([image, *keys], capture_output=True, text=True,
                                          timeout=60, check=False)
                    status, said = done.returncode, done.stdout
                else:
                    print(f"{target}: built and described, not run here")
                    continue
                self.assertEqual(status, 0, said)
                self.assertEqual(len(re.findall(r"(?m)^good-day$", said)), 2, said)

    def test_parts_of_the_target(self):
        config = self.folder / "reports.hpp"
        config.write_text(REPORTS)
        for target in usual_targets():
            with self.subTest(target=target):
                image = self.folder / f"reports.{target}"
                done = harness.crunch("build", "-t", target, "-o", image, "--config", config)
                self.assertEqual(done.returncode, 0, done.stderr)
                if target == "virtio":
                    status, said = qemu.run_to_end(image, extra=NETWORK)
                elif target == "unix":
                    done = subprocess.run([image], capture_output=True, text=True, timeout=60,
                                          check=False)
                    status, said = done.returncode, done.stdout
                else:
                    print(f"{target}: built, not run here")
                    continue
                self.assertEqual(status, 0, said)
                rows = re.findall(r"at (\d+) ns, on (\d+): ([\d ]+)", said)
                self.assertEqual(len(rows), 2, said)
                self.assertLessEqual(int(rows[0][0]), int(rows[1][0]))
                self.assertLess(abs(int(rows[0][1]) - time.time()), 24 * 3600, said)
                self.assertNotEqual(rows[0][2].split(), rows[1][2].split())
                self.assertEqual(len(rows[0][2].split()), 16)

    def test_file_server(self):
        site = harness.write_tree(self.folder / "site", PAGE)
        for target in usual_targets():
            with self.subTest(target=target):
                image = self.build("file-server", target, site)
                self.assertIn("files : kv_ro", harness.crunch("describe", image).stdout)
                if target == "virtio":
                    with qemu.Guest(image) as guest:
                        self.assertEqual(guest.get("/").body, PAGE["index.html"])
                elif target == "unix":
                    with harness.Server(image) as server, \
                            harness.Client("127.0.0.1", server.port) as client:
                        self.assertEqual(client.get("/").body, PAGE["index.html"])
                else:
                    print(f"{target}: built and described, not run here")

    def test_file_server_over_a_directory(self):
        site = harness.write_tree(self.folder / "live", PAGE)
        image = self.build("file-server", "unix", "--set", "store=directory", "--set",
                           f"directory={site}")
        with harness.Server(image) as server, \
                harness.Client("127.0.0.1", server.port) as client:
            self.assertEqual(client.get("/").body, PAGE["index.html"])
            (site / "new.txt").write_bytes(b"later")
            self.assertEqual(client.get("/new.txt").body, b"later")


class OnTap(unittest.TestCase):
    """The same source on a network stack of its own."""

    def test_both(self):
        if "unix-tap" not in targets():
            self.skipTest("crunch was built without unix-tap")
        network.need_taps()
        network.enter_namespace()
        network.make_tap()
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            site = harness.write_tree(folder / "site", PAGE)
            images = {}
            for example in ("hello-console", "file-server"):
                images[example] = harness.build_image(
                    site, folder / example, "--config", EXAMPLES / example / "config.hpp",
                    target="unix-tap")
            done = subprocess.run([images["hello-console"], "--pause=1ms"], capture_output=True,
                                  text=True, timeout=60, check=False)
            self.assertEqual((done.returncode, done.stdout), (0, "hello\n" * 3), done.stderr)
            with harness.Server(images["file-server"], *network.STATIC, http_port=80) as server:
                self.assertTrue(harness.eventually(
                    lambda: f"network: {network.IMAGE6}/64" in server.err(), 30))
                self.assertEqual(network.file_of(f"http://{network.IMAGE4}/"), PAGE["index.html"])


if __name__ == "__main__":
    harness.main()
