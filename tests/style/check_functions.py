# SPDX-License-Identifier: ISC
"""Functions are at most 70 lines, from the signature to the closing brace.

Not a parser: clang-format has laid the code out, so braces and what stands before them tell enough.
A body is a brace that is not a namespace's, a type's or an initializer's, in a place where every
brace around it is a namespace's or a type's. What is inside, lambdas too, counts to it.
"""

import re

from tree import Finding, Tree, blank_comments_and_strings

FUNCTION_LINES_MAX = 70

_SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern|concept)\b")


def is_body(before: str) -> bool:
    """Whether a brace that follows this text (since the last ; { or }) opens a function."""
    before = re.sub(r"^\s*#.*$", "", before, flags=re.MULTILINE).strip()
    if "(" not in before or before.endswith(("=", ",", "(", "return")):
        return False
    # `struct Name {`; but `auto f(struct stat* s) {` and `template <class T> void f(T t) {` are
    # functions: the words in question stand before the first parenthesis and outside <>.
    head = before
    while (shorter := re.sub(r"<[^<>]*>", "", head)) != head:
        head = shorter
    head = re.sub(r"\b(alignas|decltype|requires|__attribute__|explicit)\s*\([^()]*\)", "", head)
    first = head.split("(", 1)[0]
    return "(" in head and not (_SCOPE.search(first) and "=" not in first)


def bodies(text: str):
    """(first line, last line) of each function, counted from 1."""
    code = blank_comments_and_strings(text)
    code = re.sub(r"^[ \t]*#.*(?:\\\n.*)*$", lambda m: re.sub(r"[^\n]", " ", m.group(0)), code,
                  flags=re.MULTILINE)
    stack: list[int | None] = []  # for each open brace: where its function began, or None
    inside = 0  # open braces that belong to a function or an initializer
    since = 0
    for match in re.finditer(r"[{};]", code):
        at, char = match.start(), match.group(0)
        if char == "{":
            before = code[since:at]
            begin = None
            if inside == 0 and is_body(before):
                begin = since + len(before) - len(before.lstrip())
            scope = inside == 0 and begin is None and bool(_SCOPE.search(before))
            if not scope:
                inside += 1
            stack.append(begin if not scope else -1)
            since = at + 1
        elif char == "}":
            if not stack:
                return
            begin = stack.pop()
            if begin != -1:
                inside -= 1
            if begin is not None and begin >= 0:
                yield code.count("\n", 0, begin) + 1, code.count("\n", 0, at) + 1
            since = at + 1
        elif inside == 0:
            since = at + 1


def check(tree: Tree) -> list[Finding]:
    findings = []
    for path in tree.cpp():
        for first, last in bodies(tree.text(path)):
            if last - first + 1 > FUNCTION_LINES_MAX:
                findings.append(Finding(path, first, f"a function of {last - first + 1} lines; "
                                        f"the limit is {FUNCTION_LINES_MAX}"))
    return findings
