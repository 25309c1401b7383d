"""Formats jobs as JSON and as tables."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from proactive_jupyter_kernel.cli.common import note, print_table, say
from proactive_jupyter_kernel.client.jobs import SubmittedJob
from proactive_jupyter_kernel.client.records import Job, JobInfo, TaskResult
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.errors import SchedulerError, WorkflowError
from proactive_jupyter_kernel.workflow.python_tasks.tagged import holds_tagged
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["job_facts", "jsonable", "listing_facts", "results_of", "show_job", "show_listing", "show_results"]

#: Statuses of tasks that may have a result.
HAVE_RESULT = frozenset(
    {TaskStatus.FINISHED, TaskStatus.FAULTY, TaskStatus.ABORTED, TaskStatus.FAILED, TaskStatus.IN_ERROR}
)


def job_facts(scheduler: Scheduler, job: Job) -> dict[str, Any]:
    """The object that `submit`, `status` and `results` print."""
    results = results_of(scheduler, job)
    parents = _parents(scheduler, job)
    tasks = []
    for task in job.tasks:
        result = results.get(task.name)
        tasks.append(
            {
                "name": task.name,
                "status": task.status.value,
                "result": jsonable(result.readable_value) if result else None,
                "error": (result.failure or None) if result else None,
                "parents": list(parents.get(task.name, ())),
            }
        )
    return {"id": job.id, "name": job.name, "status": job.status.value, "tasks": tasks}


def results_of(scheduler: Scheduler, job: Job) -> dict[str, TaskResult]:
    """Task -> result, in the order of the tasks; tasks without a result are omitted."""
    whole = scheduler.job_result(job.id) if job.ended else None
    found: dict[str, TaskResult] = {}
    for task in job.tasks:
        if task.status not in HAVE_RESULT:
            continue
        result = whole.tasks.get(task.name) if whole else None
        if result is None and whole is not None:
            continue
        if result is None or result.failed:
            # The traceback of a failure is not part of the result of the job.
            result = scheduler.task_result(job.id, task.name)
        if holds_tagged(result.carried):
            result = replace(result, trusted=scheduler.is_mine(job.id))
        if result.has_value or result.failed:
            found[task.name] = result
    return found


def jsonable(value: object) -> Any:
    """A result as JSON: bytes in base64, sets as lists, other types as text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case bytes() | bytearray():
            return {"base64": base64.b64encode(value).decode("ascii")}
        case Decimal():
            return str(value)
        case Mapping():
            return {_key(key): jsonable(item) for key, item in value.items()}
        case list() | tuple():
            return [jsonable(item) for item in value]
        case Set():
            return [jsonable(item) for item in sorted(value, key=repr)]
    return str(value)


def listing_facts(jobs: Sequence[JobInfo]) -> list[dict[str, Any]]:
    """The list that `jobs` prints."""
    return [
        {
            "id": job.id,
            "name": job.name,
            "status": job.status.value,
            "owner": job.owner,
            "submitted": job.submitted_at if job.submitted_at >= 0 else None,
            "tasks": job.total,
            "finished": job.finished,
            "faulty": job.faulty,
        }
        for job in jobs
    ]


def show_listing(jobs: Sequence[JobInfo]) -> None:
    """A table of jobs."""
    if not jobs:
        note("There are no jobs.")
        return
    rows = [(job.id, _status(job), _progress(job), _when(job.submitted_at), job.name) for job in jobs]
    print_table(("ID", "STATUS", "TASKS", "SUBMITTED", "NAME"), rows)


def show_job(scheduler: Scheduler, job: Job) -> None:
    """A job and a table of its tasks."""
    say(f"Job {job.id}  {job.name}  {_status(job.info)}, {_progress(job.info)} tasks ended")
    parents = _parents(scheduler, job)
    rows = [
        (task.name, task.status_label, _seconds(task.duration), " ".join(parents.get(task.name, ())))
        for task in job.tasks
    ]
    if rows:
        print_table(("TASK", "STATUS", "TIME", "AFTER"), rows)
    for name, reason in SubmittedJob(scheduler, job.id, job.name).waiting_reasons(job).items():
        say(f"{name}: {reason}")


def show_results(results: Mapping[str, TaskResult]) -> None:
    """The value or the traceback of each task, below its name if it has several lines."""
    for name, result in results.items():
        shown = (result.trace or result.failure).rstrip() if result.failed else _readable(result.readable_value)
        lines = shown.splitlines() or [""]
        label = f"{name} failed:" if result.failed else f"{name}:"
        if len(lines) == 1:
            say(f"{label} {lines[0]}")
        else:
            say(label)
            for line in lines:
                say(f"  {line}")


def _readable(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return f"{len(value)} bytes" if len(value) > 60 else repr(value)
    return repr(value)


def _key(key: object) -> str:
    """A dict's key in JSON, where keys are text; numbers and the like as JSON writes them itself."""
    if isinstance(key, str):
        return key
    if isinstance(key, bool):
        return "true" if key else "false"
    return "null" if key is None else str(key)


def _parents(scheduler: Scheduler, job: Job) -> Mapping[str, Sequence[str]]:
    """By task the dependencies of its definition, which copies share; none, with a notice, without the definition."""
    try:
        workflow = SubmittedJob(scheduler, job.id, job.name).workflow()
    except (SchedulerError, WorkflowError) as error:
        note(f"Notice: the dependencies of the tasks are unknown: {error}")
        return {}
    depends = {task.name: task.depends for task in workflow.tasks}
    return {task.name: depends.get(task.base_name, ()) for task in job.tasks}


def _status(job: JobInfo) -> str:
    """The status, and how many tasks went wrong: a job with faulty tasks is Finished all the same."""
    wrong = job.faulty + job.failed
    return f"{job.status_label}, {wrong} faulty" if wrong else job.status_label


def _progress(job: JobInfo) -> str:
    return f"{job.finished}/{job.total}"


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 0 else ""


def _when(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000).strftime("%Y-%m-%d %H:%M:%S") if milliseconds >= 0 else ""
