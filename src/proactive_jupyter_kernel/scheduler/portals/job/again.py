"""``/scheduler/jobs/ID/again``: the same workflow as a new job, with other values of its variables.

The values are checked as those of the page that submits a workflow: each against its model, then the whole workflow.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from starlette.responses import Response

from proactive_jupyter_kernel.errors import SubmissionRefused, WorkflowError
from proactive_jupyter_kernel.scheduler.portals.job.page import above
from proactive_jupyter_kernel.scheduler.portals.job.snapshot import JobSnapshot, read_job
from proactive_jupyter_kernel.scheduler.portals.page import Page
from proactive_jupyter_kernel.scheduler.portals.page_request import PageRequest
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.workflow.checks.problem import Problem
from proactive_jupyter_kernel.workflow.model import Variable
from proactive_jupyter_kernel.workflow.variable_fields import groups_of, posted_value, visible_values

__all__ = ["PAGES"]

#: What stands before the name of a variable in the name of its field.
_FIELD = "variable:"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    """What is wrong with the values."""

    #: By name of the variable.
    problems: Mapping[str, str]
    #: What is wrong besides; empty: nothing.
    message: str


async def show(request: PageRequest) -> Response:
    """The form, with the values of the job."""
    snapshot = await request.read(partial(_read, request.job_id, request.now))
    return _form(request, snapshot, snapshot.row.facts.variables, _Verdict(problems={}, message=""))


def _read(job_id: int, now: int, ask: Questions) -> JobSnapshot:
    return read_job(ask, job_id, now=now)


def _form(
    request: PageRequest, snapshot: JobSnapshot, variables: Sequence[Variable], verdict: _Verdict, *, status: int = 200
) -> Response:
    return request.render(
        "job_again.html",
        status=status,
        **{**above(snapshot), "every": 0},
        groups=groups_of(variables),
        # Names of variables may have blanks, ids may not.
        ids={each.name: f"variable-{number}" for number, each in enumerate(variables)},
        problems=verdict.problems,
        message=verdict.message,
    )


async def submit(request: PageRequest) -> Response:
    """Submit the job again; with values that do not pass, show the form again with what is wrong."""
    snapshot = await request.read(partial(_read, request.job_id, request.now))
    variables = await _posted(request, snapshot.row.facts.variables)
    values = {each.name: each.value for each in variables}
    try:
        job = await request.once(
            values, lambda: request.service.resubmit(request.job_id, owner=request.user, variables=values)
        )
    except (SubmissionRefused, WorkflowError) as refused:
        verdict = await _verdict(request, variables)
        if not verdict.problems and not verdict.message:
            verdict = replace(verdict, message=str(refused))
        return _form(request, snapshot, variables, verdict, status=409)
    return request.see(
        f"/scheduler/jobs/{job.job_id}", f"Submitted job {job.job_id}, which is job {request.job_id} again."
    )


async def check(request: PageRequest) -> Response:
    """What is wrong with the values of the form, as JSON for the script."""
    declared = await request.read(lambda ask: ask.job(request.job_id).facts.variables)
    verdict = await _verdict(request, await _posted(request, declared))
    said = {"problems": dict(verdict.problems), "message": verdict.message}
    return Response(json.dumps(said), media_type="application/json")


async def _posted(request: PageRequest, declared: Sequence[Variable]) -> tuple[Variable, ...]:
    """The variables with the values of the form."""
    form = await request.form()
    values = visible_values(declared)
    return tuple(
        each if each.hidden else replace(each, value=posted_value(each, form.get(f"{_FIELD}{each.name}"), values))
        for each in declared
    )


async def _verdict(request: PageRequest, variables: Sequence[Variable]) -> _Verdict:
    job_id = request.job_id
    xml, generic = await request.read(lambda ask: (ask.xml(job_id), ask.job(job_id).facts.generic_information))
    found = await request.service.previews.examine(
        xml.encode("utf-8"),
        owner=request.user,
        variables={each.name: each.value for each in variables},
        generic_information=generic,
    )
    of_fields = {each.variable: each.reason for each in found.problems if isinstance(each, Problem) and each.variable}
    names = {each.name for each in variables if not each.hidden}
    beside = [str(each) for each in found.problems if not (isinstance(each, Problem) and each.variable in names)]
    return _Verdict(
        problems={name: text for name, text in of_fields.items() if name in names},
        message=found.unreadable or " ".join(beside),
    )


_AGAIN = "/scheduler/jobs/{job}/again"

PAGES = (
    Page("GET", _AGAIN, show, "The form that submits a job again."),
    Page("POST", _AGAIN, submit, "Submit a job again, with other values of its variables."),
    Page("POST", _AGAIN + "/check", check, "What is wrong with the values of that form."),
)
