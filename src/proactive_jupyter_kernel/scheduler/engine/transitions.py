"""The statuses of tasks, jobs and the scheduler, and every move between them, with its reason.

A move that is not in its table is a fault of the engine, never of a user: `check_task_move` and `check_job_move` then
raise `IllegalTransition`, which tells the story that led there. Sources: ``TaskStatus.java``, ``JobStatus.java``,
``SchedulerStatus.java`` and the termination handlers of ow2-proactive/scheduling.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

__all__ = [
    "JOB_MOVES",
    "SCHEDULER_MOVES",
    "TASK_MOVES",
    "IllegalTransition",
    "SchedulerStatus",
    "check_job_move",
    "check_task_move",
]


class SchedulerStatus(enum.Enum):
    """What the scheduler as a whole does; the value is the constant of the REST API."""

    #: Takes jobs and runs them.
    STARTED = "STARTED"
    #: Takes no jobs; runs those it has. Refusing submissions is the service's part.
    STOPPED = "STOPPED"
    #: Jobs that have started continue; the others wait.
    PAUSED = "PAUSED"
    #: Running tasks run to their end; no task is started.
    FROZEN = "FROZEN"
    #: As PAUSED, and there is no way back.
    SHUTTING_DOWN = "SHUTTING_DOWN"
    #: All jobs were killed; nothing runs and nothing will.
    KILLED = "KILLED"


_Status = TypeVar("_Status", bound=enum.Enum)
_Moves = Mapping[_Status, Mapping[_Status, str]]

_KILLED = "a person killed the task"
_KILLED_AND_CANCELED = "a person killed the task, and its error policy cancels the job"
_JOB_OVER = "the job ended before the task started"
_RETRY_OVER = "the job ended while the task waited for its retry"
_JOB_PAUSED = "the job was paused"
_SKIPPED = "not chosen by a branch, or replicated 0 times"

TASK_MOVES: _Moves[TaskStatus] = MappingProxyType(
    {
        TaskStatus.SUBMITTED: {
            TaskStatus.PENDING: "its parents have ended and its start time has come",
            TaskStatus.PAUSED: _JOB_PAUSED,
            TaskStatus.SKIPPED: _SKIPPED,
            TaskStatus.ABORTED: _KILLED,
            TaskStatus.FAULTY: _KILLED_AND_CANCELED,
            TaskStatus.NOT_STARTED: _JOB_OVER,
        },
        TaskStatus.PENDING: {
            TaskStatus.RUNNING: "it got its slots",
            TaskStatus.SUBMITTED: "its start time was moved into the future",
            TaskStatus.PAUSED: _JOB_PAUSED,
            TaskStatus.ABORTED: _KILLED,
            TaskStatus.FAULTY: _KILLED_AND_CANCELED,
            TaskStatus.NOT_STARTED: _JOB_OVER,
        },
        TaskStatus.PAUSED: {
            TaskStatus.SUBMITTED: "the job was resumed",
            TaskStatus.SKIPPED: _SKIPPED,
            TaskStatus.ABORTED: _KILLED,
            TaskStatus.FAULTY: _KILLED_AND_CANCELED,
            TaskStatus.NOT_STARTED: _JOB_OVER,
        },
        TaskStatus.RUNNING: {
            TaskStatus.FINISHED: "the attempt ended well",
            TaskStatus.FAULTY: "the last execution failed, or a person killed it and its error policy cancels the job",
            TaskStatus.WAITING_ON_ERROR: "the execution failed, or a person restarted it, and another is left",
            TaskStatus.WAITING_ON_FAILURE: "the node was lost",
            TaskStatus.IN_ERROR: "the last execution failed and the error policy asks for a person",
            TaskStatus.SUBMITTED: "the scheduler was restarted, or the executor ended the attempt",
            TaskStatus.ABORTED: "it was killed, alone or with its job",
            TaskStatus.FAILED: "lost nodes used up its attempts",
        },
        TaskStatus.WAITING_ON_ERROR: {
            TaskStatus.SUBMITTED: "the delay is over",
            TaskStatus.PAUSED: _JOB_PAUSED,
            TaskStatus.ABORTED: _KILLED,
            TaskStatus.FAULTY: _KILLED_AND_CANCELED,
            TaskStatus.NOT_RESTARTED: _RETRY_OVER,
        },
        TaskStatus.WAITING_ON_FAILURE: {
            TaskStatus.SUBMITTED: "the delay is over",
            TaskStatus.PAUSED: _JOB_PAUSED,
            TaskStatus.ABORTED: _KILLED,
            TaskStatus.FAULTY: _KILLED_AND_CANCELED,
            TaskStatus.NOT_RESTARTED: _RETRY_OVER,
        },
        TaskStatus.IN_ERROR: {
            TaskStatus.SUBMITTED: "a person restarted it",
            TaskStatus.FINISHED: "a person declared it finished",
            TaskStatus.ABORTED: _KILLED,
            TaskStatus.FAULTY: _KILLED_AND_CANCELED,
            TaskStatus.NOT_STARTED: _JOB_OVER,
        },
        TaskStatus.FINISHED: {},
        TaskStatus.FAULTY: {},
        TaskStatus.SKIPPED: {},
        TaskStatus.ABORTED: {},
        TaskStatus.FAILED: {},
        TaskStatus.NOT_STARTED: {},
        TaskStatus.NOT_RESTARTED: {},
    }
)

_DONE = "every task has ended"
_CANCELED = "a task failed or was killed under cancelJob"
_FAILED = "lost nodes used up the attempts of a task"
_FAULT = "the scheduler failed while it processed the job"
_JOB_KILLED = "a person killed the job"
_PAUSED = "a person, or the error policy pauseJob, paused the job"
_IN_ERROR = "a task is in error and waits for a user"

JOB_MOVES: _Moves[JobStatus] = MappingProxyType(
    {
        JobStatus.PENDING: {
            JobStatus.RUNNING: "its first task started",
            JobStatus.PAUSED: _PAUSED,
            JobStatus.FINISHED: _DONE,
            JobStatus.CANCELED: _CANCELED,
            JobStatus.FAILED: _FAULT,
            JobStatus.KILLED: _JOB_KILLED,
        },
        JobStatus.RUNNING: {
            JobStatus.STALLED: "nothing of it runs at the moment",
            JobStatus.PAUSED: _PAUSED,
            JobStatus.IN_ERROR: _IN_ERROR,
            JobStatus.FINISHED: _DONE,
            JobStatus.CANCELED: _CANCELED,
            JobStatus.FAILED: _FAILED,
            JobStatus.KILLED: _JOB_KILLED,
        },
        JobStatus.STALLED: {
            JobStatus.RUNNING: "one of its tasks started",
            JobStatus.PAUSED: _PAUSED,
            JobStatus.FINISHED: _DONE,
            JobStatus.CANCELED: _CANCELED,
            JobStatus.FAILED: _FAULT,
            JobStatus.KILLED: _JOB_KILLED,
        },
        JobStatus.PAUSED: {
            JobStatus.PENDING: "resumed; it never started",
            JobStatus.RUNNING: "resumed",
            JobStatus.STALLED: "resumed; nothing of it runs at the moment",
            JobStatus.IN_ERROR: "resumed; a task is in error",
            JobStatus.FINISHED: _DONE,
            JobStatus.CANCELED: _CANCELED,
            JobStatus.FAILED: _FAILED,
            JobStatus.KILLED: _JOB_KILLED,
        },
        JobStatus.IN_ERROR: {
            JobStatus.RUNNING: "no task is in error",
            JobStatus.STALLED: "no task is in error, and none runs at the moment",
            JobStatus.PAUSED: _PAUSED,
            JobStatus.FINISHED: _DONE,
            JobStatus.CANCELED: _CANCELED,
            JobStatus.FAILED: _FAILED,
            JobStatus.KILLED: _JOB_KILLED,
        },
        JobStatus.FINISHED: {},
        JobStatus.CANCELED: {},
        JobStatus.FAILED: {},
        JobStatus.KILLED: {},
    }
)

_GOING = (SchedulerStatus.STARTED, SchedulerStatus.PAUSED, SchedulerStatus.FROZEN, SchedulerStatus.STOPPED)

#: verb -> (statuses it works in, status it leads to, event to announce).
SCHEDULER_MOVES: Mapping[str, tuple[tuple[SchedulerStatus, ...], SchedulerStatus, str]] = MappingProxyType(
    {
        "start": ((SchedulerStatus.STOPPED,), SchedulerStatus.STARTED, "STARTED"),
        "stop": (
            (SchedulerStatus.STARTED, SchedulerStatus.PAUSED, SchedulerStatus.FROZEN),
            SchedulerStatus.STOPPED,
            "STOPPED",
        ),
        "pause": ((SchedulerStatus.STARTED, SchedulerStatus.FROZEN), SchedulerStatus.PAUSED, "PAUSED"),
        "freeze": ((SchedulerStatus.STARTED, SchedulerStatus.PAUSED), SchedulerStatus.FROZEN, "FROZEN"),
        "resume": ((SchedulerStatus.PAUSED, SchedulerStatus.FROZEN), SchedulerStatus.STARTED, "RESUMED"),
        "shutdown": (_GOING, SchedulerStatus.SHUTTING_DOWN, "SHUTTING_DOWN"),
        "kill": ((*_GOING, SchedulerStatus.SHUTTING_DOWN), SchedulerStatus.KILLED, "KILLED"),
    }
)


class IllegalTransition(RuntimeError):
    """A move that the table does not know; `history` is what happened before, oldest first."""

    def __init__(self, who: str, old: enum.Enum, new: enum.Enum, history: Iterable[str]) -> None:
        self.history = tuple(history)
        story = "; ".join(self.history) or "nothing"
        super().__init__(f"{who} cannot go from {old.name} to {new.name}. It went through: {story}.")


def check_task_move(who: str, old: TaskStatus, new: TaskStatus, history: Iterable[str]) -> None:
    """Raise `IllegalTransition` unless a task may go from `old` to `new`."""
    if new not in TASK_MOVES[old]:
        raise IllegalTransition(who, old, new, history)


def check_job_move(who: str, old: JobStatus, new: JobStatus, history: Iterable[str]) -> None:
    """Raise `IllegalTransition` unless a job may go from `old` to `new`."""
    if new not in JOB_MOVES[old]:
        raise IllegalTransition(who, old, new, history)
