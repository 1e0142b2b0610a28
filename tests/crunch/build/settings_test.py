# SPDX-License-Identifier: ISC
"""tests/crunch/build/settings_test.py: keys of a build: --set, crunch.toml, the environment.

Method: `crunch describe` says value and origin without building an image, so precedence and
refusals are asked of it; images then show that what was set is what they start with. A
configuration of the test's own has a build key, so that compiling and reuse are seen from outside:
by the objects in the cache.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

CRUNCH = sys.argv.pop(1)

# One device by a build key; no network, so that it compiles quickly.
CONFIG = """\
#pragma once
#include <cstdio>
#include <tuple>
#include CRUNCH_TARGET
#include "config/choice.hpp"
#include "config/graph.hpp"
#include "config/parts/modules.hpp"
namespace {
using namespace config;
enum class Voice { loud, quiet };
constexpr std::string_view voices[] = {"loud", "quiet"};
constexpr Key<Voice> voice{.name = "voice", .section = "TALK", .doc = "How",
                           .fallback = Voice::loud, .words = voices, .stage = Stage::build};
constexpr Key<std::string_view> words{.name = "words", .section = "TALK", .doc = "What",
                                      .fallback = "hello"};
constexpr Key<Duration> rest{.name = "rest", .section = "TALK", .doc = "Unused", .fallback = "1s",
                             .stage = Stage::boot};
constexpr Key<List<Port>> ports{.name = "ports", .section = "TALK", .doc = "Unused too",
                                .fallback = "1"};
template <Text mark>
struct Talk {
  std::string text;
  base::Task<void> run() {
    std::printf("%s%s\\n", text.c_str(), std::string(mark.view()).c_str());
    co_return;
  }
  void drain() {}
};
template <Text mark>
struct Connect {
  static constexpr std::tuple keys{&words, &rest, &ports};
  Talk<mark> operator()(auto& context) const { return {context.boot.text(words)}; }
};
template <Text mark>
constexpr auto talk() {
  return impl<Talk<mark>>("Talk", job, Connect<mark>{});
}
constexpr auto app = jobs(match(value<voice>(), when<Voice::loud>(talk<"!">()),
                                otherwise(talk<".">())));
}
"""


class Settings(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.site = self.folder / "public"
        self.site.mkdir()
        (self.site / "index.html").write_text("<p>")
        self.config = self.folder / "talk.hpp"
        self.config.write_text(CONFIG)
        self.environment = dict(os.environ, XDG_CACHE_HOME=str(self.folder / "cache"))

    def crunch(self, *words):
        return subprocess.run([CRUNCH, *map(str, words)], capture_output=True, text=True,
                              timeout=500, env=self.environment)

    def described(self, *words):
        """key -> (value, origin)"""
        done = self.crunch("describe", *words, "--format", "json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return {key["name"]: (key["value"], key["origin"])
                for key in json.loads(done.stdout)["keys"]}

    def toml(self, text):
        (self.folder / "crunch.toml").write_text(text)

    def test_precedence_and_origin(self):
        self.assertEqual(self.described(self.site)["http-port"], ("80", "default"))
        self.toml('# ours\nhttp-port = 8081\nlog = "json"\nredirect = false\n')
        keys = self.described(f"{self.site}/")
        self.assertEqual(keys["http-port"][0], "8081")
        self.assertRegex(keys["http-port"][1], r"crunch\.toml:2$")
        self.assertEqual((keys["log"][0], keys["log-level"]), ("json", ("info", "default")))
        self.environment.update(CRUNCH_HTTP_PORT="8082", CRUNCH_NO_KEY="1")
        self.assertEqual(self.described(self.site)["http-port"], ("8082", "CRUNCH_HTTP_PORT"))
        keys = self.described(self.site, "--set", "http-port=1", "--set", "http-port=8083")
        self.assertEqual(keys["http-port"], ("8083", "--set"))

    def test_refusals(self):
        for words, status, sentence in [
            (["http-prot=80"], 2, "--set: unknown key 'http-prot'; did you mean http-port?"),
            (["HTTP-PORT=80"], 2, "--set: unknown key 'HTTP-PORT'; did you mean http-port?"),
            (["HTTP_PORT=80"], 2, "--set: unknown key 'HTTP_PORT'; did you mean http-port?"),
            (["max-conections=9", "log=json"], 2, "did you mean max-connections?"),
            (["crt=a.pem"], 2, "--set: unknown key 'crt'; did you mean cert?"),
            (["log=JSON"], 2, "it takes off, combined or json; did you mean json?"),
            (["http-port=x"], 2, "it takes a port from 0 to 65535"),
            (["log=jsn"], 2, "it takes off, combined or json; did you mean json?"),
            (["max-connections=0"], 2, "a whole number from 1 to 1000000"),
            (["cert=a.pem"], 2, "is given when the image starts (--cert=PATH), not when it is"),
            (["store=directry"], 2, "crunched, tar or directory; did you mean directory?"),
            (["http-port"], 2, "--set takes KEY=VALUE"),
            (["=1"], 2, "--set takes KEY=VALUE"),
        ]:
            done = self.crunch("describe", *(part for word in words for part in ("--set", word)))
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn(sentence, done.stderr)
        for text, sentence in [
            ("http-port = ", "crunch.toml:1: "),
            ("\nhttp-prot = 80\n",
             "crunch.toml:2: unknown key 'http-prot'; did you mean http-port?"),
            ("http-port = 1.5\n", "crunch.toml:1: key 'http-port' has a value that no key takes"),
            ("[http]\nport = 1\n", "crunch.toml:1: 'http' is a table; keys have none"),
            ("http.port = 1\n", "crunch.toml:1: 'http' is a table; keys have none"),
            ("redirect = \"maybe\"\n", "cannot be \"maybe\"; it takes true or false"),
            ("log = 1\n", "cannot be \"1\"; it takes off, combined or json"),
            ("threads = 1\nthreads = 2\n", "crunch.toml:2: "),
            ("log = off\n", "crunch.toml:1: "),
            ("log = off\n", "; each line is KEY = VALUE, with quotation marks around a text"),
            ("HTTP-PORT = 80\n", "crunch.toml:1: unknown key 'HTTP-PORT'; did you mean http-port?"),
            ("http-port = [80, 81]\n", "cannot be \"80,81\"; it takes a port"),
        ]:
            self.toml(text)
            done = self.crunch("describe", self.site)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(sentence, done.stderr)
        file = self.folder / "crunch.toml"
        file.unlink()
        for make, sentence in ((file.mkdir, "Is a directory"),
                               (lambda: file.symlink_to("nowhere"), "No such file")):
            make()
            done = self.crunch("describe", self.site)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertRegex(done.stderr, f'crunch.toml": {sentence}')
            (file.rmdir if file.is_dir() else file.unlink)()
        self.environment["CRUNCH_LOG"] = "loud"
        done = self.crunch("describe", self.site)
        self.assertEqual(done.returncode, 1)
        self.assertIn("CRUNCH_LOG: key 'log' cannot be \"loud\"", done.stderr)

    def test_bare_targets_have_no_directories(self):
        done = self.crunch("describe", "-t", "virtio", "--set", "store=directory")
        if "unknown target" in done.stderr:
            self.skipTest("crunch was built without virtio")
        self.assertEqual(done.returncode, 2)
        self.assertIn("it takes crunched", done.stderr)

    def build(self, *words):
        image = self.folder / "image"
        done = self.crunch("build", self.site, "-t", "unix", "-o", image, "--config", self.config,
                           *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return image

    def test_depfile_names_what_was_read(self):
        self.toml("")
        depfile = self.folder / "image.d"
        self.build("--depfile", depfile)
        for name in ("crunch.toml", "talk.hpp", "index.html"):
            self.assertRegex(depfile.read_text(), rf"(?m)^  \S*{name}( |$)")

    def objects(self):
        return {path: path.stat().st_mtime_ns
                for path in self.folder.glob("cache/crunch/objects/*/*.o")}

    def said(self, image, *words):
        return subprocess.run([image, *words], capture_output=True, text=True, timeout=60,
                              env=self.environment).stdout

    def test_an_image_has_what_was_set_and_compiles_only_for_build_keys(self):
        self.toml("ports = [80, 443]\n")
        image = self.build()
        self.assertEqual(self.said(image), "hello!\n")
        self.assertIn("--ports=PORT,...\n              Unused too (default 80,443)\n",
                      self.said(image, "--help"))
        self.assertEqual(self.described(image)["ports"], ("80,443", "crunch.toml:1"))
        first = self.objects()
        self.assertEqual(len(first), 1)
        # A boot default costs no compiler.
        image = self.build("--set", "words=good day")
        self.assertEqual(self.objects(), first)
        self.assertEqual(self.said(image), "good day!\n")
        self.assertEqual(self.said(image, "--words=bye"), "bye!\n")
        self.assertIn("(default good day)", self.said(image, "--help"))
        self.environment["CRUNCH_WORDS"] = "from around"
        self.assertEqual(self.said(image), "from around!\n")
        self.assertEqual(self.said(image, "--words=bye"), "bye!\n")
        del self.environment["CRUNCH_WORDS"]
        done = self.crunch("describe", image, "--format", "json")
        key = [key for key in json.loads(done.stdout)["keys"] if key["name"] == "words"][0]
        self.assertEqual((key["value"], key["origin"]), ("good day", "--set"))
        self.assertRegex(self.crunch("inspect", image).stdout, r"--words=good day +both +--set")
        # A build key compiles once, with whatever boot default.
        image = self.build("--set", "voice=quiet")
        self.assertEqual(self.said(image), "hello.\n")
        self.assertEqual(len(self.objects()), 2)
        bytes_before = image.read_bytes()
        second = self.objects()
        self.assertEqual(self.said(self.build("--set", "voice=quiet", "--set", "words=a")), "a.\n")
        self.assertEqual(self.build("--set", "voice=quiet").read_bytes(), bytes_before)
        self.assertEqual(self.objects(), second)
        # A changed header is another one; and the image refuses what only a build can choose.
        self.config.write_text(CONFIG.replace('"hello"', '"hallo"'))
        image = self.build()
        self.assertEqual(self.said(image), "hallo!\n")
        self.assertEqual(len(self.objects()), 3)
        done = subprocess.run([image, "--voice=quiet"], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 2)
        self.assertIn("is chosen when the image is built: crunch build --set voice", done.stderr)
        done = self.crunch("describe", "--config", self.config, "--set", "voice=quit")
        self.assertEqual(done.returncode, 2)
        self.assertIn("did you mean quiet?", done.stderr)


if __name__ == "__main__":
    unittest.main()
