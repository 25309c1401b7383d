"""A job as it stands, as text and as HTML. Pure: the time is given.

A status is told by a word and by a shape, and only then by a colour. Colours stand on shapes alone and have a contrast
of at least 3:1 on a white and on a dark page; words have the colour of the theme.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from proactive_jupyter_kernel.client.records import Job, TaskState
from proactive_jupyter_kernel.pragmas.outputs import Html
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

__all__ = ["MAX_TASKS", "View", "duration_text", "render"]

#: Tasks that are listed by name; of larger jobs those that matter now are listed, and the others are counted.
MAX_TASKS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is shown of a job."""

    job: Job
    #: The tasks that are meant, by name, or with all their copies by base name; empty: all.
    tasks: frozenset[str] = frozenset()
    #: The last lines that running tasks wrote.
    tail: Sequence[str] = ()
    #: Milliseconds since the epoch, for the durations of what runs; 0 shows none, so that the view stands still.
    now: int = 0
    #: Said below the job, such as why it is not followed any more.
    remark: str = ""


@dataclass(frozen=True, slots=True)
class _Mark:
    shape: str
    colour: str


_WAITING = _Mark("○", "#808080")
_HELD = _Mark("‖", "#b06f00")
_ACTIVE = _Mark("▶", "#2078c8")
_GOOD = _Mark("✓", "#2a8f3c")
_BAD = _Mark("✗", "#d64545")
_ODD = _Mark("!", "#d64545")
_GONE = _Mark("⊘", "#808080")

_JOB_MARKS = {
    JobStatus.PENDING: _WAITING,
    JobStatus.RUNNING: _ACTIVE,
    JobStatus.STALLED: _HELD,
    JobStatus.PAUSED: _HELD,
    JobStatus.IN_ERROR: _ODD,
    JobStatus.FINISHED: _GOOD,
    JobStatus.CANCELED: _BAD,
    JobStatus.FAILED: _BAD,
    JobStatus.KILLED: _GONE,
}
_TASK_MARKS = {
    TaskStatus.SUBMITTED: _WAITING,
    TaskStatus.PENDING: _WAITING,
    TaskStatus.PAUSED: _HELD,
    TaskStatus.RUNNING: _ACTIVE,
    TaskStatus.WAITING_ON_ERROR: _ODD,
    TaskStatus.WAITING_ON_FAILURE: _ODD,
    TaskStatus.IN_ERROR: _ODD,
    TaskStatus.FINISHED: _GOOD,
    TaskStatus.FAULTY: _BAD,
    TaskStatus.SKIPPED: _GONE,
    TaskStatus.ABORTED: _GONE,
    TaskStatus.FAILED: _BAD,
    TaskStatus.NOT_STARTED: _GONE,
    TaskStatus.NOT_RESTARTED: _BAD,
}
#: What a reader of a large job looks for first.
_URGENCY = {_BAD: 0, _ODD: 0, _ACTIVE: 1, _HELD: 2, _GOOD: 3, _GONE: 4, _WAITING: 5}


def render(view: View) -> Html:
    """The view for display."""
    return Html(html=_html(view), text=_text(view))


def duration_text(milliseconds: int) -> str:
    """A duration as people say it: ``0.8 s``, ``42 s``, ``3 min 05 s``, ``2 h 07 min``."""
    seconds = max(milliseconds, 0) / 1000
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def _listed(view: View) -> tuple[list[TaskState], str]:
    """The tasks to list by name, in their order, and a sentence on those left out."""
    tasks = [
        task for task in view.job.tasks if not view.tasks or task.base_name in view.tasks or task.name in view.tasks
    ]
    if len(tasks) <= MAX_TASKS:
        return tasks, ""
    urgent = sorted(tasks, key=lambda task: _URGENCY[_TASK_MARKS[task.status]])[:MAX_TASKS]
    names = {task.id for task in urgent}
    shown = [task for task in tasks if task.id in names]
    counts = Counter(task.status for task in tasks if task.id not in names)
    parts = ", ".join(f"{count:,} {status.label}" for status, count in counts.items())
    return shown, f"and {len(tasks) - MAX_TASKS:,} more tasks: {parts}"


def _summary(view: View) -> str:
    """How far the job is, as half a sentence."""
    job = view.job
    ended = sum(task.ended for task in job.tasks)
    parts = [f"{ended:,} of {len(job.tasks):,} task{'s' * (len(job.tasks) != 1)} ended"]
    wrong = sum(task.went_wrong for task in job.tasks)
    if wrong:
        parts.append(f"{wrong:,} faulty")
    elapsed = _elapsed(job.info.started_at, job.info.finished_at, view.now)
    if elapsed:
        parts.append(elapsed)
    return ", ".join(parts)


def _job_mark(job: Job) -> _Mark:
    """A job with faulty tasks ends as Finished all the same; its shape says that not all is well."""
    mark = _JOB_MARKS[job.status]
    return _BAD if mark is _GOOD and not job.went_well else mark


def _elapsed(start: int, end: int, now: int) -> str:
    """How long something took, or takes so far; empty where it has not started or where no time is to be shown."""
    if start <= 0:
        return ""
    if end > 0:
        return duration_text(end - start)
    return duration_text(now - start) if now else ""


def _task_time(task: TaskState, now: int) -> str:
    if task.ended and task.duration > 0:
        return duration_text(task.duration)
    return _elapsed(task.started_at, task.finished_at, now)


def _task_words(task: TaskState) -> str:
    """The status, and what a task itself says of its progress."""
    if task.status is TaskStatus.RUNNING and 0 < task.progress <= 100:
        return f"{task.status.label} {task.progress} %"
    return task.status.label


def _text(view: View) -> str:
    job = view.job
    lines = [f"Job {job.id} {job.name!r}: {_job_mark(job).shape} {job.status.label}, {_summary(view)}"]
    tasks, rest = _listed(view)
    width = max((len(task.name) for task in tasks), default=0)
    for task in tasks:
        words = f"  {_TASK_MARKS[task.status].shape} {task.name:<{width}}  {_task_words(task)}"
        lines.append(f"{words}  {_task_time(task, view.now)}".rstrip())
    lines += [f"  {rest}"] if rest else []
    lines += [f"  | {line}" for line in view.tail]
    lines += [view.remark] if view.remark else []
    return "\n".join(lines)


def _html(view: View) -> str:
    job = view.job
    tasks, rest = _listed(view)
    parts = [
        f"<div><strong>Job {job.id}</strong> {html.escape(job.name)}: "
        f"{_marked(_job_mark(job), job.status.label)}, {html.escape(_summary(view))}</div>"
    ]
    if not job.ended:
        ended = sum(task.ended for task in job.tasks)
        parts.append(f'<progress value="{ended}" max="{max(len(job.tasks), 1)}" title="{_summary(view)}"></progress>')
    parts.append(_table(tasks, view.now))
    if rest:
        parts.append(f"<div>{html.escape(rest)}</div>")
    if view.tail:
        parts.append(f"<pre>{html.escape(chr(10).join(view.tail))}</pre>")
    if view.remark:
        parts.append(f"<div><em>{html.escape(view.remark)}</em></div>")
    return "".join(parts)


def _table(tasks: Iterable[TaskState], now: int) -> str:
    rows = []
    for task in tasks:
        cells = (html.escape(task.name), _marked(_TASK_MARKS[task.status], _task_words(task)), _task_time(task, now))
        rows.append("<tr>" + "".join(f'<td style="text-align:left">{cell}</td>' for cell in cells) + "</tr>")
    if not rows:
        return ""
    headings = "".join(f'<th style="text-align:left">{word}</th>' for word in ("Task", "Status", "Time"))
    return f"<table><thead><tr>{headings}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _marked(mark: _Mark, words: str) -> str:
    return f'<span style="color:{mark.colour}">{mark.shape}</span> {html.escape(words)}'
