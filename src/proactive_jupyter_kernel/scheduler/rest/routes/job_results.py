"""``/scheduler/jobs``: results and logs of jobs (``SchedulerRestInterface.java``)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.rest.dto import records, views
from proactive_jupyter_kernel.scheduler.rest.http.call import Call, json_answer, no_content, text_answer
from proactive_jupyter_kernel.scheduler.rest.http.routing import TEXT, Route
from proactive_jupyter_kernel.scheduler.service.serverlog import job_lines
from proactive_jupyter_kernel.scheduler.service.service import Service
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["ROUTES"]

# --- results -----------------------------------------------------------------------------------------------------


async def result(call: Call) -> Response:
    """JobResult; 204 while the job is alive."""
    ask = call.service.ask
    if not ask.ended(call.job_id):
        return no_content()
    row = ask.job(call.job_id)
    return await call.service.in_thread(lambda: json_answer(views.job_result(ask, row)))


async def result_value(call: Call) -> Response:
    """The text of each task's value; 204 while the job is alive."""
    if not call.service.ask.ended(call.job_id):
        return no_content()
    outcomes = await call.service.in_thread(call.service.ask.outcomes, call.job_id)
    return json_answer({outcome.task.name: records.value_text(outcome) for outcome in outcomes})


async def result_map(call: Call) -> Response:
    """What tasks put into ``resultMap``, as text."""
    return json_answer(await _result_map(call, call.job_id))


async def result_maps(call: Call) -> Response:
    """The result maps of several jobs, by id."""
    return json_answer({str(job_id): await _result_map(call, job_id) for job_id in _known(call)})


async def _result_map(call: Call, job_id: int) -> dict[str, Any]:
    row = call.service.ask.job(job_id)
    outcomes = await call.service.in_thread(call.service.ask.outcomes, job_id) if row.has_result_map else []
    filled: dict[str, Any] = records.job_result(row, {}, views.result_map(outcomes), set())["resultMap"]
    return filled


async def precious_metadata(call: Call) -> Response:
    """For each job, the names of its tasks with a precious result."""
    return json_answer({str(job_id): list(call.service.ask.job(job_id).record.precious) for job_id in _known(call)})


def _known(call: Call) -> list[int]:
    """The jobs of the query; an unknown one keeps nothing from the others."""
    return [job_id for job_id in call.numbers("jobsid") if call.service.ask.knows(job_id)]


# --- logs --------------------------------------------------------------------------------------------------------


async def result_log_all(call: Call) -> Response:
    """The logs of all tasks that have ended, one after the other."""
    call.service.store_output()
    return text_answer(call, await call.service.in_thread(_ended_log, call.service, call.job_id))


async def full_log(call: Call) -> Response:
    """The logs of all tasks that have ended or are in error, by time; for a browser or as a file."""
    call.service.store_output()
    text = await call.service.in_thread(_ended_log, call.service, call.job_id, in_error=True)
    headers = {}
    if call.text("destination") == "file":
        headers["Content-Disposition"] = f"attachment; filename=job_{call.job_id}_logs.log"
    return text_answer(call, text, headers=headers)


def _ended_log(service: Service, job_id: int, *, in_error: bool = False) -> str:
    """The logs of the tasks that have ended; `in_error`: and of those that wait for a decision."""
    tasks = [
        task
        for task in service.ask.tasks(job_id)
        if task.finished_at >= 0 or (in_error and task.status is TaskStatus.IN_ERROR)
    ]
    tasks.sort(key=lambda task: (task.finished_at, task.task_id))
    return "".join(service.ask.job_log(job_id, tasks))


async def live_log(call: Call) -> Response:
    """What was written since the session asked last."""
    everything = call.flag("allLogs", False)
    return text_answer(call, call.service.live_log(call.job_id, _listener(call), everything=everything))


async def live_log_available(call: Call) -> Response:
    """How many lines wait to be read; -1 if nothing is captured."""
    call.service.ask.job(call.job_id)
    return json_answer(call.service.logs.unread(call.job_id, _listener(call)))


async def live_log_end(call: Call) -> Response:
    """Capture no more for this session."""
    call.service.ask.job(call.job_id)
    call.service.logs.release(call.job_id, _listener(call))
    return json_answer(True)


def _listener(call: Call) -> str:
    assert call.session is not None, "the route asks for a session"
    return call.session.id


async def server_log(call: Call) -> Response:
    """What the scheduler itself did with the job."""
    service = call.service
    row = service.ask.job(call.job_id)
    tasks = await service.in_thread(service.ask.tasks, call.job_id)
    return text_answer(
        call, "".join(job_lines(row.record, tasks, service.selections, service.resources.unmet_condition))
    )


_JOB = "/scheduler/jobs/{job}"

ROUTES = (
    Route("GET", _JOB + "/result", result, "The job's result, 204 while it is alive."),
    Route("GET", _JOB + "/result/value", result_value, "The tasks' values as text."),
    Route("GET", _JOB + "/resultmap", result_map, "The result map as text."),
    Route("GET", "/scheduler/jobs/resultmap", result_maps, "The result maps of several jobs."),
    Route(
        "GET", "/scheduler/jobs/result/precious/metadata", precious_metadata, "Names of tasks with precious results."
    ),
    Route("GET", _JOB + "/result/log/all", result_log_all, "The logs of all ended tasks.", gives=TEXT),
    Route(
        "GET",
        _JOB + "/log/full",
        full_log,
        "The logs of all ended tasks, to look at or to save.",
        gives=TEXT,
        session_in="sessionid",
    ),
    Route("GET", _JOB + "/log/server", server_log, "What the scheduler did with the job.", gives=TEXT),
    Route("GET", _JOB + "/livelog", live_log, "Output since the last call of this session.", gives=TEXT),
    Route("GET", _JOB + "/livelog/available", live_log_available, "How many lines wait."),
    Route("DELETE", _JOB + "/livelog", live_log_end, "Stop the capture."),
)
