"""Submission and validation: the XML in a form, or a link to it; variables and generic information beside it.

Query parameters are generic information, matrix parameters and the part or body ``variables`` are variables; the
latter win (``SchedulerStateRest.submit``).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from proactive_jupyter_kernel.errors import ProActiveError, SubmissionRefused, UnknownJob
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord
from proactive_jupyter_kernel.scheduler.rest.dto import records, views
from proactive_jupyter_kernel.scheduler.rest.http.call import Call, json_answer, no_content, parsed_json
from proactive_jupyter_kernel.scheduler.rest.http.forms import BadForm, Part
from proactive_jupyter_kernel.scheduler.rest.http.routing import JSON, PARTS, Route
from proactive_jupyter_kernel.scheduler.service.submission import Validation

__all__ = ["ROUTES"]

#: Seconds for fetching a workflow from its link.
_FETCH_TIMEOUT = 30.0
_SCHEMES = ("http", "https", "file")


def _variables(value: Any) -> dict[str, str]:
    """Variables from JSON: an object of texts; numbers and truth values are taken as JSON writes them."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SubmissionRefused(f"The variables must be a JSON object, not {type(value).__name__}.")
    variables = {name: text if isinstance(text, str) else _word(text) for name, text in value.items()}
    for name, text in variables.items():
        # JSON can write half of a surrogate pair; no XML, file or database can hold it.
        if not (name + text).isascii() and any("\ud800" <= char <= "\udfff" for char in name + text):
            raise SubmissionRefused(f"The variable {name!r} has a character that is not Unicode: {text!r}.")
    return variables


def _word(value: Any) -> str:
    import json

    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _taken(parts: list[Part], matrix: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
    """The XML of a form and the variables beside it."""
    variables = dict(matrix)
    others = []
    for part in parts:
        if part.name == "variables":
            variables.update(_variables(parsed_json(part.content) if part.content.strip() else None))
        else:
            others.append(part)
    if not others:
        raise SubmissionRefused("The request has no workflow.", hint="Send the XML as a part of type application/xml.")
    descriptor = others[0]
    if descriptor.media_type not in ("application/xml", "text/xml"):
        kind = descriptor.media_type or "none"
        raise SubmissionRefused(
            f"Unknown job descriptor type: {kind}", hint="The part with the workflow must be application/xml."
        )
    return descriptor.content, variables


async def _form(call: Call) -> tuple[bytes, dict[str, str]]:
    try:
        return _taken(await call.parts(), call.matrix)
    except BadForm as error:
        raise SubmissionRefused(str(error)) from error


async def _submit(call: Call, xml: bytes | str, variables: Mapping[str, str]) -> JobRecord:
    job = await call.service.submit(
        xml, owner=call.user, variables=variables, generic_information=call.generic_information
    )
    return _counted(call, job)


def _counted(call: Call, job: JobRecord) -> JobRecord:
    if call.session is not None:
        call.session.submissions += 1
        call.session.last_submit_at = job.submitted_at
    return job


async def submit(call: Call) -> Response:
    """A workflow in a form."""
    return json_answer(records.job_id(await _submit(call, *await _form(call))))


# --- by link -----------------------------------------------------------------------------------------------------


async def _linked(call: Call, link: str) -> bytes:
    return await call.service.in_thread(fetch, link, call.service.settings.body_limit, _own_session(call, link))


def _own_session(call: Call, link: str) -> str:
    """The session id for a link to this scheduler; others have no use for it and must not get it."""
    return call.header("sessionid") if link.startswith(call.service.site.url + "/") else ""


def fetch(link: str, limit: int, session_id: str = "") -> bytes:
    """The content of a link, at most `limit` bytes; raises `SubmissionRefused`. Blocks."""
    import urllib.request

    if urlsplit(link).scheme not in _SCHEMES:
        raise SubmissionRefused(f"The workflow's link {link!r} must begin with http:, https: or file:.")
    request = urllib.request.Request(link, headers={"sessionid": session_id} if session_id else {})
    try:
        with urllib.request.urlopen(request, timeout=_FETCH_TIMEOUT) as answer:
            content: bytes = answer.read(limit + 1)
    except (OSError, ValueError) as error:
        raise SubmissionRefused(f"The workflow cannot be fetched from {link}: {error}") from error
    if len(content) > limit:
        raise SubmissionRefused(f"The workflow at {link} is larger than {limit} bytes.")
    return content


def _link(call: Call) -> str:
    link = call.header("link")
    if not link:
        raise SubmissionRefused("The header 'link' must name the URL of the workflow.")
    return link


async def _body_variables(call: Call) -> dict[str, str]:
    return {**call.matrix, **_variables(await call.json())}


async def submit_link(call: Call) -> Response:
    """A workflow at a URL; variables in an optional form."""
    variables = dict(call.matrix)
    for part in await call.parts() if call.header("content-type") else ():
        if part.name == "variables":
            variables.update(_variables(parsed_json(part.content)))
    return json_answer(records.job_id(await _submit(call, await _linked(call, _link(call)), variables)))


async def submit_link_body(call: Call) -> Response:
    """A workflow at a URL; variables as the body."""
    variables = await _body_variables(call)
    return json_answer(records.job_id(await _submit(call, await _linked(call, _link(call)), variables)))


async def submit_link_sync(call: Call) -> Response:
    """As `submit_link_body`, but answers the job's result; 204 if it is alive after the ``timeout`` milliseconds."""
    variables = await _body_variables(call)
    timeout = call.header("timeout")
    job = await _submit(call, await _linked(call, _link(call)), variables)
    try:
        async with asyncio.timeout(int(timeout) / 1000 if timeout.isdecimal() else None):
            await call.service.wait_ended(job.job_id)
    except TimeoutError:
        return no_content()
    ask = call.service.ask
    return json_answer(await call.service.in_thread(views.job_result, ask, ask.job(job.job_id)))


async def submit_several(call: Call) -> Response:
    """Several workflows by URL, each with its own variables and generic information, each with its own verdict."""
    answers = []
    for entry in await call.json() or []:
        try:
            job = await call.service.submit(
                await _linked(call, str(entry.get("workflowUrl", ""))),
                owner=call.user,
                variables=_variables(entry.get("variables")),
                generic_information=_variables(entry.get("genericInformation")),
            )
            answers.append(_verdict(_counted(call, job)))
        except ProActiveError as error:
            answers.append(_verdict(None, str(error)))
    return json_answer(answers)


def _verdict(job: JobRecord | None, message: str | None = None) -> dict[str, Any]:
    """JobIdDataAndError."""
    known = records.job_id(job) if job else {"id": -1, "readableName": "NOT SET"}
    return {
        **known,
        "errorMessage": message,
        "stackTrace": message,
        "error": job is None,
        "fetchError": False,
    }


# --- again -------------------------------------------------------------------------------------------------------


async def resubmit(call: Call) -> Response:
    """The XML of a job again."""
    job = await call.service.resubmit(
        call.job_id, owner=call.user, variables=call.matrix, generic_information=call.generic_information
    )
    return json_answer(records.job_id(_counted(call, job)))


async def resubmit_body(call: Call) -> Response:
    """The XML of a job again; variables as the body."""
    variables = await _body_variables(call)
    job = await call.service.resubmit(
        call.job_id, owner=call.user, variables=variables, generic_information=call.generic_information
    )
    return json_answer(records.job_id(_counted(call, job)))


async def resubmit_several(call: Call) -> Response:
    """The XML of several jobs again."""
    jobs = []
    for number in call.numbers("jobsid"):
        # An unknown job keeps nothing from the others, as on a server.
        with contextlib.suppress(UnknownJob):
            jobs.append(_counted(call, await call.service.resubmit(number, owner=call.user)))
    return json_answer([records.job_id(job) for job in jobs])


# --- validation --------------------------------------------------------------------------------------------------


def _validation(verdict: Validation) -> dict[str, Any]:
    """JobValidationData; task variables are keyed ``task:variable``."""
    workflow = verdict.workflow
    variables = [(variable.name, variable) for variable in workflow.variables] if workflow else []
    for task in workflow.tasks if workflow else ():
        variables += [(f"{task.name}:{variable.name}", variable) for variable in task.variables]
    return {
        "valid": verdict.valid,
        "taskName": verdict.task_name,
        "errorMessage": verdict.message,
        "stackTrace": verdict.message,
        "updatedVariables": {name: variable.value for name, variable in variables},
        "updatedModels": {name: variable.model for name, variable in variables},
        "updatedDescriptions": {name: variable.description for name, variable in variables},
        "updatedGroups": {name: variable.group for name, variable in variables},
        "updatedAdvanced": {name: variable.advanced for name, variable in variables},
        "updatedHidden": {name: variable.hidden for name, variable in variables},
    }


async def _validated(call: Call, xml: bytes | str, variables: Mapping[str, str]) -> Response:
    verdict = await call.service.validate(xml, variables=variables, generic_information=call.generic_information)
    return json_answer(_validation(verdict))


async def validate(call: Call) -> Response:
    """A workflow in a form: is it valid? Works without a session, but not with a wrong one."""
    if call.header("sessionid"):
        call.sessions.required(call.header("sessionid"))
    try:
        return await _validated(call, *await _form(call))
    except SubmissionRefused as error:
        return json_answer(_validation(Validation(valid=False, message=str(error))))


async def validate_link(call: Call) -> Response:
    """A workflow at a URL: is it valid?"""
    try:
        return await _validated(call, await _linked(call, _link(call)), await _body_variables(call))
    except SubmissionRefused as error:
        return json_answer(_validation(Validation(valid=False, message=str(error))))


async def validate_job(call: Call) -> Response:
    """Would a job's XML be valid, with these variables?"""
    return await _validated(call, call.service.ask.xml(call.job_id), await _body_variables(call))


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
    Route("POST", "/scheduler/validate", validate, "Validate XML.", session=False, takes=PARTS),
    Route("POST", "/studio/validate", validate, "Validate XML.", session=False, takes=PARTS),
    Route("POST", "/scheduler/validateurl", validate_link, "Validate XML at a URL."),
    Route(
        "POST", "/scheduler/validateurl/body", validate_link, "Validate XML at a URL, variables as body.", takes=JSON
    ),
    Route("POST", _JOB + "/validate", validate_job, "Validate a job's XML."),
    Route("POST", _JOB + "/validate/body", validate_job, "Validate a job's XML, variables as body.", takes=JSON),
)
