# SPDX-License-Identifier: ISC
"""The files of the house, as the style checks see them."""

import os
import pathlib
import re
import subprocess
from dataclasses import dataclass

CPP = {".cpp", ".hpp", ".c", ".h"}
# Rooms whose objects are linked into images.
RUNTIME = ("acme", "base", "kv", "net", "http", "tls", "config", "tender", "targets")


@dataclass(frozen=True)
class Finding:
    """One broken rule: what a check returns a list of."""

    path: str
    line: int  # 0: the whole file
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}" if self.line else f"{self.path}: {self.text}"


class Tree:
    """A repository, or a small bad one made by selftest.py."""

    def __init__(self, root: pathlib.Path):
        self.root = root
        self.files = sorted(path for path in self._list() if (root / path).is_file())
        self._texts: dict[str, str] = {}

    def _list(self):
        """Committed and new files as git knows them; in an exported tree, all but build folders."""
        if (self.root / ".git").exists():
            out = subprocess.run(
                ["git", "-C", str(self.root), "-c", "safe.directory=*", "ls-files", "-z",
                 "--cached", "--others", "--exclude-standard"],
                stdout=subprocess.PIPE, check=True).stdout
            return {name.decode() for name in out.split(b"\0") if name}
        found = set()
        for folder, folders, names in os.walk(self.root):
            folders[:] = [f for f in folders if not f.startswith("build") and f != ".git"]
            found.update(os.path.relpath(os.path.join(folder, n), self.root) for n in names)
        return found

    def text(self, path: str) -> str:
        if path not in self._texts:
            data = (self.root / path).read_bytes()
            self._texts[path] = data.decode("utf-8", errors="surrogateescape")
        return self._texts[path]

    def cpp(self) -> list[str]:
        return [path for path in self.files if pathlib.PurePath(path).suffix in CPP]

    def scripts(self, interpreter: str) -> list[str]:
        """Files that `interpreter` runs (by their first line), and what those source."""
        shebang = re.compile(rf"#!.*\b{interpreter}")
        directive = f"# shellcheck shell={interpreter}"
        found = []
        for path in self.files:
            if pathlib.PurePath(path).suffix not in ("", ".sh", ".py"):
                continue
            head = self.text(path)[:200]
            if shebang.match(head) or directive in head:
                found.append(path)
        return found


def is_test(path: str) -> bool:
    return path.startswith(("tests/", "bench/"))


def blank_comments_and_strings(text: str) -> str:
    """The same text, line for line and column for column, with the inside of comments, strings and
    character literals replaced by spaces, so that braces and words found in it are code."""
    token = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"([^()\\\s]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
        r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.DOTALL)
    return token.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), text)
