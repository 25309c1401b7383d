"""What a task came to, as clients and children ask for it: its stored result judged by its status.

Tasks that did not run have results, too, with ProActive's exceptions (``TaskSkippedException`` and so on), but only
where somebody asks for that task; a job's result leaves them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind, Wire
from proactive_jupyter_kernel.scheduler.engine.records import TaskRecord
from proactive_jupyter_kernel.scheduler.raw_value import NULL, RawValue
from proactive_jupyter_kernel.scheduler.store.base import ResultRow
from proactive_jupyter_kernel.workflow.status import TASK_ENDED, TaskStatus

__all__ = ["NOT_RUN", "TaskResult", "in_job_result", "result_of"]

#: Status of a task that did not run to its end -> exception class and message (``TaskException`` subclasses).
NOT_RUN = {
    TaskStatus.SKIPPED: ("TaskSkippedException", "The task was skipped in the workflow"),
    TaskStatus.NOT_STARTED: ("TaskCouldNotStartException", "The task could not start due to dependency failure"),
    TaskStatus.NOT_RESTARTED: (
        "TaskCouldNotRestartException",
        "The task could not be restarted after an error during the previous execution",
    ),
    TaskStatus.ABORTED: ("TaskAbortedException", "The task has been manually killed."),
}
#: Alive, but the last execution's failure is worth showing.
_FAILED_SO_FAR = frozenset({TaskStatus.IN_ERROR, TaskStatus.WAITING_ON_ERROR, TaskStatus.WAITING_ON_FAILURE})


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """The result of a task; without `known`, there is none yet."""

    task: TaskRecord
    known: bool = False
    failure: Failure | None = None
    value: RawValue = NULL
    metadata: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, Wire] = field(default_factory=dict)
    result_map: Mapping[str, Wire] = field(default_factory=dict)
    #: The nodes of the execution: their source and number; none where no execution reported a result.
    source: str = ""
    nodes: int = 0


def result_of(task: TaskRecord, row: ResultRow | None) -> TaskResult:
    """What the task came to, from its record and the row of its last execution."""
    if task.status not in TASK_ENDED and task.status not in _FAILED_SO_FAR:
        return TaskResult(task=task)
    variables = row.variables if row is not None and row.variables is not None else task.propagated or {}
    if task.status is TaskStatus.FINISHED:
        if row is None or row.failure is not None:
            # Finished by a person after an error: an empty result.
            return TaskResult(task=task, known=True, variables=task.propagated or {})
        return TaskResult(
            task=task,
            known=True,
            value=row.value,
            metadata=row.metadata,
            variables=variables,
            result_map=row.result_map,
            source=row.source,
            nodes=row.nodes,
        )
    failure = task.failure or (row.failure if row is not None else None)
    if failure is None or task.status is TaskStatus.NOT_RESTARTED:
        exception, message = NOT_RUN.get(task.status, ("TaskException", "The task failed"))
        failure = Failure(kind=FailureKind.KILLED, exception=exception, message=message)
    return TaskResult(
        task=task,
        known=True,
        failure=failure,
        metadata=row.metadata if row is not None else {},
        variables=variables,
        result_map=row.result_map if row is not None else {},
        source=row.source if row is not None else "",
        nodes=row.nodes if row is not None else 0,
    )


def in_job_result(outcome: TaskResult, row: ResultRow | None) -> bool:
    """Whether a job's result lists the task.

    Skipped and not started tasks are left out, and those that were aborted because the job ended; one that was
    killed by itself has its failure in its record.
    """
    if not outcome.known:
        return False
    if outcome.task.status is TaskStatus.ABORTED:
        return outcome.task.failure is not None
    return row is not None or outcome.task.status in (TaskStatus.FINISHED, TaskStatus.FAULTY, TaskStatus.FAILED)
