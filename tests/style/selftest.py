#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Shows of each style check that it can fail, and that it passes what is right.

Method: a table of small trees. Each is written to a temporary folder and given to one check, which
must find exactly the given texts (a part of each is enough), in any order; () means nothing.
"""

import pathlib
import sys
import tempfile

import check_functions
import check_headers
import check_includes
import check_names
import check_text
import check_tools
from tree import Tree

SPDX = "// SPDX-License-Identifier: ISC\n"


def header(path: str, body: str = "") -> str:
    return f"{SPDX}// {path}: a header.\n\n#pragma once\n\n{body}"


def cpp(path: str, body: str) -> str:
    return f"{SPDX}// {path}: a source.\n\n{body}"


def including(path: str, *lines: str) -> dict[str, str]:
    """A tree of one file with these include lines."""
    text = "".join(f"#include {line}\n" for line in lines)
    return {path: header(path, text) if path.endswith(".hpp") else cpp(path, text)}


def lines_of(count: int, line: str = "  g();\n") -> str:
    return line * count


INCLUDES = [
    # Down is right.
    (including("kv/kv.hpp", '"base/bytes.hpp"'), ()),
    (including("kv/crunched/crunched.hpp", '"kv/kv.hpp"', '"kv/crunched/table.hpp"'), ()),
    (including("kv/memory/memory.cpp", '"kv/digest.hpp"'), ()),
    (including("http/server.hpp", '"kv/kv.hpp"', '"net/flow.hpp"', '"net/stack.hpp"'), ()),
    (including("http/a/b.hpp", '"http/server.hpp"', '"net/endpoint.hpp"'), ()),
    (including("tls/over.hpp", '"net/stack.hpp"', '"base/task.hpp"'), ()),
    (including("crunch/embed/embed.cpp", '"http/head.hpp"', '"kv/crunched/table.hpp"'), ()),
    (including("targets/hvt/net.cpp", '"net/device.hpp"', '"targets/libos/heap.hpp"'), ()),
    (including("tests/http/a_test.cpp", '"kv/memory/memory.hpp"', "<gtest/gtest.h>"), ()),
    (including("http/parser.cpp", "<boost/beast/http/basic_parser.hpp>", "<vector>"), ()),
    (including("crypto/hash.cpp", "<nettle/sha2.h>"), ()),
    (including("targets/unix/epoll.cpp", "<sys/epoll.h>", "<unistd.h>"), ()),
    (including("crunch/main.cpp", "<CLI/CLI.hpp>", "<iostream>"), ()),
    # Up and sideways is not.
    (including("base/loop.hpp", '"net/flow.hpp"'), ("base may not",)),
    (including("kv/kv.hpp", '"http/head.hpp"'), ("kv may not",)),
    (including("kv/kv.hpp", '"kv/memory/memory.hpp"'), ("kv may not",)),
    (including("kv/memory/memory.hpp", '"kv/directory/directory.hpp"'), ("kv/* may not",)),
    (including("kv/memory/memory.hpp", '"net/flow.hpp"'), ("kv/* may not",)),
    (including("net/flow.hpp", '"kv/kv.hpp"'), ("net may not",)),
    (including("net/sockets/sockets.hpp", '"net/lwip/lwip.hpp"'), ("net/* may not",)),
    (including("net/sockets/sockets.cpp", '"targets/unix/epoll.hpp"'), ("net/* may not",)),
    (including("tls/over.hpp", '"http/server.hpp"'), ("tls may not",)),
    (including("tls/over.hpp", '"net/sockets/sockets.hpp"'), ("tls may not",)),
    (including("tls/over.hpp", '"net/device.hpp"'), ("tls may not",)),
    (including("http/server.hpp", '"tls/over.hpp"'), ("http may not",)),
    (including("http/server.hpp", '"kv/digest.hpp"'), ("http may not",)),
    (including("http/server.hpp", '"kv/memory/memory.hpp"'), ("http may not",)),
    (including("http/server.hpp", '"net/sockets/sockets.hpp"'), ("http may not",)),
    (including("crunch/embed/embed.cpp", '"http/server.hpp"'), ("crunch may not",)),
    (including("crunch/embed/embed.cpp", '"targets/unix/epoll.hpp"'), ("crunch may not",)),
    (including("targets/xen/boot.cpp", '"targets/hvt/boot.hpp"'), ("targets/* may not",)),
    (including("targets/xen/boot.cpp", '"http/server.hpp"'), ("targets/* may not",)),
    (including("targets/libos/heap.cpp", '"net/device.hpp"'), ("targets/libos may not",)),
    (including("stray/a.cpp", '"base/bytes.hpp"'), ("no row",)),
    (including("http/parser.hpp", '"head.hpp"'), ("include from the root",)),
    (including("targets/unix/target.hpp", '"config/target.hpp"'), ()),
    (including("targets/unix/target.hpp", '"config/parts/parts.hpp"'), ("targets/* may not",)),
    (including("targets/main.cpp", '"config/boot.hpp"'), ()),
    (including("targets/main.cpp", '"http/server.hpp"'), ("targets may not",)),
    (including("config/parts/parts.hpp", '"http/server.hpp"', '"kv/memory/memory.hpp"'), ()),
    (including("config/parts/parts.hpp", '"targets/unix/epoll.hpp"'), ("config/parts may not",)),
    (including("config/graph.hpp", '"http/server.hpp"'), ("config may not",)),
    (including("config/graph.hpp", '"crunch/embed/embed.hpp"'), ("config may not",)),
    (including("crunch/serve/serve.cpp", '"http/server.hpp"', '"targets/unix/epoll.hpp"'), ()),
    (including("crunch/serve/serve.cpp", '"targets/hvt/net.hpp"'), ("crunch/serve may not",)),
    # Foreign headers keep to their place.
    (including("http/parser.hpp", "<boost/beast/http.hpp>"), ("<boost/beast/http.hpp> is only",)),
    (including("http/head.cpp", "<boost/beast/http.hpp>"), ("is only for http/parser.cpp",)),
    (including("http/head.cpp", "<boost/asio.hpp>"), ("is only for net/sockets",)),
    (including("tls/over.hpp", "<mbedtls/ssl.h>"), ("is only for tls/*.cpp",)),
    (including("tls/session.cpp", "<mbedtls/ssl.h>"), ()),
    (including("kv/kv.hpp", "<nettle/sha2.h>"), ("is only for crypto/",)),
    (including("http/server.cpp", "<unistd.h>"), ("<unistd.h> is only",)),
    (including("base/loop.cpp", "<sys/epoll.h>"), ("<sys/epoll.h> is only",)),
    (including("kv/memory/memory.cpp", "<zstd.h>"), ("<zstd.h> is only",)),
    (including("kv/memory/memory.cpp", "<iostream>"), ("half a megabyte",)),
    (including("base/log.cpp", "<gtest/gtest.h>"), ("is only for tests",)),
    # A source begins with its own header.
    (including("kv/a.cpp", '"base/bytes.hpp"', '"kv/a.hpp"') | {"kv/a.hpp": header("kv/a.hpp")},
     ('includes "kv/a.hpp" first',)),
    (including("kv/a.cpp", '"kv/a.hpp"', "<span>") | {"kv/a.hpp": header("kv/a.hpp")}, ()),
]

DEAD_HEADERS = [
    (including("kv/a.cpp", '"kv/a.hpp"') | {"kv/a.hpp": header("kv/a.hpp")}, ()),
    ({"kv/a.hpp": header("kv/a.hpp")}, ("no file includes this header",)),
]

A = "base/a.hpp"
TEXT = [
    ({A: header(A)}, ()),
    ({A: header(A).replace("ISC", "MIT")}, ("starts with '// SPDX",)),
    ({A: header(A)[len(SPDX):]}, ("starts with '// SPDX", "head comment")),
    ({"scripts/a": "#!/bin/bash\n# SPDX-License-Identifier: ISC\n"}, ()),
    ({"scripts/a": "#!/bin/bash\necho\n"}, ("starts with '# SPDX",)),
    ({A: SPDX + "#pragma once\n"}, ("head comment begins '// base/a.hpp: '",)),
    ({"base/a.cpp": SPDX + '#include "base/a.hpp"\n', A: header(A)}, ()),
    ({"base/a.cpp": SPDX + "#include <vector>\n"}, ("head comment",)),
    ({A: header(A).replace("#pragma once", "")}, ("no #pragma once",)),
    ({A: header(A, "// " + "x" * 97 + "\n")}, ()),
    ({A: header(A, "// " + "x" * 98 + "\n")}, ("101 columns",)),
    ({A: header(A, "// " + "\u00e9" * 97 + "\n")}, ()),  # characters count, not bytes
    ({"CMakeLists.txt": "# " + "x" * 99 + "\n"}, ("101 columns",)),
    ({A: header(A, "int x; \n")}, ("ends in spaces",)),
    ({A: header(A, lines_of(395, "//\n"))}, ()),
    ({A: header(A, lines_of(396, "//\n"))}, ("401 lines; the limit is 400",)),
    ({"tests/a.hpp": header("tests/a.hpp", lines_of(395, "//\n"))}, ()),
    ({"tests/a.hpp": header("tests/a.hpp", lines_of(396, "//\n"))}, ("401 lines",)),
    ({A: header(A, "// TODO(perf): less.\n")}, ()),
    ({A: header(A, "// TODO: less.\n")}, ("write TODO(kind):",)),
    ({A: header(A, "// FIXME(perf): less.\n")}, ("write TODO(kind):",)),
    ({A: header(A, '// see "/root/x"\n')}, ("path of one machine",)),
    ({A: header(A, '// see /home/x\n')}, ("path of one machine",)),
    ({A: header(A, '// see http/home/x and ../tmp/x\n')}, ()),
    ({"tests/a.hpp": header("tests/a.hpp", '// "/tmp/x"\n')}, ()),
]


def function(count: int, signature: str = "void f()") -> str:
    """A function of `count` lines, from signature to closing brace."""
    return signature + " {\n" + lines_of(count - 2) + "}\n"


C = "base/c.cpp"
TOO_LONG = ("a function of 71 lines",)
FUNCTIONS = [
    ({C: cpp(C, function(70))}, ()),
    ({C: cpp(C, function(71))}, TOO_LONG),
    ({C: cpp(C, "namespace a {\nstruct S : T<int> {\n" + function(71) + "};\n}\n")}, TOO_LONG),
    ({C: cpp(C, "namespace {\nclass S {\n" + function(70) + function(70) + "};\n}\n")}, ()),
    ({C: cpp(C, "template <class T>\n" + function(70))}, TOO_LONG),
    ({C: cpp(C, function(71, "bool g(struct stat& s)"))}, TOO_LONG),
    ({C: cpp(C, function(71, "S::S(int a) : a_(a), b_(0)"))}, TOO_LONG),
    ({C: cpp(C, function(71, "auto f() -> int"))}, TOO_LONG),
    ({C: cpp(C, function(71, "TEST(Name, Case)"))}, TOO_LONG),
    ({C: cpp(C, "constexpr auto f = [](int a) {\n" + lines_of(69) + "};\n")}, TOO_LONG),
    ({C: cpp(C, "void f() {\n  auto g = [] {\n" + lines_of(67) + "  };\n}\n")}, TOO_LONG),
    ({C: cpp(C, "constexpr Row rows[] = {\n" + lines_of(90, "    {f(1), 2},\n") + "};\n")}, ()),
    ({C: cpp(C, "void f() {\n  g('{', \"{\", R\"({)\");  // {\n}\n" + function(70))}, ()),
    ({C: cpp(C, "class S {\n" + lines_of(90, "  int f(int);\n") + "};\n")}, ()),
    ({C: cpp(C, "enum class E {\n" + lines_of(90, "  a,  // (b)\n") + "};\n")}, ()),
    ({C: cpp(C, "template <class T>\nconcept K = requires(T t) {\n" + lines_of(80) + "};\n")}, ()),
]

UNUSED = ("is taken and never used",)


def naming_xen(path: str, body: str) -> dict[str, str]:
    """A tree with a target of that name, and this header."""
    return {path: header(path, body), "targets/xen/a.hpp": header("targets/xen/a.hpp", "")}


NAMES = [
    ({C: cpp(C, "using a::b;\nnamespace fs = std::filesystem;\nint c = b + fs::d;\n")}, ()),
    ({C: cpp(C, "using a::b;\n// b\nint c = a::b + d.b + d->b + bb;\n")}, UNUSED),
    ({C: cpp(C, "  using a::e::b;\n")}, UNUSED),
    ({C: cpp(C, "namespace fs = std::filesystem;\nstd::filesystem::path p;\n")}, UNUSED),
    ({C: cpp(C, "  using a::b;\n  c.b();\n")}, ()),
    ({C: cpp(C, "  using E::E;\n")}, ()),
    ({"base/c.hpp": header("base/c.hpp", "using a::b;\n")}, ()),
    # The parts of a configuration know no target.
    (naming_xen("config/a.hpp", "// xen\nint xenstore;\n"), ()),
    (naming_xen("crunch/run/a.hpp", "int xen;\n"), ()),
    (naming_xen("config/a.hpp", '#if TARGET == "xen"\n#endif\n'), ("the target 'xen'",)),
    (naming_xen("config/a.hpp", "#ifdef CRUNCH_XEN\n#endif\n"), ("the target 'XEN'",)),
    (naming_xen("examples/a/config.hpp", "xen_target::Platform p;\n"), ("the target 'xen'",)),
]

LIST = "base/CMakeLists.txt"
HEADERS = [
    ({A: header(A, "#include <vector>\nusing V = std::vector<int>;\n")}, ()),
    ({A: header(A, "using V = std::vector<int>;\n")}, ("does not compile alone",)),
    ({A: header(A, "struct S {};\n").replace("#pragma once", "")}, ("does not compile alone",)),
    # Its source shows it, if the build has that.
    ({A: header(A, "using V = std::vector<int>;\n"), "base/a.cpp": "", LIST: "x(a a.cpp)"}, ()),
    ({A: header(A, "using V = std::vector<int>;\n"), "base/a.cpp": "", LIST: "x(a ba.cpp)"},
     ("does not compile alone",)),
]

FORMAT = [
    ({A: "int f(int a);\n"}, ()),
    ({A: "int  f( int a );\n"}, ("code should be clang-formatted",)),
]

SHELL = [
    ({"scripts/a": '#!/bin/bash\nset -e\necho "$1"\n'}, ()),
    ({"scripts/a": "#!/bin/bash\nrm $1\n"}, ("SC2086",)),
]

PYTHON = [
    ({"tests/a.py": "import os\nprint(os.getpid())\n"}, ()),
    ({"tests/a.py": "import os\n"}, ("'os' imported but unused",)),
    ({"scripts/a": "#!/usr/bin/env python3\nprint(b)\n"}, ("undefined name 'b'",)),
    ({"tests/a.py": "def f(:\n"}, ("invalid syntax",)),
]

TABLES = {
    "includes": (check_includes.check, INCLUDES),
    "dead_headers": (check_includes.check_dead_headers, DEAD_HEADERS),
    "text": (check_text.check, TEXT),
    "functions": (check_functions.check, FUNCTIONS),
    "names": (check_names.check, NAMES),
    "headers": (check_headers.check, HEADERS),
    "format": (check_tools.check_format, FORMAT),
    "shell": (check_tools.check_shell, SHELL),
    "python": (check_tools.check_python, PYTHON),
}


def run_case(check, files: dict[str, str], expected: tuple[str, ...]) -> str | None:
    """None, or what is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        house = pathlib.Path(__file__).resolve().parents[2]
        (root / ".clang-format").write_text((house / ".clang-format").read_text())
        found = [str(finding) for finding in check(Tree(root))]
    missing = [text for text in expected if not any(text in one for one in found)]
    extra = [one for one in found if not any(text in one for text in expected)]
    if missing or extra:
        return f"expected {expected}, found {found}\n  in {files}"
    return None


def main() -> int:
    wrong = 0
    for name, (check, table) in TABLES.items():
        for number, (files, expected) in enumerate(table):
            try:
                trouble = run_case(check, files, expected)
            except check_tools.Missing as missing:
                print(f"{name}: {missing}")
                break
            if trouble:
                wrong += 1
                print(f"{name}[{number}]: {trouble}")
        print(f"{name}: {len(table)} cases")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
