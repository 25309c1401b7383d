"""The drawn workflow with the status of its tasks."""

from __future__ import annotations

from proactive_jupyter_kernel.notebook.card.facts import Facts
from proactive_jupyter_kernel.notebook.card.model import Picture
from proactive_jupyter_kernel.workflow import picture
from proactive_jupyter_kernel.workflow.display.wording import time_text
from proactive_jupyter_kernel.workflow.picture import TaskSummary
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["picture_of"]

#: Tasks of a definition that are drawn in a card, while the job runs and at its end.
MOST_RUNNING, MOST_ENDED = 60, 300


def picture_of(facts: Facts) -> Picture | None:
    """The picture; None where the definition is not known, or is too large for a card."""
    workflow = facts.workflow
    if workflow is None or not workflow.tasks:
        return None
    if len(workflow.tasks) > (MOST_ENDED if facts.job.ended else MOST_RUNNING):
        return None
    summaries = {
        task.name: TaskSummary(
            status=task.status,
            note=time_text(task, facts.seen_at),
            progress=task.progress if task.status is TaskStatus.RUNNING and 0 < task.progress <= 100 else None,
        )
        for task in facts.job.tasks
    }
    # In plain text the table below has the times; the first lines say what the card says above.
    marks = {name: TaskSummary(status=summary.status) for name, summary in summaries.items()}
    _, _, drawn = picture.text(workflow, marks).partition("\n\n")
    return Picture(html=picture.html(workflow, summaries, framed=False), text=drawn)
