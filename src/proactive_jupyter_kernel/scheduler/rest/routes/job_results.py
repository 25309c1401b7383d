"""``/scheduler/jobs``: results and logs of jobs (``SchedulerRestInterface.java``)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.rest.dto import records, views
from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer, no_content, text_answer
from proactive_jupyter_kernel.scheduler.rest.requests.route import TEXT, Route
from proactive_jupyter_kernel.scheduler.rest.routes import large_results
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.scheduler.service.serverlog import job_lines
from proactive_jupyter_kernel.workflow.status import JOB_ENDED, TaskStatus

__all__ = ["ROUTES"]

# --- results -----------------------------------------------------------------------------------------------------


async def result(call: Call) -> Response:
    """JobResult; 204 while the job is alive."""
    job_id = call.job_id

    def read(ask: Questions) -> Response:
        row = ask.job(job_id)
        return large_results.job_result(call, ask, row) if row.record.status in JOB_ENDED else no_content()

    return await call.read(read)


async def result_value(call: Call) -> Response:
    """The text of each task's value; 204 while the job is alive."""
    job_id = call.job_id

    def read(ask: Questions) -> Response:
        if not ask.ended(job_id):
            return no_content()
        return large_results.values(call, ask, job_id)

    return await call.read(read)


async def result_map(call: Call) -> Response:
    """What tasks put into ``resultMap``, as text."""
    job_id = call.job_id
    return await call.read(lambda ask: json_answer(_result_map(ask, job_id)))


async def result_maps(call: Call) -> Response:
    """The result maps of several jobs, by id."""
    return await call.read(
        lambda ask: json_answer({str(job_id): _result_map(ask, job_id) for job_id in _known(call, ask)})
    )


def _result_map(ask: Questions, job_id: int) -> dict[str, Any]:
    row = ask.job(job_id)
    outcomes = ask.outcomes(job_id) if row.has_result_map else []
    filled: dict[str, Any] = records.job_result(row, {}, views.result_map(outcomes), set())["resultMap"]
    return filled


async def precious_metadata(call: Call) -> Response:
    """For each job, the names of its tasks with a precious result."""
    return await call.read(
        lambda ask: json_answer({str(job_id): list(ask.job(job_id).record.precious) for job_id in _known(call, ask)})
    )


def _known(call: Call, ask: Questions) -> list[int]:
    """The jobs of the query without unknown ones."""
    return [job_id for job_id in call.numbers("jobsid") if ask.knows(job_id)]


# --- logs --------------------------------------------------------------------------------------------------------


async def result_log_all(call: Call) -> Response:
    """The logs of all tasks that have ended, one after the other."""
    job_id = call.job_id
    return await call.read(lambda ask: text_answer(call, _ended_log(ask, job_id)))


async def full_log(call: Call) -> Response:
    """The logs of all tasks that have ended or are in error, by time; for a browser or as a file."""
    job_id = call.job_id
    headers = {}
    if call.text("destination") == "file":
        headers["Content-Disposition"] = f"attachment; filename=job_{job_id}_logs.log"
    return await call.read(lambda ask: text_answer(call, _ended_log(ask, job_id, in_error=True), headers=headers))


def _ended_log(ask: Questions, job_id: int, *, in_error: bool = False) -> str:
    """The logs of the tasks that have ended; `in_error`: and of those that wait for a decision."""
    tasks = [
        task for task in ask.tasks(job_id) if task.finished_at >= 0 or (in_error and task.status is TaskStatus.IN_ERROR)
    ]
    tasks.sort(key=lambda task: (task.finished_at, task.task_id))
    return "".join(ask.job_log(job_id, tasks))


async def live_log(call: Call) -> Response:
    """What was written since the session asked last."""
    everything = call.flag("allLogs", False)
    text = await call.service.live_output.since_last(call.job_id, _listener(call), everything=everything)
    return text_answer(call, text)


async def live_log_available(call: Call) -> Response:
    """How many lines wait to be read; -1 if nothing is captured."""
    job_id = call.job_id
    await call.read(lambda ask: ask.job(job_id))
    return json_answer(call.service.logs.unread(job_id, _listener(call)))


async def live_log_end(call: Call) -> Response:
    """Capture no more for this session."""
    job_id = call.job_id
    await call.read(lambda ask: ask.job(job_id))
    call.service.logs.release(job_id, _listener(call))
    return json_answer(True)


def _listener(call: Call) -> str:
    assert call.session is not None, "the route asks for a session"
    return call.session.id


async def server_log(call: Call) -> Response:
    """What the scheduler itself did with the job."""
    service, job_id = call.service, call.job_id
    row, tasks = await call.read(lambda ask: (ask.job(job_id), ask.tasks(job_id)))
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
