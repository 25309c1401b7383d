"""What the scheduler did with a job and its tasks, told from their records as log lines."""

from __future__ import annotations

import time
from collections.abc import Iterable

from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord

__all__ = ["job_lines", "task_lines"]


def job_lines(job: JobRecord, tasks: Iterable[TaskRecord]) -> list[str]:
    """The story of a job and all its tasks, in order of time."""
    name = f"job {job.job_id} ({job.name})"
    events = [
        (job.submitted_at, f"{name} was submitted by {job.owner}, priority {job.priority.name.lower()}"),
        (job.started_at, f"{name} started"),
        (job.in_error_at, f"{name} has a task in error"),
        (job.finished_at, f"{name} ended: {job.status.label}"),
    ]
    for task in tasks:
        events += _events(task)
    return _lines(events)


def task_lines(task: TaskRecord) -> list[str]:
    """The story of one task."""
    return _lines(_events(task))


def _events(task: TaskRecord) -> list[tuple[int, str]]:
    name = f"task {task.job_id}t{task.task_id} ({task.name})"
    failure = f": {task.failure.message}" if task.failure else ""
    return [
        (task.started_at, f"{name} started on {task.slot or task.host}, execution {task.attempts}"),
        (task.in_error_at, f"{name} is in error{failure}"),
        (task.finished_at, f"{name} ended: {task.status.label}{failure}"),
    ]


def _lines(events: Iterable[tuple[int, str]]) -> list[str]:
    """Only what has happened; times are local, as in task logs."""
    happened = sorted((event for event in events if event[0] >= 0), key=lambda event: event[0])
    return [f"{_clock(at)} {text}\n" for at, text in happened]


def _clock(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at / 1000)) + f".{at % 1000:03}"
