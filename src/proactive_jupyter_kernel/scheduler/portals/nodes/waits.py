"""The tasks that wait for a node, in words: those that need a person first. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from proactive_jupyter_kernel.scheduler.engine.records import UNSET
from proactive_jupyter_kernel.scheduler.engine.waiting import WaitingTasks
from proactive_jupyter_kernel.scheduler.portals.nodes.facts import NodesFacts
from proactive_jupyter_kernel.workflow.display.marks import TONES, Mark
from proactive_jupyter_kernel.workflow.display.numbers import counted
from proactive_jupyter_kernel.workflow.display.times import clock_time, duration

__all__ = ["Wait", "more_waits", "urgency", "wait_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Tasks that wait for the same reason."""

    mark: Mark
    title: str
    reason: str
    detail: str
    job_id: int

    @property
    def tone(self) -> str:
        """The tone of the mark."""
        return TONES[self.mark]


def _is_busy(wait: WaitingTasks) -> bool:
    """Whether it only waits until other tasks have ended."""
    return wait.reason.endswith("busy.") and not wait.reason.startswith("Of ")


#: What needs a person first; then what waits for other tasks, for the scheduler, for a time.
_ORDER: tuple[Callable[[WaitingTasks], bool], ...] = (
    lambda wait: bool(wait.reason) and not _is_busy(wait),
    lambda wait: wait.held,
    _is_busy,
)


def urgency(wait: WaitingTasks) -> tuple[int, int]:
    """A key for sorting: what needs a person comes first, then older jobs."""
    return next((rank for rank, holds in enumerate(_ORDER) if holds(wait)), len(_ORDER)), wait.job_id


#: What the status of the whole scheduler means for tasks that are ready.
_HELD: Mapping[str, str] = {
    "PAUSED": "the scheduler is paused: it starts no new jobs",
    "FROZEN": "the scheduler is frozen: it starts no tasks",
    "STOPPED": "the scheduler is stopped: it takes no jobs",
    "SHUTTING_DOWN": "the scheduler is shutting down: it starts no new jobs",
    "KILLED": "the scheduler was killed: it starts nothing",
}


def wait_of(facts: NodesFacts, wait: WaitingTasks) -> Wait:
    """The row of tasks that wait for the same reason."""
    more = f" and {wait.count - 1:,} more" if wait.count > 1 else ""
    title = f"{wait.job_name} / {wait.task}{more}"
    if wait.until != UNSET:
        verb = "starts" if wait.count == 1 else "start"
        return Wait(
            mark=Mark.WAITING,
            title=title,
            reason=f"{verb} at {_when(facts, wait.until)}",
            detail="",
            job_id=wait.job_id,
        )
    since = "" if wait.since == UNSET else f"since {duration(facts.now - wait.since)}"
    if wait.held:
        reason = _HELD.get(facts.status, "the scheduler starts no tasks now")
        return Wait(mark=Mark.PAUSED, title=title, reason=reason, detail=since, job_id=wait.job_id)
    return Wait(mark=Mark.HELD, title=title, reason=wait.reason, detail=since, job_id=wait.job_id)


def _when(facts: NodesFacts, moment: int) -> str:
    """The clock of today, with the date for another day."""
    when, today = (datetime.fromtimestamp(at / 1000, facts.zone) for at in (moment, facts.now))
    clock = clock_time(moment, facts.zone)
    return clock if when.date() == today.date() else f"{when.day} {when:%B %Y} {clock}"


def more_waits(facts: NodesFacts, left: Sequence[WaitingTasks]) -> str:
    """How many tasks wait besides those that have a row; empty: none."""
    tasks = sum(wait.count for wait in left)
    if not tasks:
        return "" if facts.all_waiting else "and more tasks, which wait behind these"
    jobs = len({wait.job_id for wait in left})
    least = "" if facts.all_waiting else "at least "
    return f"and {least}{counted(tasks, 'more task')} of {counted(jobs, 'job')}"
