"""What the page of a job knows: the job, all its tasks in outline, and the records of the tasks that it shows.

A job may have ten thousand tasks. Their names and statuses are read as columns; records are decoded only of the tasks
that the page shows, or of all where they are few.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from proactive_jupyter_kernel.errors import UnknownJob
from proactive_jupyter_kernel.scheduler.attempt import Failure
from proactive_jupyter_kernel.scheduler.engine.records import TaskRecord
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.scheduler.store.base import JobRow, TaskOutline
from proactive_jupyter_kernel.scheduler.store.errors import DamagedStore
from proactive_jupyter_kernel.workflow.display.marks import Mark, task_mark
from proactive_jupyter_kernel.workflow.display.relations import Relations
from proactive_jupyter_kernel.workflow.model import Task as TaskDefinition
from proactive_jupyter_kernel.workflow.model import Workflow
from proactive_jupyter_kernel.workflow.status import JOB_ENDED, TASK_ENDED, JobStatus, TaskStatus

__all__ = ["JobSnapshot", "TaskSnapshot", "read_job"]

#: Tasks of a job up to which all records are read.
COMPLETE = 300
#: Failed tasks of a larger job whose records are read, for the groups of errors.
FAILED_READ = 60
#: Tasks that are alone with their name, and running ones, whose records are read for the picture and the list.
ALONE_READ, RUNNING_READ = 80, 40

_INSTANCE = re.compile(r"(?:#\d+)?(?:\*\d+)?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSnapshot:
    """A task as the page knows it. Times are milliseconds since the epoch, -1 if not set or not read."""

    id: int
    name: str
    base_name: str
    status: TaskStatus
    started_at: int = -1
    finished_at: int = -1
    duration: int = -1
    progress: int = 0
    executions_left: int = 1
    max_executions: int = 1
    node: str = ""
    failure: Failure | None = None
    #: Whether its record was read; otherwise only name, status and start are known.
    read: bool = False

    @property
    def ended(self) -> bool:
        """Whether it will not run again."""
        return self.status in TASK_ENDED


@dataclass(frozen=True, kw_only=True)
class JobSnapshot:
    """A job and its tasks at one moment."""

    row: JobRow
    tasks: tuple[TaskSnapshot, ...]
    #: None: it cannot be read.
    workflow: Workflow | None
    #: When it was read.
    seen_at: int
    #: By base name.
    definitions: Mapping[str, TaskDefinition] = field(default_factory=dict)

    @property
    def id(self) -> int:
        return self.row.record.job_id

    @property
    def status(self) -> JobStatus:
        return self.row.record.status

    @property
    def ended(self) -> bool:
        return self.status in JOB_ENDED

    @cached_property
    def marks(self) -> tuple[Mark, ...]:
        """The mark of each task."""
        return tuple(task_mark(task.status) for task in self.tasks)

    @cached_property
    def by_base(self) -> Mapping[str, tuple[TaskSnapshot, ...]]:
        """Tasks by base name, in the order of the job."""
        found: dict[str, list[TaskSnapshot]] = {}
        for task in self.tasks:
            found.setdefault(task.base_name, []).append(task)
        return {base: tuple(tasks) for base, tasks in found.items()}

    @cached_property
    def relations(self) -> Relations:
        return Relations(self, self.workflow)

    @cached_property
    def by_name(self) -> Mapping[str, TaskSnapshot]:
        return {task.name: task for task in self.tasks}

    @cached_property
    def by_id(self) -> Mapping[int, TaskSnapshot]:
        return {task.id: task for task in self.tasks}

    @cached_property
    def wrong(self) -> int:
        """How many tasks failed."""
        return sum(mark is Mark.BAD for mark in self.marks)


def read_job(
    ask: Questions, job_id: int, *, now: int, shown: Callable[[JobSnapshot], Iterable[int]] = lambda snapshot: ()
) -> JobSnapshot:
    """The job, with the records of what is always shown, and of the tasks whose ids `shown` picks from the outlines."""
    row = ask.job(job_id)
    workflow, definitions = _definitions(ask, job_id)
    outlines = ask.outlines(job_id)
    tasks = tuple(_outlined(outline, definitions) for outline in outlines)
    snapshot = JobSnapshot(row=row, tasks=tasks, workflow=workflow, definitions=definitions, seen_at=now)
    wanted = {*_always(snapshot), *shown(snapshot)}
    found = ask.tasks(job_id) if len(tasks) <= COMPLETE else ask.tasks_of(job_id, wanted)
    records = {record.task_id: record for record in found}
    usual = workflow.max_executions if workflow and isinstance(workflow.max_executions, int) else 1
    known = tuple(_with_record(task, records.get(task.id), definitions, usual) for task in tasks)
    complete = replace(snapshot, tasks=known)
    # The records are of the same moment.
    complete.__dict__["marks"] = snapshot.marks
    return complete


def _definitions(ask: Questions, job_id: int) -> tuple[Workflow | None, Mapping[str, TaskDefinition]]:
    try:
        return ask.workflow(job_id), ask.definitions(job_id)
    except (UnknownJob, DamagedStore):
        return None, {}


def _outlined(outline: TaskOutline, definitions: Mapping[str, TaskDefinition]) -> TaskSnapshot:
    name = outline.name
    base = name if name in definitions else _INSTANCE.sub("", name)
    return TaskSnapshot(
        id=outline.task_id, name=name, base_name=base, status=outline.status, started_at=outline.started_at
    )


def _always(snapshot: JobSnapshot) -> Iterable[int]:
    """The tasks whose records the page needs whatever its list shows."""
    failed = [
        task.id for task, mark in zip(snapshot.tasks, snapshot.marks, strict=True) if mark in (Mark.BAD, Mark.IN_ERROR)
    ]
    running = [task.id for task in snapshot.tasks if task.status is TaskStatus.RUNNING]
    alone = [tasks[0].id for tasks in snapshot.by_base.values() if len(tasks) == 1]
    return (*failed[:FAILED_READ], *running[:RUNNING_READ], *alone[:ALONE_READ])


def _with_record(
    task: TaskSnapshot, record: TaskRecord | None, definitions: Mapping[str, TaskDefinition], usual: int
) -> TaskSnapshot:
    """`usual` is how often a task may run that does not say so itself."""
    if record is None:
        return task
    definition = definitions.get(record.base_name)
    most = definition.max_executions if definition else None
    return TaskSnapshot(
        id=task.id,
        name=record.name,
        base_name=record.base_name,
        status=record.status,
        started_at=record.started_at,
        finished_at=record.finished_at,
        duration=record.duration,
        progress=record.progress,
        executions_left=record.executions_left,
        max_executions=most if isinstance(most, int) else usual,
        node=record.slot,
        failure=record.failure,
        read=True,
    )
