# SPDX-License-Identifier: ISC
"""What other programs check: clang-format 14 for C++, shellcheck for the scripts."""

import shutil
import subprocess

from tree import Finding, Tree


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
    lines = [line for line in done.stdout.decode(errors="replace").splitlines()
             if "error:" in line or ": note:" in line or ": warning:" in line]
    return [Finding(tool, 0, line) for line in lines or ["failed without a word"]]


def check_format(tree: Tree) -> list[Finding]:
    return run(tree, "clang-format-14", ["--dry-run", "--Werror", "--style=file"], tree.cpp())


def check_shell(tree: Tree) -> list[Finding]:
    return run(tree, "shellcheck", ["-x", "--format=gcc"], tree.scripts("bash"))
