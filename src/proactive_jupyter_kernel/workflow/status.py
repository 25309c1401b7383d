"""The status of a job or task, as ProActive defines them (``JobStatus.java``, ``TaskStatus.java``)."""

from __future__ import annotations

import enum

__all__ = ["JOB_ALIVE", "JOB_ENDED", "TASK_ALIVE", "TASK_ENDED", "TASK_PENDING", "JobStatus", "TaskStatus"]


class _Labelled(enum.Enum):
    """An enumeration whose value is ProActive's constant and whose label is shown to users."""

    label: str
    meaning: str

    def __new__(cls, constant: str, label: str, meaning: str) -> _Labelled:
        member = object.__new__(cls)
        member._value_ = constant
        member.label = label
        member.meaning = meaning
        return member


class JobStatus(_Labelled):
    """A job's status; the value is the constant of the REST API."""

    PENDING = ("PENDING", "Pending", "submitted, no task started")
    RUNNING = ("RUNNING", "Running", "at least one task running")
    STALLED = ("STALLED", "Stalled", "started, nothing running at the moment")
    PAUSED = ("PAUSED", "Paused", "paused by a person or by an error policy")
    IN_ERROR = ("IN_ERROR", "In-Error", "at least one task in error, waiting for a decision")
    FINISHED = ("FINISHED", "Finished", "every task ended, also when some are faulty")
    CANCELED = ("CANCELED", "Canceled", "ended by the error policy cancelJob")
    FAILED = ("FAILED", "Failed", "node failures used up a task's attempts, or the scheduler failed")
    KILLED = ("KILLED", "Killed", "killed by a person")


class TaskStatus(_Labelled):
    """A task's status; the value is the constant of the REST API."""

    SUBMITTED = ("SUBMITTED", "Submitted", "waits for its parents")
    PENDING = ("PENDING", "Pending", "ready, waits for a node")
    PAUSED = ("PAUSED", "Paused", "its job is paused")
    RUNNING = ("RUNNING", "Running", "runs on a node")
    WAITING_ON_ERROR = ("WAITING_ON_ERROR", "Faulty...", "failed, waits for its retry")
    WAITING_ON_FAILURE = ("WAITING_ON_FAILURE", "Failed...", "its node was lost, waits for its retry")
    IN_ERROR = ("IN_ERROR", "In-Error", "failed, waits for a decision of a person")
    FINISHED = ("FINISHED", "Finished", "ended well")
    FAULTY = ("FAULTY", "Faulty", "ended with an error")
    SKIPPED = ("SKIPPED", "Skipped", "not chosen by a branch, or replicated 0 times")
    ABORTED = ("ABORTED", "Aborted", "killed while it ran")
    FAILED = ("FAILED", "Resource down", "node failures used up its attempts")
    NOT_STARTED = ("NOT_STARTED", "Could not start", "the job ended before it started")
    NOT_RESTARTED = ("NOT_RESTARTED", "Could not restart", "the job ended while it waited for a retry")


JOB_ENDED = frozenset({JobStatus.FINISHED, JobStatus.CANCELED, JobStatus.FAILED, JobStatus.KILLED})
JOB_ALIVE = frozenset(JobStatus) - JOB_ENDED

TASK_PENDING = frozenset({TaskStatus.SUBMITTED, TaskStatus.PENDING})
TASK_ALIVE = TASK_PENDING | {
    TaskStatus.PAUSED,
    TaskStatus.RUNNING,
    TaskStatus.WAITING_ON_ERROR,
    TaskStatus.WAITING_ON_FAILURE,
    TaskStatus.IN_ERROR,
}
TASK_ENDED = frozenset(TaskStatus) - TASK_ALIVE
