"""The states of the tasks of a job that a picture shows, as given by the caller. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from proactive_jupyter_kernel.workflow.picture.tokens import STATES
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["TaskSummary", "gather", "merge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSummary:
    """The state of one task of a job, or of several in one box."""

    status: TaskStatus
    #: The second line, such as a duration; empty: the name of the status.
    note: str = ""
    #: The progress that the task reports, from 0 to 100; None: it reports none.
    progress: int | None = None
    #: The number of tasks in each status, for several tasks in one box; empty: one task.
    counts: Mapping[TaskStatus, int] = field(default_factory=dict)
    #: The iteration of a loop, the first is 1; 0: not known, or not in a loop.
    iteration: int = 0

    @property
    def total(self) -> int:
        """The number of tasks that it represents."""
        return sum(self.counts.values()) or 1


def merge(summaries: Iterable[TaskSummary]) -> TaskSummary:
    """One summary for several tasks: the most important status, and the counts of all."""
    found = list(summaries)
    if len(found) == 1:
        return found[0]
    counts: Counter[TaskStatus] = Counter()
    for summary in found:
        counts.update(summary.counts or {summary.status: 1})
    status = min(counts, key=lambda one: STATES[one].rank)
    return TaskSummary(status=status, counts=dict(counts), iteration=max(summary.iteration for summary in found))


def gather(summaries: Mapping[str, TaskSummary]) -> dict[str, TaskSummary]:
    """Task of the workflow -> its summary, merged from its instances; ``T#2*3`` is one of T in the third iteration.

    Only the last iteration of a loop counts, but all replicas do.
    """
    rounds: dict[str, dict[int, list[TaskSummary]]] = {}
    for name, summary in summaries.items():
        base, iteration = _parts(name)
        rounds.setdefault(base, {}).setdefault(iteration, []).append(summary)
    found = {}
    for base, by_round in rounds.items():
        last = max(by_round)
        summary = merge(by_round[last])
        found[base] = replace(summary, iteration=last + 1) if last and not summary.iteration else summary
    return found


def _parts(name: str) -> tuple[str, int]:
    """The base name and the iteration of a task instance."""
    first = name.partition("*")[0]
    base, _, iteration = first.partition("#")
    return base, int(iteration) if iteration.isdigit() else 0
