"""The head of the page of a job: state, times, progress, what can be done, what it waits for, what went wrong. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo

from proactive_jupyter_kernel.scheduler.portals.job.snapshot import JobSnapshot, TaskSnapshot
from proactive_jupyter_kernel.scheduler.portals.job.tasks import error_text
from proactive_jupyter_kernel.workflow.display.errors import error_groups, failed_tasks
from proactive_jupyter_kernel.workflow.display.marks import JOB_WORDS, TONES, Mark, job_mark
from proactive_jupyter_kernel.workflow.display.records import Count, ErrorGroup, Failure, Notice, Segment
from proactive_jupyter_kernel.workflow.display.relations import names_text
from proactive_jupyter_kernel.workflow.display.tasklist import bar_of, counts_of, time_span
from proactive_jupyter_kernel.workflow.display.times import clock_time, duration
from proactive_jupyter_kernel.workflow.display.traces import failure_of
from proactive_jupyter_kernel.workflow.display.waits import waiting_notices
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

__all__ = ["Head", "WentWrong", "head_of", "notices_of", "went_wrong_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The first lines of the page."""

    id: int
    name: str
    project: str
    mark: Mark
    tone: str
    #: ``Running``, or ``Finished, 1 task failed``.
    state: str
    #: ``7.4 s, since 22:12:23``.
    aside: str
    #: Keys of `questions.ACTIONS`, in the order of the buttons.
    actions: tuple[str, ...]
    bar: tuple[Segment, ...]
    counts: tuple[Count, ...]
    #: ``refreshed 22:12:30``, or ``ended 22:12:40``.
    seen: str
    ended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WentWrong:
    """The errors of a job, those of one kind together."""

    groups: tuple[ErrorGroup, ...]
    #: ``and 7 more kinds of errors in 12 tasks``.
    more: str
    #: How many tasks wait for a decision.
    in_error: int


def head_of(snapshot: JobSnapshot, zone: tzinfo | None = None) -> Head:
    """The head; clock times in the zone, None: that of the machine."""
    record = snapshot.row.record
    mark = mark_of(snapshot)
    return Head(
        id=snapshot.id,
        name=record.name,
        project=snapshot.row.facts.project,
        mark=mark,
        tone=TONES[mark],
        state=_state(snapshot, mark),
        aside=_aside(snapshot, zone),
        actions=_actions(snapshot),
        bar=bar_of(snapshot.marks) if snapshot.marks else (),
        counts=_counts(snapshot),
        seen=f"refreshed {clock_time(snapshot.seen_at, zone)}",
        ended=snapshot.ended,
    )


def mark_of(snapshot: JobSnapshot) -> Mark:
    """The mark of the job."""
    ready = any(task.status is TaskStatus.PENDING for task in snapshot.tasks)
    return job_mark(snapshot.status, wrong=snapshot.wrong > 0, ready=ready)


def _state(snapshot: JobSnapshot, mark: Mark) -> str:
    words = "Submitted" if mark is Mark.WAITING else JOB_WORDS[snapshot.status]
    if snapshot.ended and snapshot.wrong:
        words += f", {snapshot.wrong:,} task{'s' * (snapshot.wrong > 1)} failed"
    return words


def _aside(snapshot: JobSnapshot, zone: tzinfo | None) -> str:
    record = snapshot.row.record
    span = time_span(
        snapshot,
        snapshot.seen_at,
        submitted_at=record.submitted_at,
        started_at=record.started_at,
        finished_at=record.finished_at,
    )
    if snapshot.ended:
        return f"{duration(span.end - span.start)}, ended {clock_time(span.end, zone)}"
    if record.started_at <= 0:
        return f"submitted {clock_time(record.submitted_at, zone)}"
    return f"{duration(span.end - span.start)}, since {clock_time(span.start, zone)}"


def _actions(snapshot: JobSnapshot) -> tuple[str, ...]:
    if snapshot.ended:
        return ("again", "xml", "remove")
    return ("resume" if snapshot.status is JobStatus.PAUSED else "pause", "again", "xml", "kill")


def _counts(snapshot: JobSnapshot) -> tuple[Count, ...]:
    ended = sum(task.ended for task in snapshot.tasks)
    head = Count(f"{ended:,} of {len(snapshot.tasks):,} done")
    rest = counts_of(task.status for task in snapshot.tasks)
    return (head, *(count for count in rest if not count.text.endswith(" finished")))


# --- what it waits for, what went wrong ------------------------------------------------------------------------------


def notices_of(snapshot: JobSnapshot, reasons: Mapping[str, str], zone: tzinfo | None = None) -> tuple[Notice, ...]:
    """What the job waits for. `reasons`: why a task that is ready does not start, by full name."""
    return (*_paused(snapshot), *_later(snapshot, zone), *waiting_notices(snapshot, reasons))


def _paused(snapshot: JobSnapshot) -> tuple[Notice, ...]:
    if snapshot.status is not JobStatus.PAUSED:
        return ()
    running = [task.name for task in snapshot.tasks if task.status is TaskStatus.RUNNING]
    runs = f"; {names_text(running)} {'runs' if len(running) == 1 else 'run'} to the end" if running else ""
    return (Notice(mark=Mark.PAUSED, head="Paused.", text=f"No more tasks start{runs}. Resume continues the job."),)


def _later(snapshot: JobSnapshot, zone: tzinfo | None) -> tuple[Notice, ...]:
    start = snapshot.row.record.start_at
    if snapshot.ended or start is None or start <= snapshot.seen_at:
        return ()
    return (Notice(mark=Mark.HELD, head=f"Starts at {clock_time(start, zone)}.", text="START_AT says so."),)


def went_wrong_of(snapshot: JobSnapshot) -> WentWrong | None:
    """The errors; None where no task failed."""
    failed = failed_tasks(snapshot.tasks)
    if not failed:
        return None
    failures = {task.name: _failure(task) for task in failed if task.failure is not None}
    groups, more = error_groups(failures, snapshot.relations)
    in_error = sum(task.status is TaskStatus.IN_ERROR for task in snapshot.tasks)
    return WentWrong(groups=groups, more=more, in_error=in_error)


#: A place in the script of a task, as its traceback names it.
_LINE = re.compile(r'File "<task [^"\n]*>", line (\d+)')


def _failure(task: TaskSnapshot) -> Failure:
    """The error of a task, with the line of its script where no cell is known."""
    text = error_text(task)
    failure = failure_of(task.name, text)
    lines = _LINE.findall(text)
    return replace(failure, place=f"line {lines[-1]} of the script") if lines and not failure.place else failure
