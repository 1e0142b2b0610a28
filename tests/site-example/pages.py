# SPDX-License-Identifier: ISC
"""What a page of the site holds, as the checks see it."""

import functools
import html.parser
import re
from dataclasses import dataclass, field

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source",
        "track", "wbr"}
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
# Elements whose name, for someone who cannot see it, is their text or a label.
NAMED = {"a", "button"}


@dataclass
class Link:
    """An address that the page gives, and by which attribute."""

    address: str
    tag: str
    attribute: str
    line: int


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    line: int
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def all(self, tag: str):
        for child in self.children:
            if child.tag == tag:
                yield child
            yield from child.all(tag)

    def everything(self):
        for child in self.children:
            yield child
            yield from child.everything()

    def full_text(self) -> str:
        """Its text with that of images and labels inside, in no particular order."""
        parts = [self.text, self.attributes.get("alt", "")]
        return " ".join(parts + [child.full_text() for child in self.children]).strip()


class Page(html.parser.HTMLParser):
    """Parsed strictly: elements that HTML lets one leave open must be closed."""

    def __init__(self, text: str):
        super().__init__()
        self.root = Element("", {}, 0)
        self.stack = [self.root]
        self.trouble: list[tuple[int, str]] = []
        self.doctype = ""
        self.feed(text)
        self.close()
        for element in self.stack[1:]:
            self.trouble.append((element.line, f"<{element.tag}> is not closed"))

    def handle_decl(self, decl):
        self.doctype = decl

    def handle_starttag(self, tag, attrs):
        self.add(tag, attrs, tag not in VOID)

    def handle_startendtag(self, tag, attrs):
        self.add(tag, attrs, False)

    def add(self, tag, attrs, stays_open):
        line = self.getpos()[0]
        names = [name for name, _ in attrs]
        for name in {name for name in names if names.count(name) > 1}:
            self.trouble.append((line, f"<{tag}> has {name} twice"))
        element = Element(tag, {name: value or "" for name, value in attrs}, line)
        self.stack[-1].children.append(element)
        if stays_open:
            self.stack.append(element)

    def handle_endtag(self, tag):
        if self.stack[-1].tag == tag:
            self.stack.pop()
        else:
            line = self.getpos()[0]
            self.trouble.append((line, f"</{tag}> closes <{self.stack[-1].tag}>"))

    def handle_data(self, data):
        self.stack[-1].text += data

    def links(self):
        for element in self.root.everything():
            for name in ("href", "src", "poster", "action", "data"):
                if name in element.attributes:
                    yield Link(element.attributes[name], element.tag, name, element.line)
            for candidate in element.attributes.get("srcset", "").split(","):
                if candidate.strip():
                    yield Link(candidate.split()[0], element.tag, "srcset", element.line)
            if element.attributes.get("property", "") in ("og:image", "og:url"):
                yield Link(element.attributes["content"], element.tag, "content", element.line)
            for address in re.findall(r"url\((?!#)['\"]?([^'\")]*)",
                                      element.attributes.get("style", "")):
                yield Link(address, element.tag, "style", element.line)

    @functools.cache
    def ids(self) -> list[str]:
        return [e.attributes["id"] for e in self.root.everything() if "id" in e.attributes]


@functools.cache
def parse(data: bytes) -> Page:
    """The page of a file; pages are not changed, so the same one for the same bytes."""
    return Page(data.decode())
