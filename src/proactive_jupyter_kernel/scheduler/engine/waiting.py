"""Which tasks wait for a slot or for a time, and why: for people who look at the nodes. Reads, changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

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
    """Tasks of one job that are the same task of its workflow and wait for the same reason."""

    job_id: int
    job_name: str
    #: Of the first one.
    task: str
    count: int = 1
    #: Which condition no slot fulfils; empty: they wait for a time, or for the whole scheduler.
    reason: str = ""
    #: When the first one could have started, in milliseconds since the epoch.
    since: int = UNSET
    #: When the first one may start; `UNSET`: it waits for no time.
    until: int = UNSET
    #: The state of the whole scheduler keeps them.
    held: bool = False


def waiting_tasks(core: Core, most: int = MOST_LOOKED_AT) -> tuple[tuple[WaitingTasks, ...], bool]:
    """The tasks that are ready or wait for a time, in the order of their jobs, and whether all were looked at.

    A task whose slots are there is about to start and does not count, nor one whose selection scripts are being asked.
    """
    found: dict[tuple[int, str, str, bool], WaitingTasks] = {}
    reasons: dict[Demand, str] = {}
    left = most
    for _, job in sorted(core.jobs.items()):
        for task_id in (*sorted(job.ready), *sorted(job.delayed)):
            if left <= 0:
                return tuple(found.values()), False
            left -= 1
            one = _one(core, job, job.nodes[task_id], reasons)
            if one is not None:
                key = (job.id, job.nodes[task_id].record.base_name, one.reason, one.held or one.until != UNSET)
                found[key] = _together(found[key], one) if key in found else one
    return tuple(found.values()), True


def _one(core: Core, job: JobState, node: TaskNode, reasons: dict[Demand, str]) -> WaitingTasks | None:
    record = node.record
    if node.id in job.delayed:
        until = UNSET if node.wake is None else node.wake
        return WaitingTasks(job_id=job.id, job_name=job.record.name, task=record.name, until=until)
    asking = node.selecting is not None and bool(node.selecting.held)
    if record.status is not TaskStatus.PENDING or asking:
        return None
    held = not (core.starts_tasks and core.admits(job))
    reason = "" if held else _reason(core, core.demand(job, node), reasons)
    if not held and not reason:
        return None
    return WaitingTasks(
        job_id=job.id,
        job_name=job.record.name,
        task=record.name,
        reason=reason,
        since=record.scheduled_at,
        held=held,
    )


def _reason(core: Core, demand: Demand, reasons: dict[Demand, str]) -> str:
    if demand not in reasons:
        reasons[demand] = unmet(demand, core.board)
    return reasons[demand]


def _together(first: WaitingTasks, other: WaitingTasks) -> WaitingTasks:
    return WaitingTasks(
        job_id=first.job_id,
        job_name=first.job_name,
        task=first.task,
        count=first.count + 1,
        reason=first.reason,
        since=_earlier(first.since, other.since),
        until=_earlier(first.until, other.until),
        held=first.held,
    )


def _earlier(one: int, other: int) -> int:
    return other if one == UNSET else one if other == UNSET else min(one, other)
