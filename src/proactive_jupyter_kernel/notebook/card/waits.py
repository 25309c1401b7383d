"""What a job waits for: a node, a decision, a server that does not answer."""

from __future__ import annotations

from proactive_jupyter_kernel.notebook.card.facts import Facts
from proactive_jupyter_kernel.workflow.display.marks import Mark
from proactive_jupyter_kernel.workflow.display.records import Notice
from proactive_jupyter_kernel.workflow.display.relations import names_text
from proactive_jupyter_kernel.workflow.display.waits import waiting_notices
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

__all__ = ["notices_of"]


def notices_of(facts: Facts) -> tuple[Notice, ...]:
    """The bands below the head of the card."""
    return (*_trouble(facts), *_paused(facts), *waiting_notices(facts.job, facts.reasons))


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
