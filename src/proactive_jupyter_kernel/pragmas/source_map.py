"""Which line of which cell a line of a task's script came from, and errors told in the words of the cell.

Pure. A task's script is put together of import code, of lines that bind and send variables, and of the task's own code;
an interpreter speaks of lines of that whole. On a ProActive server the script gets further lines in front, so a
traceback's own quotation of the source decides, where there is one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

__all__ = ["FLOW", "MAIN", "Code", "Piece", "SourceMap", "Sources", "join"]

#: How the embedded scheduler labels scripts in errors: ``<task T1>``, ``<control flow script of T1>``.
MAIN, FLOW = "task", "control flow script of"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A text and where it was written."""

    text: str
    #: How messages name that place: ``Cell In[3]``, or a file's name; empty for lines that nobody wrote.
    label: str = ""
    #: The line there, from 1, where the text starts.
    first_line: int = 1
    #: What the front end calls the cell, the same when it runs again; empty if it does not tell.
    cell: str = ""

    def lines(self, start: int, stop: int | None = None) -> Code:
        """A part of it, by lines from 0."""
        kept = self.text.split("\n")[start:stop]
        return replace(self, text="\n".join(kept), first_line=self.first_line + start)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of a script's lines, and where it was written."""

    #: In the script, from 1.
    first_line: int
    count: int
    label: str
    #: In the cell or file, from 1.
    source_line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMap:
    """The script of one task, piece by piece."""

    engine: str
    script: str
    pieces: tuple[Piece, ...] = field(default=())

    def place(self, line: int) -> tuple[str, int] | None:
        """Where a line of the script was written; None for a line that nobody wrote."""
        for piece in self.pieces:
            if piece.first_line <= line < piece.first_line + piece.count and piece.label:
                return piece.label, piece.source_line + line - piece.first_line
        return None

    def rewrite(self, text: str) -> str:
        """An error or a log with the cell's lines for the script's lines, as far as they can be told."""
        teller = _TELLERS.get(self.engine)
        return teller(self, text) if teller else text

    def line_of(self, number: int, quoted: str) -> int | None:
        """The line of the script that an interpreter calls `number` and quotes; None where it is not of the script."""
        lines = [line.strip() for line in self.script.split("\n")]
        quoted = quoted.strip()
        if 0 < number <= len(lines) and lines[number - 1] == quoted:
            return number
        found = [index for index, line in enumerate(lines, 1) if line == quoted]
        return found[0] if quoted and len(found) == 1 and found[0] <= number else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """All scripts of one task."""

    #: By how they are labelled in errors: `MAIN`, ``pre script of``, ``control flow script of`` …
    scripts: Mapping[str, SourceMap] = field(default_factory=dict)

    def rewrite(self, text: str) -> str:
        """An error or a log with the cell's lines for the scripts' lines, as far as they can be told."""

        def told(match: re.Match[str]) -> str:
            script = self.scripts.get(match["script"])
            place = script.place(int(match["line"])) if script else None
            return f"{place[0]}, line {place[1]}" if place else match.group()

        text = _LABELLED.sub(told, text)
        for script in self.scripts.values():
            text = script.rewrite(text)
        return text


def join(engine: str, parts: list[Code]) -> SourceMap:
    """Put a script together."""
    pieces = []
    texts = []
    line = 1
    for part in parts:
        text = part.text.removesuffix("\n")
        count = text.count("\n") + 1
        texts.append(text)
        pieces.append(Piece(first_line=line, count=count, label=part.label, source_line=part.first_line))
        line += count
    return SourceMap(engine=engine, script="\n".join(texts), pieces=tuple(pieces))


#: What the embedded scheduler puts in the place of a script's file, in whatever way the language writes lines after it.
_LABELLED = re.compile(r'(?:File ")?<(?P<script>task|[a-z ]+ script of) [^<>\n]+>"?(?:(?:[,:]? )line |:)(?P<line>\d+)')
#: A frame of a Python traceback and the source line that it quotes.
_PYTHON_FRAME = re.compile(
    r'^(?P<indent>[ \t]*)File "(?P<file>[^"\n]+)", line (?P<line>\d+)(?P<rest>[^\n]*)(?:\n(?P<quoted>[ \t]+[^\n]*))?',
    re.MULTILINE,
)
_BASH_FAULT = re.compile(r"^(?P<file>[^\s:]+): line (?P<line>\d+):", re.MULTILINE)
#: What is certainly not a task's script.
_LIBRARY = re.compile(r"site-packages|dist-packages|[/\\]lib(?:64)?[/\\]python\d|<frozen ")


def _tell_python(source: SourceMap, text: str) -> str:
    def told(match: re.Match[str]) -> str:
        if _LIBRARY.search(match["file"]):
            return match.group()
        quoted = match["quoted"] or ""
        line = source.line_of(int(match["line"]), quoted)
        place = source.place(line) if line else None
        if place is None:
            return match.group()
        tail = f"\n{quoted}" if quoted else ""
        return f"{match['indent']}{place[0]}, line {place[1]}{match['rest']}{tail}"

    return _PYTHON_FRAME.sub(told, text)


def _tell_bash(source: SourceMap, text: str) -> str:
    def told(match: re.Match[str]) -> str:
        place = source.place(int(match["line"]))
        return f"{place[0]}, line {place[1]}:" if place else match.group()

    return _BASH_FAULT.sub(told, text)


#: Engine -> how its interpreter speaks of lines.
_TELLERS: Mapping[str, Callable[[SourceMap, str], str]] = {
    "cpython": _tell_python,
    "python": _tell_python,
    "bash": _tell_bash,
}
