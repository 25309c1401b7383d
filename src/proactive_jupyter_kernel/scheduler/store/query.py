"""Which jobs and tasks a reader asks for, and the page of rows that it gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from proactive_jupyter_kernel.scheduler.store.listing import JobGroup
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

__all__ = ["SORTABLE", "JobQuery", "Page", "TaskQuery"]

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQuery:
    """Which jobs, in which order. None and empty text: no condition. Prefixes are case-sensitive, as on a server."""

    statuses: frozenset[JobStatus] | None = None
    job_id: int | None = None
    owner: str = ""
    name: str = ""
    project: str = ""
    bucket: str = ""
    mode: str = ""
    parent_id: int | None = None
    #: False: leave out jobs that a task submitted.
    children: bool = True
    #: Only jobs with faulty, failed or in-error tasks.
    with_issues: bool = False
    #: Bounds in milliseconds since the epoch, both exclusive; None: open.
    submitted_after: int | None = None
    submitted_before: int | None = None
    start_at_after: int | None = None
    start_at_before: int | None = None
    finished_before: int | None = None
    #: The project itself, where `project` is how its name begins.
    in_project: str = ""
    group: JobGroup | None = None
    #: A piece of the name, of a variable or of the error of a task, without case; or the id.
    text: str = ""
    #: Column of `SORTABLE` and whether it falls.
    sort: tuple[tuple[str, bool], ...] = (("job_id", True),)
    offset: int = 0
    #: None: all.
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskQuery:
    """Which tasks across all jobs, newest job first."""

    statuses: frozenset[TaskStatus] | None = None
    tag: str = ""
    owner: str = ""
    #: Bounds of the start in milliseconds since the epoch, inclusive; None: open.
    started_from: int | None = None
    started_to: int | None = None
    offset: int = 0
    limit: int | None = None


#: By what jobs can be sorted. ``alive``: whether they have not ended; made for short pages.
SORTABLE = (
    "alive",
    "job_id",
    "status",
    "owner",
    "priority",
    "name",
    "submitted_at",
    "started_at",
    "in_error_at",
    "finished_at",
    "total",
    "pending",
    "running",
    "finished",
    "failed",
    "faulty",
    "in_error",
    "start_at",
)


@dataclass(frozen=True, slots=True)
class Page(Generic[_Row]):
    """Some rows of many."""

    #: Of all rows that match.
    total: int
    rows: tuple[_Row, ...]
