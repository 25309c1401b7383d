"""Writes XML as text: elements, attributes, CDATA. Independent of workflows.

No library writes several CDATA sections and escaped characters into one element, which code with ``]]>`` or carriage
returns needs to be preserved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

__all__ = ["XmlText"]

_ATTRIBUTE = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)
_CONTENT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})

Attributes = Iterable[tuple[str, str]]


class XmlText:
    """A document that is written sequentially, with two spaces of indent for each level."""

    def __init__(self) -> None:
        self.lines = ['<?xml version="1.0" encoding="UTF-8"?>']
        self.depth = 0

    def __str__(self) -> str:
        return "\n".join(self.lines) + "\n"

    @contextmanager
    def element(self, tag: str, attributes: Attributes = ()) -> Iterator[None]:
        """An element with children, which are written inside the `with` block."""
        self._line(f"<{tag}{_attributes(attributes)}>")
        self.depth += 1
        yield
        self.depth -= 1
        self._line(f"</{tag}>")

    def empty(self, tag: str, attributes: Attributes = ()) -> None:
        self._line(f"<{tag}{_attributes(attributes)}/>")

    def text(self, tag: str, text: str, attributes: Attributes = ()) -> None:
        """An element with escaped text."""
        self._line(f"<{tag}{_attributes(attributes)}>{text.translate(_CONTENT)}</{tag}>")

    def cdata(self, tag: str, text: str, attributes: Attributes = ()) -> None:
        """An element whose text people read in the file: as CDATA, in which only the end mark is escaped."""
        if text:
            self._line(f"<{tag}{_attributes(attributes)}>{_cdata(text)}</{tag}>")
        else:
            self.empty(tag, attributes)

    def _line(self, line: str) -> None:
        self.lines.append("  " * self.depth + line)


def _attributes(attributes: Attributes) -> str:
    return "".join(f' {name}="{value.translate(_ATTRIBUTE)}"' for name, value in attributes)


def _cdata(text: str) -> str:
    """A parser converts carriage returns to line feeds, also in CDATA, unless they are written as references."""
    split = text.replace("]]>", "]]]]><![CDATA[>").replace("\r", "]]>&#13;<![CDATA[")
    return f"<![CDATA[{split}]]>".replace("<![CDATA[]]>", "")
