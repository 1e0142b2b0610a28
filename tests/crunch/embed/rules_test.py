#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""crunch embed, from outside: the rules files and crunch.toml of a site: what is no part of it,
what is refused, and what --strict makes of warnings.

Method: small trees; the manifest says what is in the site. What rules mean: tests/http/site.
"""

import hashlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness
from trees import Folder


class Rules(Folder):
    def toml(self, text: str):
        (self.at / "crunch.toml").write_text(text)

    def refusal(self, *words):
        done = self.crunch("embed", self.site, "-o", self.out, *words)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertFalse((self.out / "site.manifest.json").exists())
        return done.stderr

    def test_those_of_a_hosts_folder_are_no_files(self):
        self.toml('[[host]]\nname = "a.example"\n[[host]]\nname = "b.example"\nroot = "b/c"\n')
        for key in ["_headers", "b/_headers", "b/c/_headers", "b/c/_redirects", "b/c/d/_headers",
                    "b/cc/_headers", "b/c/crunch.toml"]:
            self.write(key, b"")
        self.embed()
        self.assertEqual(set(self.files()), {"b/_headers", "b/c/d/_headers", "b/cc/_headers"})

    def test_make_is_told_of_them(self):
        self.toml('[[host]]\nname = "b.example"\nroot = "b"\n')
        self.write("b/_headers", b"/*\n  X-A: 1\n")
        self.write("b/index.html")
        self.embed("--depfile", self.at / "d")
        self.assertIn("b/_headers", (self.at / "d").read_text())

    def test_strict(self):
        self.write("index.html")
        self.write("_redirects", b"/a /b\n/menu menu.html\n")
        done = self.embed()
        self.assertIn("crunch: warning: _redirects:2: ", done.stderr)
        done.check_returncode()
        self.out = self.at / "out2"
        self.assertIn("--strict", self.refusal("--strict"))
        self.write("_redirects", b"/a /b\n")
        self.embed("--strict")

    def test_bases(self):
        self.write("index.html")
        for base in ['"/a"', '"a/"', '"/a//b/"', '"/a/../b/"', '"/%61/"', '"/.crunch/"', '1',
                     '"/' + "x" * 300 + '/"']:
            self.toml(f"[site]\nbase = {base}\n")
            self.assertIn("crunch.toml:2: 'base' takes a path", self.refusal(), base)
        self.toml('[site]\nbase = "/a.b/c-d/"\n')
        self.embed()

    def test_users(self):
        done = self.crunch("auth", "crew", input="secret\n")
        done.check_returncode()
        name, salt, digest = done.stdout.strip().split(":")
        self.assertEqual(name, "crew")
        self.assertEqual(digest, hashlib.sha256((salt + "secret").encode()).hexdigest())
        again = self.crunch("auth", "crew", input="secret\n")
        self.assertNotEqual(again.stdout, done.stdout)
        self.write("index.html")
        self.toml(f'[auth]\nusers = ["{done.stdout.strip()}"]\n')
        self.assertIn("HTTPS", self.embed().stderr)
        for words, text in [(("auth", "a:b"), "secret\n"), (("auth", "crew"), "\n"),
                            (("auth", "crew"), ""), (("auth", "crew"), "x" * 300)]:
            done = self.crunch(*words, input=text)
            self.assertIn(done.returncode, (1, 2), done.stderr)
            self.assertEqual(done.stdout, "")

    def test_passwords_of_headers_are_in_no_output(self):
        self.write("index.html")
        self.write("_headers", b"/in/*\n  Basic-Auth: crew:pa55w0rd\n")
        self.assertIn("from-headers", self.refusal())
        self.toml("[auth]\nfrom-headers = true\n")
        self.embed()
        for file in self.out.iterdir():
            self.assertNotIn(b"pa55w0rd", file.read_bytes(), file)

    def test_bad_users(self):
        self.write("index.html")
        for users in ['["crew"]', '["crew:salt:12"]', '["crew:salt:' + "z" * 64 + '"]',
                      '[":salt:' + "0" * 64 + '"]', '["crew::' + "0" * 64 + '"]', '"crew"', "[1]"]:
            self.toml(f"[auth]\nusers = {users}\n")
            self.assertIn("crunch.toml:2: 'users' takes", self.refusal(), users)
        self.toml("[auth]\n")
        self.assertIn("no users", self.refusal())

    def test_errors_leave_nothing(self):
        self.write("index.html")
        self.write("_redirects", b"/w /w2 301! Country=ie\n")
        self.assertIn("where visitors are", self.refusal())
        self.toml('[site]\nunsupported = "warn"\n')
        self.embed()


if __name__ == "__main__":
    harness.main()
