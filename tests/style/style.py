#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""tests/style/style.py CHECK [ROOT]: one check of the house's style on the whole tree.

Prints a line for each finding; exit 0 without any, 1 with some, 77 when the check cannot run here.
selftest.py shows of each check that it can fail.
"""

import pathlib
import sys

import check_functions
import check_headers
import check_includes
import check_names
import check_text
import check_tools
from tree import Tree

CHECKS = {
    "includes": check_includes.check,
    "dead_headers": check_includes.check_dead_headers,
    "text": check_text.check,
    "functions": check_functions.check,
    "names": check_names.check,
    "headers": check_headers.check,
    "format": check_tools.check_format,
    "shell": check_tools.check_shell,
    "python": check_tools.check_python,
}


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] not in CHECKS:
        print(__doc__, "Checks:", ", ".join(CHECKS), file=sys.stderr)
        return 2
    root = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else __file__).resolve()
    if root.is_file():
        root = root.parents[2]
    tree = Tree(root)
    if not tree.cpp():
        print(f"no C++ file found below {root}: nothing was checked", file=sys.stderr)
        return 1
    try:
        findings = CHECKS[sys.argv[1]](tree)
    except check_tools.Missing as missing:
        print(f"SKIPPED: {missing}")
        return 77
    for finding in findings:
        print(finding)
    print(f"{sys.argv[1]}: {len(findings)} findings in {len(tree.files)} files")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
