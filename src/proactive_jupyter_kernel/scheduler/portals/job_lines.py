"""A job as a row of the list: from its record to finished words. Pure: the time is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.engine.waiting import WaitingTasks
from proactive_jupyter_kernel.scheduler.portals.widgets import day_time
from proactive_jupyter_kernel.scheduler.store.base import JobRow
from proactive_jupyter_kernel.workflow.display.marks import JOB_WORDS, TONES, Mark, job_mark
from proactive_jupyter_kernel.workflow.display.records import Count, Segment
from proactive_jupyter_kernel.workflow.display.tasklist import bar_of
from proactive_jupyter_kernel.workflow.display.times import clock_time, duration
from proactive_jupyter_kernel.workflow.display.traces import failure_of
from proactive_jupyter_kernel.workflow.status import JOB_ENDED, JobStatus

__all__ = ["JobLine", "job_line"]

#: Characters of a reason that are shown.
_LONGEST_REASON = 200
#: How the scheduler begins the message of a failed script; everybody knows that it failed.
_PREFIX = "Failed to execute task: "


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLine:
    """What a row shows."""

    id: int
    name: str
    project: str
    owner: str
    mark: Mark
    #: The tone of the state.
    tone: str
    #: ``Running``, ``Finished, 1 failed``.
    state: str
    bar: tuple[Segment, ...]
    #: ``143 of 152 done``, ``2 failed``, ``8 running``.
    counts: tuple[Count, ...]
    #: Why it failed or waits; empty where there is nothing to say.
    reason: str
    #: ``bad`` for an error, ``attention`` for what it waits for.
    reason_tone: str
    submitted_at: int
    #: ``1 min 02 s``; empty before it has started.
    took: str
    priority: str
    ended: bool
    paused: bool
    in_error: bool


def job_line(
    row: JobRow, now: int, *, failed: TaskRecord | None = None, waiting: Sequence[WaitingTasks] = ()
) -> JobLine:
    """The row of a job; `failed` is its first task that failed, `waiting` are its tasks that wait for a node."""
    job = row.record
    ended = job.status in JOB_ENDED
    wrong = job.faulty + job.failed
    later = job.start_at is not None and job.start_at > now
    mark = job_mark(job.status, wrong=wrong > 0, ready=not later)
    reason, tone = _reason(row, failed, waiting)
    return JobLine(
        id=job.job_id,
        name=job.name,
        project=row.facts.project,
        owner=job.owner,
        mark=mark,
        tone=TONES[mark],
        state=_state(job, wrong if ended else 0),
        bar=bar_of(_marks(job)),
        counts=tuple(_counts(job, now, ended=ended)),
        reason=reason,
        reason_tone=tone,
        submitted_at=job.submitted_at,
        took=_took(job, now, ended=ended),
        priority=job.priority.name.lower(),
        ended=ended,
        paused=job.status is JobStatus.PAUSED,
        in_error=job.in_error > 0 and not ended,
    )


def _state(job: JobRecord, wrong: int) -> str:
    return JOB_WORDS[job.status] + (f", {wrong:,} failed" if wrong else "")


def _marks(job: JobRecord) -> Mapping[Mark, int]:
    """How many tasks have each mark, as far as the counters of the job say."""
    wrong = min(job.faulty + job.failed, job.finished)
    known = {
        Mark.BAD: wrong,
        Mark.IN_ERROR: job.in_error,
        Mark.GOOD: job.finished - wrong,
        Mark.RUNNING: job.running,
    }
    return known | {Mark.WAITING: max(job.total - sum(known.values()), 0)}


def _counts(job: JobRecord, now: int, *, ended: bool) -> list[Count]:
    wrong = job.faulty + job.failed
    if job.status is JobStatus.FINISHED and not wrong:
        return [Count(f"{job.total:,} task{'s' * (job.total != 1)}")]
    counts = [Count(f"{job.finished:,} of {job.total:,} done")]
    if wrong:
        counts.append(Count(f"{wrong:,} failed", "bad"))
    if job.in_error:
        counts.append(Count(f"{job.in_error:,} in error", "bad"))
    if job.running and job.status is JobStatus.PAUSED:
        counts.append(Count(f"{job.running:,} {'runs to its' if job.running == 1 else 'run to their'} end"))
    elif job.running:
        counts.append(Count(f"{job.running:,} running"))
    if ended and job.total > job.finished:
        counts.append(Count(f"{job.total - job.finished:,} not started"))
    if job.start_at is not None and job.start_at > now and not ended and job.started_at < 0:
        counts.append(Count(f"starts {_start(job.start_at, now)}"))
    return counts


def _start(at: int, now: int) -> str:
    """``at 23:00:00``, ``3 December 09:00:00``."""
    words = day_time(at, now)
    return f"at {clock_time(at)}" if words.startswith("today") else words


def _took(job: JobRecord, now: int, *, ended: bool) -> str:
    if job.started_at < 0:
        return ""
    return duration((job.finished_at if ended else now) - job.started_at)


def _reason(row: JobRow, failed: TaskRecord | None, waiting: Sequence[WaitingTasks]) -> tuple[str, str]:
    if row.damaged:
        return row.damaged, "bad"
    if failed is not None and failed.failure is not None:
        text = failed.failure.stack_trace or failed.failure.message.removeprefix(_PREFIX)
        line = failure_of(failed.name, text).line
        return _cut(f"{failed.name}: {line}"), "bad"
    for tasks in waiting:
        if tasks.reason:
            more = f" and {tasks.count - 1:,} more wait" if tasks.count > 1 else " waits"
            return _cut(f"{tasks.task}{more}: {tasks.reason[:1].lower()}{tasks.reason[1:]}"), "attention"
        if tasks.held:
            return "Waits: the scheduler starts no tasks at the moment.", "attention"
    return "", ""


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"
