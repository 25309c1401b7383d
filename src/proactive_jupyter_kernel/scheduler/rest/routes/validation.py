"""Validation: would a workflow be accepted, and what do its variables become? An invalid one is answered with 200."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from proactive_jupyter_kernel.errors import SubmissionRefused
from proactive_jupyter_kernel.scheduler.rest.dto.validation import validation
from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer
from proactive_jupyter_kernel.scheduler.rest.requests.errors import RestError
from proactive_jupyter_kernel.scheduler.rest.requests.route import JSON, PARTS, Route
from proactive_jupyter_kernel.scheduler.rest.routes.workflow_source import body_variables, form, linked
from proactive_jupyter_kernel.scheduler.service.submission import Validation

__all__ = ["ROUTES"]


def _validation(verdict: Validation) -> dict[str, Any]:
    """Task variables are keyed ``task:variable``. Nothing is known of the variables of what could not be read."""
    workflow = verdict.workflow
    variables = None
    if workflow is not None:
        variables = {variable.name: variable for variable in workflow.variables}
        for task in workflow.tasks:
            variables |= {f"{task.name}:{variable.name}": variable for variable in task.variables}
    return validation(valid=verdict.valid, message=verdict.message, task_name=verdict.task_name, variables=variables)


async def _validated(call: Call, xml: bytes | str, variables: Mapping[str, str]) -> Response:
    verdict = await call.service.validate(xml, variables=variables, generic_information=call.generic_information)
    # Beside the loop: thousands of variables take their time.
    return await asyncio.to_thread(lambda: json_answer(_validation(verdict)))


def _refused(error: SubmissionRefused | RestError) -> Response:
    return json_answer(_validation(Validation(valid=False, message=str(error))))


async def validate(call: Call) -> Response:
    """A workflow in a form: is it valid? It needs a session, unlike on a server: the checks may request links."""
    try:
        return await _validated(call, *await form(call, any_type=True))
    except SubmissionRefused as error:
        return _refused(error)


async def validate_link(call: Call) -> Response:
    """A workflow at a URL: is it valid?"""
    variables = await body_variables(call)
    try:
        return await _validated(call, await linked(call), variables)
    except (SubmissionRefused, RestError) as error:
        return _refused(error)


async def validate_job(call: Call) -> Response:
    """Would a job's XML be valid, with these variables?"""
    job_id = call.job_id
    return await _validated(call, await call.read(lambda ask: ask.xml(job_id)), await body_variables(call))


_JOB, _LINK = "/scheduler/jobs/{job}/validate", "/scheduler/validateurl"

ROUTES = (
    Route("POST", "/scheduler/validate", validate, "Validate XML.", takes=PARTS),
    Route("POST", "/studio/validate", validate, "Validate XML.", takes=PARTS),
    Route("POST", _LINK, validate_link, "Validate XML at a URL."),
    Route("POST", _LINK + "/body", validate_link, "Validate XML at a URL, variables as body.", takes=JSON),
    Route("POST", _JOB, validate_job, "Validate a job's XML."),
    Route("POST", _JOB + "/body", validate_job, "Validate a job's XML, variables as body.", takes=JSON),
)
