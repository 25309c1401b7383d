"""``/scheduler/jobs``: state, results, logs and actions of jobs (``SchedulerRestInterface.java``)."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from proactive_jupyter_kernel.errors import UnknownJob
from proactive_jupyter_kernel.scheduler.rest.dto import records, views
from proactive_jupyter_kernel.scheduler.rest.dto.job_xml import job_xml
from proactive_jupyter_kernel.scheduler.rest.http.call import Call, json_answer, no_content, text_answer
from proactive_jupyter_kernel.scheduler.rest.http.errors import RestError
from proactive_jupyter_kernel.scheduler.rest.http.routing import ANYTHING, JSON, TEXT, Handler, Route
from proactive_jupyter_kernel.scheduler.rest.routes.filters import job_query
from proactive_jupyter_kernel.scheduler.service import Service
from proactive_jupyter_kernel.scheduler.service.errors import BadPriority
from proactive_jupyter_kernel.scheduler.service.serverlog import job_lines
from proactive_jupyter_kernel.scheduler.store.base import JobQuery
from proactive_jupyter_kernel.workflow.model import Priority
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["ROUTES"]

# --- listings ----------------------------------------------------------------------------------------------------


async def revision_jobs_info(call: Call) -> Response:
    """The state's revision and the jobs that match the filters."""
    found = await call.service.in_thread(call.service.ask.jobs, job_query(call))
    jobs = [records.user_job(row) for row in found.rows]
    return json_answer({"size": found.total, "map": {str(call.service.revision): jobs}})


async def jobs_info(call: Call) -> Response:
    """A page of UserJob."""
    found = await call.service.in_thread(call.service.ask.jobs, job_query(call))
    return json_answer(records.page(found.total, [records.user_job(row) for row in found.rows]))


async def job_ids(call: Call) -> Response:
    """A page of job ids."""
    found = await call.service.in_thread(call.service.ask.jobs, job_query(call))
    return json_answer(records.page(found.total, [str(row.record.job_id) for row in found.rows]))


async def jobs_info_list(call: Call) -> Response:
    """UserJob of the jobs named in the query or, in the order of their ids, in the body; unknown ones are left out."""
    wanted = call.numbers("jobsid") or call.numbers("jobid")
    if call.request.method == "POST":
        wanted = sorted(set(await call.json_numbers()))
    rows = []
    for job_id in wanted:
        try:
            rows.append(call.service.ask.job(job_id))
        except UnknownJob:
            continue
    return json_answer([records.user_job(row) for row in rows])


async def revision(call: Call) -> Response:
    """A number that rises when anything has changed."""
    return json_answer(call.service.revision)


# --- one job -----------------------------------------------------------------------------------------------------


async def info(call: Call) -> Response:
    """JobInfo: status and counters."""
    return json_answer(records.job_info(call.service.ask.job(call.job_id)))


async def state(call: Call) -> Response:
    """JobState: everything, with all tasks."""
    row = call.service.ask.job(call.job_id)
    return await call.service.in_thread(lambda: json_answer(views.job_state(call.service.ask, row)))


async def xml(call: Call) -> Response:
    """What was submitted, with the job's variables and generic information."""
    media_type = "application/json" if "application/json" in call.header("accept") else "application/xml;charset=UTF-8"
    ask = call.service.ask
    facts, text = ask.job(call.job_id).facts, ask.xml(call.job_id)
    written = await call.service.in_thread(job_xml, text, facts, ask.hidden)
    return Response(written.encode("utf-8", "replace"), headers={"Content-Type": media_type})


async def html(call: Call) -> Response:
    """The studio's picture that came with the workflow; 404 if there is none."""
    call.service.ask.job(call.job_id)
    picture = call.service.ask.workflow(call.job_id).visualization
    if not picture:
        raise RestError(404, "java.io.IOException", f"The workflow of job {call.job_id} has no visualization.")
    # Not as a JSON string, though JSON is announced: so a server sends it, and so its portals read it.
    return Response(picture.encode("utf-8", "replace"), headers={"Content-Type": "application/json;charset=utf-8"})


async def description(call: Call) -> Response:
    """Name, variables, icon."""
    row = call.service.ask.job(call.job_id)
    details = records.job_info(row)
    return json_answer(
        {
            "name": row.record.name,
            "projectName": row.facts.project,
            "description": row.facts.description,
            "icon": row.facts.generic_information.get("workflow.icon"),
            "documentation": row.facts.generic_information.get("Documentation"),
            "bucketName": row.facts.bucket or None,
            "variables": details["detailedVariables"],
            "genericInformation": details["genericInformation"],
        }
    )


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


# --- actions -----------------------------------------------------------------------------------------------------


def _action(verb: Callable[[Service, int], Coroutine[Any, Any, bool]]) -> Handler:
    """A handler that does one thing to the job of the path and answers whether that changed anything."""

    async def handler(call: Call) -> Response:
        return json_answer(await verb(call.service, call.job_id))

    return handler


async def _each(numbers: Iterable[int], verb: Callable[[int], Awaitable[bool]]) -> list[bool]:
    """What the verb says to each of the jobs; False for an unknown one, which keeps nothing from the others."""
    done = []
    for job_id in numbers:
        try:
            done.append(await verb(job_id))
        except UnknownJob:
            done.append(False)
    return done


async def kill_several(call: Call) -> Response:
    """Kill the jobs of the query; ``true`` where any is named, also if it had ended or is unknown, as on a server."""
    return json_answer(bool(await _each(call.numbers("jobsid"), call.service.kill_job)))


async def remove_several(call: Call) -> Response:
    """Remove the jobs of the query or, where none is named, those that ended more than ``olderThan`` ms ago.

    The official clients send ``olderThan=0`` with each list of jobs, also with an empty one: 0 names no job.
    """
    wanted = call.numbers("jobsid")
    age = call.number("olderThan", 0)
    if not wanted and age > 0:
        found = call.service.ask.jobs(JobQuery(finished_before=call.service.clock() - age))
        wanted = [row.record.job_id for row in found.rows]
    done = await _each(wanted, call.service.remove_job)
    return json_answer(bool(done) and all(done))


async def priority_by_name(call: Call) -> Response:
    """Change the priority: IDLE, LOWEST, LOW, NORMAL, HIGH, HIGHEST."""
    name = call.params["priority"]
    try:
        priority = Priority[name.upper()]
    except KeyError:
        known = ", ".join(each.name for each in Priority)
        raise BadPriority(f"There is no priority {name!r}.", hint=f"Known: {known}.") from None
    await call.service.set_priority(call.job_id, priority)
    return no_content()


async def priority_by_value(call: Call) -> Response:
    """Change the priority: 0 (idle) to 5 (highest)."""
    value = call.params["priority"]
    bounds = f"The priority value must be an integer from 0 to {Priority.HIGHEST}, not {value!r}."
    if not re.fullmatch(r"[+-]?[0-9]+", value):
        raise BadPriority(bounds)
    if not re.fullmatch(r"0*[0-5]", value):
        raise ValueError(bounds)
    await call.service.set_priority(call.job_id, Priority(int(value)))
    return no_content()


async def start_at(call: Call) -> Response:
    """Do not start the job before a time."""
    return json_answer(await call.service.set_start_at(call.job_id, _milliseconds(call.params["time"])))


async def start_several_at(call: Call) -> Response:
    """Do not start the jobs of the body before a time."""
    moment = _milliseconds(call.params["time"])
    numbers = await call.json_numbers()
    done = await _each(numbers, lambda job_id: call.service.set_start_at(job_id, moment))
    return json_answer(bool(done) and all(done))


def _milliseconds(text: str) -> int:
    """Milliseconds since the epoch of an ISO 8601 time; one without zone is local."""
    # A plus sign in a URL may have come as a blank.
    try:
        moment = datetime.fromisoformat(text.strip().replace(" ", "+"))
    except ValueError:
        raise ValueError(
            f"{text!r} is not an ISO 8601 time such as {datetime.now(UTC).isoformat(timespec='seconds')}."
        ) from None
    return int(moment.timestamp() * 1000) if moment.tzinfo else int(time.mktime(moment.timetuple())) * 1000


_JOB = "/scheduler/jobs/{job}"

ROUTES = (
    Route("GET", "/scheduler/revisionjobsinfo", revision_jobs_info, "Filtered listing with the state's revision."),
    Route("GET", "/scheduler/jobsinfo", jobs_info, "A page of jobs."),
    Route("GET", "/scheduler/jobs", job_ids, "A page of job ids."),
    Route("GET", "/scheduler/jobsinfolist", jobs_info_list, "The jobs named in the query."),
    Route("POST", "/scheduler/jobsinfolist", jobs_info_list, "The jobs named in the body.", takes=JSON),
    Route("GET", "/scheduler/state/revision", revision, "The change counter."),
    Route("GET", _JOB, state, "Full state with all tasks."),
    Route("GET", _JOB + "/info", info, "Light state."),
    Route("GET", _JOB + "/xml", xml, "The submitted XML.", gives=("application/xml", "application/json")),
    Route("GET", _JOB + "/html", html, "The studio's picture."),
    Route("GET", _JOB + "/description", description, "Name, variables, icon."),
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
    Route("PUT", _JOB + "/kill", _action(Service.kill_job), "Kill the job."),
    Route("PUT", _JOB + "/pause", _action(Service.pause_job), "Pause the job."),
    Route("PUT", _JOB + "/resume", _action(Service.resume_job), "Resume the job."),
    Route(
        "PUT",
        _JOB + "/restartAllInErrorTasks",
        _action(Service.restart_all_in_error_tasks),
        "Restart all in-error tasks.",
    ),
    Route("DELETE", _JOB, _action(Service.remove_job), "Remove the job, its results and logs."),
    Route("PUT", "/scheduler/jobs/kill", kill_several, "Kill several jobs."),
    Route("DELETE", "/scheduler/jobs", remove_several, "Remove several jobs."),
    Route("PUT", _JOB + "/priority/byname/{priority}", priority_by_name, "Change the priority.", gives=ANYTHING),
    Route("PUT", _JOB + "/priority/byvalue/{priority}", priority_by_value, "Change the priority.", gives=ANYTHING),
    Route("PUT", _JOB + "/startat/{time}", start_at, "Start not before a time."),
    Route("PUT", "/scheduler/jobs/startat/{time}", start_several_at, "Start several jobs not before a time."),
)
