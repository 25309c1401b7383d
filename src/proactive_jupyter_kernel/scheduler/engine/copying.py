"""Copies of a part of the graph, as loops and replicates need them (execution semantics, sections 3, 4.3 and 4.4).

A *region* is what lies on the way back from an end to a start: along dependencies, both ways of joined branches and
branch links. `Copies` makes new tasks of it, linked among each other as the originals are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from proactive_jupyter_kernel.scheduler.engine.job_state import JobState, Links, TaskNode, copy_name
from proactive_jupyter_kernel.scheduler.engine.records import TaskRecord
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["Copies", "region"]


def region(job: JobState, start_base: str, end: TaskNode) -> list[TaskNode]:
    """The tasks on the way back from `end` to the nearest copy of `start_base`, one a base name, in order of ids.

    Of several replicas in one list of dependencies the lowest is followed; of several iterations that inner loops
    left behind the lowest stands for all.
    """
    chosen: dict[str, TaskNode] = {}
    seen: set[int] = set()
    todo = [end]
    while todo:
        node = todo.pop()
        if node.id in seen:
            continue
        seen.add(node.id)
        base = node.record.base_name
        if base not in chosen or _index(node) < _index(chosen[base]):
            chosen[base] = node
        if base != start_base:
            todo += _ways_back(job, node)
    return sorted(chosen.values(), key=lambda node: node.id)


def _index(node: TaskNode) -> tuple[int, int]:
    """Orders the copies of a task: by iteration, then by replication."""
    return node.record.iteration, node.record.replication


def _ways_back(job: JobState, node: TaskNode) -> Iterable[TaskNode]:
    """The tasks that the task depends on, one for each base name, and those that its branch links name."""
    lowest: dict[str, TaskNode] = {}
    for parent_id in node.record.depends:
        parent = job.nodes[parent_id]
        known = lowest.get(parent.record.base_name)
        if known is None or parent.record.replication < known.record.replication:
            lowest[parent.record.base_name] = parent
    linked = node.links.joined if node.links.branch is None else (*node.links.joined, node.links.branch)
    return [*lowest.values(), *(job.nodes[task_id] for task_id in linked)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """How a region is copied. The first task of the copy depends on `initiator` alone."""

    job: JobState
    originals: Sequence[TaskNode]
    start_base: str
    initiator: TaskNode
    #: Gives each copy its iteration and replication.
    index: Callable[[TaskNode], tuple[int, int]]
    #: When the copies may start; None: as the workflow says.
    start_at: int | None = None

    def make(self, tag: Callable[[Mapping[str, TaskRecord]], str]) -> dict[str, TaskNode]:
        """Make one copy of the region; base name -> new task. `tag` gives the copies' tag from their records."""
        ids = {node.record.base_name: number for number, node in enumerate(self.originals, start=len(self.job.nodes))}
        records = {node.record.base_name: self._record(node, ids) for node in self.originals}
        mark = tag(records)
        copies = {}
        for original in self.originals:
            base = original.record.base_name
            links = self._links(original, ids)
            node = TaskNode(records[base], original.definition, original.rules, links)
            self.job.add(node)
            self.job.update(node, tag=mark)
            copies[base] = node
        for node in copies.values():
            self.job.connect(node)
        return copies

    def _record(self, original: TaskNode, ids: Mapping[str, int]) -> TaskRecord:
        """The record of a copy of the task."""
        base = original.record.base_name
        iteration, replication = self.index(original)
        return TaskRecord(
            job_id=self.job.id,
            task_id=ids[base],
            name=copy_name(base, iteration, replication),
            base_name=base,
            status=TaskStatus.PAUSED if self.job.paused else TaskStatus.SUBMITTED,
            iteration=iteration,
            replication=replication,
            depends=self._depends(original, ids),
            executions_left=original.rules.max_executions,
            node_failures_left=self.job.node_failures,
            start_at=original.rules.start_at if self.start_at is None else self.start_at,
        )

    def _depends(self, original: TaskNode, ids: Mapping[str, int]) -> tuple[int, ...]:
        """The originals' dependencies among the copies; a branch creates those that it made at run time again."""
        if original.record.base_name == self.start_base:
            return (self.initiator.id,)
        if original.links.branch is not None or original.links.joined:
            return ()
        return tuple(dict.fromkeys(self._ids(original.record.depends, ids)))

    def _ids(self, old: Iterable[int], ids: Mapping[str, int]) -> Iterable[int]:
        bases = (self.job.nodes[task_id].record.base_name for task_id in old)
        return (ids[base] for base in bases if base in ids)

    def _links(self, original: TaskNode, ids: Mapping[str, int]) -> Links:
        """The originals' links among the copies; the first task hangs on the initiator and on no branch."""
        links = original.links
        first = original.record.base_name == self.start_base

        def one(old: int | None) -> int | None:
            return None if old is None else next(iter(self._ids((old,), ids)), None)

        return Links(
            branch=None if first else one(links.branch),
            joined=() if first else tuple(self._ids(links.joined, ids)),
            targets=tuple(self._ids(links.targets, ids)),
            continuation=one(links.continuation),
            partner=one(links.partner),
        )
