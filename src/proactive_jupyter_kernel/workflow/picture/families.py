"""Tasks that are drawn as one box: what bears the same name but for its number, and stands in the same layer. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.workflow.graph import Graph
from proactive_jupyter_kernel.workflow.model import Block, Branch, Loop
from proactive_jupyter_kernel.workflow.picture.layers import ranks

if TYPE_CHECKING:
    from proactive_jupyter_kernel.workflow.picture.scene import Edge

__all__ = ["FITS", "SMALLEST", "families", "stem"]

#: Tasks that are all drawn by themselves; of more, families are folded.
FITS = 80
#: Tasks of a name that make a family.
SMALLEST = 12
#: Tasks beyond which every two of a name are one, and a layer that is still too large is one box.
MANY = 1_000

_NUMBER = re.compile(r"[-_.]?\d+")


def families(graph: Graph, edges: Sequence[Edge]) -> list[tuple[str, ...]]:
    """The boxes of a picture: the tasks of each, in their order. Edges between boxes never form a cycle.

    That holds because the tasks of a box stand in one layer, and every edge leads to a later layer.
    """
    names = list(graph.tasks)
    if len(names) <= FITS:
        return [(name,) for name in names]
    number = {name: index for index, name in enumerate(names)}
    rank = ranks(len(names), [(number[edge.source], number[edge.target]) for edge in edges])
    apart = _apart(graph)
    smallest = 2 if len(names) > MANY else SMALLEST
    groups = _group(names, apart, lambda name: (rank[number[name]], _pattern(name)), smallest)
    if len(groups) > MANY:
        groups = _group(names, apart, lambda name: (rank[number[name]], ""), 2)
    return groups


def _group(names: Iterable[str], apart: set[str], key: Callable[[str], object], smallest: int) -> list[tuple[str, ...]]:
    groups: dict[object, list[str]] = {}
    for name in names:
        groups.setdefault(name if name in apart else key(name), []).append(name)
    found: list[tuple[str, ...]] = []
    for members in groups.values():
        found += [tuple(members)] if len(members) >= smallest else [(name,) for name in members]
    return found


def _apart(graph: Graph) -> set[str]:
    """The tasks that make up controls: a reader must see each of them."""
    found: set[str] = set()
    for name, task in graph.tasks.items():
        if task.flow is not None or task.block is not Block.NONE:
            found.add(name)
        if isinstance(task.flow, Branch):
            found |= {task.flow.target, task.flow.otherwise, task.flow.continuation}
        if isinstance(task.flow, Loop):
            found.add(task.flow.target)
    return found


def _pattern(name: str) -> str:
    """The name without its numbers; a name that is nothing else stays."""
    return _NUMBER.sub("", name) or name


def stem(members: Sequence[str]) -> str:
    """What the tasks of a family are called together."""
    patterns = {_pattern(name) for name in members}
    return patterns.pop() if len(patterns) == 1 else "tasks"
