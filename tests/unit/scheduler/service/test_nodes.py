"""What is remembered of the nodes."""

from __future__ import annotations

from proactive_jupyter_kernel.scheduler.attempt import Slot
from proactive_jupyter_kernel.scheduler.engine.placement import SlotState
from proactive_jupyter_kernel.scheduler.service import nodes
from proactive_jupyter_kernel.scheduler.service.nodes import NodeHistory


def test_nodes_that_are_gone_are_remembered_within_a_bound() -> None:
    """Those that went first are forgotten first; those that are there always count."""
    book = NodeHistory(lambda: 5)
    most = nodes._MOST_REMOVED
    book.look([SlotState(slot=Slot(name=f"old-{number}")) for number in range(10)])
    book.look([SlotState(slot=Slot(name=f"w-{number}")) for number in range(most)])
    found = book.look([SlotState(slot=Slot(name="new"))])

    assert [record.now.slot.name for record in found] == ["new", *(f"w-{number}" for number in range(most))]
