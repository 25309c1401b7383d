"""``/scheduler/jobs/{j}/tasks`` and its kin: listings of tasks, their state and actions."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from itertools import groupby
from typing import Any

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.engine.records import TaskRecord
from proactive_jupyter_kernel.scheduler.rest.dto import records, views
from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer
from proactive_jupyter_kernel.scheduler.rest.requests.route import Handler, Route
from proactive_jupyter_kernel.scheduler.rest.routes.filters import PAGE, chosen_tasks, task_statuses, task_window
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.scheduler.service.service import Service
from proactive_jupyter_kernel.scheduler.store.query import TaskQuery
from proactive_jupyter_kernel.workflow.status import TASK_ENDED

__all__ = ["ROUTES"]

#: The largest page of tasks across jobs.
_LARGEST_PAGE = 256
_EVERYTHING = slice(None)

# --- lists -------------------------------------------------------------------------------------------------------


def _names(window: Callable[[Call], slice]) -> Handler:
    async def handler(call: Call) -> Response:
        def read(ask: Questions) -> Response:
            tasks = chosen_tasks(call, ask)
            return json_answer(records.page(len(tasks), [task.name for task in tasks[window(call)]]))

        return await call.read(read)

    return handler


def _states(window: Callable[[Call], slice], *, filtered: bool = False) -> Handler:
    async def handler(call: Call) -> Response:
        def read(ask: Questions) -> Response:
            tasks = chosen_tasks(call, ask, call.text("statusFilter") if filtered else None)
            states = views.task_states(ask, ask.job(call.job_id).record, tasks[window(call)])
            return json_answer(records.page(len(tasks), states))

        return await call.read(read)

    return handler


def _all(call: Call) -> slice:
    return _EVERYTHING


async def aggregated(call: Call) -> Response:
    """TaskStateSummary by name without iteration and replication, and by status; in the order of the tasks."""

    def key(task: TaskRecord) -> tuple[str, str]:
        return task.base_name, task.status.value

    groups: dict[tuple[str, str], list[TaskRecord]] = {}
    words = call.text("statusFilter") if "statusFilter" in call.query else None
    for task in await call.read(lambda ask: chosen_tasks(call, ask, words)):
        groups.setdefault(key(task), []).append(task)
    summaries = [_summary(name, status, tasks) for (name, status), tasks in groups.items()]
    return json_answer(records.page(len(summaries), summaries))


def _summary(name: str, status: str, tasks: list[TaskRecord]) -> dict[str, Any]:
    durations = [task.duration for task in tasks if task.duration >= 0]
    errors = task_statuses("error")
    return {
        "name": name,
        "count": len(tasks),
        "countFinished": sum(task.status in TASK_ENDED for task in tasks),
        "countErrors": sum(task.status in errors for task in tasks),
        "avgExecutionTime": sum(durations) // len(durations) if durations else 0,
        "taskStatus": status,
    }


async def tags(call: Call) -> Response:
    """All tags of the job, or those with a prefix."""
    job_id = call.job_id
    tasks = await call.read(lambda ask: ask.tasks(job_id))
    prefix = call.params.get("prefix", "")
    found = dict.fromkeys(task.tag for task in tasks if task.tag and task.tag.startswith(prefix))
    return json_answer(list(found))


async def visualization(call: Call) -> Response:
    """The states of the tasks that offer a visualization, a bare list: none, since nothing can be shown here."""
    job_id = call.job_id
    await call.read(lambda ask: ask.job(job_id))
    return json_answer([])


async def precious(call: Call) -> Response:
    """Names of the tasks with a precious result."""
    job_id = call.job_id
    return json_answer(await call.read(lambda ask: list(ask.job(job_id).record.precious)))


# --- across jobs -------------------------------------------------------------------------------------------------


def _across(call: Call) -> TaskQuery:
    start, end = call.number("from", 0), call.number("to", 0)
    limit = call.number("limit", -1)
    return TaskQuery(
        statuses=task_statuses(call.text("statusFilter")) if "statusFilter" in call.query else None,
        tag=call.params.get("tag", ""),
        owner=call.user if call.flag("mytasks", False) else "",
        started_from=start or None,
        started_to=end or None,
        offset=max(call.number("offset", 0), 0),
        limit=min(PAGE if limit < 0 else limit, _LARGEST_PAGE),
    )


async def all_names(call: Call) -> Response:
    """Names of tasks of all jobs."""
    query = _across(call)
    found = await call.read(lambda ask: ask.find_tasks(query))
    return json_answer(records.page(found.total, [task.name for task in found.rows]))


async def all_states(call: Call) -> Response:
    """TaskState of tasks of all jobs."""

    query = _across(call)

    def read(ask: Questions) -> Response:
        found = ask.find_tasks(query)
        states: list[Any] = []
        for job_id, tasks in groupby(found.rows, lambda task: task.job_id):
            states += views.task_states(ask, ask.job(job_id).record, tasks)
        return json_answer(records.page(found.total, states))

    return await call.read(read)


# --- one task ----------------------------------------------------------------------------------------------------


async def state(call: Call) -> Response:
    """TaskState."""
    job_id, name = call.job_id, call.params["task"]
    return await call.read(
        lambda ask: json_answer(views.task_states(ask, ask.job(job_id).record, [ask.task(job_id, name)])[0])
    )


# --- actions -----------------------------------------------------------------------------------------------------


def _action(verb: Callable[[Service, int, str], Coroutine[Any, Any, bool]]) -> Handler:
    """A handler that does one thing to the task of the path and answers whether that changed anything."""

    async def handler(call: Call) -> Response:
        return json_answer(await verb(call.service, call.job_id, call.params["task"]))

    return handler


_JOB = "/scheduler/jobs/{job}"
_TASK = _JOB + "/tasks/{task}"
_TAG = _JOB + "/tasks/tag/{tag}"

ROUTES = (
    Route("GET", _JOB + "/tasks", _names(_all), "Names of the job's tasks."),
    Route("GET", _JOB + "/tasks/paginated", _names(task_window), "A page of names."),
    Route("GET", _JOB + "/taskstates", _states(_all), "State of all tasks."),
    Route("GET", _JOB + "/taskstates/paginated", _states(task_window), "A page of states."),
    Route(
        "GET",
        _JOB + "/taskstates/filtered/paginated",
        _states(task_window, filtered=True),
        "A page of states by status.",
    ),
    Route("GET", _JOB + "/taskstates/aggregated", aggregated, "Counts by name and status."),
    Route("GET", _JOB + "/taskstates/visualization", visualization, "State of the tasks to look at."),
    Route("GET", _JOB + "/taskstates/{tag}", _states(_all), "State of the tasks of a tag."),
    Route("GET", _JOB + "/taskstates/{tag}/paginated", _states(task_window), "A page of those."),
    Route("GET", _JOB + "/taskstates/{tag}/{status}/paginated", _states(task_window), "A page of those by status."),
    Route("GET", _JOB + "/tasks/tags", tags, "All tags."),
    Route("GET", _JOB + "/tasks/tags/startsWith/{prefix}", tags, "Tags with a prefix."),
    Route("GET", _JOB + "/tasks/results/precious/metadata", precious, "Names of tasks with precious results."),
    Route("GET", _TAG, _names(_all), "Names of the tasks of a tag."),
    Route("GET", _TAG + "/paginated", _names(task_window), "A page of those."),
    Route("GET", "/scheduler/tasks", all_names, "Names of tasks of all jobs."),
    Route("GET", "/scheduler/tasks/tag/{tag}", all_names, "Names of tasks of all jobs by tag."),
    Route("GET", "/scheduler/taskstates", all_states, "State of tasks of all jobs."),
    Route("GET", "/scheduler/taskstates/tag/{tag}", all_states, "State of tasks of all jobs by tag."),
    Route("GET", _TASK, state, "State of one task."),
    Route("PUT", _TASK + "/kill", _action(Service.kill_task), "Kill the task."),
    Route("PUT", _TASK + "/restart", _action(Service.restart_task), "Restart the task."),
    Route("PUT", _TASK + "/preempt", _action(Service.preempt_task), "Preempt the task."),
    Route("PUT", _TASK + "/finishInErrorTask", _action(Service.finish_in_error_task), "Let it count as finished."),
    Route("PUT", _TASK + "/restartInErrorTask", _action(Service.restart_in_error_task), "Try it again."),
)
