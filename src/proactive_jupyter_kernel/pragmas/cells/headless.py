"""Builds the job of a notebook from its cells alone: no Python of the notebook runs, nothing is submitted.

Only pragmas that build the job are carried out, and of cells of parameters the values that are written out. So a
notebook of others can be exported without trusting it. What only the notebook's Python knows, such as a formula
``=len(names)``, is refused by name.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any, cast

from proactive_jupyter_kernel.errors import PragmaError, ProActiveError, SetupError
from proactive_jupyter_kernel.pragmas import run as runner
from proactive_jupyter_kernel.pragmas.cells.blocks import plan_of_plain_cell
from proactive_jupyter_kernel.pragmas.cells.plan import has_pragma, plan
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.declarations.kinds import Formula, Modelled
from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall
from proactive_jupyter_kernel.pragmas.draft.draft import Built
from proactive_jupyter_kernel.pragmas.outputs import Notice, Output

__all__ = ["HeadlessFault", "build"]

#: Pragmas that say how later cells are read, though they change no draft themselves.
_SETTINGS = ("configure",)


class HeadlessFault(ProActiveError):
    """A cell could not be carried out; the message names it."""


class _Frontend:
    """Discards outputs and keeps warnings."""

    def __init__(self, folder: Path, name: str) -> None:
        self.namespace: MutableMapping[str, Any] = {}
        self.folder = folder
        self.notebook_name = name
        self.notebook_path = ""
        self.cell_label = self.cell_id = self.cell_text = ""
        self.cell_run = 0
        self.headless = True
        self.warnings: list[str] = []

    def show(self, output: Output) -> None:
        if isinstance(output, Notice) and output.warning:
            self.warnings.append(output.text)

    def offer_cell(self, text: str) -> None:
        """There are no cells."""

    def show_updatable(self, output: Output) -> Any:
        raise SetupError("Nothing can be displayed here.")

    def write(self, text: str, *, error: bool = False) -> None:
        """Discards the output."""

    def ask(self, prompt: str, *, secret: bool = False) -> str:
        raise SetupError(f"{prompt} no input is possible here.")


def build(
    cells: Sequence[str], *, folder: Path, name: str, sets_parameters: Callable[[str], bool] = lambda text: False
) -> tuple[Built, tuple[str, ...]]:
    """The job that the cells build, under its name or else `name`, and the warnings on the way.

    Paths are relative to `folder`. Of a cell that `sets_parameters`, values written out (numbers, texts, lists and so
    on) are read. Raises HeadlessFault for a cell that cannot be carried out, and InvalidWorkflow.
    """
    frontend = _Frontend(folder, name)
    parameter_cells: dict[str, str] = {}
    context = Context(frontend, live=cast(Any, None), parameter_cells=parameter_cells)
    for number, text in enumerate(cells, 1):
        frontend.cell_run, frontend.cell_text = number, text
        frontend.cell_label, frontend.cell_id = f"Cell {number}", f"cell-{number}"
        if sets_parameters(text) and not has_pragma(text):
            parameter_cells[frontend.cell_id] = text
            frontend.namespace.update(_written_out(text))
            continue
        try:
            for call in _calls(context, text):
                runner.run(context, call)
        except PragmaError as error:
            raise HeadlessFault(f"Cell {number}: {error.message}", hint=error.hint) from error
    return context.draft.build(context.job_name), tuple(frontend.warnings)


def _written_out(text: str) -> dict[str, object]:
    """The names that the cell sets to a value which is written out; nothing is run."""
    found: dict[str, object] = {}
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return found
    for statement in body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        for target in targets:
            if isinstance(target, ast.Name) and isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value:
                with contextlib.suppress(ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
                    found[target.id] = ast.literal_eval(statement.value)
    return found


def _calls(context: Context, text: str) -> Iterable[BoundCall]:
    found = plan(text) if has_pragma(text) else plan_of_plain_cell(context, text)
    for call in found.calls if found else ():
        if call.pragma.changes_draft or call.pragma.name in _SETTINGS:
            _refuse_formulas(call)
            yield call


def _refuse_formulas(call: BoundCall) -> None:
    for parameter, value in call.values.items():
        if not isinstance(value, Mapping):
            continue
        for name, one in value.items():
            inner = one.value if isinstance(one, Modelled) else one
            if isinstance(inner, Formula):
                raise call.fault(
                    f"the value of {name} is the formula ={inner.text}, which needs the notebook's Python.",
                    parameter=parameter,
                    hint="Export the job from the notebook itself, with #%export_xml(), or write the value.",
                )
