"""Maps lines of a task's script to lines of cells, and rewrites errors for the lines of the cell.

Pure. A task's script is put together of import code, of lines that bind and send variables, and of the task's own code;
an interpreter speaks of lines of that whole. On a ProActive server the script gets further lines in front, so a
traceback's own quotation of the source decides, where there is one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from proactive_jupyter_kernel.client import python_code

__all__ = ["FLOW", "MAIN", "Code", "LineRange", "SourceMap", "Sources", "join"]

#: How the embedded scheduler labels scripts in errors: ``<task T1>``, ``<control flow script of T1>``.
MAIN, FLOW = "task", "control flow script of"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A text and where it was written."""

    text: str
    #: The name of the source in messages: ``Cell In[3]``, or a file name; empty for generated lines.
    label: str = ""
    #: The line there, from 1, where the text starts.
    first_line: int = 1
    #: The stable id of the cell; empty if the front end does not provide it.
    cell: str = ""

    def lines(self, start: int, stop: int | None = None) -> Code:
        """A part of it, by lines from 0."""
        kept = self.text.split("\n")[start:stop]
        return replace(self, text="\n".join(kept), first_line=self.first_line + start)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRange:
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
    pieces: tuple[LineRange, ...] = field(default=())

    def place(self, line: int) -> tuple[str, int] | None:
        """The source of a line of the script; None for a generated line."""
        for piece in self.pieces:
            if piece.first_line <= line < piece.first_line + piece.count and piece.label:
                return piece.label, piece.source_line + line - piece.first_line
        return None

    def is_made(self, line: int) -> bool:
        """Whether a line of the script is generated: it binds or exports variables."""
        return any(
            not piece.label and piece.first_line <= line < piece.first_line + piece.count for piece in self.pieces
        )

    def rewrite(self, text: str) -> str:
        """An error or a log with the lines of the cell in place of those of the script, where they are known."""
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
        """An error or a log with the lines of the cells in place of those of the scripts, where they are known."""

        def told(match: re.Match[str]) -> str:
            script = self.scripts.get(match["script"])
            place = script.place(int(match["line"])) if script else None
            return f"{place[0]}, line {place[1]}" if place else match.group()

        def kept(match: re.Match[str]) -> str:
            script = self.scripts.get(match["script"])
            return "" if script and script.is_made(int(match["line"])) else match.group()

        text = _LABELLED.sub(told, _CALLED_AT.sub(kept, text))
        for script in self.scripts.values():
            text = script.rewrite(text)
        return text

    @property
    def written(self) -> str:
        """The part of the main script that the user wrote."""
        main = self.scripts.get(MAIN)
        if main is None:
            return ""
        lines = main.script.split("\n")
        return "\n".join(line for number, line in enumerate(lines, 1) if main.place(number))

    def cell_lines(self) -> dict[int, dict[int, str]]:
        """Number of a cell -> number of a line -> the line, for all lines that came from cells."""
        found: dict[int, dict[int, str]] = {}
        for script in self.scripts.values():
            lines = script.script.split("\n")
            for piece in script.pieces:
                if cell := _CELL_LABEL.fullmatch(piece.label):
                    known = found.setdefault(int(cell[1]), {})
                    for index in range(piece.count):
                        known[piece.source_line + index] = lines[piece.first_line - 1 + index]
        return found


_CELL_LABEL = re.compile(r"Cell In\[(\d+)\]")


def join(engine: str, parts: list[Code]) -> SourceMap:
    """Put a script together."""
    pieces = []
    texts = []
    line = 1
    for part in parts:
        text = part.text.removesuffix("\n")
        count = text.count("\n") + 1
        texts.append(text)
        pieces.append(LineRange(first_line=line, count=count, label=part.label, source_line=part.first_line))
        line += count
    return SourceMap(engine=engine, script="\n".join(texts), pieces=tuple(pieces))


#: What the embedded scheduler puts in the place of a script's file, in whatever way the language writes lines after it.
_LABELLED = re.compile(r'(?:File ")?<(?P<script>task|[a-z ]+ script of) [^<>\n]+>"?(?:(?:[,:]? )line |:)(?P<line>\d+)')
#: A line of a JavaScript stack.
_CALLED_AT = re.compile(
    r"^[ \t]+at (?:[^\n<]*\()?<(?P<script>task|[a-z ]+ script of) [^<>\n]+>:(?P<line>\d+)(?::\d+)?\)?(?:\n|\Z)",
    re.MULTILINE,
)
#: A frame of a Python traceback, the source line that it quotes and what stands below that.
_PYTHON_FRAME = re.compile(
    r'^(?P<indent>[ \t]*)File "(?P<file>[^"\n]+)", line (?P<line>\d+)(?P<rest>[^\n]*)'
    r'(?:\n(?P<quoted>[ \t]+(?![ \t]|File ")[^\n]*))?'
    r"(?P<below>(?:\n[ \t]+(?:[~^][~^ \t]*|\[Previous line repeated \d+ more times?\])$)*)",
    re.MULTILINE,
)
#: The heading of a traceback that lost all of its frames, and the gap that a lost frame left.
_NO_FRAMES = re.compile(r"^[ \t]*Traceback \(most recent call last\):\n\0(?:\n\0)*\n(?=\S)", re.MULTILINE)
_GAP = re.compile(r"\0\n?")
_BASH_FAULT = re.compile(r"^(?P<file>[^\s:]+): line (?P<line>\d+):", re.MULTILINE)
#: What is certainly not a task's script.
_LIBRARY = re.compile(r"site-packages|dist-packages|[/\\]lib(?:64)?[/\\]python\d|<frozen ")


def _tell_python(source: SourceMap, text: str) -> str:
    def told(match: re.Match[str]) -> str:
        if match["file"] == python_code.FILE:
            return "\0" if droppable else ""
        if _LIBRARY.search(match["file"]):
            return match.group()
        quoted = match["quoted"] or ""
        line = source.line_of(int(match["line"]), quoted)
        place = source.place(line) if line else None
        if place is not None:
            tail = f"\n{python_code.as_written(quoted)}" if quoted else ""
            # Marks below a line that has calls of ours in it would stand under the wrong words.
            below = match["below"] if python_code.as_written(quoted) == quoted else ""
            return f"{match['indent']}{place[0]}, line {place[1]}{match['rest']}{tail}{below}"
        # The message below says all; frames of lines that the reader never wrote would only puzzle. A fault of syntax
        # has no function, and its place stays.
        unread = droppable and line is not None and source.is_made(line) and match["rest"].startswith(", in ")
        return "\0" if unread else match.group()

    # Text that holds the mark of a gap itself is not a traceback of ours.
    droppable = "\0" not in text
    if not droppable:
        return _PYTHON_FRAME.sub(told, text)
    return _GAP.sub("", _NO_FRAMES.sub("", _PYTHON_FRAME.sub(told, text)))


def _tell_bash(source: SourceMap, text: str) -> str:
    def told(match: re.Match[str]) -> str:
        place = source.place(int(match["line"]))
        return f"{place[0]}, line {place[1]}:" if place else match.group()

    return _BASH_FAULT.sub(told, text)


#: A server's names for a script: in errors of Groovy, at the start of a line or in a frame, and of JavaScript.
_GROOVY_PLACE = re.compile(r"^(?P<frame>\s+at [^\n()]*\()?Script\d+\.groovy: ?(?P<line>\d+)(?(frame)\))", re.MULTILINE)
_JAVASCRIPT_PLACE = re.compile(r"(?P<frame>)<eval>(?: at line number |:)(?P<line>\d+)")


def _tell_places(pattern: re.Pattern[str]) -> Callable[[SourceMap, str], str]:
    """Puts the cell and its line in the place of a server's name for the script and its line."""

    def teller(source: SourceMap, text: str) -> str:
        def told(match: re.Match[str]) -> str:
            place = source.place(int(match["line"]))
            at = "    at " if match["frame"] else ""
            return f"{at}{place[0]}, line {place[1]}" if place else match.group()

        return pattern.sub(told, text)

    return teller


#: Engine -> how its interpreter speaks of lines.
_TELLERS: Mapping[str, Callable[[SourceMap, str], str]] = {
    "cpython": _tell_python,
    "python": _tell_python,
    "bash": _tell_bash,
    "groovy": _tell_places(_GROOVY_PLACE),
    "javascript": _tell_places(_JAVASCRIPT_PLACE),
}
