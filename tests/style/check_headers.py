# SPDX-License-Identifier: ISC
"""Every header compiles alone, included twice. One compiler is enough: .ci/run builds everything
with the other one too. What the build shows is not done again: a .cpp file includes its own header
before anything else (check_includes.py)."""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess

from tree import Finding, Tree, is_test

COMPILERS = ("g++", "clang++-16")  # the first that is there
FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror",
         # A configuration is read for a target; any will do.
         '-DCRUNCH_TARGET="targets/unix/target.hpp"']


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


def compile_alone(tree: Tree, compiler: str, path: str, folders: list[str]) -> list[Finding]:
    source = f'#include "{path}"\n#include "{path}"  // and once more\n'
    system = [word for folder in folders for word in ("-isystem", folder)]
    run = subprocess.run([compiler, *FLAGS, "-I", str(tree.root), *system, "-x", "c++", "-"],
                         input=source.encode(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                         timeout=120, check=False)
    if run.returncode == 0:
        return []
    lines = run.stderr.decode(errors="replace").splitlines()
    first = next((line for line in lines if "error" in line), lines[0] if lines else "no message")
    return [Finding(path, 0, f"does not compile alone with {compiler}: {first}")]


def check(tree: Tree) -> list[Finding]:
    compiler = next((name for name in COMPILERS if shutil.which(name)), None)
    if compiler is None:
        return [Finding(".", 0, f"none of {', '.join(COMPILERS)} is installed")]
    headers = [path for path in tree.cpp() if path.endswith(".hpp") and not is_built(tree, path)]
    lwip = lwip_folders(tree)
    if not lwip:
        headers = [path for path in headers if not shows_lwip(tree, path)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(compile_alone, tree, compiler, path, lwip) for path in headers]
        return [finding for job in jobs for finding in job.result()]
