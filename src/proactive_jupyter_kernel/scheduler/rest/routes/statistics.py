"""Counters and properties of the scheduler (``/scheduler/stats``, ``/scheduler/properties``), as portals show them."""

from __future__ import annotations

import itertools
import os
import platform
import sys
from collections.abc import Iterable
from dataclasses import fields

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer
from proactive_jupyter_kernel.scheduler.rest.requests.errors import RestError
from proactive_jupyter_kernel.scheduler.rest.requests.route import Route
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.scheduler.store.base import JobRow
from proactive_jupyter_kernel.scheduler.store.query import JobQuery
from proactive_jupyter_kernel.workflow.status import JobStatus

__all__ = ["ROUTES"]

#: Functions of ``stathistory``.
_FUNCTIONS = ("AVERAGE", "MIN", "MAX", "LAST", "FIRST", "TOTAL")
_HISTORY = ("InErrorJobsCount", "PausedJobsCount", "PendingJobsCount", "RunningJobsCount", "StalledJobsCount")
#: How many values a history has.
_HISTORY_LENGTH = 60


def _all_jobs(ask: Questions) -> list[JobRow]:
    return list(ask.jobs(JobQuery()).rows)


def _of_jobs(rows: Iterable[JobRow]) -> dict[str, int]:
    """``PendingJobsCount`` and its kin."""
    counts = dict.fromkeys(JobStatus, 0)
    for row in rows:
        counts[row.record.status] += 1
    return {f"{_word(status)}JobsCount": count for status, count in counts.items()}


def _word(status: JobStatus) -> str:
    return "".join(part.capitalize() for part in status.value.split("_"))


def _of_tasks(rows: Iterable[JobRow]) -> dict[str, int]:
    """``PendingTasksCount`` and its kin."""
    names = ("pending", "running", "finished", "faulty", "failed", "in_error")
    return {
        "".join(part.capitalize() for part in name.split("_")) + "TasksCount": sum(
            getattr(row.record, name) for row in rows
        )
        for name in names
    }


def _mean(values: list[int]) -> int:
    return sum(values) // len(values) if values else 0


def _stats(call: Call, ask: Questions) -> dict[str, str]:
    rows = _all_jobs(ask)
    jobs, tasks = _of_jobs(rows), _of_tasks(rows)
    submitted = sorted(row.record.submitted_at for row in rows)
    started = [row.record for row in rows if row.record.started_at > 0]
    times = {
        "JobSubmittingPeriod": _mean([after - before for before, after in itertools.pairwise(submitted)]),
        "MeanJobPendingTime": _mean([job.started_at - job.submitted_at for job in started]),
        "MeanJobExecutionTime": _mean([job.finished_at - job.started_at for job in started if job.finished_at > 0]),
    }
    jobs["CancelledJobsCount"] = jobs.pop("CanceledJobsCount")
    values = {
        **jobs,
        **tasks,
        "AbortedTasksCount": 0,
        "ConnectedUsersCount": len({session.user for session in call.sessions.all()}),
        "TotalJobsCount": len(rows),
        "TotalTasksCount": sum(row.record.total for row in rows),
        **times,
    }
    words = {f"Formatted{name}": f"{value / 1000:.3f} s" for name, value in times.items()}
    return {name: str(value) for name, value in {**values, **words}.items()} | {"Status": call.service.status.value}


def _account(ask: Questions) -> dict[str, str]:
    rows = _all_jobs(ask)
    tasks = _of_tasks(rows)
    now = tasks["PendingTasksCount"] + tasks["RunningTasksCount"] + tasks["InErrorTasksCount"]
    values = {
        **_of_jobs(rows),
        **{name: count for name, count in tasks.items() if name != "FinishedTasksCount"},
        "CurrentTasksCount": now,
        "PastTasksCount": sum(row.record.total for row in rows) - now,
        "PausedTasksCount": 0,
        "TotalJobsCount": len(rows),
        "TotalTasksCount": sum(row.record.total for row in rows),
    }
    return {name: str(value) for name, value in values.items()}


async def stats(call: Call) -> Response:
    """Counts of jobs and tasks, mean times."""
    return json_answer(await call.read(lambda ask: _stats(call, ask)))


async def account(call: Call) -> Response:
    """The same for the user, who is the only one."""
    return json_answer(await call.read(_account))


async def history(call: Call) -> Response:
    """The last day's counts: nothing was recorded, which a server says with nulls."""
    function = call.text("function")
    if function and function not in _FUNCTIONS:
        raise RestError(
            500, "java.lang.RuntimeException", f"There is no function {function!r}. Known: {', '.join(_FUNCTIONS)}."
        )
    return json_answer({name: [None] * _HISTORY_LENGTH for name in _HISTORY})


async def properties(call: Call) -> Response:
    """Where the scheduler runs, and its settings; no secret is among them."""
    site, settings = call.service.site, call.service.settings
    found = {
        "file.encoding": "UTF-8",
        "file.separator": os.sep,
        "line.separator": os.linesep,
        "os.arch": platform.machine(),
        "os.name": platform.system(),
        "os.version": platform.release(),
        "path.separator": os.pathsep,
        "pa.scheduler.home": site.home,
        "pa.scheduler.rest.url": f"{site.url}/rest",
        "python.executable": sys.executable,
        "python.version": platform.python_version(),
        "user.name": site.user,
    }
    for each in fields(settings):
        found[f"proactive.kernel.{each.name.replace('_', '.')}"] = str(getattr(settings, each.name))
    return json_answer(found)


async def portal_configuration(call: Call) -> Response:
    """What a portal shows beyond its usual columns: nothing."""
    return json_answer({"execution-list-extra-columns": ""})


ROUTES = (
    Route("GET", "/scheduler/stats", stats, "Counts of jobs and tasks."),
    Route("GET", "/scheduler/stats/myaccount", account, "Counts of the user's jobs and tasks."),
    Route("GET", "/scheduler/stathistory", history, "The last day's counts."),
    Route("GET", "/scheduler/properties", properties, "The scheduler's properties."),
    Route("GET", "/scheduler/configuration/portal", portal_configuration, "Settings of a portal."),
)
