"""What people look for in a list of jobs: groups of states that mean the same to them, and words."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.scheduler.access.hidden_values import is_hidden
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

if TYPE_CHECKING:
    from proactive_jupyter_kernel.scheduler.store.base import JobFacts

__all__ = ["FAILED_TASK", "GROUPS", "JobGroup", "group_of", "key_of", "search_words"]


class JobGroup(enum.Enum):
    """Jobs that are in the same situation; each job is in one of them. The value is the word in addresses."""

    RUNNING = "running"
    #: No task has started, or nothing runs at the moment.
    WAITING = "waiting"
    #: Paused or in error: they wait for a person.
    NEEDS_YOU = "needs-you"
    #: Ended, and something went wrong.
    FAILED = "failed"
    FINISHED = "finished"
    KILLED = "killed"


#: Group of each status; a finished job with a task that failed is in `JobGroup.FAILED`.
GROUPS: Mapping[JobStatus, JobGroup] = {
    JobStatus.PENDING: JobGroup.WAITING,
    JobStatus.RUNNING: JobGroup.RUNNING,
    JobStatus.STALLED: JobGroup.WAITING,
    JobStatus.PAUSED: JobGroup.NEEDS_YOU,
    JobStatus.IN_ERROR: JobGroup.NEEDS_YOU,
    JobStatus.FINISHED: JobGroup.FINISHED,
    JobStatus.CANCELED: JobGroup.FAILED,
    JobStatus.FAILED: JobGroup.FAILED,
    JobStatus.KILLED: JobGroup.KILLED,
}
#: The statuses of tasks whose failure is the reason that a list shows; as the index ``tasks_failed`` has them.
FAILED_TASK = frozenset(
    {
        TaskStatus.FAULTY,
        TaskStatus.FAILED,
        TaskStatus.NOT_RESTARTED,
        TaskStatus.IN_ERROR,
        TaskStatus.WAITING_ON_ERROR,
    }
)
#: Characters of one value, and of all words, that are kept.
_LONGEST_VALUE, _LONGEST = 200, 4000


def group_of(status: JobStatus, issues: bool) -> JobGroup:
    """The group of a job; `issues`: whether a task of it failed or is in error."""
    group = GROUPS[status]
    return JobGroup.FAILED if group is JobGroup.FINISHED and issues else group


def key_of(text: str) -> str:
    """The text as it is compared: without case, and without what UTF-8 cannot hold."""
    return text.casefold().encode("utf-8", "replace").decode("utf-8")


def search_words(name: str, facts: JobFacts) -> str:
    """What a job is found by: its name and its variables, except for hidden values."""
    pairs = [f"{one.name}={'' if is_hidden(one) else one.value[:_LONGEST_VALUE]}" for one in facts.variables]
    return key_of("\n".join((name, *pairs))[:_LONGEST])
