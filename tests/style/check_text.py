# SPDX-License-Identifier: ISC
"""What can be seen line by line: licence, width, length of files, TODOs, paths of one machine."""

import pathlib
import re

from tree import CPP, Finding, Tree

COLUMNS_MAX = 100
LINES_MAX = 400

# Text that people write by hand and that must be narrow.
NARROW = CPP | {".py", ".sh", ".cmake"}

_TODO = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(\([a-z]+\):)?")
_MACHINE = re.compile(r"(?<![\w.:/])/(work|root|home|tmp)/[\w.]")


def is_source(tree: Tree, path: str) -> bool:
    pure = pathlib.PurePath(path)
    if "htdocs" in pure.parts:
        return False
    return (pure.suffix in NARROW or pure.name == "CMakeLists.txt"
            or pure.suffix == "" and tree.text(path).startswith("#!"))


def check_licence(tree: Tree, path: str) -> list[Finding]:
    if path.endswith((".cmake", "CMakeLists.txt")):
        return []
    mark = "// " if pathlib.PurePath(path).suffix in CPP else "# "
    lines = tree.text(path).splitlines()
    if lines and lines[0].startswith("#!"):
        lines = lines[1:]
    if not lines or lines[0] != mark + "SPDX-License-Identifier: ISC":
        return [Finding(path, 1, f"starts with '{mark}SPDX-License-Identifier: ISC'")]
    return []


def check_head_comment(tree: Tree, path: str) -> list[Finding]:
    """A C++ file says on its second line what it is; a header's begins with its own path, and a
    .cpp beside its header need say nothing."""
    if pathlib.PurePath(path).suffix not in CPP:
        return []
    if path.endswith(".cpp") and path[:-4] + ".hpp" in tree.files:
        return []
    lines = tree.text(path).splitlines()
    begin = f"// {path}: " if path.endswith(".hpp") else "// "
    if len(lines) < 2 or not lines[1].startswith(begin):
        return [Finding(path, 2, f"the head comment begins '{begin}'")]
    return []


def check_lines(tree: Tree, path: str) -> list[Finding]:
    findings = []
    lines = tree.text(path).splitlines()
    if len(lines) > LINES_MAX:
        findings.append(Finding(path, 0, f"{len(lines)} lines; the limit is {LINES_MAX}"))
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            findings.append(Finding(path, number, f"{len(line)} columns; the limit is 100"))
        if line != line.rstrip():
            findings.append(Finding(path, number, "ends in spaces"))
        if path.startswith("tests/style/"):
            continue  # which speaks of the rules below
        for todo in _TODO.finditer(line):
            if todo.group(1) != "TODO" or not todo.group(2):
                findings.append(Finding(path, number, f"{todo.group(1)}: write TODO(kind):"))
        if not path.startswith("tests/") and (machine := _MACHINE.search(line)):
            what = f"{machine.group(0)}... is a path of one machine"
            findings.append(Finding(path, number, what))
    return findings


def check_pragma_once(tree: Tree, path: str) -> list[Finding]:
    if not path.endswith(".hpp") or re.search(r"^#pragma once$", tree.text(path), re.MULTILINE):
        return []
    return [Finding(path, 0, "has no #pragma once")]


def check(tree: Tree) -> list[Finding]:
    findings = []
    for path in tree.files:
        if not is_source(tree, path):
            continue
        for one in (check_licence, check_head_comment, check_lines, check_pragma_once):
            findings += one(tree, path)
    return findings
