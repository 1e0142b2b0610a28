# SPDX-License-Identifier: ISC
"""tests/crunch/describe/command_test.py: `crunch describe`: the default, one's own, an image.

Method: transcripts, held against the whole output (golden.txt: `crunch describe` as it stands); a
configuration of our own with two stores and two stacks must be described and must serve on both;
mistakes must name the configuration.
"""

import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import unittest
import urllib.request

CRUNCH = sys.argv.pop(1)
GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden.txt")

PLAIN = """\
http::Server : job
├── site : kv_ro
└── net::Sockets : stack
"""

# The site for everybody; on a network of its own another store, and the site by HTTPS, with
# certificates from a third.
TWO = """\
#pragma once
#include "crunch/config/parts.hpp"

extern "C" const kv::crunched::Site crunched_site;
namespace {
using namespace crunch::config;
constexpr Key<Port> inner_port{
    .name = "management-port", .section = "HTTP", .doc = "Another port", .fallback = 8081};
constexpr auto site = generic_kv_ro<crunched_site>("site");
constexpr auto notes = directory<"notes">("notes");
constexpr auto inner = generic_stack<"management">();
constexpr auto secure = tls_over(inner, credentials_in(directory<"tls">("certificates")));
constexpr auto app = jobs(http_server<http_port>()(site, generic_stack()),
                          http_server<inner_port>()(notes, inner),
                          https_server()(site, secure));
}
"""

TREE_OF_TWO = """\
http::Server : job
├── site : kv_ro
└── net::Sockets : stack
http::Server : job
├── notes : kv_ro
└── management : stack
http::Server : job
├── site : kv_ro
└── tls::Over : stack
    ├── management : stack
    └── tls::Credentials : identity
        └── certificates : kv_ro

Connected in this order, disconnected in the reverse
  1  site
  2  net::Sockets
  3  http::Server on 1, 2
  4  notes
  5  management
  6  http::Server on 4, 5
  7  certificates
  8  tls::Credentials on 7
  9  tls::Over on 5, 8
  10  http::Server on 1, 9

"""

WRONG_ORDER = TWO.replace("(site, generic_stack())", "(generic_stack(), site)")


def crunch(*words):
    return subprocess.run([CRUNCH, *words], capture_output=True, text=True, timeout=500)


def get(url):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with urllib.request.urlopen(url, timeout=20, context=context) as answer:
        return answer.read()


class Describe(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name, text=None):
        path = os.path.join(self.folder.name, name)
        if text is not None:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return path

    def test_default(self):
        done = crunch("describe")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        if done.stdout.startswith(PLAIN):
            self.skipTest("crunch was built without TLS: its default is another")
        with open(GOLDEN, encoding="utf-8") as file:
            self.assertEqual(done.stdout, file.read())

    def test_formats(self):
        dot = crunch("describe", "--format", "dot").stdout
        # Shared devices are drawn once.
        self.assertEqual(len(re.findall(r"label=\"\d+\. net::Sockets\\nstack\"", dot)), 1)
        svg = crunch("describe", "--format", "svg")
        if shutil.which("dot") is None:
            self.assertEqual(svg.returncode, 1)
            self.assertIn("apt install graphviz", svg.stderr)
        else:
            self.assertEqual((svg.returncode, svg.stderr), (0, ""))
            self.assertIn("<svg", svg.stdout)
            self.assertIn("net::Sockets", svg.stdout)
        nowhere = subprocess.run([CRUNCH, "describe", "--format", "svg"], capture_output=True,
                                 text=True, timeout=500, env=dict(os.environ, PATH="/none"))
        self.assertEqual(nowhere.returncode, 1)
        self.assertIn("whose program dot is not in PATH", nowhere.stderr)

    def test_two_stores_on_two_stacks_and_their_image(self):
        config = self.path("two.hpp", TWO)
        if crunch("describe").stdout.startswith(PLAIN):
            self.skipTest("crunch was built without TLS")
        described = crunch("describe", "--config", config)
        self.assertEqual((described.returncode, described.stderr), (0, ""))
        tree, keys = described.stdout.split("Boot keys\n")
        self.assertEqual(tree, TREE_OF_TWO)
        for key in ("--management-port=8081", "--address= ", "--management-address= ",
                    "--notes-directory=.", "--tls-directory=."):
            self.assertIn(key, keys)

        self.path("site/index.html", "<p>site\n")
        self.path("notes/index.html", "<p>notes\n")
        image = self.path("image")
        built = crunch("build", self.path("site"), "-t", "unix", "-o", image, "--config", config)
        self.assertEqual(built.returncode, 0, built.stderr)
        self.assertEqual(crunch("describe", image).stdout, described.stdout)
        process = subprocess.Popen(
            [image, "--http-port=0", "--management-port=0", "--https-port=0",
             "--address=127.0.0.1", "--management-address=127.0.0.2",
             "--notes-directory", self.path("notes"), "--tls-directory", self.certificates()],
            stderr=subprocess.PIPE, text=True)
        try:
            ports = []
            for line in process.stderr:
                ports += re.findall(r"listening on port (\d+)", line)
                if len(ports) == 3:
                    break
            self.assertEqual(get(f"http://127.0.0.1:{ports[0]}/"), b"<p>site\n")
            self.assertEqual(get(f"http://127.0.0.2:{ports[1]}/"), b"<p>notes\n")
            self.assertEqual(get(f"https://127.0.0.2:{ports[2]}/"), b"<p>site\n")
            # Each on its own address only.
            for port, host in ((ports[0], "127.0.0.2"), (ports[1], "127.0.0.1")):
                with self.assertRaises(OSError):
                    get(f"http://{host}:{port}/")
        finally:
            process.terminate()
            self.assertEqual(process.wait(60), 0)
            process.stderr.close()

    def certificates(self):
        """A directory with cert.pem and key.pem."""
        folder = self.path("certificates")
        os.mkdir(folder)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
             "-keyout", "key.pem", "-out", "cert.pem"],
            cwd=folder, check=True, capture_output=True, timeout=60)
        return folder

    def test_ejected_configuration_builds_the_same(self):
        ejected = self.path("my.hpp")
        done = crunch("configure", "--eject", "-o", ejected)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(crunch("describe", "--config", ejected).stdout, crunch("describe").stdout)
        with open(ejected, encoding="utf-8") as file:
            self.assertLessEqual(len(file.read().splitlines()), 40)
        again = crunch("configure", "--eject", "-o", ejected)
        self.assertEqual(again.returncode, 1)
        self.assertIn("is there already", again.stderr)

    def test_wrong_order_names_the_argument(self):
        done = crunch("describe", "--config", self.path("wrong.hpp", WRONG_ORDER))
        self.assertEqual(done.returncode, 1)
        self.assertIn("another module type than it declares", done.stderr)
        self.assertIn("wrong.hpp", done.stderr)

    def test_mistakes(self):
        for words, code, sentence in [
            (("--config", self.path("none.hpp")), 1, "none.hpp"),
            (("-t", "unxi"), 2, "unix"),
            (("--format", "xml"), 2, "text, json, dot, svg"),
            ((self.path("no-image"),), 1, "no-image"),
        ]:
            done = crunch("describe", *words)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(sentence, done.stderr)
            self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    unittest.main()
