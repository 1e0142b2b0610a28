# SPDX-License-Identifier: ISC
"""Names that a source takes from elsewhere, by `using a::b;` or `namespace b = a;`, and never uses.
clang-tidy sees this, too, but not where scripts/tidy lets it read several files as one.

And names of targets in what is chosen by what a target offers, and never by its name."""

import re

from tree import Finding, Tree, blank_comments_and_strings

_TAKEN = re.compile(r"^([ \t]*)(?:using (?:\w+::)*?(\w+)::(\w+)|namespace (\w+) = [\w:]+);",
                    re.MULTILINE)

_FOR_EVERY_TARGET = ("config/", "site-example/", "examples/")


def check_targets(tree: Tree) -> list[Finding]:
    names = {path.split("/")[1] for path in tree.files if path.count("/") > 1
             and path.startswith("targets/")} - {"libos"}
    named = re.compile(rf"(?<![a-z])({'|'.join(sorted(names)) or '(?!)'})(?![a-z])", re.IGNORECASE)
    findings = []
    for path in tree.cpp():
        if not path.startswith(_FOR_EVERY_TARGET):
            continue
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            if found := named.search(line.partition("//")[0]):
                findings.append(Finding(path, number, f"names the target '{found.group(1)}'"))
    return findings


def check(tree: Tree) -> list[Finding]:
    findings = check_targets(tree)
    for path in tree.cpp():
        if not path.endswith(".cpp"):
            continue  # a header takes names for others
        text = blank_comments_and_strings(tree.text(path))
        for taken in _TAKEN.finditer(text):
            indented, of, name = taken.group(1), taken.group(2), taken.group(3) or taken.group(4)
            if of == name:
                continue  # a base's constructors
            # In a class, what is taken may be a member, which is then used through an object.
            before = "" if indented else r"(?<!::)(?<!\.)(?<!->)"
            rest = text[:taken.start()] + text[taken.end():]
            if not re.search(rf"{before}\b{name}\b", rest):
                line = text.count("\n", 0, taken.start(1)) + 1
                findings.append(Finding(path, line, f"'{name}' is taken and never used"))
    return findings
