# SPDX-License-Identifier: ISC
"""tests/crunch/describe/command_test.py: `crunch describe`: the default, one's own, an image.

Method: transcripts, held against the whole output; a configuration of our own with a second server
must be described and must serve on both ports; mistakes must name the configuration.
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.request

CRUNCH = sys.argv.pop(1)

PLAIN = """\
http::Server : job
├── site : kv_ro
└── net::Sockets : stack
"""

# What `crunch build` makes unless told otherwise, where crunch was built with TLS.
DEFAULT = """\
http::Server : job
├── site : kv_ro
├── net::Sockets : stack
└── tls::Over : stack
    ├── net::Sockets : stack
    └── tls::Credentials : identity
http::Server : job
├── site : kv_ro
└── tls::Over : stack (above)
"""

TWO_SERVERS = """\
#pragma once
#include "crunch/config/parts.hpp"

extern "C" const kv::crunched::Site crunched_site;
namespace {
using namespace crunch::config;
constexpr Key<std::uint16_t> second_port{
    .name = "second-port", .section = "HTTP", .doc = "Another port", .fallback = 8081};
constexpr auto site = crunched<crunched_site>("site");
constexpr auto wire = generic_stack();
constexpr auto first = http_server<http_port>();
constexpr auto second = http_server<second_port>();
constexpr auto app = jobs(first(site, wire), second(site, wire));
}
"""

WRONG_ORDER = TWO_SERVERS.replace("first(site, wire)", "first(wire, site)")


def crunch(*words):
    return subprocess.run([CRUNCH, *words], capture_output=True, text=True, timeout=200)


class Describe(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name, text=None):
        path = os.path.join(self.folder.name, name)
        if text is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return path

    def test_default(self):
        done = crunch("describe")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        tree, keys = done.stdout.split("\nBoot keys\n")
        self.assertIn(tree, (DEFAULT, PLAIN))
        self.assertRegex(keys, r"(?m)^  --http-port=80 +\w")

    def test_own_configuration_and_its_image(self):
        config = self.path("two.hpp", TWO_SERVERS)
        described = crunch("describe", "--config", config)
        self.assertEqual((described.returncode, described.stderr), (0, ""))
        tree, keys = described.stdout.split("\nBoot keys\n")
        self.assertEqual(tree, PLAIN + PLAIN)
        self.assertIn("--second-port=8081", keys)

        os.mkdir(self.path("site"))
        self.path("site/index.html", "<p>both\n")
        image = self.path("image")
        built = crunch("build", self.path("site"), "-t", "unix", "-o", image, "--config", config)
        self.assertEqual(built.returncode, 0, built.stderr)
        self.assertEqual(crunch("describe", image).stdout, described.stdout)
        self.serves_on_two_ports(image)

    def serves_on_two_ports(self, image):
        process = subprocess.Popen([image, "--http-port=0", "--second-port=0"],
                                   stderr=subprocess.PIPE, text=True)
        try:
            ports = []
            for line in process.stderr:
                ports += re.findall(r"listening on port (\d+)", line)
                if len(ports) == 2:
                    break
            for port in ports:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
                    self.assertEqual(answer.read(), b"<p>both\n")
        finally:
            process.terminate()
            self.assertEqual(process.wait(20), 0)
            process.stderr.close()

    def test_wrong_order_names_the_argument(self):
        done = crunch("describe", "--config", self.path("wrong.hpp", WRONG_ORDER))
        self.assertEqual(done.returncode, 1)
        self.assertIn("another module type than it declares", done.stderr)
        self.assertIn("wrong.hpp", done.stderr)

    def test_mistakes(self):
        for words, code, sentence in [
            (("--config", self.path("none.hpp")), 1, "none.hpp"),
            (("-t", "unxi"), 2, "unix"),
            (("--format", "xml"), 2, "text, json, dot"),
            ((self.path("no-image"),), 1, "no-image"),
        ]:
            done = crunch("describe", *words)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(sentence, done.stderr)
            self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    unittest.main()
