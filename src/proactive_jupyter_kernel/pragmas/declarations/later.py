"""The pragmas that follow one in its cell. Pure.

A cell may have thousands of pragmas, and each asks which tasks are defined further down: all share one record of the
cell, which answers without reading the pragmas again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall

__all__ = ["CalledPragmas", "Later"]


class CalledPragmas:
    """All pragmas of one cell, with answers to what is often asked of those after one of them."""

    def __init__(self) -> None:
        #: From the last to the first.
        self.reverse: list[BoundCall] = []
        #: How many pragmas there are up to the last one that changes the draft, counted from the end; 0: there is none.
        self.last_change = 0
        #: Name of a task -> the last pragma that defines it, and its number counted from the end.
        self.definitions: dict[str, tuple[int, BoundCall]] = {}
        #: Name of a task -> the number, counted from the end, of the last pragma that names it in `dep`.
        self.parents: dict[str, int] = {}
        #: Whether every task of the cell is defined once, by `#%task`, and nothing else of it changes dependencies.
        self.only_tasks = True
        #: The number of a run of the cell, and the tasks that are surely in no cycle, where `only_tasks` is true.
        self.acyclic: tuple[int, frozenset[str]] = (-1, frozenset())

    def prepend(self, call: BoundCall) -> None:
        """Add the pragma that stands before all others."""
        self.reverse.append(call)
        number = len(self.reverse)
        if call.pragma.changes_draft and not self.last_change:
            self.last_change = number
        known = call.pragma.name == "task" and call["name"] not in self.definitions
        self.only_tasks &= known or not call.pragma.changes_draft or call.pragma.family == "scripts"
        if call.pragma.defines_task:
            if call["name"]:
                self.definitions.setdefault(call["name"], (number, call))
            for parent in call.values.get("dep") or ():
                self.parents.setdefault(parent, number)


class Later(Sequence["BoundCall"]):
    """The pragmas that follow one in its cell. They share the records of the cell: a cell may have thousands."""

    def __init__(self, cell: CalledPragmas) -> None:
        self._cell = cell
        self._count = len(cell.reverse)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> BoundCall: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[BoundCall]: ...
    def __getitem__(self, index: int | slice) -> BoundCall | Sequence[BoundCall]:
        if isinstance(index, slice):
            return tuple(self)[index]
        if not -self._count <= index < self._count:
            raise IndexError(index)
        return self._cell.reverse[(self._count - 1 - index) % self._count]

    def __iter__(self) -> Iterator[BoundCall]:
        return (self._cell.reverse[number] for number in range(self._count - 1, -1, -1))

    @property
    def changes_draft(self) -> bool:
        """Whether one of them changes the draft."""
        return 0 < self._cell.last_change <= self._count

    @property
    def tasks(self) -> Iterator[str]:
        """The names of the tasks that they define."""
        return (name for name, (number, _) in self._cell.definitions.items() if number <= self._count)

    def definition(self, task: str) -> BoundCall | None:
        """The one that defines the task; the last of several."""
        number, call = self._cell.definitions.get(task, (0, None))
        return call if number <= self._count else None

    @property
    def cell(self) -> CalledPragmas:
        """All pragmas of the cell."""
        return self._cell

    def depend_on(self, task: str) -> bool:
        """Whether one of them names the task in `dep`."""
        return 0 < self._cell.parents.get(task, 0) <= self._count
