"""What the service refuses, beside the errors of the tree in ``errors.py``; REST gives each its own answer."""

from __future__ import annotations

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError, ProActiveError, SchedulerError

__all__ = [
    "BadPriority",
    "JobEnded",
    "SignalRefused",
    "SubmissionClosed",
    "TaskNotRunning",
    "UnknownChannel",
    "Unstorable",
]


class JobEnded(SchedulerError):
    """The job has ended; the request needs a job that is alive."""


class TaskNotRunning(SchedulerError):
    """A task waits, for its parents, a node or a decision; only a running one can be restarted or preempted."""


class BadPriority(SchedulerError):
    """The priority of a job cannot be changed, or not to this value."""


class SignalRefused(SchedulerError):
    """No task of the job waits for the signal, or its variables are wrong."""


class SubmissionClosed(SchedulerError):
    """The scheduler is stopping and accepts no jobs."""


class UnknownChannel(ProActiveError):
    """There is no channel of that name."""


class Unstorable(EmbeddedSchedulerError):
    """The data of a request can never be stored, on any disk."""
