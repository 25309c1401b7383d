"""``/scheduler/jobs/{j}/tasks``: results and logs of tasks."""

from __future__ import annotations

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.engine.records import TaskRecord
from proactive_jupyter_kernel.scheduler.rest.dto import records, value_forms, views
from proactive_jupyter_kernel.scheduler.rest.requests.call import (
    Call,
    download_headers,
    json_answer,
    no_content,
    text_answer,
    text_type,
)
from proactive_jupyter_kernel.scheduler.rest.requests.route import ANYTHING, TEXT, Handler, Route
from proactive_jupyter_kernel.scheduler.rest.routes import large_results
from proactive_jupyter_kernel.scheduler.rest.routes.filters import chosen_tasks
from proactive_jupyter_kernel.scheduler.service.questions import ALL, ERRORS, OUTPUT, Questions
from proactive_jupyter_kernel.scheduler.service.results import TaskResult
from proactive_jupyter_kernel.scheduler.service.serverlog import task_lines
from proactive_jupyter_kernel.workflow.status import TASK_ENDED

__all__ = ["ROUTES"]

_BYTES = "application/octet-stream"

# --- results -----------------------------------------------------------------------------------------------------


async def result(call: Call) -> Response:
    """TaskResult; one without value while there is none."""

    def read(ask: Questions) -> Response | TaskResult:
        outcome = _outcome(call, ask)
        return outcome if large_results.is_large(outcome) else json_answer(views.task_result(ask, outcome))

    found = await call.read(read)
    return await large_results.task_result(call, found) if isinstance(found, TaskResult) else found


def _outcome(call: Call, ask: Questions) -> TaskResult:
    return ask.outcome(call.job_id, call.params["task"])


def _outcomes(call: Call, ask: Questions) -> list[TaskResult]:
    """What the tasks of the path's tag came to."""
    return ask.results_of(chosen_tasks(call, ask))


async def tag_results(call: Call) -> Response:
    """TaskResult of all tasks of a tag that have one."""
    return await call.read(
        lambda ask: large_results.listed(
            call, ask, [each for each in _outcomes(call, ask) if each.known], large_results.TASKS
        )
    )


def _of_tag(form: large_results.Form) -> Handler:
    """A handler that answers a form of each result of a tag, by name; null where there is none yet."""

    async def handler(call: Call) -> Response:
        return await call.read(lambda ask: large_results.named(call, ask, _outcomes(call, ask), form))

    return handler


async def tag_metadata(call: Call) -> Response:
    """The metadata of the results of a tag, by name."""
    return await call.read(
        lambda ask: json_answer({each.task.name: dict(each.metadata) for each in _outcomes(call, ask)})
    )


async def value(call: Call) -> Response:
    """The value as text, or the stack trace of the failure; 204 where there is neither."""

    def read(ask: Questions) -> Response | TaskResult:
        outcome = _outcome(call, ask)
        if large_results.is_large(outcome):
            return outcome
        text = records.value_text(outcome)
        return no_content() if text is None else text_answer(call, text)

    found = await call.read(read)
    if not isinstance(found, TaskResult):
        return found
    made = await call.service.value_files.make(found.value, value_forms.text)
    return large_results.file_answer(made, text_type(call))


async def serialized_value(call: Call) -> Response:
    """The value as Java's serialization stream, or its own bytes if it is raw; 204 where there is none."""

    def read(ask: Questions) -> Response | TaskResult:
        outcome = _outcome(call, ask)
        if large_results.is_large(outcome):
            return outcome
        content = records.serialized_value(outcome)
        return no_content() if content is None else Response(content, media_type=_BYTES)

    found = await call.read(read)
    if not isinstance(found, TaskResult):
        return found
    made = await call.service.value_files.make(found.value, value_forms.stream)
    return large_results.file_answer(made, _BYTES)


async def metadata(call: Call) -> Response:
    """The result's metadata."""
    return json_answer(await call.read(lambda ask: dict(_outcome(call, ask).metadata)))


#: ``destination`` -> shown in place, or saved.
_SAVED = {"browser": False, "file": True}


async def download_value(call: Call) -> Response:
    """The value with the content type that its metadata names; 204 where there is none."""

    def read(ask: Questions) -> Response | TaskResult:
        outcome = _outcome(call, ask)
        return outcome if outcome.known and large_results.is_large(outcome) else _download(call, outcome)

    found = await call.read(read)
    if not isinstance(found, TaskResult):
        return found
    made = await call.service.value_files.make(found.value, value_forms.own_text)
    media_type, headers = download_headers(*_kind_of_download(call, found, is_raw=made.said))
    return large_results.file_answer(made, media_type, headers)


def _download(call: Call, outcome: TaskResult) -> Response:
    text = records.value_text(outcome)
    if not outcome.known or text is None:
        return no_content()
    raw = records.raw_bytes(outcome)
    media_type, headers = download_headers(*_kind_of_download(call, outcome, is_raw=raw is not None))
    content = text.encode("utf-8", "replace") if raw is None else raw
    return Response(content, media_type=media_type, headers=headers)


def _kind_of_download(call: Call, outcome: TaskResult, *, is_raw: bool) -> tuple[str, str]:
    """The media type and, where it is to be saved, the name of the file."""
    default_type = _BYTES if is_raw else "text/plain"
    file_name = ""
    if _SAVED.get(call.text("destination", "browser"), False):
        extension = outcome.metadata.get("file.extension", "")
        file_name = outcome.metadata.get("file.name") or f"{outcome.task.name}_result{extension}"
    return outcome.metadata.get("content.type", default_type), file_name


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
    Route("GET", _TAG + "/result/value", _of_tag(large_results.TEXTS), "Values of the tasks of a tag as text."),
    Route("GET", _TAG + "/result/serializedvalue", _of_tag(large_results.STREAMS), "Their values' bytes in base64."),
    Route("GET", _TAG + "/result/metadata", tag_metadata, "Their metadata."),
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
