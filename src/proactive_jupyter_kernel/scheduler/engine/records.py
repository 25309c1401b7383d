"""The rows of jobs and tasks: what the machine knows, what the store keeps, what REST shows."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar, cast

from proactive_jupyter_kernel.scheduler.attempt import Failure, Wire
from proactive_jupyter_kernel.workflow.model import Priority
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

__all__ = ["UNSET", "JobRecord", "TaskRecord", "changed"]

#: A time that has not come yet, as the REST API writes it.
UNSET = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """One job. Times are milliseconds since the epoch, `UNSET` where they have not come."""

    job_id: int
    name: str
    owner: str
    status: JobStatus
    priority: Priority
    submitted_at: int
    started_at: int = UNSET
    finished_at: int = UNSET
    in_error_at: int = UNSET
    #: Set by ``START_AT`` or by a person; None: at once.
    start_at: int | None = None
    #: When an ended job is to be forgotten (generic information ``REMOVE_DELAY``); None: never by itself.
    remove_at: int | None = None
    total: int = 0
    pending: int = 0
    running: int = 0
    finished: int = 0
    faulty: int = 0
    in_error: int = 0
    failed: int = 0
    #: Full names of the tasks whose precious results are there.
    precious: tuple[str, ...] = ()
    #: Milliseconds of the executions that were killed, which leave no result.
    killed_time: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord:
    """One task of a job, copies by loop and replicate included."""

    job_id: int
    task_id: int
    #: Full name, as ``T#1*2``.
    name: str
    #: The task of the workflow that it is, or is a copy of.
    base_name: str
    status: TaskStatus
    iteration: int = 0
    replication: int = 0
    tag: str = ""
    #: Ids of the tasks it depends on at this moment, in the order of ``results``.
    depends: tuple[int, ...] = ()
    #: How often it was started.
    attempts: int = 0
    executions_left: int = 1
    node_failures_left: int = 2
    scheduled_at: int = UNSET
    started_at: int = UNSET
    finished_at: int = UNSET
    in_error_at: int = UNSET
    #: Milliseconds of the last execution; `UNSET` before.
    duration: int = UNSET
    #: The slot's name and host of the last start.
    slot: str = ""
    host: str = ""
    progress: int = 0
    #: Not eligible before; None: at once.
    start_at: int | None = None
    #: Why the last execution failed; also of an attempt that will be tried again.
    failure: Failure | None = None
    #: What children inherit once it ended; None before.
    propagated: Mapping[str, Wire] | None = None
    #: What else the machine needs to continue after a restart; wire values that only it reads.
    private: Mapping[str, Wire] = field(default_factory=dict)


_Record = TypeVar("_Record", JobRecord, TaskRecord)


def changed(record: _Record, changes: Mapping[str, Any]) -> _Record:
    """The record with other values in some fields. As `dataclasses.replace`, in a third of its time: a task changes
    its record several times in its life, and those records have many fields."""
    kind: Any = type(record)
    copy, setters = _parts(kind)
    new: _Record = copy(record)
    for name, value in changes.items():
        setters[name](new, value)
    return new


@functools.cache
def _parts(kind: Hashable) -> tuple[Callable[[Any], Any], dict[str, Callable[[object, Any], None]]]:
    """What copies a record, and what sets each of its fields though the class is frozen."""
    names = [each.name for each in fields(cast("Any", kind))]
    setters = {name: getattr(kind, name).__set__ for name in names}
    # Written out for each field, as dataclasses write their own methods: a loop takes twice the time.
    lines = ["def copy(old):", " new = make(kind)", *(f" set_{name}(new, old.{name})" for name in names), " return new"]
    scope: dict[str, Any] = {"kind": kind, "make": object.__new__}
    scope |= {f"set_{name}": put for name, put in setters.items()}
    exec("\n".join(lines), scope)
    return scope["copy"], setters
