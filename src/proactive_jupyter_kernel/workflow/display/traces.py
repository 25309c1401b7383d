"""The error of a task as its text says it: the line that matters, and the cell's line that raised it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from proactive_jupyter_kernel.workflow.display.records import Failure

__all__ = ["failure_of"]

#: How errors name a cell, once places in scripts are replaced by places in cells.
_CELL = re.compile(r"Cell In\[(\d+)\],? line (\d+)")
_FRAME = re.compile(r'^[ \t|+-]*(?:File "|Cell In\[|[^\s"].*, line \d+(?:, in \S+)?$)')
#: The message of a compiler, below which it quotes the code.
_COMPILER = re.compile(r"Cell In\[\d+\],? line \d+: error: ")
#: The first line of an exception group.
_GROUP = re.compile(r"^ *\+ Exception Group Traceback \(")
#: Lines of the cell shown above the faulty one.
ABOVE = 2


def failure_of(
    task: str, text: str, *, hint: str = "", cells: Mapping[int, Mapping[int, str]] | None = None
) -> Failure:
    """The failure that a traceback, or the output of a program, describes.

    `cells` gives lines of cells by the number of the cell and of the line, for the code around the place.
    """
    text = text.strip("\n")
    own = _without_members(text)
    line = _error_line(own)
    place = ""
    code: tuple[tuple[int, str], ...] = ()
    if found := list(_CELL.finditer(own)):
        cell, number = int(found[-1][1]), int(found[-1][2])
        place = f"cell [{cell}], line {number}"
        known = (cells or {}).get(cell, {})
        if number in known:
            first = number
            while first - 1 in known and first > number - ABOVE:
                first -= 1
            code = _from_first_line_of_code(tuple((one, known[one]) for one in range(first, number + 1)))
    return Failure(task=task, line=line, place=place, code=code, hint=hint, trace="" if text == line else text)


def _without_members(text: str) -> str:
    """The traceback of an exception group without those of its members; any other text as it is."""
    lines = text.split("\n")
    tops = [index for index, line in enumerate(lines) if _GROUP.match(line)]
    if not tops or any(line.startswith("Traceback (") for line in lines[tops[-1] :]):
        return text
    # Members may be groups; the outermost one is the error.
    margin = min(lines[index].index("+") for index in tops)
    top = max(index for index in tops if lines[index].index("+") == margin)
    own = [line[margin + 2 :] for line in lines[top + 1 :] if line[margin : margin + 1] == "|"]
    return "\n".join(own) or text


def _error_line(text: str) -> str:
    """The first line below the last frame of a traceback; the first line of a text without frames."""
    lines = text.split("\n")
    frames = [index for index, line in enumerate(lines) if _FRAME.match(line)]
    if frames:
        if _COMPILER.match(lines[frames[-1]]):
            return lines[frames[-1]].strip()
        rest = lines[frames[-1] + 1 :]
        for line in rest:
            if line.strip() and not line[0].isspace():
                return line.strip()
        # A syntax error quotes code with indents and ends with its message; others end there, too.
        return rest[-1].strip() if rest else lines[-1].strip()
    return next((line.strip() for line in lines if line.strip()), "")


def _from_first_line_of_code(code: tuple[tuple[int, str], ...]) -> tuple[tuple[int, str], ...]:
    """Without empty lines and pragmas above the code."""
    start = 0
    while start < len(code) - 1 and (not code[start][1].strip() or code[start][1].lstrip().startswith("#%")):
        start += 1
    return code[start:]
