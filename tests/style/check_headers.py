# SPDX-License-Identifier: ISC
"""Every header compiles alone, included twice. One compiler is enough: .ci/run builds everything
with the other one too. What the build shows is not done again: a .cpp file includes its own header
before anything else (check_includes.py). And what a header includes of the standard library, itself
or by headers of the house, may come first: precompiled, for all that include the same."""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from tree import Finding, Tree, is_test

COMPILERS = ("g++", "clang++-16")  # the first that is there
FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror",
         "-Wno-error=cpp",  # a header that says what replaces it
         # A configuration is read for a target; any will do.
         '-DCRUNCH_TARGET="targets/unix/target.hpp"']

COMMON = {"array", "chrono", "concepts", "coroutine", "cstddef", "cstdint", "exception", "optional",
          "span", "string", "string_view", "tl/expected.hpp", "type_traits", "utility", "vector"}
COMMON_MIN = 8  # headers that have them all, for it to be worth its time


def lwip_folders(tree: Tree) -> list[str]:
    """Where lwIP's headers are, if its source is cached."""
    fetch = tree.root / "scripts" / "fetch-lwip"
    if not fetch.exists():
        return []
    run = subprocess.run([fetch, "--cached"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         timeout=120, check=False)
    source = pathlib.Path(run.stdout.decode().strip())
    return [str(source / "src/include"), str(tree.root / "net/lwip/port")] if run.stdout else []


def shows_lwip(tree: Tree, path: str) -> bool:
    return "#include <lwip/" in tree.text(path)


def is_built(tree: Tree, path: str) -> bool:
    """Is there a source of this header that the build compiles? Tests' may have a precompiled
    header before their own."""
    source = pathlib.PurePath(path).with_suffix(".cpp")
    if is_test(path) or str(source) not in tree.files:
        return False
    return any(re.search(rf"(?<![\w.-]){re.escape(source.name)}(?![\w.-])", tree.text(lists))
               for lists in tree.files if pathlib.PurePath(lists).name == "CMakeLists.txt")


def foreign_includes(tree: Tree, path: str, seen: set[str]) -> set[str]:
    """What it includes in angle brackets, and what the headers of the house do that it includes."""
    seen.add(path)
    found: set[str] = set()
    for bracket, name in re.findall(r'^#include ([<"])([^>"]+)', tree.text(path), re.MULTILINE):
        if bracket == "<":
            found.add(name)
        elif name in tree.files and name not in seen:
            found |= foreign_includes(tree, name, seen)
    return found


def precompiled_common(tree: Tree, command: list[str], headers: list[str], folder: str) -> dict:
    """Header -> the words that have COMMON read first, for those that include all of it."""
    having = [path for path in headers if COMMON <= foreign_includes(tree, path, set())]
    if "g++" not in command or len(having) < COMMON_MIN:
        return {}
    common = pathlib.Path(folder) / "common.hpp"
    common.write_text("".join(f"#include <{name}>\n" for name in sorted(COMMON)))
    words = [word for word in command if word != "-fsyntax-only"]
    subprocess.run([*words, "-x", "c++-header", common, "-o", f"{common}.gch"], check=True,
                   timeout=120)
    return dict.fromkeys(having, ["-include", str(common), "-Winvalid-pch"])


def compile_alone(command: list[str], path: str) -> list[Finding]:
    source = f'#include "{path}"\n#include "{path}"  // and once more\n'
    run = subprocess.run([*command, "-x", "c++", "-"], input=source.encode(),
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=120,
                         check=False)
    if run.returncode == 0:
        return []
    lines = run.stderr.decode(errors="replace").splitlines()
    first = next((line for line in lines if "error" in line), lines[0] if lines else "no message")
    return [Finding(path, 0, f"does not compile alone with {command[0]}: {first}")]


def check(tree: Tree) -> list[Finding]:
    compiler = next((name for name in COMPILERS if shutil.which(name)), None)
    if compiler is None:
        return [Finding(".", 0, f"none of {', '.join(COMPILERS)} is installed")]
    headers = [path for path in tree.cpp() if path.endswith(".hpp") and not is_built(tree, path)]
    lwip = lwip_folders(tree)
    if not lwip:
        headers = [path for path in headers if not shows_lwip(tree, path)]
    system = [word for folder in lwip for word in ("-isystem", folder)]
    command = [compiler, *FLAGS, "-I", str(tree.root), *system]
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        first = precompiled_common(tree, command, headers, folder)
        jobs = [pool.submit(compile_alone, [*command, *first.get(path, [])], path)
                for path in headers]
        return [finding for job in jobs for finding in job.result()]
