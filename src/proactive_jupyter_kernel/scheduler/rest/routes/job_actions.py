"""``/scheduler/jobs``: what can be done to jobs, one or several (``SchedulerRestInterface.java``)."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from proactive_jupyter_kernel.errors import UnknownJob
from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer, no_content
from proactive_jupyter_kernel.scheduler.rest.requests.route import ANYTHING, Handler, Route
from proactive_jupyter_kernel.scheduler.service.errors import BadPriority
from proactive_jupyter_kernel.scheduler.service.service import Service
from proactive_jupyter_kernel.scheduler.store.query import JobQuery
from proactive_jupyter_kernel.workflow.model import Priority

__all__ = ["ROUTES"]


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
        query = JobQuery(finished_before=call.service.clock() - age)
        wanted = await call.read(lambda ask: [row.record.job_id for row in ask.jobs(query).rows])
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
