"""What keeps a fault of one job to that job.

Whatever raises while the machine works for a job ends this job, with a message, and leaves the others as they are. The
job may be in any state then, so nothing here relies on its indices and counters: its end is made from its records.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind
from proactive_jupyter_kernel.scheduler.engine.commands import KillAttempt, LogLine, ReportFault
from proactive_jupyter_kernel.scheduler.engine.core import Core
from proactive_jupyter_kernel.scheduler.engine.job_state import GROUP, JobState
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.engine.rules import removal_delay
from proactive_jupyter_kernel.workflow.status import TASK_ENDED, JobStatus, TaskStatus

__all__ = ["barrier", "break_job", "end_broken"]

#: How a task ends whose job ends by a fault; NOT_STARTED where nothing else is said.
_ENDS: Mapping[TaskStatus, TaskStatus] = MappingProxyType(
    {
        TaskStatus.RUNNING: TaskStatus.ABORTED,
        TaskStatus.WAITING_ON_ERROR: TaskStatus.NOT_RESTARTED,
        TaskStatus.WAITING_ON_FAILURE: TaskStatus.NOT_RESTARTED,
    }
)


class barrier:
    """Work for one job, perhaps for one of its tasks: what is raised inside ends this job."""

    __slots__ = ("_core", "_job", "_task_id")

    def __init__(self, core: Core, job: JobState, task_id: int | None = None) -> None:
        self._core = core
        self._job = job
        self._task_id = task_id

    def __enter__(self) -> None:
        """There is nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, Exception):
            return False
        message = f"The scheduler failed while it processed this job, and ended it: {type(error).__name__}: {error}"
        break_job(self._core, self._job, message, task_id=self._task_id, error=error)
        return True


def break_job(
    core: Core, job: JobState, message: str, *, task_id: int | None = None, error: Exception | None = None
) -> None:
    """End a living job because of a fault that is not its own. Its attempts are killed, its slots are free."""
    stored = {task.task_id: task for task in job.unsaved()}
    tasks = [node.record for node in job.nodes]
    for number in core.evict(job.id):
        if tasks[number].status is TaskStatus.RUNNING:
            core.put(KillAttempt(job_id=job.id, task_id=number, number=tasks[number].attempts))
    ended = end_broken(core, job.record, tasks, message, task_id=task_id, error=error)
    core.save(ended, [task for task in stored.values() if task.status in TASK_ENDED])
    with contextlib.suppress(Exception):
        delay = removal_delay(job.workflow.generic_information, with_errors=True)
        if delay is not None:
            core.save(replace(ended, remove_at=core.now + delay))
            core.remove_at(job.id, core.now + delay)


def end_broken(
    core: Core,
    record: JobRecord,
    tasks: Iterable[TaskRecord],
    message: str,
    *,
    task_id: int | None = None,
    error: Exception | None = None,
) -> JobRecord:
    """End a job that the machine does not hold, as its records are: FAILED. The message belongs to the task of that id
    or, where it is unknown or has ended, to the first one that has not."""
    rows = list(tasks)
    alive = [task for task in rows if task.status not in TASK_ENDED]
    culprit = next((task.task_id for task in alive if task.task_id == task_id), alive[0].task_id if alive else None)
    ended = [_ended(task, core.now, message if task.task_id == culprit else "") for task in alive]
    counts = Counter(GROUP.get(task.status) for task in [*rows, *ended] if task.status in TASK_ENDED)
    job = replace(
        record,
        status=JobStatus.FAILED,
        finished_at=core.now,
        total=len(rows),
        pending=0,
        running=0,
        in_error=0,
        finished=counts["finished"],
        faulty=record.faulty + sum(task.status is TaskStatus.FAULTY for task in ended),
    )
    core.save(job, ended)
    about = culprit if task_id is None or culprit is not None else task_id
    if rows:
        core.put(LogLine(job_id=record.job_id, task_id=rows[0].task_id if about is None else about, text=message))
    core.put(ReportFault(job_id=record.job_id, task_id=about, message=message, error=error))
    for task in ended:
        core.tell("TASK_RUNNING_TO_FINISHED", job, task)
    whole = tuple({task.task_id: task for task in [*rows, *ended]}.values())
    core.tell("JOB_PENDING_TO_FINISHED" if record.started_at < 0 else "JOB_RUNNING_TO_FINISHED", job, tasks=whole)
    return job


def _ended(task: TaskRecord, now: int, message: str) -> TaskRecord:
    """The task as its job ends; with a message it is the one that the fault is about."""
    if message:
        failure = Failure(kind=FailureKind.ERROR, exception="TaskException", message=message)
        return replace(task, status=TaskStatus.FAULTY, finished_at=now, progress=100, failure=failure)
    status = _ENDS.get(task.status, TaskStatus.NOT_STARTED)
    return replace(task, status=status, finished_at=now if status is TaskStatus.ABORTED else task.finished_at)
