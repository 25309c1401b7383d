"""``/scheduler/jobs/ID/ask/...`` and ``/do/...``: the question before an action on a job, and the action."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.http.errors import HttpError
from proactive_jupyter_kernel.scheduler.portals.job import questions
from proactive_jupyter_kernel.scheduler.portals.job.snapshot import read_job
from proactive_jupyter_kernel.scheduler.portals.page import Page
from proactive_jupyter_kernel.scheduler.portals.visit import Visit
from proactive_jupyter_kernel.scheduler.service.errors import TaskNotRunning
from proactive_jupyter_kernel.workflow.model import Priority

__all__ = ["PAGES"]

_JOB = "/scheduler/jobs/{job}"


async def ask(visit: Visit) -> Response:
    """The question before an action."""
    action, task = visit.params["action"], visit.query.get("task", "")
    snapshot = await visit.read(
        lambda asked: read_job(
            asked, visit.job_id, now=visit.now, shown=lambda all: [each.id for each in all.tasks if each.name == task]
        )
    )
    question = questions.question_of(action, snapshot, task)
    if question is None:
        raise HttpError(404, f"There is no question before {action!r} of {task or 'the job'}.")
    path = f"/scheduler/jobs/{visit.job_id}"
    return visit.ask(
        title=question.head,
        text=question.text,
        action=f"{path}/do/{action}",
        yes=question.yes,
        no=question.no,
        back=path,
        query={"task": task} if task else {},
    )


async def do(visit: Visit) -> Response:
    """Do something to the job or one of its tasks, then go back to the page."""
    action, task = visit.params["action"], visit.query.get("task", "")
    known = questions.ACTIONS.get(action)
    if known is None or known.on_task != bool(task):
        raise HttpError(404, f"There is no action {action!r} on {task or 'the job'}.")
    try:
        changed = await _DONE[action](visit, task)
    except TaskNotRunning:
        changed = False
    said = (known.done if changed else known.unchanged).format(job=visit.job_id, task=task)
    tone = "ok" if changed else "attention"
    if action == "remove":
        # The page of the job is gone; the list with its filter is not.
        to_list = not visit.query.get("back", "").startswith(f"/scheduler/jobs/{visit.job_id}")
        return visit.back("/scheduler/", said, tone=tone) if to_list else visit.see("/scheduler/", said, tone=tone)
    return visit.back(f"/scheduler/jobs/{visit.job_id}", said, tone=tone)


async def _set_priority(visit: Visit, task: str) -> bool:
    name = (await visit.form()).get("priority", "")
    if name not in Priority.__members__:
        raise HttpError(400, f"There is no priority {name[:40]!r}.")
    await visit.service.set_priority(visit.job_id, Priority[name])
    return True


#: Key of `questions.ACTIONS` -> what does it, and says whether that changed anything.
_DONE: Mapping[str, Callable[[Visit, str], Awaitable[bool]]] = {
    "pause": lambda visit, task: visit.service.pause_job(visit.job_id),
    "resume": lambda visit, task: visit.service.resume_job(visit.job_id),
    "kill": lambda visit, task: visit.service.kill_job(visit.job_id),
    "remove": lambda visit, task: visit.service.remove_job(visit.job_id),
    "restart-all-in-error": lambda visit, task: visit.service.restart_all_in_error_tasks(visit.job_id),
    "priority": _set_priority,
    "restart-in-error": lambda visit, task: visit.service.restart_in_error_task(visit.job_id, task),
    "finish-in-error": lambda visit, task: visit.service.finish_in_error_task(visit.job_id, task),
    "restart-task": lambda visit, task: visit.service.restart_task(visit.job_id, task),
    "kill-task": lambda visit, task: visit.service.kill_task(visit.job_id, task),
}


PAGES = (
    Page("GET", _JOB + "/ask/{action}", ask, "The question before an action on a job."),
    Page("POST", _JOB + "/do/{action}", do, "Do something to a job or one of its tasks."),
)
