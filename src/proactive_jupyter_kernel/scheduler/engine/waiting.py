"""Which tasks wait for a slot or for a time, and why: for people who look at the nodes. Reads, changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from proactive_jupyter_kernel.scheduler.engine.core import Core
from proactive_jupyter_kernel.scheduler.engine.job_state import JobState, TaskNode
from proactive_jupyter_kernel.scheduler.engine.placement import Demand, unmet
from proactive_jupyter_kernel.scheduler.engine.records import UNSET
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["MOST_LOOKED_AT", "WaitingTasks", "waiting_tasks"]

#: Tasks that one call looks at: more would block the loop, and a reader cannot use so many reasons.
MOST_LOOKED_AT = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingTasks:
    """Tasks of one job that wait for the same reason, or for the same time."""

    job_id: int
    job_name: str
    #: Of the first one.
    task: str
    count: int = 1
    #: Which condition no slot fulfils; empty: they wait for a time, or for the whole scheduler.
    reason: str = ""
    #: When the first one could have started, in milliseconds since the epoch.
    since: int = UNSET
    #: When they may start; `UNSET`: they wait for no time.
    until: int = UNSET
    #: The state of the whole scheduler keeps them.
    held: bool = False


def waiting_tasks(core: Core, most: int = MOST_LOOKED_AT) -> tuple[tuple[WaitingTasks, ...], bool]:
    """The tasks that are ready or wait for a time, in the order of their jobs, and whether all were looked at.

    A task whose slots are there is about to start and does not count, nor one whose selection scripts are being asked.
    """
    found: dict[_Why, _Group] = {}
    reasons: dict[Demand, str] = {}
    left = most
    for _, job in sorted(core.jobs.items()):
        for task_id in (*sorted(job.ready), *sorted(job.delayed)):
            if left <= 0:
                return tuple(map(_told, found.items())), False
            left -= 1
            node = job.nodes[task_id]
            why = _why(core, job, node, reasons)
            if why is None:
                continue
            group = found.get(why)
            if group is None:
                group = found[why] = _Group(job.record.name, node.record.name)
            group.count += 1
            since = node.record.scheduled_at
            if why[2] == UNSET and (group.since == UNSET or UNSET < since < group.since):
                group.since = since
    return tuple(map(_told, found.items())), True


#: Job, reason, time, and whether the scheduler holds it.
_Why: TypeAlias = tuple[int, str, int, bool]


@dataclass(slots=True)
class _Group:
    """Tasks that wait for the same, while they are counted."""

    job_name: str
    task: str
    count: int = 0
    since: int = UNSET


def _told(entry: tuple[_Why, _Group]) -> WaitingTasks:
    """The answer for one group."""
    (job_id, reason, until, held), group = entry
    return WaitingTasks(
        job_id=job_id,
        job_name=group.job_name,
        task=group.task,
        count=group.count,
        reason=reason,
        since=group.since,
        until=until,
        held=held,
    )


def _why(core: Core, job: JobState, node: TaskNode, reasons: dict[Demand, str]) -> _Why | None:
    """What a task waits for; None: it is about to start."""
    if node.id in job.delayed:
        return job.id, "", UNSET if node.wake is None else node.wake, False
    asking = node.selecting is not None and bool(node.selecting.held)
    if node.status is not TaskStatus.PENDING or asking:
        return None
    if not (core.starts_tasks and core.admits(job)):
        return job.id, "", UNSET, True
    demand = core.demand(job, node)
    if demand not in reasons:
        reasons[demand] = unmet(demand, core.board)
    reason = reasons[demand]
    return (job.id, reason, UNSET, False) if reason else None
