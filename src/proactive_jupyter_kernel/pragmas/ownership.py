"""What a cell's run means for the draft: what it contributed before is set aside, and what it no longer defines goes.

The notebook's side calls `refused`, `plain_cell` and `deleted_cells`; `run.py` calls the others for each pragma.
"""

from __future__ import annotations

from collections.abc import Collection

from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall
from proactive_jupyter_kernel.pragmas.draft.contributions import ControlStep
from proactive_jupyter_kernel.pragmas.draft.draft import Removed
from proactive_jupyter_kernel.pragmas.draft.refusals import Item, Refusal, items_of, items_of_text
from proactive_jupyter_kernel.pragmas.outputs import Notice

__all__ = [
    "begin",
    "deleted_cells",
    "done",
    "failed",
    "not_reached",
    "plain_cell",
    "record",
    "refused",
    "submittable",
    "warnings_of",
]


def begin(context: Context, call: BoundCall) -> None:
    """A pragma of the running cell is about to be run."""
    frontend, draft = context.frontend, context.draft
    changes = call.pragma.changes_draft or call.later.changes_draft
    if not changes and frontend.cell_id not in draft.cells:
        context.refusals.forget_cell(frontend.cell_id)
        return
    with context.lock:
        set_aside = draft.begin(
            frontend.cell_id,
            frontend.cell_label,
            frontend.cell_run,
            text=frontend.cell_text,
            mode=context.cell_mode,
        )
        if set_aside and not changes:
            _end(context)


def done(context: Context, call: BoundCall) -> None:
    """A pragma that changes the draft did its work."""
    context.refusals.done(items_of(call))
    if not call.later.changes_draft:
        _end(context)


def failed(context: Context, call: BoundCall, error: BaseException) -> None:
    """A pragma that changes the draft was refused, or interrupted."""
    context.draft.fail()
    record(context)
    frontend = context.frontend
    context.refusals.add(frontend.cell_id, frontend.cell_label, items_of(call, *call.later), error)


def refused(context: Context, text: str, error: BaseException) -> None:
    """The running cell could not be read: it changes nothing."""
    with context.lock:
        frontend = context.frontend
        items = items_of_text(text)
        if not items and context.cell_mode != "local":
            # A cell without a pragma, which would have become a task.
            items = (Item(pragma="configure"),)
        context.refusals.add(frontend.cell_id, frontend.cell_label, items, error)


def not_reached(
    context: Context, cell: str, label: str, calls: Collection[BoundCall] | None, text: str, error: BaseException
) -> None:
    """A cell stopped at an error before it came to `calls`; None: before any pragma of its text."""
    items = items_of_text(text) if calls is None else items_of(*calls)
    with context.lock:
        if not items or any(refusal.label == label for refusal in context.refusals):
            return
        if calls is not None:
            context.draft.fail()
            record(context)
        context.refusals.add(cell, label, items, error, "stopped at an error before it")


def plain_cell(context: Context, cell: str) -> None:
    """A cell that has no pragma ran: what it contributed when it had some goes."""
    with context.lock:
        context.refusals.forget_cell(cell)
        context.journal.forget([cell])
        _say(context, context.draft.forget_cell(cell), "its cell no longer has a pragma for it")
        record(context)


def deleted_cells(context: Context, cells: Collection[str]) -> None:
    """Cells were deleted from the notebook."""
    with context.lock:
        for cell in cells:
            context.refusals.forget_cell(cell)
            _say(context, context.draft.forget_cell(cell), "its cell was deleted")
        context.journal.forget(cells)
        record(context)


def _end(context: Context) -> None:
    context.refusals.forget_cell(context.frontend.cell_id)
    _say(context, context.draft.end(), "this cell no longer defines it")
    record(context)


def record(context: Context) -> None:
    """Write the journal, where there is one."""
    try:
        context.journal.record(context.draft)
    except OSError as error:
        context.journal.on = False
        context.frontend.show(Notice(text=f"The journal is off: it cannot be written: {error}.", warning=True))


def _say(context: Context, removed: list[Removed], reason: str) -> None:
    for one in removed:
        step = next((x for x in context.draft.inactive if _defines(x.contribution, one.name)), None)
        why = f"in {step.cell.label}, {step.reason.rstrip('.')}" if step else reason
        children = ", ".join(one.children)
        verb = "depends" if len(one.children) == 1 else "depend"
        still = f" {children} still {verb} on it: change dep there, or define {one.name} again." if children else ""
        context.frontend.show(Notice(text=f"Removed task {one.name}: {why}.{still}"))


def _defines(contribution: object, name: str) -> bool:
    return isinstance(contribution, ControlStep) and contribution.entry.name == name


def warnings_of(context: Context) -> list[Notice]:
    """What the job lacks because cells were refused, and what has no effect."""
    missing = [
        f"The job {_lack(context, refusal, item)} {item.title}: {refusal.label} {refusal.what}. {refusal.reason}"
        for refusal in context.refusals
        for item in refusal.items
    ]
    idle = [f"{one.cell.label}: no effect of the {one.reason.rstrip('.')}." for one in context.draft.inactive]
    return [Notice(text=text, warning=True) for text in (*missing, *idle)]


def submittable(context: Context, call: BoundCall) -> list[Notice]:
    """`warnings_of`; `PragmaError` where the job would run an older version of a task, or tasks need a missing one."""
    for refusal in context.refusals:
        for item in refusal.items:
            lack = _lack(context, refusal, item)
            missing = item.defines and item.task not in context.draft.tasks
            children = context.draft.contents.children(item.task) if missing else ()
            if children or (lack == _OUTDATED and item.defines):
                needs = f", which {', '.join(children)} need{'' if children[1:] else 's'}" if children else ""
                raise call.fault(
                    f"the job {lack} {item.title}{needs}: {refusal.label} {refusal.what}. {refusal.reason}",
                    hint=f"Correct that cell and run it, or delete it. #%delete_task(name={item.task}) submits without "
                    "the task.",
                )
    return warnings_of(context)


_OUTDATED = "has an older version of"


def _lack(context: Context, refusal: Refusal, item: Item) -> str:
    entry = context.draft.cells.get(refusal.cell)
    owned = entry is not None and any(one.key == ("task", item.task) for one in entry.contributions)
    return _OUTDATED if owned and item.task in context.draft.tasks else "lacks"
