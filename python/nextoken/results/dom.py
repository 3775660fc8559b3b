"""A page of the library as a tree of elements, and back to HTML."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser
from typing import Callable, Dict, Iterator, List, Optional, Tuple, Union

__all__ = ["Element", "Node", "parse", "text_of", "write"]

_VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "wbr"))

Node = Union["Element", str]


class Element:
    """An element: its tag, attributes and children."""

    __slots__ = ("tag", "attributes", "children")

    def __init__(self, tag: str, attributes: Optional[Dict[str, str]] = None,
                 children: Optional[List[Node]] = None) -> None:
        self.tag = tag
        self.attributes: Dict[str, str] = attributes or {}
        self.children: List[Node] = children or []

    @property
    def classes(self) -> List[str]:
        return self.attributes.get("class", "").split()

    def has(self, name: str) -> bool:
        """Whether it is of this class."""
        return name in self.classes

    def elements(self) -> Iterator["Element"]:
        """Its children that are elements."""
        return (child for child in self.children if isinstance(child, Element))

    def all(self, wanted: Callable[["Element"], bool]) -> Iterator["Element"]:
        """All elements in it that are wanted, in order."""
        for child in self.elements():
            if wanted(child):
                yield child
            yield from child.all(wanted)

    def first(self, wanted: Callable[["Element"], bool]) -> Optional["Element"]:
        return next(self.all(wanted), None)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(made)
        if tag not in _VOID:
            self.open.append(made)

    def handle_startendtag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        self.open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        for i in range(len(self.open) - 1, 0, -1):
            if self.open[i].tag == tag:
                del self.open[i:]
                return

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parse(html: str) -> Element:
    """What the library writes is well formed; whatever is not closed ends with the text."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.root


def text_of(node: Node) -> str:
    """All text in it."""
    return node if isinstance(node, str) else "".join(map(text_of, node.children))


def write(node: Node) -> str:
    """As HTML, escaped."""
    if isinstance(node, str):
        return escape(node, quote=False)
    inside = "".join(map(write, node.children))
    if not node.tag:
        return inside
    said = "".join(f' {name}="{escape(value)}"' for name, value in node.attributes.items())
    return f"<{node.tag}{said}>" if node.tag in _VOID else f"<{node.tag}{said}>{inside}</{node.tag}>"
