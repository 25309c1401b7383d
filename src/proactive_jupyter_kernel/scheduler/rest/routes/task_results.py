"""``/scheduler/jobs/{j}/tasks``: results and logs of tasks."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.engine.records import TaskRecord
from proactive_jupyter_kernel.scheduler.rest.dto import records, views
from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, download, json_answer, no_content, text_answer
from proactive_jupyter_kernel.scheduler.rest.requests.route import ANYTHING, TEXT, Handler, Route
from proactive_jupyter_kernel.scheduler.rest.routes.filters import chosen_tasks
from proactive_jupyter_kernel.scheduler.service.questions import ALL, ERRORS, OUTPUT, Questions
from proactive_jupyter_kernel.scheduler.service.results import TaskResult
from proactive_jupyter_kernel.scheduler.service.serverlog import task_lines
from proactive_jupyter_kernel.workflow.status import TASK_ENDED

__all__ = ["ROUTES"]

# --- results -----------------------------------------------------------------------------------------------------


async def result(call: Call) -> Response:
    """TaskResult; one without value while there is none."""
    return await call.read(lambda ask: json_answer(views.task_result(ask, _outcome(call, ask))))


def _outcome(call: Call, ask: Questions) -> TaskResult:
    return ask.outcome(call.job_id, call.params["task"])


def _outcomes(call: Call, ask: Questions) -> list[TaskResult]:
    """What the tasks of the path's tag came to."""
    return ask.results_of(chosen_tasks(call, ask))


async def tag_results(call: Call) -> Response:
    """TaskResult of all tasks of a tag that have one."""
    return await call.read(
        lambda ask: json_answer([views.task_result(ask, each) for each in _outcomes(call, ask) if each.known])
    )


def _of_tag(what: Callable[[TaskResult], Any]) -> Handler:
    """A handler that answers one thing of each task of a tag, by name; null where there is none yet."""

    async def handler(call: Call) -> Response:
        return await call.read(lambda ask: json_answer({each.task.name: what(each) for each in _outcomes(call, ask)}))

    return handler


def _serialized_text(outcome: TaskResult) -> str | None:
    content = records.serialized_value(outcome)
    return None if content is None else base64.b64encode(content).decode("ascii")


async def value(call: Call) -> Response:
    """The value as text, or the stack trace of the failure; 204 where there is neither."""

    def read(ask: Questions) -> Response:
        text = records.value_text(_outcome(call, ask))
        return no_content() if text is None else text_answer(call, text)

    return await call.read(read)


async def serialized_value(call: Call) -> Response:
    """The value as Java's serialization stream, or its own bytes if it is raw; 204 where there is none."""

    def read(ask: Questions) -> Response:
        content = records.serialized_value(_outcome(call, ask))
        return no_content() if content is None else Response(content, media_type="application/octet-stream")

    return await call.read(read)


async def metadata(call: Call) -> Response:
    """The result's metadata."""
    return json_answer(await call.read(lambda ask: dict(_outcome(call, ask).metadata)))


#: ``destination`` -> shown in place, or saved.
_SAVED = {"browser": False, "file": True}


async def download_value(call: Call) -> Response:
    """The value with the content type that its metadata names; 204 where there is none."""
    return await call.read(lambda ask: _download(call, _outcome(call, ask)))


def _download(call: Call, outcome: TaskResult) -> Response:
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


def _task(call: Call, ask: Questions) -> TaskRecord:
    return ask.task(call.job_id, call.params["task"])


def _log(streams: dict[bool, bool]) -> Handler:
    async def handler(call: Call) -> Response:
        def read(ask: Questions) -> Response:
            task = _task(call, ask)
            text = ask.log_text(call.job_id, task, streams)
            # As on a server: a task that ran without output has a log of one line feed, one that did not run has none.
            return text_answer(call, text or ("\n" if task.attempts and task.status in TASK_ENDED else ""))

        return await call.read(read)

    return handler


def _log_of_tag(streams: dict[bool, bool]) -> Handler:
    async def handler(call: Call) -> Response:
        def read(ask: Questions) -> Response:
            tasks = chosen_tasks(call, ask)
            return text_answer(call, "".join(ask.log_text(call.job_id, task, streams) for task in tasks))

        return await call.read(read)

    return handler


async def server_log(call: Call) -> Response:
    """What the scheduler itself did with the task."""
    service = call.service
    task = await call.read(lambda ask: _task(call, ask))
    return text_answer(call, "".join(task_lines(task, service.selections, service.resources.unmet_condition)))


async def tag_server_log(call: Call) -> Response:
    """What the scheduler itself did with the tasks of a tag."""
    told, unmet = call.service.selections, call.service.resources.unmet_condition
    tasks = await call.read(lambda ask: chosen_tasks(call, ask))
    return text_answer(call, "".join(line for task in tasks for line in task_lines(task, told, unmet)))


_JOB = "/scheduler/jobs/{job}"
_TASK = _JOB + "/tasks/{task}"
_TAG = _JOB + "/tasks/tag/{tag}"

ROUTES = (
    Route("GET", _TAG + "/result", tag_results, "Results of the tasks of a tag."),
    Route("GET", _TAG + "/result/value", _of_tag(records.value_text), "Values of the tasks of a tag as text."),
    Route("GET", _TAG + "/result/serializedvalue", _of_tag(_serialized_text), "Their values' bytes in base64."),
    Route("GET", _TAG + "/result/metadata", _of_tag(lambda outcome: dict(outcome.metadata)), "Their metadata."),
    Route("GET", _TAG + "/result/log/all", _log_of_tag(ALL), "Their output and errors.", gives=TEXT),
    Route("GET", _TAG + "/result/log/out", _log_of_tag(OUTPUT), "Their standard output.", gives=TEXT),
    Route("GET", _TAG + "/result/log/err", _log_of_tag(ERRORS), "Their standard error.", gives=TEXT),
    Route("GET", _TAG + "/log/server", tag_server_log, "What the scheduler did with them.", gives=TEXT),
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
)
