"""Everything that the machine may ask for. The service first stores what the records say, then carries out the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from proactive_jupyter_kernel.scheduler.attempt import Slot, Wire
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord

__all__ = [
    "Announce",
    "Command",
    "ForgetJob",
    "KillAttempt",
    "LogLine",
    "ReportFault",
    "RunSelection",
    "SaveJob",
    "SaveTask",
    "StartAttempt",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveJob:
    """Store the job's row as it is now."""

    job: JobRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveTask:
    """Store the task's row as it is now."""

    task: TaskRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetJob:
    """Remove every row, result, log and folder of the job."""

    job_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StartAttempt:
    """Run the task once, on this slot. The machine already counts it as running."""

    job_id: int
    task_id: int
    number: int
    #: The slot it runs on, then the further ones of a multi-node task.
    slots: tuple[Slot, ...]
    #: Ids of the tasks whose results are ``results``, in that order; skipped parents are replaced already.
    parents: tuple[int, ...]
    #: Layer 1 but for what only the service knows: job variables, the parents' over them, PA_JOB_*, PA_TASK_* on top.
    inherited: Mapping[str, Wire]
    #: The job and the task as they start, and the parents as they ended: what was just written need not be read.
    job: JobRecord = field(compare=False, repr=False)
    task: TaskRecord = field(compare=False, repr=False)
    parent_tasks: tuple[TaskRecord, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KillAttempt:
    """End the attempt's processes. No `AttemptEnded` is expected; one that comes is ignored."""

    job_id: int
    task_id: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSelection:
    """Ask the task's selection scripts about a slot; answer with `SelectionEnded`."""

    job_id: int
    task_id: int
    slot: Slot
    inherited: Mapping[str, Wire]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """Append a line of the scheduler's own to the task's log."""

    job_id: int
    task_id: int
    text: str
    error: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFault:
    """Write into the scheduler's own log that a job was ended because of a fault that is not its own."""

    job_id: int
    #: The task that the fault is about, if one is known.
    task_id: int | None
    message: str
    #: What was raised, with its traceback; None where the fault was found outside the machine.
    error: Exception | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """Tell listeners, in the REST API's event names (``JOB_SUBMITTED``, ``TASK_PENDING_TO_RUNNING``, …)."""

    event: str
    job_id: int | None = None
    task_id: int | None = None
    #: The job, the task and, of what is about a whole job, its tasks, as they were at that moment; later changes of the
    #: same event do not show. They belong to the event and do not tell one from another.
    job: JobRecord | None = field(default=None, compare=False, repr=False)
    task: TaskRecord | None = field(default=None, compare=False, repr=False)
    tasks: tuple[TaskRecord, ...] = field(default=(), compare=False, repr=False)
    #: Of a job that is being removed: what the store had of it. Set by the service.
    row: object = field(default=None, compare=False, repr=False)


Command: TypeAlias = (
    SaveJob | SaveTask | ForgetJob | StartAttempt | KillAttempt | RunSelection | LogLine | ReportFault | Announce
)
