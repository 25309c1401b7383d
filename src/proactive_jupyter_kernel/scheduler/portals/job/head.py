"""The head of the page of a job: state, times, progress, what can be done, what it waits for, what went wrong. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo

from proactive_jupyter_kernel.scheduler.portals.job.sight import JobSight, TaskSight
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
    #: Keys of `questions.JOB_ACTIONS`, in the order of the buttons.
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


def head_of(sight: JobSight, zone: tzinfo | None = None) -> Head:
    """The head; clock times in the zone, None: that of the machine."""
    record = sight.row.record
    mark = mark_of(sight)
    return Head(
        id=sight.id,
        name=record.name,
        project=sight.row.facts.project,
        mark=mark,
        tone=TONES[mark],
        state=_state(sight, mark),
        aside=_aside(sight, zone),
        actions=_actions(sight),
        bar=bar_of(sight.marks) if sight.marks else (),
        counts=_counts(sight),
        seen=f"refreshed {clock_time(sight.seen_at, zone)}",
        ended=sight.ended,
    )


def mark_of(sight: JobSight) -> Mark:
    """The mark of the job."""
    ready = any(task.status is TaskStatus.PENDING for task in sight.tasks)
    return job_mark(sight.status, wrong=sight.wrong > 0, ready=ready)


def _state(sight: JobSight, mark: Mark) -> str:
    words = "Submitted" if mark is Mark.WAITING else JOB_WORDS[sight.status]
    if sight.ended and sight.wrong:
        words += f", {sight.wrong:,} task{'s' * (sight.wrong > 1)} failed"
    return words


def _aside(sight: JobSight, zone: tzinfo | None) -> str:
    record = sight.row.record
    span = time_span(
        sight,
        sight.seen_at,
        submitted_at=record.submitted_at,
        started_at=record.started_at,
        finished_at=record.finished_at,
    )
    if sight.ended:
        return f"{duration(span.end - span.start)}, ended {clock_time(span.end, zone)}"
    if record.started_at <= 0:
        return f"submitted {clock_time(record.submitted_at, zone)}"
    return f"{duration(span.end - span.start)}, since {clock_time(span.start, zone)}"


def _actions(sight: JobSight) -> tuple[str, ...]:
    if sight.ended:
        return ("again", "xml", "remove")
    return ("resume" if sight.status is JobStatus.PAUSED else "pause", "again", "xml", "kill")


def _counts(sight: JobSight) -> tuple[Count, ...]:
    ended = sum(task.ended for task in sight.tasks)
    head = Count(f"{ended:,} of {len(sight.tasks):,} done")
    rest = counts_of(task.status for task in sight.tasks)
    return (head, *(count for count in rest if not count.text.endswith(" finished")))


# --- what it waits for, what went wrong ------------------------------------------------------------------------------


def notices_of(sight: JobSight, reasons: Mapping[str, str], zone: tzinfo | None = None) -> tuple[Notice, ...]:
    """What the job waits for. `reasons`: why a task that is ready does not start, by full name."""
    return (*_paused(sight), *_later(sight, zone), *waiting_notices(sight, reasons))


def _paused(sight: JobSight) -> tuple[Notice, ...]:
    if sight.status is not JobStatus.PAUSED:
        return ()
    running = [task.name for task in sight.tasks if task.status is TaskStatus.RUNNING]
    runs = f"; {names_text(running)} {'runs' if len(running) == 1 else 'run'} to the end" if running else ""
    return (Notice(mark=Mark.PAUSED, head="Paused.", text=f"No more tasks start{runs}. Resume continues the job."),)


def _later(sight: JobSight, zone: tzinfo | None) -> tuple[Notice, ...]:
    start = sight.row.record.start_at
    if sight.ended or start is None or start <= sight.seen_at:
        return ()
    return (Notice(mark=Mark.HELD, head=f"Starts at {clock_time(start, zone)}.", text="START_AT says so."),)


def went_wrong_of(sight: JobSight) -> WentWrong | None:
    """The errors; None where no task failed."""
    failed = failed_tasks(sight.tasks)
    if not failed:
        return None
    failures = {task.name: _failure(task) for task in failed if task.failure is not None}
    groups, more = error_groups(failures, sight.relations)
    in_error = sum(task.status is TaskStatus.IN_ERROR for task in sight.tasks)
    return WentWrong(groups=groups, more=more, in_error=in_error)


#: A place in the script of a task, as its traceback names it.
_LINE = re.compile(r'File "<task [^"\n]*>", line (\d+)')


def _failure(task: TaskSight) -> Failure:
    """The error of a task, with the line of its script where no cell is known."""
    text = error_text(task)
    failure = failure_of(task.name, text)
    lines = _LINE.findall(text)
    return replace(failure, place=f"line {lines[-1]} of the script") if lines and not failure.place else failure
