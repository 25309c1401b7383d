"""Whether a cell is finished, for consoles that ask at every end of line."""

from __future__ import annotations

from typing import Any

from proactive_jupyter_kernel.errors import UnclosedBracket
from proactive_jupyter_kernel.notebook.transformer import Cells, has_pragma

__all__ = ["Completeness"]

#: Columns by which a continued pragma is indented.
INDENT = 4


class Completeness:
    """Answers for cells with pragmas; IPython answers for the others."""

    def __init__(self, shell: Any, cells: Cells) -> None:
        self._manager = shell.input_transformer_manager
        self._check = self._manager.check_complete
        self._cells = cells

    def install(self) -> None:
        self._manager.check_complete = self.check_complete

    def remove(self) -> None:
        del self._manager.check_complete

    def check_complete(self, cell: str) -> tuple[str, int | None]:
        """``complete``, ``incomplete`` with the columns to indent by, or ``invalid``.

        A bracket left open means that the pragma continues. A pragma that owns code is finished by an empty line, as a
        cell magic is, since its code may be in any language. Code that runs here is judged by IPython.
        """
        if not has_pragma(cell):
            found: tuple[str, int | None] = self._check(cell)
            return found
        program = self._cells.program(cell)
        if program.fault:
            return ("incomplete", INDENT) if isinstance(program.fault, UnclosedBracket) else ("invalid", None)
        last = program.calls[-1]
        if last.pragma.takes_code and not last.given("path"):
            last_line = cell.rsplit("\n", 1)[-1]
            if last_line.strip():
                return "incomplete", _indent(last_line) if last.call.code else 0
            return "complete", None
        python: tuple[str, int | None] = self._check(program.python)
        return python


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
