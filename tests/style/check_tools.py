# SPDX-License-Identifier: ISC
"""What other programs check: C++ by clang-format 14, scripts by shellcheck, Python by pyflakes."""

import pathlib
import re
import shutil
import subprocess

from tree import Finding, Tree

# FILE:LINE:COLUMN: what is wrong
FOUND = re.compile(r"[^ :]+:\d+:\d+:? ")


class Missing(Exception):
    """The program is not installed: the test is skipped, with this text as the reason."""


def run(tree: Tree, tool: str, options: list[str], files: list[str]) -> list[Finding]:
    if not shutil.which(tool):
        raise Missing(f"{tool} is not installed (scripts/deps test)")
    if not files:
        return []
    done = subprocess.run([tool, *options, *files], cwd=tree.root, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=300, check=False)
    if done.returncode == 0:
        return []
    said = done.stdout.decode(errors="replace").splitlines()
    lines = [line for line in said if FOUND.match(line)]
    return [Finding(tool, 0, line) for line in lines or ["failed without a word"]]


def check_format(tree: Tree) -> list[Finding]:
    return run(tree, "clang-format-14", ["--dry-run", "--Werror", "--style=file"], tree.cpp())


def check_shell(tree: Tree) -> list[Finding]:
    return run(tree, "shellcheck", ["-x", "--format=gcc"], tree.scripts("bash"))


def check_python(tree: Tree) -> list[Finding]:
    """Names that nothing defines, imports that nothing uses."""
    files = set(tree.scripts("python3"))
    files.update(path for path in tree.files if pathlib.PurePath(path).suffix == ".py")
    return run(tree, "pyflakes3", [], sorted(files))
