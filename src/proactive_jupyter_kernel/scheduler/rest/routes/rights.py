"""What the user may do: everything, for it is their own scheduler. Portals ask these routes what to show."""

from __future__ import annotations

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, job_number, json_answer
from proactive_jupyter_kernel.scheduler.rest.requests.errors import PORTAL, RestError
from proactive_jupyter_kernel.scheduler.rest.requests.route import JSON, Route

__all__ = ["ROUTES"]


async def permission(call: Call) -> Response:
    """Whether the user may call a method of the scheduler."""
    return json_answer(True)


async def job_permission(call: Call) -> Response:
    """Whether the user may call a method on a job, which must be there."""
    job_id = call.job_id
    await call.read(lambda ask: ask.job(job_id))
    return json_answer(True)


async def jobs_permission(call: Call) -> Response:
    """The jobs of the body on which the user may call a method: all."""
    return json_answer([str(number) for number in await call.json_numbers()])


async def jobs_permissions(call: Call) -> Response:
    """For each job of the body whether the user may call each method of the body."""
    body = await call.json()
    jobs, methods = (body.get("jobids"), body.get("methods")) if isinstance(body, dict) else (None, None)
    if not isinstance(jobs, list) or not isinstance(methods, list) or not all(isinstance(m, str) for m in methods):
        raise ValueError('The body must be a JSON object such as {"jobids": ["1", "2"], "methods": ["killJob"]}.')
    return json_answer({str(job_number(str(job))): dict.fromkeys(methods, True) for job in jobs})


async def portals(call: Call) -> Response:
    """Those of the portals in the query that the user may open: all."""
    wanted = [value for name, value in call.pairs if name == "portals" and value]
    if not wanted:
        raise RestError(500, PORTAL + "RestException", "The query parameter 'portals' must name portals.")
    return json_answer(wanted)


async def tokens(call: Call) -> Response:
    """Tokens that stand for the session in the links of a page, each good once."""
    number = call.number("numberTokens", 1)
    if not 0 <= number <= _MOST_TOKENS:
        raise ValueError(f"The query parameter 'numberTokens' must be from 0 to {_MOST_TOKENS}, not {number}.")
    assert call.session is not None
    return json_answer(call.sessions.tokens(call.session, number))


#: In one request.
_MOST_TOKENS = 100
_JOBS = "/scheduler/jobs/permission"

ROUTES = (
    Route("GET", "/scheduler/permission/{method}", permission, "Whether a method is permitted."),
    Route("GET", "/scheduler/job/{job}/permission/{method}", job_permission, "Whether a job's method is permitted."),
    Route("POST", _JOBS + "/{method}", jobs_permission, "The jobs whose method is permitted.", takes=JSON),
    Route("POST", _JOBS + "/methods", jobs_permissions, "Which methods of which jobs are permitted.", takes=JSON),
    Route("POST", "/common/tokens", tokens, "Single-use tokens for links to data."),
    Route("GET", "/common/permissions/portals", portals, "Which portals are permitted."),
    Route("GET", "/common/permissions/portals/{portal}", permission, "Whether a portal is permitted."),
)
