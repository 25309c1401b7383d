"""Cells without a pragma that become tasks all the same: the modes ``block`` and ``multiblock`` of `#%configure`."""

from __future__ import annotations

import re

from proactive_jupyter_kernel.pragmas.cells.plan import Plan
from proactive_jupyter_kernel.pragmas.code import check_code, code_of
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.declarations.parameters import PYTHON
from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall, Handler, Pragma
from proactive_jupyter_kernel.pragmas.draft.contributions import AppendedCode, DefinedTask
from proactive_jupyter_kernel.pragmas.draft.draft import Draft, DraftTask
from proactive_jupyter_kernel.pragmas.draft.source_map import Code
from proactive_jupyter_kernel.pragmas.grammar.syntax import Call
from proactive_jupyter_kernel.pragmas.grammar.tokens import Span
from proactive_jupyter_kernel.pragmas.handlers.tasks import define, say_defined
from proactive_jupyter_kernel.pragmas.outputs import Text
from proactive_jupyter_kernel.workflow.languages import by_engine
from proactive_jupyter_kernel.workflow.model import Script, Task

__all__ = ["plan_of_plain_cell"]

#: A cell of nothing but blanks and comments, and the cell of parameters that papermill puts in, run locally always.
_LOCAL = re.compile(r"(?:\s*(?:#[^\n]*)?\n?)*|\s*#[ \t]*[Pp]arameters[ \t]*\n.*", re.DOTALL)


def plan_of_plain_cell(context: Context, text: str) -> Plan | None:
    """What a cell without a pragma asks for in the present mode; None: it runs in the notebook's own Python."""
    pragma = _PRAGMAS.get(context.cell_mode)
    if pragma is None or _LOCAL.fullmatch(text):
        return None
    first = text.split("\n")[0]
    span = Span(line=1, column=0, length=max(len(first), 1), source=first)
    # It stands above the first line, so that its code starts there.
    call = Call(name="configure", code=text, span=span, first_line=1, last_line=0)
    language = PYTHON
    if context.cell_mode == "multiblock" and (last := context.draft.tasks.get(context.draft.last_task)):
        language = by_engine(last.engine) or PYTHON
    bound = BoundCall(pragma=pragma, call=call, values={"language": language}, spans={})
    check_code(bound)
    return Plan(steps=(bound,))


def _block(context: Context, call: BoundCall) -> None:
    """Define the cell as a task; the same cell defines the same task again."""
    entry = _task(_name(context.draft), code_of(context, call, PYTHON))
    define(context, DefinedTask(entry=entry, generated="block"))


def _name(draft: Draft) -> str:
    return draft.name_again("block") or draft.free_name("block")


def _task(name: str, code: Code) -> DraftTask:
    return DraftTask(task=Task(name=name, executable=Script(language=PYTHON.engine)), code=(code,))


def _multiblock(context: Context, call: BoundCall) -> None:
    """Append the cell to the task that was defined last."""
    draft = context.draft
    last = draft.tasks.get(draft.last_task)
    code = code_of(context, call, call["language"])
    alone = _task(_name(draft), code)
    draft.contribute(AppendedCode(code=code, alone=alone))
    if last is None or last.code is None:
        say_defined(context, alone, redefined=False)
    else:
        context.frontend.show(Text(text=f"Task {last.name} continues with this cell."))


def _pragma(handler: Handler, summary: str) -> Pragma:
    """An internal pragma, which is not in the registry."""
    return Pragma(
        name="configure",
        family="help",
        summary=summary,
        handler=handler,
        takes_code=True,
        changes_draft=True,
    )


_PRAGMAS = {
    "block": _pragma(_block, "Makes the cell a task."),
    "multiblock": _pragma(_multiblock, "Appends the cell to the last task."),
}
