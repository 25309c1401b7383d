"""The cells of this notebook that were refused, so that no job silently lacks what they would have defined. Pure.

A refusal exists until its cell runs successfully or is deleted, or another cell defines what it names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from proactive_jupyter_kernel.errors import ProActiveError
from proactive_jupyter_kernel.pragmas.declarations.registry import PRAGMAS, BoundCall, Pragma
from proactive_jupyter_kernel.pragmas.grammar.parser import read
from proactive_jupyter_kernel.pragmas.grammar.syntax import ListNode, TextNode
from proactive_jupyter_kernel.workflow.names import is_ncname

__all__ = ["Item", "Refusal", "Refusals", "items_of", "items_of_text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One pragma that was refused, or not reached because one above it was."""

    pragma: str
    #: The task that it names; empty where it names none.
    task: str = ""
    #: Whether it defines that task.
    defines: bool = False

    @property
    def title(self) -> str:
        """How messages call it."""
        if self.pragma == "configure":
            return "the code of a cell without a pragma"
        if self.defines and self.task:
            return f"task {self.task}"
        return f"#%{self.pragma} of {self.task}" if self.task else f"#%{self.pragma}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A cell that was refused."""

    #: The front end's identity of the cell; empty if it gives none.
    cell: str
    #: How messages name it.
    label: str
    items: tuple[Item, ...]
    #: Why, in one line.
    reason: str
    #: What became of the cell, after its label.
    what: str = "was refused"


class Refusals:
    """The current refusals. Not thread-safe: the caller must hold the lock of the context."""

    def __init__(self) -> None:
        self._found: list[Refusal] = []

    def __iter__(self) -> Iterator[Refusal]:
        return iter(list(self._found))

    def add(
        self, cell: str, label: str, items: tuple[Item, ...], error: BaseException, what: str = "was refused"
    ) -> None:
        """Note that a cell was refused, or how else it missed its pragmas."""
        self.forget_cell(cell)
        if items:
            message = (
                error.message if isinstance(error, ProActiveError) else f"{type(error).__name__}: {error}".rstrip(": ")
            )
            self._found.append(Refusal(cell=cell, label=label, items=items, reason=message.split("\n")[0], what=what))

    def forget_cell(self, cell: str) -> None:
        """The cell ran well, or is gone."""
        if cell:
            self._found = [one for one in self._found if one.cell != cell]

    def done(self, items: tuple[Item, ...]) -> None:
        """These were done, in any cell; items without a task are identified by their cell only.

        In a terminal, where no cell can be corrected and run again, the next pragma of the same name corrects one that
        names no possible task.
        """
        for position, one in enumerate(self._found):
            kept = tuple(item for item in one.items if not _is_settled(item, one.cell, items))
            if kept != one.items:
                self._found[position] = replace(one, items=kept)
        self._found = [one for one in self._found if one.items]

    def names_task(self, task: str) -> bool:
        """Whether a refusal names a task."""
        return any(item.task == task for one in self._found for item in one.items)

    def forget_task(self, task: str) -> bool:
        """A task is no longer wanted; whether a refusal named it."""
        named = tuple(item for one in self._found for item in one.items if item.task == task)
        self.done(named)
        return bool(named)

    def clear(self) -> None:
        """Everything starts afresh."""
        self._found = []


def _is_settled(item: Item, cell: str, done: tuple[Item, ...]) -> bool:
    if cell:
        return item in done and bool(item.task)
    return item in done or (not is_ncname(item.task) and any(one.pragma == item.pragma for one in done))


def items_of(*calls: BoundCall) -> tuple[Item, ...]:
    """What these pragmas would have put into the draft."""
    found = []
    for call in calls:
        if _counts(call.pragma):
            name = call.values.get("name")
            names = name if isinstance(name, tuple) else (name or "",)
            found += [Item(pragma=call.pragma.name, task=one, defines=call.pragma.defines_task) for one in names]
    return tuple(found)


def items_of_text(text: str) -> tuple[Item, ...]:
    """The same for a cell that cannot be read: as far as its lines tell."""
    found = []
    for reading in read(text, PRAGMAS.dialect).readings:
        pragma = PRAGMAS.get(reading.call.name)
        if pragma is not None and _counts(pragma):
            values = {argument.name or "name": argument.value for argument in reversed(reading.call.arguments)}
            value = values.get("name")
            nodes = value.items if isinstance(value, ListNode) else (value,)
            names = [node.text.strip() for node in nodes if isinstance(node, TextNode)] or [""]
            found += [Item(pragma=pragma.name, task=name, defines=pragma.defines_task) for name in names]
    return tuple(found)


def _counts(pragma: Pragma) -> bool:
    """Whether a job would lack something without it."""
    return pragma.changes_draft and pragma.takes_code
