"""What the tasks of a job wait for: a node, as the scheduler says why."""

from __future__ import annotations

import re
from collections.abc import Mapping

from proactive_jupyter_kernel.workflow.display.marks import Mark
from proactive_jupyter_kernel.workflow.display.records import Job, Notice
from proactive_jupyter_kernel.workflow.display.relations import names_text
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["waiting_notices"]

#: Maximum number of reasons to list; tasks with the same reason share one.
MAX_REASONS = 5
_HELD_UP = frozenset(
    {TaskStatus.SUBMITTED, TaskStatus.PENDING, TaskStatus.WAITING_ON_ERROR, TaskStatus.WAITING_ON_FAILURE}
)
#: Nodes that are busy need no explanation while the job itself keeps them so.
_BUSY = re.compile(r"\b(?:busy|nodes are free)\b")


def waiting_notices(job: Job, reasons: Mapping[str, str]) -> tuple[Notice, ...]:
    """Why tasks wait for a node, one notice for each reason. `reasons` has them by full name of the task."""
    if job.ended:
        return ()
    waiting = {task.name for task in job.tasks if task.status in _HELD_UP}
    busy = any(task.status is TaskStatus.RUNNING for task in job.tasks)
    by_reason: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        if name not in waiting or reason.startswith("Waits for"):
            # The table of tasks says so.
            continue
        if not (busy and _BUSY.search(reason)):
            by_reason.setdefault(reason, []).append(name)
    notices = []
    for reason, names in list(by_reason.items())[:MAX_REASONS]:
        verb = "waits" if len(names) == 1 else "wait"
        head, stop, rest = reason.partition(". ")
        notices.append(
            Notice(mark=Mark.HELD, head=f"{names_text(names)} {verb}: {_lowered(head)}{stop.strip()}", text=rest)
        )
    return tuple(notices)


def _lowered(sentence: str) -> str:
    """A sentence for use after a colon."""
    word = sentence.split(" ")[0]
    return sentence if word.isupper() and len(word) > 1 else sentence[:1].lower() + sentence[1:]
