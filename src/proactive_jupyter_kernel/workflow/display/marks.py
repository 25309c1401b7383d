"""How a status looks: an outline, a tone, a word. The colour is never the only sign."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

__all__ = ["GLYPHS", "JOB_WORDS", "RANK", "TONES", "Mark", "job_mark", "task_mark", "task_word"]


class Mark(enum.Enum):
    """The outline of a status; the value is the name of its icon."""

    GOOD = "finished"
    BAD = "failed"
    RUNNING = "running"
    WAITING = "waiting"
    #: Waits for a node, or for another attempt.
    HELD = "pending"
    PAUSED = "paused"
    IN_ERROR = "in_error"
    SKIPPED = "skipped"
    NOT_RUN = "ended"


#: What stands for the icon where styles are stripped, and in plain text.
GLYPHS: Mapping[Mark, str] = {
    Mark.GOOD: "✓",
    Mark.BAD: "✗",
    Mark.RUNNING: "▸",
    Mark.WAITING: "○",
    Mark.HELD: "◔",
    Mark.PAUSED: "‖",
    Mark.IN_ERROR: "!",
    Mark.SKIPPED: "–",
    Mark.NOT_RUN: "⊘",
}

#: The tone of a mark, a name in the table of tokens.
TONES: Mapping[Mark, str] = {
    Mark.GOOD: "ok",
    Mark.BAD: "bad",
    Mark.RUNNING: "run",
    Mark.WAITING: "off",
    Mark.HELD: "attention",
    Mark.PAUSED: "attention",
    Mark.IN_ERROR: "bad",
    Mark.SKIPPED: "off",
    Mark.NOT_RUN: "off",
}

#: The order in tables: failed, running, held up, finished, waiting.
RANK: Mapping[Mark, int] = {
    Mark.BAD: 0,
    Mark.IN_ERROR: 0,
    Mark.RUNNING: 1,
    Mark.HELD: 2,
    Mark.PAUSED: 2,
    Mark.GOOD: 3,
    Mark.WAITING: 4,
    Mark.SKIPPED: 5,
    Mark.NOT_RUN: 5,
}

_TASKS: Mapping[TaskStatus, tuple[Mark, str]] = {
    TaskStatus.SUBMITTED: (Mark.WAITING, "Waits to start"),
    TaskStatus.PENDING: (Mark.HELD, "Waits for a node"),
    TaskStatus.PAUSED: (Mark.PAUSED, "Paused"),
    TaskStatus.RUNNING: (Mark.RUNNING, "Running"),
    TaskStatus.WAITING_ON_ERROR: (Mark.HELD, "Failed, will be retried"),
    TaskStatus.WAITING_ON_FAILURE: (Mark.HELD, "Node lost, will be retried"),
    TaskStatus.IN_ERROR: (Mark.IN_ERROR, "In error"),
    TaskStatus.FINISHED: (Mark.GOOD, "Finished"),
    TaskStatus.FAULTY: (Mark.BAD, "Faulty"),
    TaskStatus.SKIPPED: (Mark.SKIPPED, "Skipped"),
    TaskStatus.ABORTED: (Mark.NOT_RUN, "Stopped"),
    TaskStatus.FAILED: (Mark.BAD, "Node lost"),
    TaskStatus.NOT_STARTED: (Mark.NOT_RUN, "Not started"),
    TaskStatus.NOT_RESTARTED: (Mark.BAD, "Not retried"),
}

_JOBS: Mapping[JobStatus, Mark] = {
    JobStatus.PENDING: Mark.HELD,
    JobStatus.RUNNING: Mark.RUNNING,
    JobStatus.STALLED: Mark.HELD,
    JobStatus.PAUSED: Mark.PAUSED,
    JobStatus.IN_ERROR: Mark.IN_ERROR,
    JobStatus.FINISHED: Mark.GOOD,
    JobStatus.CANCELED: Mark.BAD,
    JobStatus.FAILED: Mark.BAD,
    JobStatus.KILLED: Mark.NOT_RUN,
}

JOB_WORDS: Mapping[JobStatus, str] = {
    **{status: status.label for status in JobStatus},
    JobStatus.IN_ERROR: "In error",
}


def task_mark(status: TaskStatus) -> Mark:
    """The mark of a task."""
    return _TASKS[status][0]


def task_word(status: TaskStatus) -> str:
    """The status of a task in words."""
    return _TASKS[status][1]


def job_mark(status: JobStatus, *, wrong: bool = False, ready: bool = True) -> Mark:
    """The mark of a job. A finished job with a task that went `wrong` is not shown as a good one.

    `ready`: whether a task of a job that has not started waits for a node.
    """
    mark = _JOBS[status]
    if status is JobStatus.PENDING and not ready:
        return Mark.WAITING
    return Mark.BAD if mark is Mark.GOOD and wrong else mark
