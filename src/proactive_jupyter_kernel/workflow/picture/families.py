"""Families of tasks, drawn as one box: the same name except for a number, and the same layer. Pure."""

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

#: Up to this number of tasks, all are drawn individually; above it, families are folded.
FITS = 80
#: Minimum number of tasks of a family.
SMALLEST = 12
#: Above this number of tasks, two of a name are a family, and a layer that is still too large becomes one box.
MANY = 1_000

_NUMBER = re.compile(r"[-_.]?\d+")


def families(graph: Graph, edges: Sequence[Edge]) -> list[tuple[str, ...]]:
    """The boxes of a picture: the tasks of each, in order. Edges between boxes do not form a cycle.

    The reason is that the tasks of a box are in one layer, and every edge leads to a later layer.
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
    """The tasks of controls, which are always drawn individually."""
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
    """The common name of the tasks of a family."""
    patterns = {_pattern(name) for name in members}
    return patterns.pop() if len(patterns) == 1 else "tasks"
