"""The tokens of a pragma: named patterns, and a scanner that walks over a cell's text. Pure.

A `Scanner` knows blanks, continued lines and quoted text, but not the grammar.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from proactive_jupyter_kernel.errors import PragmaError, PragmaSyntaxError
from proactive_jupyter_kernel.pragmas.grammar.source import Source, Span

__all__ = ["BLANKS", "CLOSERS", "OPENERS", "TOKENS", "Scanner", "Span", "quote"]

#: A non-breaking space, as web pages and word processors put in, is a blank.
BLANKS = " \t\f\v\u00a0"

#: Every pattern that the scanner knows, by name.
TOKENS = {
    "name": re.compile(r"[^\W\d]\w*"),
    "blank": re.compile(rf"[{BLANKS}]+"),
    # Where a new argument could start: none starts with this sign.
    "argument comment": re.compile(r"#[^\n]*"),
    # At the end of a line with more lines to come, where a new item could start.
    "inner comment": re.compile(r"#(?=[ \t\n])[^\n]*(?=\n)"),
    # The same behind a value: a comma or a bracket there would say that it is a part of the value.
    "trailing comment": re.compile(r"#(?=[ \t\n])[^\n,()\[\]{}]*(?=\n)"),
    "comment": re.compile(r"#[^\n]*"),
    "quoted": re.compile(r"'(?:[^'\\\n]|\\[^\n])*'|\"(?:[^\"\\\n]|\\[^\n])*\""),
}

#: Opening brackets and what closes them.
OPENERS = {"(": ")", "[": "]", "{": "}"}
CLOSERS = frozenset(OPENERS.values())

#: The start of a line inside an open bracket: it may have the sign of a pragma, or of a comment.
_CONTINUED = re.compile(rf"\n[{BLANKS}]*(?:(?P<sign>#[{BLANKS}]*%)|(?P<hash>#))?[{BLANKS}]*")

_ESCAPE = re.compile(
    r"\\(?:(?P<simple>[\\'\"abfnrtv])|(?P<octal>[0-7]{1,3})|x(?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})"
    r"|U(?P<U>[0-9a-fA-F]{8})|N\{(?P<N>[^}]+)\}|(?P<broken>[xuUN]))"
)
_SIMPLE = {
    "\\": "\\",
    "'": "'",
    '"': '"',
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}
_WRITTEN = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class Scanner:
    """Walks over the text of a cell; `position` is the next character to read."""

    def __init__(
        self,
        source: Source | str,
        position: int = 0,
        *,
        commented: bool = False,
        stops: Callable[[int], bool] = lambda _: False,
    ) -> None:
        """`commented`: a continued line that starts with `#` is a comment. `stops`: whether the line that starts at a
        position belongs to another pragma, whatever is open.
        """
        self.source = Source(source) if isinstance(source, str) else source
        self.text = self.source.text
        self.position = position
        self._commented = commented
        self._stops = stops
        #: Whether lines of both sorts were passed over: then those that start with `#` are comments.
        self.hashed = self.unmarked = False

    @property
    def at_end(self) -> bool:
        """Whether nothing more can be read: the text ends, or another pragma follows."""
        return self.position >= len(self.text) or (self.next == "\n" and self._stops(self.position + 1))

    @property
    def next(self) -> str:
        """The next character; empty at the end."""
        return self.text[self.position : self.position + 1]

    def line_of(self, position: int) -> int:
        """The line, from 1, that holds this position."""
        return self.source.line_of(position)

    def span(self, start: int, end: int | None = None) -> Span:
        """The stretch from `start` up to `end`, cut at the end of the line."""
        return self.source.span(start, end)

    def take(self, token: str) -> str:
        """Read one token of this name; empty, and nothing read, if it is not there."""
        match = TOKENS[token].match(self.text, self.position)
        if match is None:
            return ""
        self.position = match.end()
        return match.group()

    def skip(self, *, lines: bool = True, comments: str = "") -> None:
        """Pass over blanks, with `lines` over ends of lines, and over comments if a kind of them is named."""
        while self.take("blank") or (lines and self.next_line()) or (comments and self.take(comments)):
            pass

    def next_line(self) -> bool:
        """Pass over an end of line and the sign that marks the next line as a continuation."""
        if self.next != "\n" or self.at_end:
            return False
        match = _CONTINUED.match(self.text, self.position)
        assert match is not None
        start = match.end()
        following = self.text[start : start + 1]
        if match["hash"]:
            self.hashed = True
            if self._commented or following == "#":
                self.position = start
                self.take("comment")
                end = self.text.find("\n", start)
                self.position = len(self.text) if end < 0 else end
                return True
        elif not match["sign"] and following not in ("", "\n", *CLOSERS):
            self.unmarked = True
        self.position = start
        return True

    def quoted(self, pragma: str = "") -> str:
        """Read text in quotes, escapes resolved as Python does; `PragmaSyntaxError` with nothing read."""
        start = self.position
        token = self.take("quoted")
        if not token:
            raise self.span(start, len(self.text)).fault(
                PragmaSyntaxError,
                "the text in quotes is not closed on its line.",
                hint=f"Close it with {self.next}.",
                pragma=pragma,
            )

        def resolve(match: re.Match[str]) -> str:
            try:
                return _resolve(match)
            except (ValueError, KeyError, OverflowError):
                raise self._unknown_escape(start + 1 + match.start(), match.group(), pragma) from None

        try:
            return _ESCAPE.sub(resolve, token[1:-1])
        except PragmaError:
            self.position = start
            raise

    def _unknown_escape(self, start: int, escape: str, pragma: str) -> PragmaError:
        return self.span(start, start + len(escape)).fault(
            PragmaSyntaxError,
            f"{escape} is not an escape that Python knows.",
            hint=r"For a backslash itself, write \\.",
            pragma=pragma,
        )


def _resolve(match: re.Match[str]) -> str:
    kind = match.lastgroup or ""
    found = match.group(kind)
    if kind == "simple":
        return _SIMPLE[found]
    if kind == "N":
        return unicodedata.lookup(found)
    if kind == "broken":
        raise ValueError(found)
    return chr(int(found, 8 if kind == "octal" else 16))


def quote(text: str) -> str:
    """The text in double quotes, on one line; `Scanner.quoted` reads it back."""

    def written(character: str) -> str:
        if character in _WRITTEN:
            return _WRITTEN[character]
        if character.isprintable():
            return character
        code = ord(character)
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

    return '"' + "".join(map(written, text)) + '"'
