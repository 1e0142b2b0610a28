# SPDX-License-Identifier: ISC
"""tests/config/mistakes_test.py: mistakes in a configuration, and what compilers say.

Method: each mistake is a line that is compiled behind the toys (precompiled once), with
-fsyntax-only, by every compiler that was given; its message must be there, with the argument at
fault. The toys alone must compile. A compiler that is not installed is named and left out.

  mistakes_test.py SOURCE-FOLDER COMPILER...
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE, COMPILERS = sys.argv[1], sys.argv[2:]
del sys.argv[1:]

BEFORE = """\
#include "config/choice.hpp"
#include "config/describe.hpp"
#include "tests/config/toys.hpp"
using namespace toys;
using namespace config;
constexpr Key<bool> chosen{.name = "c", .section = "S", .doc = "D", .stage = Stage::build};
constexpr Key<int> number{.name = "n", .section = "S", .doc = "D", .stage = Stage::build};
constexpr Key<Duration> wrong{.name = "w", .section = "S", .doc = "D", .fallback = "30"};
constexpr Key<bool> other_port{.name = "port", .section = "S", .doc = "Not the wire's"};
constexpr std::tuple no_keys{};
constexpr std::tuple wrong_keys{&wrong};
constexpr std::tuple other_keys{&other_port};
constexpr auto good = server(site, if_(value<chosen>(), cable, cable));
constexpr auto app = jobs(good);
constexpr auto graph = graph_json<no_keys, app>();
"""

# The line, and what is said; "(0" or "<0" is the first argument.
MISTAKES = [
    ("constexpr auto x = server(cable, site);", "another module type than it declares"),
    ("constexpr auto x = server(cable, cable);",
     "another module type than it declares", "ArgumentIsOfItsModuleType<0, toys::StoreModule"),
    ("constexpr auto x = server(site, docs);",
     "another module type than it declares", "ArgumentIsOfItsModuleType<1, toys::WireModule"),
    ("constexpr auto x = server(site);",
     "applied to all its modules at once", "ArgumentsAreAllThere<2, 1>"),
    ("constexpr auto x = secure(cable, cable);",
     "applied to all its modules at once", "ArgumentsAreAllThere<1, 2>"),
    ("constexpr auto x = server(site, 5);",
     "this argument is none", "ArgumentIsADevice<1, int>"),
    ("constexpr auto x = server(site, secure);",
     "this argument is none", "ArgumentIsADevice<1, "),
    ('constexpr auto x = impl<int>("five", store, ConnectWire{});',
     "does not model the module type", "ModelsItsModuleType<toys::StoreModule, int>"),
    ("constexpr auto x = foreign<SecureOf>(\"s\", wire >> store, ConnectSecure{})(cable);",
     "does not model the module type", "ModelsItsModuleType<toys::StoreModule, toys::Secure<"),
    ("constexpr auto x = jobs(good, cable);",
     "only jobs are run", "ArgumentIsAJob<1, "),
    ("constexpr auto x = jobs(server);",
     "only jobs are run, and this argument is no device", "ArgumentIsAJob<0, "),
    ("constexpr auto x = jobs();", "an appliance has at least one job"),
    ("constexpr auto x = jobs(good, good);", "a job stands once"),
    ('constexpr Key<Port> x{.name = "p", .section = "S", .doc = "D", .fallback = 80990};',
     "a port is a number from 0 to 65535"),
    ("constexpr auto x = if_(value<chosen>(), cable, site);",
     "both devices of if_ are of one module type"),
    ("constexpr auto x = if_(value<number>(), cable, cable);", "if_ chooses by a bool"),
    ("constexpr auto x = match(value<number>(), when<1>(cable), otherwise(site));",
     "the devices of a match are all of one module type"),
    ("constexpr auto x = match(value<number>(), when<1>(cable), when<2>(cable));",
     "end it with otherwise"),
    ("constexpr auto x = value<port>().get();",
     "only a key of stage build is known at build time"),
    ("auto f(int five) { return map([five](int n) { return n + five; }, value<number>()); }",
     "what is applied to values captures nothing"),
    ("constexpr auto x = graph_json<wrong_keys, app>();",
     "the fallback of this key is no value of its type"),
    ("constexpr auto x = graph_json<other_keys, app>();", "two keys have one name"),
]


FLAGS = ["-std=c++20", "-I", SOURCE]


class Mistakes(unittest.TestCase):
    def setUp(self):
        self.assertTrue(COMPILERS)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def precompiled(self, compiler):
        """The words that put the toys before a line."""
        before = os.path.join(self.folder, compiler + ".hpp")
        with open(before, "w", encoding="utf-8") as file:
            file.write(BEFORE)
        is_clang = "clang" in compiler
        made = before + (".pch" if is_clang else ".gch")
        done = subprocess.run([compiler, *FLAGS, "-x", "c++-header", before, "-o", made],
                              capture_output=True, text=True, timeout=300)
        self.assertEqual((done.returncode, done.stderr), (0, ""), compiler)
        return ["-include-pch", made] if is_clang else ["-include", before]

    def test_messages(self):
        for compiler in COMPILERS:
            if shutil.which(compiler) is None:
                print(f"left out: {compiler} is not installed")
                continue
            before = self.precompiled(compiler)
            for line, *sentences in MISTAKES:
                with self.subTest(compiler=compiler, line=line):
                    done = subprocess.run(
                        [compiler, *FLAGS, *before, "-fsyntax-only", "-x", "c++", "-"],
                        input=line + "\n", capture_output=True, text=True, timeout=300)
                    self.assertNotEqual(done.returncode, 0)
                    for sentence in sentences:
                        self.assertIn(sentence, done.stderr)


class OldNames(unittest.TestCase):
    """What configurations wrote until version 0.1 still compiles, and is told what to write."""

    def test_old_header_and_namespace(self):
        source = ('#include "crunch/config/parts.hpp"\n'
                  "using namespace crunch::config;\n"
                  "constexpr auto wire = generic_stack();\n"
                  "const crunch::config::EmbeddedFile* none = nullptr;\n")
        done = subprocess.run(
            [COMPILERS[0], *FLAGS, '-DCRUNCH_TARGET="targets/unix/target.hpp"', "-fsyntax-only",
             "-x", "c++", "-"], input=source, capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('warning include "config/parts/parts.hpp"', done.stderr)


if __name__ == "__main__":
    unittest.main()
