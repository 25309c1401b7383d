"""``/scheduler/jobs``: listings of jobs and their state (``SchedulerRestInterface.java``)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.rest.dto import records, views
from proactive_jupyter_kernel.scheduler.rest.dto.records import Json
from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer
from proactive_jupyter_kernel.scheduler.rest.requests.errors import RestError
from proactive_jupyter_kernel.scheduler.rest.requests.route import JSON, Route
from proactive_jupyter_kernel.scheduler.rest.routes.filters import job_query
from proactive_jupyter_kernel.scheduler.service.job_xml import job_xml
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.scheduler.store.query import JobQuery

__all__ = ["ROUTES"]

# --- listings ----------------------------------------------------------------------------------------------------


async def revision_jobs_info(call: Call) -> Response:
    """The state's revision and the jobs that match the filters."""
    query = job_query(call)
    revision, (total, jobs) = await call.service.reader.query(lambda ask: _user_jobs(ask, query))
    return json_answer({"size": total, "map": {str(revision): jobs}})


def _user_jobs(ask: Questions, query: JobQuery) -> tuple[int, list[Json]]:
    found = ask.jobs(query)
    return found.total, [records.user_job(row) for row in found.rows]


async def jobs_info(call: Call) -> Response:
    """A page of UserJob."""
    query = job_query(call)
    return await call.read(lambda ask: json_answer(records.page(*_user_jobs(ask, query))))


async def job_ids(call: Call) -> Response:
    """A page of job ids."""
    query = job_query(call)
    found = await call.read(lambda ask: ask.jobs(query))
    return json_answer(records.page(found.total, [str(row.record.job_id) for row in found.rows]))


async def jobs_info_list(call: Call) -> Response:
    """UserJob of the jobs named in the query or, in the order of their ids, in the body; unknown ones are left out."""
    wanted = call.numbers("jobsid") or call.numbers("jobid")
    if call.request.method == "POST":
        wanted = sorted(set(await call.json_numbers()))
    return await call.read(
        lambda ask: json_answer([records.user_job(ask.job(each)) for each in wanted if ask.knows(each)])
    )


async def revision(call: Call) -> Response:
    """A number that rises when anything has changed."""
    return json_answer(call.service.revision)


# --- one job -----------------------------------------------------------------------------------------------------


async def _ended(call: Call) -> Mapping[str, str]:
    """Waits for the job's end as long as the client prefers to wait; the headers of the answer, which say so."""
    seconds = call.preferred_wait
    if not seconds:
        return {}
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await call.service.wait_ended(call.job_id)
    return {"Preference-Applied": "wait"}


async def info(call: Call) -> Response:
    """JobInfo: status and counters."""
    job_id, headers = call.job_id, await _ended(call)
    return await call.read(lambda ask: json_answer(records.job_info(ask.job(job_id)), headers=headers))


async def state(call: Call) -> Response:
    """JobState: everything, with all tasks."""
    job_id, headers = call.job_id, await _ended(call)
    return await call.read(lambda ask: json_answer(views.job_state(ask, ask.job(job_id)), headers=headers))


async def xml(call: Call) -> Response:
    """What was submitted, with the job's variables and generic information."""
    media_type = "application/json" if "application/json" in call.header("accept") else "application/xml;charset=UTF-8"
    job_id = call.job_id
    written = await call.read(lambda ask: job_xml(ask.xml(job_id), ask.job(job_id).facts, ask.hidden))
    return Response(written.encode("utf-8", "replace"), headers={"Content-Type": media_type})


async def html(call: Call) -> Response:
    """The studio's picture that came with the workflow; 404 if there is none."""
    job_id = call.job_id
    picture = await call.read(lambda ask: ask.workflow(job_id).visualization)
    if not picture:
        raise RestError(404, "java.io.IOException", f"The workflow of job {call.job_id} has no visualization.")
    # Not as a JSON string, though JSON is announced: so a server sends it, and so its portals read it.
    return Response(picture.encode("utf-8", "replace"), headers={"Content-Type": "application/json;charset=utf-8"})


async def description(call: Call) -> Response:
    """Name, variables, icon."""
    job_id = call.job_id
    row = await call.read(lambda ask: ask.job(job_id))
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
)
