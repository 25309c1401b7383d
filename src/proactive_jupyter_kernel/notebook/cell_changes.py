"""Cells that matter without a pragma of theirs being run: parameters, a removed pragma, a deleted cell.

JupyterLab lists the cells that were deleted since the last request in the metadata of each request to run a cell.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from proactive_jupyter_kernel.notebook.requests import Cell, Requests
from proactive_jupyter_kernel.notebook.runner import Runner
from proactive_jupyter_kernel.notebook.transformer import has_pragma

__all__ = ["PARAMETERS", "CellChanges"]

#: A comment with nothing but one word.
_BARE = re.compile(r"^#%(?P<name>[^\W\d_]\w*)(?P<called>[ \t]*\([ \t]*\))?[ \t]*$", re.MULTILINE)
#: The first line of the cell of parameters that papermill adds.
PARAMETERS = re.compile(r"\s*#[ \t]*[Pp]arameters[ \t]*(?:\n|\Z)")
#: How Jupyter tags the cell of the defaults, which papermill puts its own cell after.
_TAG = "parameters"


class CellChanges:
    """Keeps the cells of parameters, and removes from the draft what other such cells contributed."""

    def __init__(self, shell: Any, runner: Runner, requests: Requests) -> None:
        self._shell = shell
        self._runner = runner
        self._requests = requests
        self._before = Cell(number=0)

    def install(self) -> None:
        """Start to listen."""
        self._requests.on_start.append(self._started)
        self._requests.on_end.append(self._ended)
        self._requests.on_error.append(self._failed)

    def remove(self) -> None:
        """Listen no longer."""
        self._requests.on_start.remove(self._started)
        self._requests.on_end.remove(self._ended)
        self._requests.on_error.remove(self._failed)

    def _started(self, cell: Cell) -> None:
        context = self._runner.started
        warn_of_comments(cell.text)
        deleted = self._deleted()
        for gone in deleted:
            self._runner.parameter_cells.pop(gone, None)
        if context is not None and deleted:
            from proactive_jupyter_kernel.pragmas.ownership import deleted_cells

            deleted_cells(context, deleted)

    def _ended(self, cell: Cell) -> None:
        if PARAMETERS.match(cell.text):
            from proactive_jupyter_kernel.pragmas.draft.notebook_parameters import sets_the_same

            # papermill puts its cell after the one with the defaults, and gives only what differs.
            if sets_the_same(self._before.text, cell.text):
                self._note_parameters(self._before)
            self._note_parameters(cell)
        elif self._is_tagged():
            self._note_parameters(cell)
        elif cell.text:
            self._runner.parameter_cells.pop(cell.id, None)
        if cell.text:
            self._before = cell
        context = self._runner.started
        # A cell whose own Python failed before its first pragma still has that pragma.
        if context is not None and cell.id and cell.text and not cell.pragmas and not has_pragma(cell.text):
            from proactive_jupyter_kernel.pragmas.ownership import plain_cell

            plain_cell(context, cell.id)

    def _failed(self, cell: Cell, error: BaseException) -> None:
        """A cell that stopped above a pragma still has that pragma: the job must not silently lack what it defines."""
        if not has_pragma(cell.text):
            return
        from proactive_jupyter_kernel.pragmas.ownership import not_reached

        not_reached(self._runner.context, cell.id, cell.label, cell.to_come, cell.text, error)

    def _note_parameters(self, cell: Cell) -> None:
        self._runner.parameter_cells[cell.id or f"run {cell.run}"] = cell.text

    def _is_tagged(self) -> bool:
        tags = self._metadata().get("tags")
        return isinstance(tags, list) and _TAG in tags

    def _deleted(self) -> list[str]:
        found = self._metadata().get("deletedCells")
        return [cell for cell in found if isinstance(cell, str)] if isinstance(found, list) else []

    def _metadata(self) -> dict[str, Any]:
        """What the front end says of the cell that runs."""
        parent = self._shell.get_parent() if hasattr(self._shell, "get_parent") else {}
        return parent.get("metadata") or {}


def warn_of_comments(text: str) -> None:
    """Say it where ``#%submit`` alone on its line, a comment, looks like a pragma whose name is not quite right."""
    for found in _BARE.finditer(text):
        from proactive_jupyter_kernel.pragmas.declarations.proposals import PRAGMA_SYNONYMS
        from proactive_jupyter_kernel.pragmas.grammar.magics import MAGICS

        name = found["name"]
        is_magic = name.lower() in MAGICS
        # ``%run`` without an argument is not a magic either; a called name that is not a magic is an error.
        if (is_magic and name.lower() not in PRAGMA_SYNONYMS) or (found["called"] and not is_magic):
            continue
        from proactive_jupyter_kernel.pragmas.declarations.registry import PRAGMAS

        meant = "" if PRAGMAS.get(name) else PRAGMAS.proposal(name)
        if meant:
            print(
                f"Warning: {found.group().rstrip()} is only a comment: there is no such pragma."
                f" Did you mean #%{meant}?",
                file=sys.stderr,
            )
