# SPDX-License-Identifier: ISC
"""tests/crunch/describe/command_test.py: `crunch describe`: the default, one's own, an image.

Method: transcripts, held against the whole output (golden.txt, .json and .dot: `crunch describe` as
it stands, in each format); of a picture, what is drawn and how often; a configuration of our own
with two stores and two stacks must be described and must serve on both; mistakes must name the
configuration.
"""

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from xml.etree import ElementTree

CRUNCH = sys.argv.pop(1)
GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden.")

PLAIN = """\
http::Server : job
├── site : kv_ro
└── net::Sockets : stack
"""

# The site for everybody; on a network of its own another store, and the site by HTTPS, with
# certificates from a third.
TWO = """\
#pragma once
#include "config/parts/parts.hpp"

extern "C" const kv::crunched::Site crunched_site;
namespace {
using namespace config;
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
└── tls::Over : server_stack
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


def crunch(*words, **options):
    return subprocess.run([CRUNCH, *words], capture_output=True, text=True, timeout=500, **options)


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
        if crunch("describe").stdout.startswith(PLAIN):
            self.skipTest("crunch was built without TLS: its default is another")
        for words, suffix in (([], "txt"), (["--format", "json"], "json"),
                              (["--format", "dot"], "dot")):
            done = crunch("describe", *words)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            with open(GOLDEN + suffix, encoding="utf-8") as file:
                self.assertEqual(done.stdout, file.read())

    def test_each_target_by_what_it_offers(self):
        for target, has_files, has_sockets in (("unix", True, True), ("unix-tap", True, False),
                                               ("virtio", False, False), ("hvt", False, False),
                                               ("xen", False, False)):
            with self.subTest(target=target):
                done = crunch("describe", "-t", target)
                if "unknown target" in done.stderr:
                    print(f"left out: crunch was built without {target}")
                    continue
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                for what, is_there in ((" net::Sockets : stack\n", has_sockets),
                                       (" net::Lwip : stack\n", not has_sockets),
                                       ("--ipv4= ", not has_sockets),
                                       ("(crunched|tar|directory)\n", has_files),
                                       ("|directory)\n", has_files)):
                    self.assertEqual(what in done.stdout, is_there, what)

    def test_picture(self):
        svg = crunch("describe", "--format", "svg")
        if shutil.which("dot") is None:
            self.assertEqual(svg.returncode, 1)
            self.assertIn("apt install graphviz", svg.stderr)
        else:
            self.assertEqual((svg.returncode, svg.stderr), (0, ""))
            graph = json.loads(crunch("describe", "--format", "json").stdout)
            # Shared devices are drawn once, with an arrow to each that one is built from.
            self.assertEqual(svg.stdout.count('class="node"'), len(graph["devices"]))
            self.assertEqual(svg.stdout.count('class="edge"'),
                             sum(len(device["from"]) for device in graph["devices"]))
            texts = {"".join(text.itertext())
                     for text in ElementTree.fromstring(svg.stdout).iterfind(
                         ".//{http://www.w3.org/2000/svg}text")}
            for number, device in enumerate(graph["devices"], 1):
                self.assertIn(f"{number}. {device['name']}", texts)
            for key in graph["keys"]:
                self.assertTrue(any(f"{key['name']}={key['value']}" in text and
                                    key["doc"] in text for text in texts), (key, texts))
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
                    "--notes-directory= ", "--tls-directory= "):
            self.assertIn(key, keys)

        self.path("site/index.html", "<p>site\n")
        self.path("notes/index.html", "<p>notes\n")
        image = self.path("image")
        built = crunch("build", self.path("site"), "-t", "unix", "-o", image, "--config", config)
        self.assertEqual(built.returncode, 0, built.stderr)
        self.assertEqual(crunch("describe", image).stdout, described.stdout)
        for words in (["-t", "virtio"], ["--config", config], ["--set", "http-port=1"]):
            done = crunch("describe", image, *words)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("is an image, which is described as it was built", done.stderr)
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
        self.assertIn("exists already", again.stderr)

    def test_a_mistake_is_the_only_error(self):
        line = WRONG_ORDER[:WRONG_ORDER.index("(generic_stack(), site)")].count("\n") + 1
        table = [
            ("g++", WRONG_ORDER, "another module type than it declares", rf"wrong\.hpp:{line}:"),
            ("clang++-16", WRONG_ORDER, "another module type than it declares",
             rf"wrong\.hpp:{line}:"),
            ("g++", TWO.replace("auto app", "auto appliance"), "app", "was not declared"),
            ("g++", TWO.replace("jobs(http", "jobs(no_such_thing, http"), "no_such_thing",
             r"wrong\.hpp:\d+:"),
        ]
        for compiler, text, *said in table:
            if shutil.which(compiler) is None:
                print(f"left out: {compiler} is not installed")
                continue
            with self.subTest(compiler=compiler, said=said):
                done = crunch("describe", "--config", self.path("wrong.hpp", text),
                              env=dict(os.environ, CXX=compiler))
                self.assertEqual(done.returncode, 1)
                for words in said:
                    self.assertRegex(done.stderr, words)
                self.assertEqual(done.stderr.count("error: "), 1, done.stderr)

    def test_mistakes(self):
        for words, code, sentence in [
            (("--config", self.path("none.hpp")), 1, "none.hpp"),
            (("-t", "unxi"), 2, "unix"),
            (("--format", "xml"), 2, "text, json, dot, svg"),
            ((self.path("no-image"),), 1, "no-image"),
            ((self.path("no-directory"), "-t", "unix"), 1, "no-directory"),
        ]:
            done = crunch("describe", *words)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(sentence, done.stderr)
            self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    unittest.main()
