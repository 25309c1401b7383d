"""``/scheduler/jobs/{j}/tasks`` and its kin: state, results, logs and actions of tasks."""

from __future__ import annotations

import base64
from collections.abc import Callable, Coroutine, Iterable
from itertools import groupby
from typing import Any

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.engine.records import TaskRecord
from proactive_jupyter_kernel.scheduler.rest.dto import records, views
from proactive_jupyter_kernel.scheduler.rest.http.call import Call, download, json_answer, no_content, text_answer
from proactive_jupyter_kernel.scheduler.rest.http.routing import ANYTHING, TEXT, Handler, Route
from proactive_jupyter_kernel.scheduler.rest.routes.filters import PAGE, task_statuses, task_window
from proactive_jupyter_kernel.scheduler.service import Service
from proactive_jupyter_kernel.scheduler.service.questions import ALL, ERRORS, OUTPUT
from proactive_jupyter_kernel.scheduler.service.results import TaskOutcome
from proactive_jupyter_kernel.scheduler.service.serverlog import task_lines
from proactive_jupyter_kernel.scheduler.store.base import TaskQuery
from proactive_jupyter_kernel.workflow.status import TASK_ENDED

__all__ = ["ROUTES"]

#: The largest page of tasks across jobs.
_LARGEST_PAGE = 256
_EVERYTHING = slice(None)

# --- lists -------------------------------------------------------------------------------------------------------


def _chosen(call: Call, *, filtered: bool = False) -> list[TaskRecord]:
    """The job's tasks that the path's tag and status and, if `filtered`, the query's status leave.

    As on a server, a filter without a known word leaves none, and SUBMITTED tasks are not among the pending ones.
    """
    tasks: Iterable[TaskRecord] = call.service.ask.tasks(call.job_id)
    tag = call.params.get("tag")
    if tag is not None:
        tasks = [task for task in tasks if task.tag == tag]
    words = call.params.get("status", call.text("statusFilter") if filtered else None)
    if words is not None:
        statuses = task_statuses(words)
        tasks = [task for task in tasks if task.status in statuses]
    return list(tasks)


def _names(window: Callable[[Call], slice]) -> Handler:
    async def handler(call: Call) -> Response:
        tasks = await call.service.in_thread(_chosen, call)
        return json_answer(records.page(len(tasks), [task.name for task in tasks[window(call)]]))

    return handler


def _states(window: Callable[[Call], slice], *, filtered: bool = False) -> Handler:
    async def handler(call: Call) -> Response:
        def read() -> Response:
            tasks = _chosen(call, filtered=filtered)
            job = call.service.ask.job(call.job_id).record
            states = views.task_states(call.service.ask, job, tasks[window(call)])
            return json_answer(records.page(len(tasks), states))

        return await call.service.in_thread(read)

    return handler


def _all(call: Call) -> slice:
    return _EVERYTHING


async def aggregated(call: Call) -> Response:
    """TaskStateSummary by name without iteration and replication, and by status; in the order of the tasks."""

    def key(task: TaskRecord) -> tuple[str, str]:
        return task.base_name, task.status.value

    groups: dict[tuple[str, str], list[TaskRecord]] = {}
    for task in await call.service.in_thread(_chosen, call, filtered="statusFilter" in call.query):
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
    tasks = await call.service.in_thread(call.service.ask.tasks, call.job_id)
    prefix = call.params.get("prefix", "")
    found = dict.fromkeys(task.tag for task in tasks if task.tag and task.tag.startswith(prefix))
    return json_answer(list(found))


async def visualization(call: Call) -> Response:
    """The states of the tasks that offer a visualization, a bare list: none, since nothing can be shown here."""
    call.service.ask.job(call.job_id)
    return json_answer([])


async def precious(call: Call) -> Response:
    """Names of the tasks with a precious result."""
    return json_answer(list(call.service.ask.job(call.job_id).record.precious))


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
    found = await call.service.in_thread(call.service.ask.find_tasks, _across(call))
    return json_answer(records.page(found.total, [task.name for task in found.rows]))


async def all_states(call: Call) -> Response:
    """TaskState of tasks of all jobs."""

    def read() -> Any:
        ask = call.service.ask
        found = ask.find_tasks(_across(call))
        states: list[Any] = []
        for job_id, tasks in groupby(found.rows, lambda task: task.job_id):
            states += views.task_states(ask, ask.job(job_id).record, tasks)
        return records.page(found.total, states)

    return json_answer(await call.service.in_thread(read))


# --- one task ----------------------------------------------------------------------------------------------------


def _task(call: Call) -> TaskRecord:
    return call.service.ask.task(call.job_id, call.params["task"])


async def state(call: Call) -> Response:
    """TaskState."""
    task = _task(call)
    job = call.service.ask.job(call.job_id).record
    return json_answer(views.task_states(call.service.ask, job, [task])[0])


async def result(call: Call) -> Response:
    """TaskResult; one without value while there is none."""
    call.service.store_output()
    ask = call.service.ask
    return await call.service.in_thread(lambda: json_answer(views.task_result(ask, _outcome(call))))


def _outcome(call: Call) -> Any:
    return call.service.ask.outcome(call.job_id, call.params["task"])


async def tag_results(call: Call) -> Response:
    """TaskResult of all tasks of a tag that have one."""
    call.service.store_output()

    def read() -> Any:
        ask = call.service.ask
        outcomes = (ask.outcome(task.job_id, task.name) for task in _chosen(call))
        return [views.task_result(ask, outcome) for outcome in outcomes if outcome.known]

    return json_answer(await call.service.in_thread(read))


def _of_tag(what: Callable[[TaskOutcome], Any]) -> Handler:
    """A handler that answers one thing of each task of a tag, by name; null where there is none yet."""

    async def handler(call: Call) -> Response:
        def read() -> Any:
            ask = call.service.ask
            outcomes = (ask.outcome(task.job_id, task.name) for task in _chosen(call))
            return {outcome.task.name: what(outcome) for outcome in outcomes}

        return json_answer(await call.service.in_thread(read))

    return handler


def _serialized_text(outcome: TaskOutcome) -> str | None:
    content = records.serialized_value(outcome)
    return None if content is None else base64.b64encode(content).decode("ascii")


async def value(call: Call) -> Response:
    """The value as text, or the stack trace of the failure; 204 where there is neither."""
    text = records.value_text(_outcome(call))
    return no_content() if text is None else text_answer(call, text)


async def serialized_value(call: Call) -> Response:
    """The value as Java's serialization stream, or its own bytes if it is raw; 204 where there is none."""
    content = records.serialized_value(_outcome(call))
    return no_content() if content is None else Response(content, media_type="application/octet-stream")


async def metadata(call: Call) -> Response:
    """The result's metadata."""
    return json_answer(dict(_outcome(call).metadata))


#: ``destination`` -> shown in place, or saved.
_SAVED = {"browser": False, "file": True}


async def download_value(call: Call) -> Response:
    """The value with the content type that its metadata names; 204 where there is none."""
    outcome = _outcome(call)
    text = records.value_text(outcome)
    if not outcome.known or text is None:
        return no_content()
    raw = records.raw_bytes(outcome)
    default_type = "text/plain" if raw is None else "application/octet-stream"
    file_name = ""
    if _SAVED.get(call.text("destination", "browser"), False):
        extension = outcome.metadata.get("file.extension", "")
        file_name = outcome.metadata.get("file.name") or f"{outcome.task.name}_result{extension}"
    media_type = outcome.metadata.get("content.type", default_type)
    return download(text.encode("utf-8", "replace") if raw is None else raw, media_type, file_name=file_name)


# --- logs --------------------------------------------------------------------------------------------------------


def _log(streams: dict[bool, bool]) -> Handler:
    async def handler(call: Call) -> Response:
        call.service.store_output()
        task = _task(call)
        text = await call.service.in_thread(call.service.ask.log_text, call.job_id, task, streams)
        # As on a server: a task that ran without output has a log of one line feed, one that did not run has none.
        return text_answer(call, text or ("\n" if task.attempts and task.status in TASK_ENDED else ""))

    return handler


def _log_of_tag(streams: dict[bool, bool]) -> Handler:
    async def handler(call: Call) -> Response:
        call.service.store_output()
        ask = call.service.ask

        def read() -> str:
            return "".join(ask.log_text(call.job_id, task, streams) for task in _chosen(call))

        return text_answer(call, await call.service.in_thread(read))

    return handler


async def server_log(call: Call) -> Response:
    """What the scheduler itself did with the task."""
    service = call.service
    return text_answer(call, "".join(task_lines(_task(call), service.selections, service.resources.unmet_condition)))


async def tag_server_log(call: Call) -> Response:
    """What the scheduler itself did with the tasks of a tag."""
    told, unmet = call.service.selections, call.service.resources.unmet_condition
    return text_answer(call, "".join(line for task in _chosen(call) for line in task_lines(task, told, unmet)))


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
    Route("GET", _TAG + "/result", tag_results, "Results of the tasks of a tag."),
    Route("GET", _TAG + "/result/value", _of_tag(records.value_text), "Values of the tasks of a tag as text."),
    Route("GET", _TAG + "/result/serializedvalue", _of_tag(_serialized_text), "Their values' bytes in base64."),
    Route("GET", _TAG + "/result/metadata", _of_tag(lambda outcome: dict(outcome.metadata)), "Their metadata."),
    Route("GET", _TAG + "/result/log/all", _log_of_tag(ALL), "Their output and errors.", gives=TEXT),
    Route("GET", _TAG + "/result/log/out", _log_of_tag(OUTPUT), "Their standard output.", gives=TEXT),
    Route("GET", _TAG + "/result/log/err", _log_of_tag(ERRORS), "Their standard error.", gives=TEXT),
    Route("GET", _TAG + "/log/server", tag_server_log, "What the scheduler did with them.", gives=TEXT),
    Route("GET", "/scheduler/tasks", all_names, "Names of tasks of all jobs."),
    Route("GET", "/scheduler/tasks/tag/{tag}", all_names, "Names of tasks of all jobs by tag."),
    Route("GET", "/scheduler/taskstates", all_states, "State of tasks of all jobs."),
    Route("GET", "/scheduler/taskstates/tag/{tag}", all_states, "State of tasks of all jobs by tag."),
    Route("GET", _TASK, state, "State of one task."),
    Route("GET", _TASK + "/result", result, "Result, output and variables."),
    Route("GET", _TASK + "/result/value", value, "The value or the stack trace as text.", gives=TEXT),
    Route("GET", _TASK + "/result/serializedvalue", serialized_value, "The value's bytes.", gives=ANYTHING),
    Route("GET", _TASK + "/result/metadata", metadata, "The result's metadata."),
    Route(
        "GET",
        _TASK + "/result/download",
        download_value,
        "The value to look at or to save.",
        gives=ANYTHING,
        session_in="sessionToken",
    ),
    Route("GET", _TASK + "/result/log/all", _log(ALL), "Output and errors.", gives=TEXT),
    Route("GET", _TASK + "/result/log/full", _log(ALL), "Output and errors.", gives=TEXT, session_in="sessionid"),
    Route("GET", _TASK + "/result/log/out", _log(OUTPUT), "Standard output.", gives=TEXT),
    Route("GET", _TASK + "/result/log/err", _log(ERRORS), "Standard error.", gives=TEXT),
    Route("GET", _TASK + "/log/server", server_log, "What the scheduler did with the task.", gives=TEXT),
    Route("PUT", _TASK + "/kill", _action(Service.kill_task), "Kill the task."),
    Route("PUT", _TASK + "/restart", _action(Service.restart_task), "Restart the task."),
    Route("PUT", _TASK + "/preempt", _action(Service.preempt_task), "Preempt the task."),
    Route("PUT", _TASK + "/finishInErrorTask", _action(Service.finish_in_error_task), "Let it count as finished."),
    Route("PUT", _TASK + "/restartInErrorTask", _action(Service.restart_in_error_task), "Try it again."),
)
