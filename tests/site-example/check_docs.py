#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Holds what people read against what there is: README.md, docs/*.md and the site's pages.

    check_docs.py ROOT CRUNCH [IMAGE]

Every path of this repository that they name is there (a pattern matches something); every link
between documents leads somewhere; every subcommand and option of crunch that they show is in its
--help; and, given a built image, every boot key is in the image's.
"""

import html
import pathlib
import re
import subprocess
import sys

FOLDERS = ("base", "kv", "net", "http", "tls", "crunch", "targets", "tests", "cmake", "scripts",
           "site-example", "docs", "bench", "examples", "block", "crypto", "config", "solo5",
           "tender", "acme")
# A path names a folder of this repository first; `crunch/` in a URL or behind a dot does not count.
PATH = re.compile(rf"(?<![\w/.~-])(?:{'|'.join(FOLDERS)})/[\w./*{{}},-]*")
OPTION = re.compile(r"(?<![\w-])--?[a-z][A-Za-z0-9-]*")
# Options of others that stand alone in a sentence.
FOREIGN = {"--cleanDestinationDir", "--prefix", "--strict", "--trace", "--watch"}
# Of parts that the default configuration does not have.
OF_OTHER_PARTS = {"--content-device", "--dns", "--acme", "--acme-names", "--acme-email",
                  "--acme-agree", "--acme-profile", "--acme-challenge", "--acme-eab-kid",
                  "--acme-eab-key"}
# A second stack has the keys of the first, with its name before; and one of its own.
SECOND = "--management-"
SECONDS_OWN = {"--device"}
# Only there when crunch was built with TLS.
TLS = {"--cert", "--key", "--self-signed", "--https-port", "--hsts", "--redirect"}
# What only looks like a path of ours: `docs/` of Sphinx, keys of a vault.
FOREIGN_PATHS = {"docs/", "tls/cert", "tls/key", "acme/"}


def code_of(path: pathlib.Path) -> list[tuple[int, str]]:
    """(line, text) of each line or span of code."""
    found = []
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        for match in re.finditer(r"(?s)<code[^>]*>(.*?)</code>", text):
            line = text.count("\n", 0, match.start()) + 1
            plain = html.unescape(re.sub(r"<[^>]+>", "", match.group(1)))
            found += [(line + i, one) for i, one in enumerate(plain.split("\n"))]
        return found
    fenced = False
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            found.append((number, line))
        else:
            found += [(number, span) for span in re.findall(r"`([^`]+)`", line)]
    return found


def check_paths(root: pathlib.Path, code: str) -> list[str]:
    missing = []
    for name in PATH.findall(code):
        name = name.rstrip(".,")
        if name in FOREIGN_PATHS:
            continue
        names = [name]
        if braces := re.search(r"\{([^}]*)\}", name):
            names = [name.replace(braces.group(0), one) for one in braces.group(1).split(",")]
        missing += [f"there is no {one}" for one in names if not list(root.glob(one))]
    return missing


class Helps:
    """What --help of the tool, of each subcommand and of an image says."""

    def __init__(self, root: pathlib.Path, crunch: str, image: str | None):
        self.crunch = crunch
        self.texts: dict[str, str] = {}
        top = self.run(crunch)
        self.subcommands = re.findall(r"(?m)^  ([a-z]+) {3,}", top.partition("Subcommands:")[2])
        self.image = self.run(image) if image else None
        self.absent = set() if "--self-signed" in self.of("build") else TLS
        self.all = top + "".join(self.of(one) for one in self.subcommands) + (self.image or "")
        # The keys of targets whose images do not run here, and of parts that a default has not.
        first_change = pathlib.Path(root, "examples/first-change/config.hpp")
        for words in (["-t", "unix-tap"], ["-t", "virtio", "--set", "vault=block"],
                      ["--config", first_change, "--set", "drafts-store=directory"]):
            described = subprocess.run([crunch, "describe", *words], check=False, timeout=120,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            self.all += described.stdout.decode()
        self.all += self.run(str(pathlib.Path(crunch).with_name("hvt-tender")))

    @staticmethod
    def run(*words: str) -> str:
        done = subprocess.run([*words, "--help"], stdout=subprocess.PIPE, check=True, timeout=60)
        return done.stdout.decode()

    def of(self, subcommand: str) -> str:
        """Its help, and that of the subcommands which it has itself."""
        if subcommand not in self.texts:
            text = self.run(self.crunch, subcommand)
            for nested in re.findall(r"(?m)^  ([a-z]+) {3,}", text.partition("Subcommands:")[2]):
                text += self.run(self.crunch, subcommand, nested)
            self.texts[subcommand] = text
        return self.texts[subcommand]


def has_option(text: str, option: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text) is not None


def is_known(helps: Helps, option: str) -> bool:
    """Is it a key of an image, or another option that stands alone?"""
    key = option.replace(SECOND, "--") if option.startswith(SECOND) else option
    return (option in FOREIGN | OF_OTHER_PARTS | helps.absent or has_option(helps.all, option) or
            has_option(helps.all, key) or (key != option and key in SECONDS_OWN))


def check_options(helps: Helps, code: str) -> list[str]:
    found = []
    command = re.search(r"(?:^|[\s/])crunch ([a-z]+)\b(.*)", code)
    if command:
        subcommand, rest = command.groups()
        if subcommand not in helps.subcommands:
            return [f"crunch has no subcommand '{subcommand}'"]
        words, _, keys = rest.partition("&&")[0].partition(" -- ")
        found = [f"crunch {subcommand} has no option '{option}'" for option in OPTION.findall(words)
                 if not has_option(helps.of(subcommand), option) and option not in helps.absent]
        return found + [f"an image has no key '{key}'" for key in OPTION.findall(keys)
                        if helps.image and not is_known(helps, key)]
    if code.startswith("--"):
        option = OPTION.match(code).group(0)
        if helps.image and not is_known(helps, option):
            found.append(f"nothing has the option '{option}'")
    run = re.search(r"(?:^|[\s\"/])\./?my-site\b(.*)|ExecStart=\S+(.*)", code)
    if run and helps.image:
        words = run.group(1) or run.group(2) or ""
        found += [f"an image has no key '{key}'" for key in re.findall(r"--[a-z-]+", words)
                  if not has_option(helps.image, key) and key not in helps.absent]
    return found


def check_links(path: pathlib.Path) -> list[str]:
    if path.suffix != ".md":
        return []
    found = []
    for target in re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", target) and not (path.parent / target).exists():
            found.append(f"{path}: the link to '{target}' leads nowhere")
    return found


def main() -> int:
    if len(sys.argv) not in (3, 4):
        print(__doc__, file=sys.stderr)
        return 2
    root = pathlib.Path(sys.argv[1]).resolve()
    helps = Helps(root, sys.argv[2], sys.argv[3] if len(sys.argv) == 4 else None)
    documents = [*sorted(root.glob("docs/*.md")), *sorted(root.glob("README.md")),
                 *sorted(root.glob("site-example/htdocs/**/*.html"))]
    found = []
    for path in documents:
        found += check_links(path)
        for line, code in code_of(path):
            found += [f"{path}:{line}: {text}"
                      for text in check_paths(root, code) + check_options(helps, code)]
    print("\n".join(found))
    print(f"{len(documents)} documents, {len(found)} faults")
    return 1 if found or not documents else 0


if __name__ == "__main__":
    sys.exit(main())
