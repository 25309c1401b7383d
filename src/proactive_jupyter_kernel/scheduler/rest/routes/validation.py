"""Validation: would a workflow be accepted, and what become its variables? Always 200, but without a session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from proactive_jupyter_kernel.errors import SubmissionRefused
from proactive_jupyter_kernel.scheduler.rest.http.call import Call, json_answer
from proactive_jupyter_kernel.scheduler.rest.http.errors import RestError
from proactive_jupyter_kernel.scheduler.rest.http.routing import JSON, PARTS, Route
from proactive_jupyter_kernel.scheduler.rest.routes.workflow_source import body_variables, form, linked
from proactive_jupyter_kernel.scheduler.service.submission import Validation

__all__ = ["ROUTES"]

#: Field of the answer -> what of a variable it shows.
_SHOWN = {
    "updatedVariables": "value",
    "updatedModels": "model",
    "updatedDescriptions": "description",
    "updatedGroups": "group",
    "updatedAdvanced": "advanced",
    "updatedHidden": "hidden",
}
#: What is null where the workflow does not say it.
_OR_NULL = frozenset({"model", "description", "group"})


def _validation(verdict: Validation) -> dict[str, Any]:
    """JobValidationData; task variables are keyed ``task:variable``. Nothing is known of what could not be read."""
    workflow = verdict.workflow
    variables = [(variable.name, variable) for variable in workflow.variables] if workflow else []
    for task in workflow.tasks if workflow else ():
        variables += [(f"{task.name}:{variable.name}", variable) for variable in task.variables]

    def shown(attribute: str) -> dict[str, Any]:
        values = {name: getattr(variable, attribute) for name, variable in variables}
        return {name: value or None for name, value in values.items()} if attribute in _OR_NULL else values

    return {
        "valid": verdict.valid,
        "taskName": verdict.task_name,
        "errorMessage": verdict.message,
        "stackTrace": verdict.message,
        **{field: shown(attribute) if workflow else None for field, attribute in _SHOWN.items()},
    }


async def _validated(call: Call, xml: bytes | str, variables: Mapping[str, str]) -> Response:
    verdict = await call.service.validate(xml, variables=variables, generic_information=call.generic_information)
    return json_answer(_validation(verdict))


def _refused(error: SubmissionRefused | RestError) -> Response:
    return json_answer(_validation(Validation(valid=False, message=str(error))))


async def validate(call: Call) -> Response:
    """A workflow in a form: is it valid? Not without a session, unlike on a server: the checks may ask links."""
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
    return await _validated(call, call.service.ask.xml(call.job_id), await body_variables(call))


_JOB, _LINK = "/scheduler/jobs/{job}/validate", "/scheduler/validateurl"

ROUTES = (
    Route("POST", "/scheduler/validate", validate, "Validate XML.", takes=PARTS),
    Route("POST", "/studio/validate", validate, "Validate XML.", takes=PARTS),
    Route("POST", _LINK, validate_link, "Validate XML at a URL."),
    Route("POST", _LINK + "/body", validate_link, "Validate XML at a URL, variables as body.", takes=JSON),
    Route("POST", _JOB, validate_job, "Validate a job's XML."),
    Route("POST", _JOB + "/body", validate_job, "Validate a job's XML, variables as body.", takes=JSON),
)
