"""Submission: the XML in a form, or a link to it; variables and generic information beside it; a job's XML again.

Query parameters are generic information, matrix parameters and the part or body ``variables`` are variables; the
latter win (``SchedulerStateRest.submit``).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from proactive_jupyter_kernel.errors import ProActiveError, UnknownJob
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord
from proactive_jupyter_kernel.scheduler.rest.dto import records, views
from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer
from proactive_jupyter_kernel.scheduler.rest.requests.errors import PORTAL, RestError
from proactive_jupyter_kernel.scheduler.rest.requests.route import JSON, PARTS, Route
from proactive_jupyter_kernel.scheduler.rest.routes.workflow_source import (
    body_variables,
    form,
    linked,
    linked_at,
    part_variables,
    texts,
)

__all__ = ["ROUTES"]


async def submit(call: Call) -> Response:
    """A workflow in a form."""
    xml, variables = await form(call)
    job = await call.service.submit(
        xml, owner=call.user, variables=variables, generic_information=call.generic_information
    )
    return json_answer(records.job_id(call.counted(job)))


# --- by link -----------------------------------------------------------------------------------------------------


async def _submit_linked(call: Call, variables: Mapping[str, str]) -> JobRecord:
    """The server adds no ``submission.mode`` to what came by a link."""
    job = await call.service.submit(
        await linked(call),
        owner=call.user,
        variables=variables,
        generic_information=call.generic_information,
        mode="",
    )
    return call.counted(job)


async def submit_link(call: Call) -> Response:
    """A workflow at a URL; variables in an optional form."""
    parts = await call.parts() if call.header("content-type") else []
    return json_answer(records.job_id(await _submit_linked(call, {**call.matrix, **part_variables(parts)})))


async def submit_link_body(call: Call) -> Response:
    """A workflow at a URL; variables as the body."""
    return json_answer(records.job_id(await _submit_linked(call, await body_variables(call))))


async def submit_link_sync(call: Call) -> Response:
    """As `submit_link_body`, but answers the job's result; 404 if it is alive after the ``timeout`` milliseconds."""
    variables = await body_variables(call)
    timeout = call.header("timeout").strip()
    if timeout and not (timeout.isascii() and timeout.isdecimal() and len(timeout) <= 15):
        raise ValueError(f"The header 'timeout' must be a number of milliseconds, not {timeout[:40]!r}.")
    job = await _submit_linked(call, variables)
    try:
        async with asyncio.timeout(int(timeout) / 1000 if timeout else None):
            await call.service.wait_ended(job.job_id)
    except TimeoutError:
        raise RestError(
            404,
            PORTAL + "SchedulerRestException",
            f"Job {job.job_id} is not finished after {timeout} milliseconds. It is still running.",
        ) from None
    return await call.read(lambda ask: json_answer(views.job_result(ask, ask.job(job.job_id))))


async def submit_several(call: Call) -> Response:
    """Several workflows by URL, each with its own variables and generic information, each with its own verdict."""
    entries = await call.json()
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError(
            'The body must be a JSON list such as [{"workflowUrl": "http://...", "variables": {}, '
            '"genericInformation": {}}].'
        )
    return json_answer([await _one_of_several(call, entry) for entry in entries])


async def _one_of_several(call: Call, entry: Mapping[str, Any]) -> dict[str, Any]:
    fetched = False
    try:
        xml = await linked_at(call, str(entry.get("workflowUrl") or ""))
        fetched = True
        job = await call.service.submit(
            xml,
            owner=call.user,
            variables=texts(entry.get("variables")),
            generic_information=texts(entry.get("genericInformation")),
            mode="",
        )
    except (ProActiveError, RestError) as error:
        return _verdict(None, str(error), fetched=fetched)
    return _verdict(call.counted(job))


def _verdict(job: JobRecord | None, message: str | None = None, *, fetched: bool = True) -> dict[str, Any]:
    """JobIdDataAndError."""
    known = records.job_id(job) if job else {"id": -1, "readableName": "NOT SET"}
    return {
        **known,
        "errorMessage": message,
        "stackTrace": message,
        "error": job is None,
        "fetchError": not fetched,
    }


# --- again -------------------------------------------------------------------------------------------------------


async def resubmit(call: Call) -> Response:
    """The XML of a job again."""
    job = await call.service.resubmit(
        call.job_id, owner=call.user, variables=call.matrix, generic_information=call.generic_information
    )
    return json_answer(records.job_id(call.counted(job)))


async def resubmit_body(call: Call) -> Response:
    """The XML of a job again; variables as the body."""
    variables = await body_variables(call)
    job = await call.service.resubmit(
        call.job_id, owner=call.user, variables=variables, generic_information=call.generic_information
    )
    return json_answer(records.job_id(call.counted(job)))


async def resubmit_several(call: Call) -> Response:
    """The XML of several jobs again."""
    jobs = []
    for number in call.numbers("jobsid"):
        # An unknown job keeps nothing from the others, as on a server.
        with contextlib.suppress(UnknownJob):
            jobs.append(call.counted(await call.service.resubmit(number, owner=call.user)))
    return json_answer([records.job_id(job) for job in jobs])


_JOB = "/scheduler/jobs/{job}"

ROUTES = (
    Route("POST", "/scheduler/submit", submit, "Submit workflow XML.", takes=PARTS),
    Route("POST", "/studio/submit", submit, "Submit workflow XML.", takes=PARTS),
    Route("POST", "/scheduler/jobs", submit_link, "Submit from a URL."),
    Route("POST", "/scheduler/jobs/body", submit_link_body, "Submit from a URL, variables as body.", takes=JSON),
    Route("POST", "/scheduler/jobs/body/sync", submit_link_sync, "Submit from a URL and wait.", takes=JSON),
    Route("POST", "/scheduler/jobs/body/multi", submit_several, "Submit several from URLs.", takes=JSON),
    Route("GET", _JOB + "/resubmit", resubmit, "Submit a job's XML again."),
    Route("POST", _JOB + "/resubmit/body", resubmit_body, "Submit a job's XML again, variables as body.", takes=JSON),
    Route("POST", "/scheduler/jobs/resubmit", resubmit_several, "Submit several jobs' XML again."),
)
