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
    """The job has ended; what was asked for needs an alive one."""


class TaskNotRunning(SchedulerError):
    """A task waits, for its parents, a node or a decision; only a running one can be restarted or preempted."""


class BadPriority(SchedulerError):
    """A job's priority cannot be changed, or not to this."""


class SignalRefused(SchedulerError):
    """No task of the job waits for the signal, or its variables are wrong."""


class SubmissionClosed(SchedulerError):
    """The scheduler is stopping and accepts no jobs."""


class UnknownChannel(ProActiveError):
    """There is no channel of that name."""


class Unstorable(EmbeddedSchedulerError):
    """What a request brought can never be stored, whatever the disk does."""
