"""The blocks of a workflow: which ``end`` mark closes which ``start`` mark, as in ProActive's ``FlowChecker``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from proactive_jupyter_kernel.workflow.graph import FlowPosition, Graph, walk
from proactive_jupyter_kernel.workflow.model import Block, Replicate

__all__ = ["Blocks", "match_blocks", "replicated_by"]


@dataclass(slots=True)
class Blocks:
    """The matching pairs of block marks."""

    #: Start -> end, and end -> start.
    end_of: dict[str, str] = field(default_factory=dict)
    start_of: dict[str, str] = field(default_factory=dict)
    #: Unmatched marks, each with its kind.
    unmatched: list[tuple[str, Block]] = field(default_factory=list)

    def last(self, name: str) -> str:
        """The end of the block that a task starts, or the task itself."""
        return self.end_of.get(name, name)

    def partner(self, name: str) -> str | None:
        """The task with the matching mark of the block that a task starts or ends."""
        return self.end_of.get(name) or self.start_of.get(name)


def match_blocks(graph: Graph) -> Blocks:
    """Match ends to starts, depth first, each task once: an end closes the innermost open start.

    A branch target is entered from its branch task alone, a continuation after the last task of a branch.
    """
    blocks = Blocks()
    done: set[str] = set()
    entered_elsewhere = graph.branch_of.keys() | graph.joined_by.keys()
    for root in graph.roots:
        if root in entered_elsewhere:
            continue
        opened: list[str] = []
        waiting = [FlowPosition(root)]
        while waiting:
            place = waiting.pop()
            if place.name in done:
                continue
            done.add(place.name)
            _open_or_close(graph, place.name, opened, blocks)
            waiting += reversed(graph.below(place))
        blocks.unmatched += [(start, Block.START) for start in reversed(opened)]
    return blocks


def replicated_by(graph: Graph) -> dict[str, tuple[str, ...]]:
    """Task -> the tasks whose flow scripts replicate it, alone or with the block that it is in."""
    blocks = match_blocks(graph)
    found: dict[str, tuple[str, ...]] = {}
    for name, task in graph.tasks.items():
        if not isinstance(task.flow, Replicate):
            continue
        for child in graph.children[name]:
            for inner in _from_to(graph, child, blocks.last(child)):
                found[inner] = (*found.get(inner, ()), name)
    return found


def _from_to(graph: Graph, first: str, last: str) -> Iterator[str]:
    """The tasks of a block."""
    return walk([first], lambda name: () if name == last else graph.inside(name))


def _open_or_close(graph: Graph, name: str, opened: list[str], blocks: Blocks) -> None:
    block = graph.tasks[name].block
    if block is Block.START:
        opened.append(name)
    elif block is Block.END and opened:
        start = opened.pop()
        blocks.end_of[start] = name
        blocks.start_of[name] = start
    elif block is Block.END:
        blocks.unmatched.append((name, Block.END))
