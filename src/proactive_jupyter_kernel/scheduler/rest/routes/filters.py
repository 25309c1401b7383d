"""What parameters mean for listings: status groups, orders, windows (``SchedulerStateRest.java``)."""

from __future__ import annotations

from collections.abc import Iterable

from proactive_jupyter_kernel.scheduler.engine.records import TaskRecord
from proactive_jupyter_kernel.scheduler.rest.requests.call import Call
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.scheduler.store.query import JobQuery
from proactive_jupyter_kernel.workflow.status import JOB_ENDED, TASK_ENDED, JobStatus, TaskStatus

__all__ = ["PAGE", "chosen_tasks", "job_query", "task_statuses", "task_window"]

#: How many tasks a page has when its limit is -1 (``pa.scheduler.tasks.page.size``), and when there is no limit.
PAGE, _DEFAULT_PAGE = 100, 50

_PENDING = frozenset({JobStatus.PENDING})
_JOB_STATUSES = {status.value: status for status in JobStatus}
_RUNNING = frozenset(JobStatus) - JOB_ENDED - _PENDING

_TASK_RUNNING = frozenset(
    {
        TaskStatus.PAUSED,
        TaskStatus.RUNNING,
        TaskStatus.WAITING_ON_ERROR,
        TaskStatus.WAITING_ON_FAILURE,
        TaskStatus.IN_ERROR,
    }
)
_TASK_ERROR = frozenset(
    {
        TaskStatus.WAITING_ON_ERROR,
        TaskStatus.WAITING_ON_FAILURE,
        TaskStatus.IN_ERROR,
        TaskStatus.FAULTY,
        TaskStatus.FAILED,
    }
)
#: Tokens of ``statusFilter``.
_TASK_GROUPS = {
    "submitted": frozenset({TaskStatus.SUBMITTED}),
    "pending": frozenset({TaskStatus.PENDING}),
    "running": _TASK_RUNNING,
    "current": _TASK_RUNNING,
    "active": _TASK_RUNNING,
    "finished": TASK_ENDED,
    "past": TASK_ENDED,
    "terminated": TASK_ENDED,
    "error": _TASK_ERROR,
}

#: Names of ``sortParams`` -> columns.
_COLUMNS = {
    "ID": "job_id",
    "STATE": "status",
    "OWNER": "owner",
    "PRIORITY": "priority",
    "NAME": "name",
    "SUBMIT_TIME": "submitted_at",
    "START_TIME": "started_at",
    "IN_ERROR_TIME": "in_error_at",
    "FINISH_TIME": "finished_at",
    "TOTAL_TASKS": "total",
    "PENDING_TASKS": "pending",
    "RUNNING_TASKS": "running",
    "FINISHED_TASKS": "finished",
    "FAILED_TASKS": "failed",
    "FAULTY_TASKS": "faulty",
    "IN_ERROR_TASKS": "in_error",
    "START_AT": "start_at",
}
_DEFAULT_SORT = (("status", True), ("job_id", True))


def _sort(text: str) -> tuple[tuple[str, bool], ...]:
    """``NAME_a,ID_d`` as columns; anything unknown makes it the default order."""
    terms = []
    for term in filter(None, text.split(",")):
        name, _, direction = term.strip().upper().rpartition("_")
        if name not in _COLUMNS or direction not in ("A", "D"):
            return _DEFAULT_SORT
        terms.append((_COLUMNS[name], direction == "D"))
    return tuple(terms) or _DEFAULT_SORT


def _statuses(call: Call) -> frozenset[JobStatus] | None:
    """By ``pending``, ``running`` and ``finished``, and by ``status``, which names constants in any case."""
    chosen: frozenset[JobStatus] = frozenset()
    for name, group in (("pending", _PENDING), ("running", _RUNNING), ("finished", JOB_ENDED)):
        if call.flag(name, True):
            chosen |= group
    names = [word.strip().upper() for word in call.text("status").replace(";", ",").split(",") if word.strip()]
    for name in names:
        if name not in _JOB_STATUSES:
            raise ValueError(f"There is no job status {name!r}. The statuses are {', '.join(_JOB_STATUSES)}.")
    if names:
        chosen &= {_JOB_STATUSES[name] for name in names}
    return None if len(chosen) == len(JobStatus) else chosen


def _times(call: Call, name: str) -> tuple[int | None, int | None]:
    """The bounds ``nameGreater`` and ``nameLessThan``; 0 is open. Some clients send the two swapped."""
    low = call.number(f"{name}Greater", 0) or None
    high = call.number(f"{name}LessThan", 0) or None
    return (high, low) if low and high and low > high else (low, high)


def job_query(call: Call) -> JobQuery:
    """The conditions of ``/jobs``, ``/jobsinfo`` and ``/revisionjobsinfo``."""
    submitted_after, submitted_before = _times(call, "submittedTime")
    start_at_after, start_at_before = _times(call, "startAtTime")
    limit = call.number("limit", -1)
    return JobQuery(
        statuses=_statuses(call),
        job_id=call.number("jobId", 0) or None,
        owner=call.user if call.flag("myjobs", False) else call.text("userName"),
        name=call.text("jobName"),
        project=call.text("projectName"),
        bucket=call.text("bucketName"),
        mode=call.text("submissionMode"),
        parent_id=call.number("parentId", 0) or None,
        children=call.flag("childJobs", True),
        with_issues=call.flag("withIssuesOnly", False),
        submitted_after=submitted_after,
        submitted_before=submitted_before,
        start_at_after=start_at_after,
        start_at_before=start_at_before,
        sort=_sort(call.text("sortParams")),
        offset=max(call.number("index", 0), 0),
        limit=None if limit < 0 else limit,
    )


def task_statuses(text: str) -> frozenset[TaskStatus]:
    """The statuses of a ``statusFilter``, of which a server ignores the words that it does not know."""
    return frozenset().union(*(_TASK_GROUPS.get(word.strip(), frozenset()) for word in text.lower().split(";")))


def task_window(call: Call) -> slice:
    """Which part of a list a paginated call asks for."""
    offset = max(call.number("offset", 0), 0)
    limit = call.number("limit", _DEFAULT_PAGE)
    return slice(offset, offset + (PAGE if limit < 0 else limit))


def chosen_tasks(call: Call, ask: Questions, words: str | None = None) -> list[TaskRecord]:
    """The job's tasks with the tag and the statuses of the path, or those of `words`, a ``statusFilter``.

    As on a server, a filter without a known word leaves none, and SUBMITTED tasks are not among the pending ones.
    """
    tasks: Iterable[TaskRecord] = ask.tasks(call.job_id)
    tag = call.params.get("tag")
    if tag is not None:
        tasks = [task for task in tasks if task.tag == tag]
    words = call.params.get("status", words)
    if words is not None:
        statuses = task_statuses(words)
        tasks = [task for task in tasks if task.status in statuses]
    return list(tasks)
