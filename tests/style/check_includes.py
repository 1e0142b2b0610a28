# SPDX-License-Identifier: ISC
"""Who may include what: the table of the design's folders. Includes point down, never sideways.

Two tables: HOUSE for the module's own headers, by the folder that includes; FOREIGN for everyone
else's, by the header.
"""

import fnmatch
import pathlib
import re

from tree import RUNTIME, Finding, Tree

FLOWS = ["net/flow.hpp", "net/pieces.hpp", "net/ready_flows.hpp", "net/stack.hpp",
         "net/endpoint.hpp", "net/connector.hpp"]

# The tool's side of a target: linked into the tool, never into an image.
TOOL_SIDE = ["base/*", "solo5/*", "crunch/run/runner.hpp", "crunch/build/*",
             "crunch/failure.hpp", "crunch/files.hpp", "crunch/process.hpp"]

# The including file or its folder (the longest that fits counts) -> patterns of what it may include
# besides its own folder. "*" does not cross a "/". None: everything.
HOUSE: dict[str, list[str] | None] = {
    "base": [],
    "crypto": ["base/*"],
    "block": ["base/*"],
    "block/*": ["base/*", "block/*.hpp"],
    "kv": ["base/*", "crypto/*"],
    # The concepts and what stores share, never another store.
    "kv/*": ["base/*", "crypto/*", "kv/*.hpp", "block/block.hpp"],
    # An archive by crunch pack has the index of a crunched site.
    "kv/tar": ["base/*", "crypto/*", "kv/*.hpp", "block/block.hpp", "kv/crunched/index.hpp"],
    "net": ["base/*", "crypto/*"],
    "net/*": ["base/*", "crypto/*", "net/*.hpp"],  # never another stack
    "tls": ["base/*", "crypto/*", *FLOWS],
    "http": ["base/*", "crypto/*", "kv/kv.hpp", "kv/reading.hpp", "kv/fields.hpp",
             "kv/field_pool.hpp", *FLOWS],
    "acme": ["base/*", "crypto/*", "kv/*.hpp", "net/*.hpp", "tls/*", "http/client/*"],
    "config": ["base/*"],  # the language knows no module
    # Where modules meet.
    "config/parts": ["base/*", "crypto/*", "block/**", "kv/**", "net/**", "tls/**", "http/**",
                     "acme/**", "config/*"],
    "solo5": ["base/*"],
    "tender": ["base/*", "solo5/*"],
    "targets": ["base/*", "config/*"],  # main.cpp
    "targets/*": ["base/*", "net/device.hpp", "block/block.hpp", "solo5/*", "targets/libos/**",
                  "config/target.hpp", "config/machine.hpp", "config/boot.hpp",
                  "config/management.hpp"],
    # The tool's side of a target.
    "targets/*/host": TOOL_SIDE,
    "targets/*/*/host": TOOL_SIDE,
    # Host settings are read as a store.
    "targets/xen/vm_data.cpp": ["base/*", "kv/xenstore/*", "targets/xen/*"],
    "targets/libos": ["base/*", "block/block.hpp"],
    "crunch": ["base/*", "config/*", "crypto/*", "block/**", "kv/**", "http/mime.hpp",
               "http/caching.hpp", "http/head.hpp", "http/options.hpp", "http/site/*",
               "http/target.hpp", "tls/anchors.hpp", "tls/certificates.hpp", "acme/client.hpp"],
    "crunch/inspect/solo5.cpp": ["base/*", "crunch/**", "solo5/abi.hpp"],
    "crunch/config/parts.hpp": ["config/parts/parts.hpp"],
    # Whatever a server would answer.
    "crunch/check": ["base/*", "kv/*", "http/*", "http/site/*"],
    "crunch/route": ["http/*", "http/site/*"],
    # The local preview is a server of its own.
    "crunch/serve": ["base/*", "kv/**", "net/**", "tls/**", "http/**", "targets/unix/*"],
    "site-example": None,
    "examples": None,
    "tests": None,
    "bench": None,
}

# The first pattern that fits a foreign header -> who may include it. Standard C++ is no one's
# business, except for the headers named here.
FOREIGN: list[tuple[str, list[str]]] = [
    ("boost/beast*", ["http/parser.cpp", "http/client/parser.cpp"]),
    ("boost/asio*", ["net/sockets/*"]),
    ("boost/*", ["http/parser.cpp", "http/client/parser.cpp", "net/sockets/*"]),
    ("mbedtls/*", ["tls/*.cpp", "tls/signature_hook.h"]),
    ("psa/*", ["tls/*.cpp"]),
    ("nghttp2/*", ["http/h2/session.cpp"]),
    ("sodium/*", ["crypto/*.cpp"]),
    ("nettle/*", ["crypto/*.cpp"]),
    ("intel-ipsec-mb.h", ["crypto/*.cpp"]),
    ("gmp.h", ["crypto/gmp.hpp"]),
    ("openssl/*", ["crunch/certificate/*.cpp"]),
    ("zstd*.h", ["crunch/**.cpp"]),
    ("brotli/*", ["crunch/**.cpp"]),
    ("libdeflate.h", ["crunch/**.cpp"]),
    ("CLI/*", ["crunch/**"]),
    ("tl/*", ["base/result.hpp"]),
    ("lwip/*", ["net/lwip/*", "net/lwip/port/*"]),
    ("netif/*", ["net/lwip/*"]),
    ("xen/*", ["targets/xen/*"]),
    ("gtest/*", []),
    ("gmock/*", []),
    ("benchmark/*", []),
    # The texts of addresses, which need no kernel.
    ("arpa/inet.h", ["targets/**", "net/sockets/*", "crunch/**", "net/endpoint.cpp"]),
    # The kernel below, on the one target that has one. (errno.h and the like are standard C.)
    *[(header, ["targets/**", "tender/*", "net/sockets/*", "kv/directory/*", "block/file/*",
                "crunch/**", "base/descriptor.hpp", "config/system_calls.hpp"])
      for header in ("sys/*", "linux/*", "netinet/*", "arpa/*", "net/*", "unistd.h", "fcntl.h",
                     "poll.h", "pthread.h", "signal.h", "dirent.h", "netdb.h", "sched.h",
                     "termios.h", "ifaddrs.h", "dlfcn.h")],
]

# Folders whose folders have rows of their own.
OF_MODULES = ("block", "config", "kv", "net", "targets")

# Half a megabyte of locales in every image.
BANNED_AT_RUN_TIME = {"iostream"}

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(<[^>]+>|"[^"]+")', re.MULTILINE)


def includes_of(tree: Tree, path: str) -> list[tuple[int, str, bool]]:
    """(line, header, quoted) of each include line."""
    text = tree.text(path)
    return [(text.count("\n", 0, m.start()) + 1, m.group(1)[1:-1], m.group(1)[0] == '"')
            for m in _INCLUDE.finditer(text)]


def fits(path: str, pattern: str) -> bool:
    """fnmatch in which "*" stays within a folder and "**" does not."""
    if "**" in pattern:
        before, after = pattern.split("**", 1)
        return path.startswith(before) and fnmatch.fnmatchcase(path[len(before):], "*" + after)
    return path.count("/") == pattern.count("/") and fnmatch.fnmatchcase(path, pattern)


def rule_for(folder: str) -> tuple[str, list[str] | None] | None:
    """The row of HOUSE for a file or folder: its own, or that of the nearest folder above."""
    while folder:
        exact = [row for row in HOUSE if row == folder]
        if "." not in folder:
            exact += [row for row in HOUSE if "*" in row and fits(folder, row)]
        if exact:
            return exact[0], HOUSE[exact[0]]
        folder = folder.rpartition("/")[0]
    return None


def check_module(path: str, line: int, header: str, own_module: str) -> list[Finding]:
    if "/" not in header:
        return [Finding(path, line, f'"{header}": include from the root, as "folder/{header}"')]
    if header.startswith(own_module + "/") and (
            own_module not in OF_MODULES or header.count("/") == 1):
        return []
    rule = rule_for(path)
    if rule is None:
        return [Finding(path, line, f'"{header}": this folder has no row in the include table')]
    row, allowed = rule
    if allowed is None or any(fits(header, pattern) for pattern in allowed):
        return []
    return [Finding(path, line, f'"{header}": {row} may not include this')]


def check_foreign(path: str, line: int, header: str) -> list[Finding]:
    if path.startswith(tuple(folder + "/" for folder in RUNTIME)) and header in BANNED_AT_RUN_TIME:
        return [Finding(path, line, f"<{header}> costs every image half a megabyte")]
    if path.startswith(("tests/", "bench/", "site-example/")):
        return []
    for pattern, who in FOREIGN:
        if fnmatch.fnmatchcase(header, pattern):
            if any(fits(path, one) for one in who):
                return []
            return [Finding(path, line, f"<{header}> is only for {', '.join(who) or 'tests'}")]
    return []


def own_module(path: str) -> str:
    """Within this folder, includes are free: base, http, kv (not below), kv/crunched, ..."""
    parts = path.split("/")
    if parts[0] in OF_MODULES:
        return "/".join(parts[:-1]) if len(parts) < 3 else "/".join(parts[:2])
    return "config" if path.startswith("config/") else parts[0]


def check_own_header_first(tree: Tree, path: str) -> list[Finding]:
    if not path.endswith(".cpp"):
        return []
    own = path[:-4] + ".hpp"
    listed = includes_of(tree, path)
    if own in tree.files and (not listed or listed[0][1] != own):
        return [Finding(path, listed[0][0] if listed else 1, f'includes "{own}" first')]
    return []


def check(tree: Tree) -> list[Finding]:
    findings = []
    for path in tree.cpp():
        if "/" not in path:
            continue
        folder = own_module(path)
        for line, header, quoted in includes_of(tree, path):
            if quoted:
                findings += check_module(path, line, header, folder)
            else:
                findings += check_foreign(path, line, header)
        findings += check_own_header_first(tree, path)
    return findings


# Headers that are included by macro, and what users' configurations include.
NAMED_BY_MACRO = ["crunch/config/parts.hpp", "site-example/*.hpp", "examples/*/config.hpp",
                  "targets/*/target.hpp", "targets/unix/tap/target.hpp",
                  "tests/config/host/target.hpp", "tests/probe/config.hpp",
                  "tests/image/sandbox/config.hpp", "bench/disk/config.hpp",
                  # Worlds of the laws that run on several models, by CMake.
                  "tests/targets/unix/tap_world.hpp", "tests/tls/client_lwip_world.hpp",
                  "tests/tls/lwip_world.hpp"]


def check_dead_headers(tree: Tree) -> list[Finding]:
    """Headers that nothing includes."""
    included = {header for path in tree.cpp() for _, header, quoted in includes_of(tree, path)
                if quoted}
    return [Finding(path, 0, "no file includes this header")
            for path in tree.cpp()
            if pathlib.PurePath(path).suffix == ".hpp" and path not in included
            and not any(fits(path, pattern) for pattern in NAMED_BY_MACRO)]
