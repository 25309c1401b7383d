"""Cells with pragmas become Python of the same number of lines.

Each pragma becomes one call on its first line; its other lines, and the lines of code that belong to it, become blank,
so that code in other languages never reaches Python. Code that runs here stays where it stands: magics, ``?``,
top-level ``await``, the display of a last expression and the line numbers of tracebacks are IPython's own. A cell
without a pragma is not touched, nor is one that starts with a cell magic.

IPython transforms a cell twice and may never run it, so that a transformation must do nothing: it reads and checks the
whole cell, and keeps what it found for the calls in the text. A cell with a fault becomes a single call that raises it.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.errors import PragmaError

if TYPE_CHECKING:
    from proactive_jupyter_kernel.pragmas.cells.plan import Plan
    from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall
    from proactive_jupyter_kernel.pragmas.grammar.syntax import LocalCode

__all__ = ["RUNNER", "Cells", "Program", "has_pragma", "may_have_pragma"]

#: What the shell's attribute is called under which the calls find their way back.
RUNNER = "proactive"
#: Programs kept: a cell is run right after it was transformed, but may wait in its midst while others run in subshells.
KEPT = 1000

#: Everything that the grammar may take for a pragma, and little else: cells of Python alone never load the grammar.
_BLANK = r"[ \t\xa0]*"
_CANDIDATE = re.compile(
    rf"#{_BLANK}%{{1,2}}{_BLANK}(?P<name>[^\W\d_]\w*){_BLANK}"
    rf"(?:[(#\r\n]|\Z|[^\r\n]*\w{_BLANK}=|\w+{_BLANK}(?:[#\r\n]|\Z))"
    # Behind a prompt, too.
    rf"|^[ \t]*+(?:[^\r\n%#]*(?:>>>|\.\.\.|:)[ \t]*+)?%{{1,2}}(?P<magic>[^\W\d_]\w*)[ \t]*\(",
    re.MULTILINE,
)
_CELL_MAGIC = re.compile(r"\s*%%(?:(?P<name>[^\W\d_]\w*)(?P<called>[ \t]*\()?)?")


def has_pragma(text: str) -> bool:
    """Whether the cell is one for the pragmas: it has a pragma line and does not start with a cell magic."""
    if not may_have_pragma(text):
        return False
    from proactive_jupyter_kernel.pragmas.cells.plan import has_pragma as has

    return has(text)


def may_have_pragma(text: str) -> bool:
    """A quick check that loads nothing: where it is False, the cell has no pragma."""
    if _is_cell_magic(text):
        return False
    return any(_may_be_pragma(one["name"]) or not _is_magic(one["magic"]) for one in _CANDIDATE.finditer(text))


def _may_be_pragma(name: str | None) -> bool:
    from proactive_jupyter_kernel.pragmas.grammar.magics import SHARED

    return name is not None and (name.lower() in SHARED or not _is_magic(name))


def _is_magic(name: str | None) -> bool:
    from proactive_jupyter_kernel.pragmas.grammar.magics import MAGICS

    return name is None or name.lower() in MAGICS


def _is_cell_magic(text: str) -> bool:
    """Whether the cell belongs to a magic, whatever stands in it; ``%%task(...)`` is a pragma written like one."""
    magic = _CELL_MAGIC.match(text)
    if magic is None or text[magic.end() : magic.end() + 1] == "%":
        return False
    return not magic["called"] or _is_magic(magic["name"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A cell, read: the Python that stands for it and the calls that this Python makes."""

    python: str
    calls: tuple[BoundCall, ...] = ()
    #: Why the cell cannot run.
    fault: PragmaError | None = None


class Cells:
    """Turns cells into programs and finds them again; a transformer of IPython. Safe to use from several threads."""

    #: IPython does not ask a transformer that says so whether a cell is complete.
    has_side_effects = True

    def __init__(self, plain: Callable[[str], Plan | None] = lambda _: None) -> None:
        """`plain` tells what a cell without a pragma asks for; None: it is Python and nothing else."""
        self._plain = plain
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}
        self._programs: OrderedDict[int, Program] = OrderedDict()
        self._count = 0

    def __call__(self, lines: list[str]) -> list[str]:
        """Lines of a cell to lines of Python."""
        text = "".join(lines)
        if has_pragma(text):
            program: Program | None = self.program(text)
        else:
            program = None if _is_cell_magic(text) else self._plain_program(text)
        return program.python.splitlines(keepends=True) if program else lines

    def program(self, text: str) -> Program:
        """The program of a cell with pragmas; the same for the same text, as long as it is kept."""
        with self._lock:
            known = self._programs.get(self._numbers.get(text, 0))
            if known:
                return known
        number = self._next()
        return self._keep(number, _program(text, number, lambda: _plan(text)), text)

    def find(self, number: int) -> Program | None:
        """The program of this number; None if it was discarded."""
        with self._lock:
            return self._programs.get(number)

    def _plain_program(self, text: str) -> Program | None:
        number = self._next()
        program = _program(text, number, lambda: self._plain(text))
        # The question depends on more than the text of the cell, so it is not cached.
        return self._keep(number, program) if program.calls or program.fault else None

    def _next(self) -> int:
        with self._lock:
            self._count += 1
            return self._count

    def _keep(self, number: int, program: Program, text: str = "") -> Program:
        with self._lock:
            self._programs[number] = program
            if text:
                self._numbers[text] = number
            while len(self._programs) > KEPT:
                oldest, _ = self._programs.popitem(last=False)
                self._numbers = {text: number for text, number in self._numbers.items() if number != oldest}
        return program


def _plan(text: str) -> Plan:
    from proactive_jupyter_kernel.pragmas.cells.plan import plan

    return plan(text)


def _program(text: str, number: int, planned: Callable[[], Plan | None]) -> Program:
    try:
        found = planned()
    except PragmaError as error:
        return Program(python=_python(text, {1: f"get_ipython().{RUNNER}.refuse({number})"}, ()), fault=error)
    if found is None:
        return Program(python=text)
    calls = {
        call.call.first_line: f"get_ipython().{RUNNER}.run({number}, {index}, {call.pragma.name!r})"
        for index, call in enumerate(found.calls)
    }
    return Program(python=_python(text, calls, _local(found)), calls=found.calls)


def _local(found: Plan) -> tuple[LocalCode, ...]:
    from proactive_jupyter_kernel.pragmas.grammar.syntax import LocalCode

    return tuple(step for step in found.steps if isinstance(step, LocalCode))


def _python(text: str, calls: dict[int, str], local: tuple[LocalCode, ...]) -> str:
    """As many lines as the cell has: calls on their lines, local code on its own, the rest blank."""
    lines = [""] * len(text.replace("\r\n", "\n").split("\n"))
    for code in local:
        for offset, line in enumerate(_dedented(code.text).split("\n")):
            place = code.first_line - 1 + offset
            if place < len(lines):
                lines[place] = line
    for line_number, call in calls.items():
        lines[line_number - 1] = call
    # IPython takes blank lines off the front, which would shift the numbers of the others.
    for place, line in enumerate(lines):
        if line.strip():
            break
        lines[place] = "#"
    return "\n".join(lines)


def _dedented(text: str) -> str:
    """Code below an indented pragma, which is indented as a whole; other code as it is."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip(" \t"))]
    if not indent:
        return text
    lines = text.split("\n")
    if any(line.strip() and not line.startswith(indent) for line in lines):
        return text
    return "\n".join(line.removeprefix(indent) for line in lines)
