"""The characters of a pragma: named patterns, places in the cell, and the faults that point at them.

Pure. A `Scanner` walks over a cell's text; it knows blanks, continued lines and quoted text, and nothing of grammar.
"""

from __future__ import annotations

import bisect
import re
import unicodedata
from dataclasses import dataclass

from proactive_jupyter_kernel.errors import PragmaError, PragmaSyntaxError

__all__ = ["CLOSERS", "OPENERS", "PRAGMA_LINE", "TOKENS", "Place", "Scanner", "quote"]

#: Where a pragma starts: the first non-blank characters of a line are ``#%`` and a letter.
PRAGMA_LINE = re.compile(r"^[ \t]*#%(?=[^\W\d_])", re.MULTILINE)

#: Every pattern that the scanner knows, by name.
TOKENS = {
    "name": re.compile(r"[^\W\d]\w*"),
    "blank": re.compile(r"[ \t\f\v]+"),
    # A continued line may start with #%, # or nothing.
    "line end": re.compile(r"\n[ \t]*(?:#%?)?"),
    # At the end of a line with more lines to come, where a new argument or item could start.
    "inner comment": re.compile(r"#(?=[ \t\n])[^\n]*(?=\n)"),
    # The same behind a value: a comma or a bracket there would say that it is a part of the value.
    "trailing comment": re.compile(r"#(?=[ \t\n])[^\n,()\[\]{}]*(?=\n)"),
    "comment": re.compile(r"#[^\n]*"),
    "quoted": re.compile(r"'(?:[^'\\\n]|\\[^\n])*'|\"(?:[^\"\\\n]|\\[^\n])*\""),
}

#: Opening brackets and what closes them.
OPENERS = {"(": ")", "[": "]", "{": "}"}
CLOSERS = frozenset(OPENERS.values())

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A stretch of one line of a cell."""

    #: From 1.
    line: int
    #: From 0.
    column: int
    length: int
    #: The whole line as typed.
    source: str

    def fault(self, kind: type[PragmaError], message: str, *, hint: str = "", pragma: str = "") -> PragmaError:
        """An error of this kind that points here and names the pragma."""
        return kind(
            f"#%{pragma}: {message}" if pragma else message,
            hint=hint,
            pragma=pragma,
            line=self.line,
            column=self.column,
            length=self.length,
            # A tab would shift the marker below it.
            source=self.source.replace("\t", " "),
        )


class Scanner:
    """Walks over a cell's text; `position` is the next character to read."""

    def __init__(self, text: str, position: int = 0) -> None:
        self.text = text
        self.position = position
        #: Named in faults, once it is known.
        self.pragma = ""
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]

    @property
    def at_end(self) -> bool:
        return self.position >= len(self.text)

    @property
    def next(self) -> str:
        """The next character; empty at the end."""
        return self.text[self.position : self.position + 1]

    def line_of(self, position: int) -> int:
        """The line, from 1, that holds this position."""
        return bisect.bisect_right(self._line_starts, position)

    def place(self, start: int, end: int | None = None) -> Place:
        """The stretch from `start` up to `end`, cut at the end of the line."""
        line = self.line_of(start)
        line_start = self._line_starts[line - 1]
        line_end = self._line_starts[line] - 1 if line < len(self._line_starts) else len(self.text)
        stop = min(end if end is not None else start + 1, line_end)
        return Place(
            line=line,
            column=start - line_start,
            length=max(stop - start, 1),
            source=self.text[line_start:line_end],
        )

    def take(self, token: str) -> str:
        """Read one token of this name; empty, and nothing read, if it is not there."""
        match = TOKENS[token].match(self.text, self.position)
        if match is None:
            return ""
        self.position = match.end()
        return match.group()

    def skip(self, *, lines: bool = True, comments: str = "") -> None:
        """Pass over blanks, with `lines` over ends of lines, and over comments if a kind of them is named."""
        while self.take("blank") or (lines and self.take("line end")) or (comments and self.take(comments)):
            pass

    def quoted(self) -> str:
        """Read text in quotes, escapes resolved as Python does."""
        start = self.position
        token = self.take("quoted")
        if not token:
            raise self.place(start, len(self.text)).fault(
                PragmaSyntaxError,
                "the text in quotes is not closed on its line.",
                hint=f"Close it with {self.next}.",
                pragma=self.pragma,
            )

        def resolve(match: re.Match[str]) -> str:
            try:
                return _resolve(match)
            except (ValueError, KeyError, OverflowError):
                at = start + 1 + match.start()
                raise self.place(at, at + len(match.group())).fault(
                    PragmaSyntaxError,
                    f"{match.group()} starts no escape that Python knows.",
                    hint=r"A backslash that is meant is written \\.",
                    pragma=self.pragma,
                ) from None

        return _ESCAPE.sub(resolve, token[1:-1])


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
