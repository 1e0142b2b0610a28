#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""crunch embed, from outside: what is said of files: types, charsets, caching; and which
files are no part of a site.

Method: small trees with one kind of file each; the manifest says what is said of them.
"""

import gzip
import os
import sys
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness
from trees import Folder

PAGE = b"<!doctype html><meta charset=utf-8><p>x\n"
FOREVER = "public, max-age=31536000, immutable"


class Described(Folder):
    def head(self, key: str) -> dict:
        """What is said of a file."""
        file = self.files()[key]
        head = {"Content-Type": file["type"], "Cache-Control": file["caching"]}
        if "stored" in file:
            head["Content-Encoding"] = file["stored"]
        if file["encodings"]:
            head["Vary"] = "Accept-Encoding"
        return head

    def fields(self, key: str, data: bytes, *words) -> dict:
        """Those of one file that is embedded alone."""
        path = self.write(key, data)
        self.embed(*words)
        head = self.head(key)
        path.unlink()
        return head

    def toml(self, text: str):
        (self.at / "crunch.toml").write_text(text)


class Charsets(Described):
    def test_none_is_said_of_what_is_not_utf8(self):
        for key, data in [
                ("a.html", b"<!doctype html><meta charset=shift_jis><p>\x93\xfa\x96\x7b\n"),
                ("b.html", b"<!doctype html><meta charset=windows-1252><p>caf\xe9 \x80\n"),
                ("c.html", "<p>x".encode("utf-16")),
                ("d.html", "<p>x".encode("utf-16-le")),
                ("e.html", b"<meta charset='iso-2022-jp'><p>\x1b$BF|K\\\x1b(B\n"),
                ("f.html", b'<meta http-equiv=x content="text/html; charset=HZ-GB-2312">~{<:~}'),
                ("g.html", b"<p>" + b"x" * 70_000 + b"\xe9"),
                ("h.html", b"<p>\xed\xa0\x80"), ("i.html", b"<p>\xc3"),
                ("j.css", b'a::after{content:"\xe9"}'), ("k.css", b'@charset "iso-8859-1"; a{}'),
                ("l.txt", b"caf\xe9"), ("m.js", b'"\xf0\x28\x8c\xbc"'), ("n.csv", b"a;\xfc\n")]:
            self.assertNotIn("charset", self.fields(key, data)["Content-Type"], key)

    def test_utf8_is_said_of_what_is(self):
        for key, data in [("a.html", PAGE), ("b.html", "<p>\u65e5\u672c".encode()),
                          ("c.html", "<meta charset=latin1><p>caf\u00e9".encode()),
                          ("d.css", b"a{}"), ("e.txt", b""), ("f.js", b"\xef\xbb\xbfx"),
                          ("g.txt", "\U0001f980".encode() * 30_000)]:
            self.assertIn("; charset=utf-8", self.fields(key, data)["Content-Type"], key)


class Fingerprints(Described):
    def caching(self, *keys) -> list:
        for key in keys:
            self.write(key, key.encode())
        self.embed()
        return [self.head(key)["Cache-Control"] for key in keys]

    def test_a_folder_of_digests_confirms_those_that_look_like_words(self):
        said = self.caching("assets/index-BxZ8a91k.js", "assets/vendor-C3d_0xPq.css",
                            "assets/index-DiwrgTda.js", "assets/photo-Summer.jpg",
                            "assets/en-CALENDAR.json", "other/index-DiwrgTda.js")
        self.assertEqual(said, [FOREVER] * 3 + ["no-cache", FOREVER, "no-cache"])

    def test_one_plain_script_in_the_folder_leaves_them_in_doubt(self):
        said = self.caching("assets/index-BxZ8a91k.js", "assets/vendor-C3d_0xPq.css",
                            "assets/index-DiwrgTda.js", "assets/search.js")
        self.assertEqual(said, [FOREVER] * 2 + ["no-cache"] * 2)


class Types(Described):
    def test_by_name(self):
        for key, media_type in [
                (".well-known/matrix/client", "application/json"),
                (".well-known/newly-registered", "application/json"),
                ("js/app.js?ver=1.11.1", "text/javascript; charset=utf-8"),
                ("a.psd", "image/vnd.adobe.photoshop"),
                ("a.kmz", "application/vnd.google-earth.kmz"),
                ("a.java", "text/plain; charset=utf-8"),
                ("newly-registered", "application/octet-stream"),
                ("a.key", "application/octet-stream")]:
            self.assertEqual(self.fields(key, b'{"a": 1}')["Content-Type"], media_type, key)
        self.assertEqual(self.fields("a.key", b"PK\x03\x04")["Content-Type"],
                         "application/vnd.apple.keynote")

    def test_by_crunch_toml(self):
        self.toml('[types]\n"*.foo" = "application/x-foo"\n"/a/*" = "text/x-a"\n'
                  '"/a/b/*.js" = "text/b; charset=latin1"\n')
        self.assertEqual(self.fields("x/y.foo", b"x")["Content-Type"], "application/x-foo")
        self.assertEqual(self.fields("a/y.foo", b"x")["Content-Type"], "text/x-a")
        self.assertEqual(self.fields("a/b/c/x.js", b"x")["Content-Type"], "text/b; charset=latin1")
        head = self.fields("b/a/x.html", PAGE)
        self.assertEqual(head["Content-Type"], "text/html; charset=utf-8")
        for bad in ['"*.foo" = "foo"', '"*.foo" = "a/b\\r\\nX: y"', '"*.foo" = 3', '"a/b" = "a/b"',
                    '"*.foo" = "a/' + "b" * 200 + '"']:
            self.toml("[types]\n" + bad + "\n")
            self.refused(self.crunch("embed", self.site, "-o", self.out), 1, "crunch.toml:2")

    def test_stored_forms_without_a_plain_file(self):
        for key, inner, coding in [
                ("Build/g.wasm.gz", "application/wasm", "gzip"),
                ("g.framework.js.gz", "text/javascript; charset=utf-8", "gzip"),
                ("g.data.gz", "application/octet-stream", "gzip"),
                ("f.svgz", "image/svg+xml", "gzip"),
                ("a.css.gz", "text/css; charset=utf-8", "gzip"),
                ("A.JSON.GZ", "application/json", "gzip")]:
            head = self.fields(key, gzip.compress(b"{}" * 500))
            self.assertEqual((head["Content-Type"], head.get("Content-Encoding")), (inner, coding))
            self.assertNotIn("Vary", head)
        self.assertNotIn("charset", self.fields("l.js.gz", gzip.compress(b"\xe9"))["Content-Type"])
        for key in ["a.tar.gz", "a.csv.gz", "sitemap.xml.gz", "a.html.gz", ".js.gz", "js.gz"]:
            head = self.fields(key, gzip.compress(b"x" * 500), "--dotfiles")
            self.assertEqual((head["Content-Type"], head.get("Content-Encoding")),
                             ("application/gzip", None), key)

    def test_what_is_no_stored_form(self):
        self.write("a.js.gz", b"not gzip")
        done = self.embed()
        self.assertIn("is not in gzip", done.stderr)
        self.assertEqual(self.head("a.js.gz")["Content-Type"], "application/gzip")
        self.write("a.js.gz", gzip.compress(b"other"))
        self.write("a.js", b"var a = 1;")
        self.embed()
        self.assertEqual(self.head("a.js.gz")["Content-Type"], "application/gzip")
        self.write("b.js.gz", gzip.compress(b"x" * 3000)[:-9] + zlib.compress(b"x"))
        self.embed()
        self.assertNotIn("Content-Encoding", self.head("b.js.gz"))


class Caching(Described):
    def test_by_crunch_toml(self):
        self.toml('[cache]\n"*" = "max-age=5"\n"/assets/*" = "immutable"\n'
                  '"*.pdf" = "public, max-age=3600"\n')
        for key, said in [("assets/a/b.js", FOREVER), ("assets/a.pdf", "public, max-age=3600"),
                          ("x/assets/b.js", "max-age=5")]:
            self.assertEqual(self.fields(key, b"x")["Cache-Control"], said, key)
        self.toml('[cache]\n"*" = "max-age=5\\nX: y"\n')
        self.refused(self.crunch("embed", self.site, "-o", self.out), 1, "crunch.toml:2")


class Contents(Described):
    LEFT_OUT = ["index.html~", "notes.bak", "page.html.orig", "#index.html#", "Thumbs.db",
                "img/Thumbs.db", "desktop.ini", "a.php.rej", "~$letter.docx", "__MACOSX/x/y"]

    def test_backups_are_left_out_and_named(self):
        for key in [*self.LEFT_OUT, "index.html", "back.html", "a#b.txt", "#", "old/x.html"]:
            self.write(key)
        done = self.embed()
        self.assertEqual(set(self.files()),
                         {"index.html", "back.html", "a#b.txt", "#", "old/x.html"})
        self.assertIn("left out as backups", done.stderr)
        self.assertIn("--backups", done.stderr)
        self.embed("--backups")
        self.assertEqual(len(self.files()), 5 + len(self.LEFT_OUT))

    def test_what_is_about_the_site_is_not_in_it(self):
        for key in ["crunch.toml", "_headers", "_redirects", "a/_headers", "a/_redirects"]:
            self.write(key, b"")
        self.embed()
        self.assertEqual(set(self.files()), {"a/_headers", "a/_redirects"})

    def test_settings_in_the_directory(self):
        self.write("crunch.toml", b'[cache]\n"*" = "max-age=7"\n')
        self.assertEqual(self.fields("a.html", PAGE)["Cache-Control"], "max-age=7")
        self.toml("")
        self.refused(self.crunch("embed", self.site, "-o", self.out), 1, "two settings files")

    def test_notes(self):
        self.write("cafe\u0301.html")
        self.write("a/index.htm")
        self.write("b/Index.html")
        self.write("c/index.htm")
        self.write("c/index.html")
        self.write("server.key", b"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n")
        done = self.embed()
        self.assertIn("NFD", done.stderr)
        self.assertIn("'a/index.htm', 'b/Index.html' is not that", done.stderr.replace('"', "'"))
        self.assertIn("holds a private key", done.stderr)
        self.write("d/caf\u00e9.html")


if __name__ == "__main__":
    harness.main()
