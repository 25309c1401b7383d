"""The journal of the draft: the texts of its cells, kept over a restart of the kernel, and offered after it.

Nothing is restored silently: the first pragma after a restart says what the journal holds, and
`#%draft(restore=on)` runs the pragmas of its cells that change the draft, or `#%draft(restore=off)` discards it.
"""

from __future__ import annotations

import copy
import functools
import itertools
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from proactive_jupyter_kernel.errors import ProActiveError
from proactive_jupyter_kernel.pragmas.memory.notebook_memory import JournalCell, NotebookMemory
from proactive_jupyter_kernel.pragmas.outputs import Notice, Output, Text

if TYPE_CHECKING:
    from proactive_jupyter_kernel.pragmas.cells.plan import Plan
    from proactive_jupyter_kernel.pragmas.context import Context
    from proactive_jupyter_kernel.pragmas.draft.draft import Draft
    from proactive_jupyter_kernel.pragmas.frontend import Frontend

__all__ = ["Journal", "offer", "restore"]

#: Their effect is in what the other cells of the journal define.
_NOT_RESTORED = frozenset({"configure", "delete_task", "draft"})


class Journal:
    """Stores the cells of the draft while it is on, and has those from before the start of the kernel."""

    def __init__(self, memory: NotebookMemory | None) -> None:
        self._memory = memory
        self.on = False
        #: The cells from before the restart that were neither restored, nor discarded, nor run again.
        self.offered = memory.journal() if memory is not None else []
        #: Whether the notebook has shown a notice about them.
        self.announced = False
        self._changed = False

    @property
    def possible(self) -> bool:
        """Whether a journal is possible: the front end provides the path of the notebook."""
        return self._memory is not None

    def record(self, draft: Draft) -> None:
        """Write the cells as they contribute now; the caller holds the context's lock. `OSError` if that fails."""
        if self._memory is None or not (self.on or self.offered or self._changed):
            return
        before = len(self.offered)
        # A cell that ran again, or that was deleted, is as it is now.
        self.offered = [cell for cell in self.offered if not cell.id or cell.id not in draft.cells]
        if self.on:
            defined = draft.tasks_by_run()
            cells = [
                JournalCell(
                    id=entry.id,
                    label=entry.label,
                    text=_masked(entry.text),
                    mode=entry.mode,
                    tasks=defined.get(entry.run, ()),
                )
                for entry in draft.cells.values()
                if entry.text
            ]
            self._memory.write_journal([*cells, *self.offered])
        elif self._changed or before != len(self.offered):
            self._memory.write_journal(self.offered)
        self._changed = False

    def forget(self, cells: Collection[str]) -> None:
        """Cells were deleted from the notebook: they are offered no more."""
        kept = [cell for cell in self.offered if cell.id not in cells]
        if len(kept) != len(self.offered):
            self.offered = kept
            self._changed = True

    def clear(self) -> None:
        """Keep nothing."""
        self.offered = []
        if self._memory is not None:
            self._memory.write_journal([])

    def discard(self) -> None:
        """Drop what is offered."""
        self.offered = []
        if self._memory is not None and not self.on:
            self._memory.write_journal([])


def offer(context: Context) -> None:
    """Say once what the journal holds."""
    journal = context.journal
    if not journal.offered or journal.announced:
        return
    journal.announced = True
    names = [name for cell in journal.offered for name in cell.tasks]
    tasks = f"tasks {', '.join(names)}" if names else "no tasks"
    count = len(journal.offered)
    text = (
        f"The journal has the draft from before the restart of the kernel: {count} cell{'s' if count > 1 else ''}, "
        f"{tasks}. "
        "#%draft(restore=on) restores it, #%draft(restore=off) discards it. Cells that you run again need neither."
    )
    context.frontend.show(Notice(text=text))


def restore(context: Context) -> None:
    """Run the pragmas of the journal's cells that change the draft; the caller holds the context's lock."""
    journal = context.journal
    cells, journal.offered, journal.announced, journal.on = journal.offered, [], True, False
    failed = []
    for cell in cells:
        try:
            _restore(context, cell)
        except ProActiveError as error:
            failed.append(f"{_label(cell)}: {error.message}")
    journal.on = True
    wanted = {name for cell in cells for name in cell.tasks}
    for name in [name for name in context.draft.tasks if name not in wanted and _is_restored(context, name)]:
        context.draft.delete(name)
    tasks = ", ".join(name for name in context.draft.tasks if name in wanted) or "none"
    count = len(cells) - len(failed)
    text = f"Restored the draft from {count} cell{'s' if count != 1 else ''}. Tasks: {tasks}."
    context.frontend.show(Text(text=text))
    for line in failed:
        context.frontend.show(Notice(text=f"Not restored: {line.rstrip('.')}. Run that cell.", warning=True))


def _label(cell: JournalCell) -> str:
    return f"{cell.label} (before the restart)"


def _is_restored(context: Context, name: str) -> bool:
    owner = context.draft.owner("task", name)
    return owner is not None and owner.token < 0


@functools.lru_cache(maxsize=4096)
def _masked(text: str) -> str:
    """The cell without its passwords."""
    from proactive_jupyter_kernel.pragmas.cells.plan import mask

    return mask(text)


#: Runs of cells of the journal have numbers that no run of a notebook has.
_TOKENS = itertools.count(-2, -1)


def _restore(context: Context, cell: JournalCell) -> None:
    from proactive_jupyter_kernel.pragmas.run import run

    replayed = copy.copy(context)
    replayed.frontend = _Replay(context.frontend, cell)
    replayed.cell_mode = cell.mode
    for call in _plan(replayed, cell).calls:
        # The implicit pragmas of a cell without one have the name of `#%configure`.
        if call.pragma.changes_draft and (call.pragma.takes_code or call.pragma.name not in _NOT_RESTORED):
            run(replayed, call)


def _plan(context: Context, cell: JournalCell) -> Plan:
    from proactive_jupyter_kernel.pragmas.cells.blocks import plan_of_plain_cell
    from proactive_jupyter_kernel.pragmas.cells.plan import Plan, has_pragma, plan

    if has_pragma(cell.text):
        return plan(cell.text)
    return plan_of_plain_cell(context, cell.text) or Plan(steps=())


class _Replay:
    """The front end as a cell of the journal sees it: what it shows is dropped, but for warnings."""

    def __init__(self, frontend: Frontend, cell: JournalCell) -> None:
        self._frontend = frontend
        self.cell_id = cell.id
        self.cell_label = _label(cell)
        self.cell_text = cell.text
        self.cell_run = next(_TOKENS)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._frontend, name)

    def show(self, output: Output) -> None:
        if isinstance(output, Notice) and output.warning:
            self._frontend.show(output)
