"""A cell as typed, and as it is read: without prompts and without an indentation that all of its lines share. Pure.

Both have the same lines. Only the beginnings of lines differ, so a position in the one is easily found in the other,
and errors quote the line as typed.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass

from proactive_jupyter_kernel.errors import PragmaError

__all__ = ["Source", "Span"]

#: Like IPython: a cell has prompts if its first line, or its second, starts with one; then they go from every line.
_PROMPTS = (
    (re.compile(r">>>(?: |$)"), re.compile(r"(?:>>>|\.\.\.)(?: |$)")),
    (
        re.compile(r"(?:\[(?:nav|ins)\] )?In ?\[\d+\]: "),
        re.compile(r"(?:\[(?:nav|ins)\] )?(?:In ?\[\d+\]: | *\.{3,}: ?)"),
    ),
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_INDENT = re.compile(r"[ \t]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
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
            # A tab would shift the marker below it, and other control characters do worse to a terminal.
            source=_CONTROL.sub(" ", self.source),
        )


class Source:
    """The text of a cell."""

    def __init__(self, typed: str, shown: str = "") -> None:
        """`shown` has the same lines, as errors may quote them."""
        self.typed = typed.replace("\r\n", "\n")
        lines = self.typed.split("\n")
        #: As errors quote them.
        self.lines = shown.replace("\r\n", "\n").split("\n") if shown else lines
        #: How many characters of each line are not read.
        self.margins = _margins(lines)
        #: What is read.
        self.text = (
            "\n".join(line[margin:] for line, margin in zip(lines, self.margins, strict=True))
            if any(self.margins)
            else self.typed
        )
        self._starts = _starts(self.text)
        self._typed_starts = _starts(self.typed)

    def line_of(self, position: int) -> int:
        """The line, from 1, that holds this position of `text`."""
        return bisect.bisect_right(self._starts, position)

    def line_start(self, position: int) -> int:
        """Where the line of this position starts in `text`."""
        return self._starts[self.line_of(position) - 1]

    def span(self, start: int, end: int | None = None) -> Span:
        """The stretch of `text` from `start` up to `end`, cut at the end of the line."""
        line = self.line_of(start)
        line_start = self._starts[line - 1]
        line_end = self._starts[line] - 1 if line < len(self._starts) else len(self.text)
        stop = min(end if end is not None else start + 1, line_end)
        return Span(
            line=line,
            column=start - line_start + self.margins[line - 1],
            length=max(stop - start, 1),
            source=self.lines[line - 1],
        )

    def as_typed(self, position: int) -> int:
        """The position in `typed` of a position in `text`."""
        line = self.line_of(position) - 1
        return self._typed_starts[line] + self.margins[line] + position - self._starts[line]

    def as_read(self, position: int) -> int:
        """The position in `text` of a position in `typed`; inside a margin, the first character behind it."""
        line = bisect.bisect_right(self._typed_starts, position) - 1
        return self._starts[line] + max(position - self._typed_starts[line] - self.margins[line], 0)


def _starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer("\n", text))]


def _margins(lines: list[str]) -> tuple[int, ...]:
    """What is cut off each line: the indentation that all share, then prompts."""
    filled = [line for line in lines if line.strip()]
    indent = _INDENT.match(filled[0]).group() if filled else ""  # type: ignore[union-attr]
    if not all(line.startswith(indent) for line in filled):
        indent = ""
    margins = [len(indent) if line.startswith(indent) else len(line) for line in lines]
    for first, each in _PROMPTS:
        if any(first.match(line, len(indent)) for line in filled[:2]):
            found = (each.match(line, margin) for line, margin in zip(lines, margins, strict=True))
            return tuple(match.end() if match else margin for match, margin in zip(found, margins, strict=True))
    return tuple(margins)
