"""What a job waits for: a node, a decision, a server that does not answer."""

from __future__ import annotations

import re

from proactive_jupyter_kernel.notebook.card.facts import Facts
from proactive_jupyter_kernel.notebook.card.marks import Mark
from proactive_jupyter_kernel.notebook.card.model import Notice
from proactive_jupyter_kernel.notebook.card.relations import Relations, names_text
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

__all__ = ["notices_of"]

#: Maximum number of reasons to list; tasks with the same reason share one.
MAX_REASONS = 5
_HELD_UP = frozenset(
    {TaskStatus.SUBMITTED, TaskStatus.PENDING, TaskStatus.WAITING_ON_ERROR, TaskStatus.WAITING_ON_FAILURE}
)
#: Nodes that are busy need no explanation while the job itself keeps them so.
_BUSY = re.compile(r"\b(?:busy|nodes are free)\b")


def notices_of(facts: Facts, relations: Relations) -> tuple[Notice, ...]:
    """The bands below the head of the card."""
    return (*_trouble(facts), *_paused(facts), *_waiting(facts))


def _trouble(facts: Facts) -> tuple[Notice, ...]:
    if not facts.trouble or facts.job.ended:
        return ()
    return (Notice(mark=Mark.HELD, head=facts.trouble, text="The kernel asks again every second."),)


def _paused(facts: Facts) -> tuple[Notice, ...]:
    job = facts.job
    if job.status is not JobStatus.PAUSED:
        return ()
    running = [task.name for task in job.tasks if task.status is TaskStatus.RUNNING]
    runs = f"; {names_text(running)} {'runs' if len(running) == 1 else 'run'} to the end" if running else ""
    text = f"No more tasks start{runs}. `#%resume_job(job_id={job.id})` continues."
    return (Notice(mark=Mark.PAUSED, head="Paused.", text=text),)


def _waiting(facts: Facts) -> tuple[Notice, ...]:
    """Why tasks wait for a node, one band for each reason."""
    if facts.job.ended:
        return ()
    waiting = {task.name for task in facts.job.tasks if task.status in _HELD_UP}
    busy = any(task.status is TaskStatus.RUNNING for task in facts.job.tasks)
    by_reason: dict[str, list[str]] = {}
    for name, reason in facts.reasons.items():
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
