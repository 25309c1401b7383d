"""What can still be shown of a row whose record is not what was stored: its columns, and that it is damaged.

A damaged row of one job keeps neither the other jobs from a listing nor the scheduler from its start.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Any

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.store import codec
from proactive_jupyter_kernel.scheduler.store.base import JobFacts, JobRow
from proactive_jupyter_kernel.workflow.model import Priority
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

__all__ = ["damaged_job", "damaged_task", "describe"]

_log = logging.getLogger(__name__)

_JOB_STATUSES = {status.value: status for status in JobStatus}
_TASK_STATUSES = {status.value: status for status in TaskStatus}
#: The suffixes of copies.
_COPY = re.compile(r"(?:#([0-9]+))?(?:\*([0-9]+))?\Z")


def describe(what: str, error: Exception) -> str:
    """A sentence for people about a row that cannot be read."""
    return (
        f"{what} is damaged: a part of it is not what was stored ({error}). The disk lost it, or another program wrote "
        "into the file of the scheduler."
    )


def damaged_job(columns: Sequence[Any], error: codec.Damaged) -> JobRow:
    """A job as its columns show it. Raises `codec.Damaged` where not even these can be read."""
    job_id, name, owner, status, priority, *numbers = columns
    names = (
        *("submitted_at", "started_at", "finished_at", "in_error_at", "start_at", "remove_at", "total", "pending"),
        *("running", "finished", "failed", "faulty", "in_error"),
    )
    message = describe(f"Job {job_id}", error)
    _log.error("%s", message)
    try:
        record = JobRecord(
            job_id=job_id,
            name=name,
            owner=owner,
            status=_JOB_STATUSES[status],
            priority=Priority(priority),
            **dict(zip(names, numbers, strict=True)),
        )
    except (ValueError, KeyError) as fault:
        raise codec.Damaged(str(fault)) from error
    return JobRow(record=record, facts=JobFacts(description=message), damaged=message)


def damaged_task(columns: Sequence[Any], error: codec.Damaged) -> TaskRecord:
    """A task as its columns show it, with the damage as its failure."""
    job_id, task_id, name, tag, status, started_at = columns
    copy = _COPY.search(name)
    assert copy is not None
    message = describe(f"Task {job_id}t{task_id}", error)
    _log.error("%s", message)
    try:
        return TaskRecord(
            job_id=job_id,
            task_id=task_id,
            name=name,
            base_name=name[: copy.start()],
            iteration=int(copy[1] or 0),
            replication=int(copy[2] or 0),
            tag=tag,
            status=_TASK_STATUSES[status],
            started_at=started_at,
            failure=Failure(kind=FailureKind.ERROR, exception="TaskException", message=message),
        )
    except (ValueError, KeyError) as fault:
        raise codec.Damaged(str(fault)) from error
