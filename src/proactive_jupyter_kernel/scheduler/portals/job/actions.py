"""``/scheduler/jobs/ID/ask/...`` and ``/do/...``: the question before an action on a job, and the action."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.http.errors import HttpError
from proactive_jupyter_kernel.scheduler.portals.job import questions
from proactive_jupyter_kernel.scheduler.portals.job.snapshot import read_job
from proactive_jupyter_kernel.scheduler.portals.page import Page
from proactive_jupyter_kernel.scheduler.portals.page_request import PageRequest
from proactive_jupyter_kernel.scheduler.service.errors import TaskNotRunning
from proactive_jupyter_kernel.workflow.model import Priority

__all__ = ["PAGES"]

_JOB = "/scheduler/jobs/{job}"


async def ask(request: PageRequest) -> Response:
    """The question before an action."""
    action, task = request.params["action"], request.query.get("task", "")
    snapshot = await request.read(
        lambda asked: read_job(
            asked,
            request.job_id,
            now=request.now,
            shown=lambda all: [each.id for each in all.tasks if each.name == task],
        )
    )
    question = questions.question_of(action, snapshot, task)
    if question is None:
        raise HttpError(404, f"There is no question before {action!r} of {task or 'the job'}.")
    path = f"/scheduler/jobs/{request.job_id}"
    return request.ask(
        title=question.head,
        text=question.text,
        action=f"{path}/do/{action}",
        yes=question.yes,
        no=question.no,
        back=path,
        query={"task": task} if task else {},
    )


async def do(request: PageRequest) -> Response:
    """Do something to the job or one of its tasks, then go back to the page."""
    action, task = request.params["action"], request.query.get("task", "")
    known = questions.ACTIONS.get(action)
    if known is None or known.on_task != bool(task):
        raise HttpError(404, f"There is no action {action!r} on {task or 'the job'}.")
    try:
        changed = await _DONE[action](request, task)
    except TaskNotRunning:
        changed = False
    said = (known.done if changed else known.unchanged).format(job=request.job_id, task=task)
    tone = "ok" if changed else "attention"
    if action == "remove":
        # The page of the job is gone; the list with its filter is not.
        to_list = not request.query.get("back", "").startswith(f"/scheduler/jobs/{request.job_id}")
        return request.back("/scheduler/", said, tone=tone) if to_list else request.see("/scheduler/", said, tone=tone)
    return request.back(f"/scheduler/jobs/{request.job_id}", said, tone=tone)


async def _set_priority(request: PageRequest, task: str) -> bool:
    name = (await request.form()).get("priority", "")
    if name not in Priority.__members__:
        raise HttpError(400, f"There is no priority {name[:40]!r}.")
    await request.service.set_priority(request.job_id, Priority[name])
    return True


#: Key of `questions.ACTIONS` -> what does it, and says whether that changed anything.
_DONE: Mapping[str, Callable[[PageRequest, str], Awaitable[bool]]] = {
    "pause": lambda request, task: request.service.pause_job(request.job_id),
    "resume": lambda request, task: request.service.resume_job(request.job_id),
    "kill": lambda request, task: request.service.kill_job(request.job_id),
    "remove": lambda request, task: request.service.remove_job(request.job_id),
    "restart-all-in-error": lambda request, task: request.service.restart_all_in_error_tasks(request.job_id),
    "priority": _set_priority,
    "restart-in-error": lambda request, task: request.service.restart_in_error_task(request.job_id, task),
    "finish-in-error": lambda request, task: request.service.finish_in_error_task(request.job_id, task),
    "restart-task": lambda request, task: request.service.restart_task(request.job_id, task),
    "kill-task": lambda request, task: request.service.kill_task(request.job_id, task),
}


PAGES = (
    Page("GET", _JOB + "/ask/{action}", ask, "The question before an action on a job."),
    Page("POST", _JOB + "/do/{action}", do, "Do something to a job or one of its tasks."),
)
