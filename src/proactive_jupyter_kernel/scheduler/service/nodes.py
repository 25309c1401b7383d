"""What happened to the nodes, for those who poll: each change has a number, as in ``/rm/monitoring``.

Nothing is watched: a look compares the slots with what they were at the look before. So a change between two looks has
the time of the second one, and a node that was busy only in between has not changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from proactive_jupyter_kernel.scheduler.engine.placement import SlotState
from proactive_jupyter_kernel.scheduler.engine.records import UNSET

__all__ = ["NodeHistory", "NodeRecord"]

#: How many removed nodes are remembered: clusters that grow and shrink give their workers new names each time.
_MOST_REMOVED = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRecord:
    """The state of a node, and its last change."""

    now: SlotState
    #: As it was before; None: it was added.
    before: SlotState | None = None
    #: When the change was noticed, in milliseconds since the epoch.
    at: int
    #: The number of its last change, and of its addition.
    counter: int
    first_counter: int
    #: Whether it was removed.
    removed: bool = False
    #: When it was locked, and by whom.
    locked_at: int = UNSET
    locked_by: str = ""


class NodeHistory:
    """The nodes and their last changes; removed nodes are remembered for a while."""

    def __init__(self, clock: Callable[[], int]) -> None:
        """`clock` gives milliseconds since the epoch."""
        self._clock = clock
        self._records: dict[str, NodeRecord] = {}
        #: Of the last change. Starts from the clock, so that it rises over restarts of the scheduler, too.
        self.counter = clock()

    def look(self, states: Sequence[SlotState]) -> list[NodeRecord]:
        """Note what has changed since the last call; returns all nodes, removed ones last."""
        at = self._clock()
        present = {state.slot.name: state for state in states}
        for name, state in present.items():
            known = self._records.get(name)
            if known is None or known.removed:
                self.counter += 1
                self._records[name] = NodeRecord(now=state, at=at, counter=self.counter, first_counter=self.counter)
            elif known.now != state:
                self._change(name, replace(known, now=state, before=known.now, at=at))
        for name, known in list(self._records.items()):
            if name not in present and not known.removed:
                self._change(name, replace(known, removed=True, at=at))
        removed = [record for record in self._records.values() if record.removed]
        for record in sorted(removed, key=lambda record: record.counter)[: max(0, len(removed) - _MOST_REMOVED)]:
            del self._records[record.now.slot.name]
        return [self._records[name] for name in present] + [
            record for record in self._records.values() if record.removed
        ]

    def locked(self, names: Iterable[str], user: str | None) -> None:
        """Note who locked nodes; None: they were unlocked."""
        for name in names:
            if name in self._records:
                at, by = (UNSET, "") if user is None else (self._clock(), user)
                self._records[name] = replace(self._records[name], locked_at=at, locked_by=by)

    def _change(self, name: str, record: NodeRecord) -> None:
        self.counter += 1
        self._records[name] = replace(record, counter=self.counter)
