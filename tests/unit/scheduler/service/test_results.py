"""What a task came to, by its status and its last execution."""

from __future__ import annotations

from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind
from proactive_jupyter_kernel.scheduler.engine.records import TaskRecord
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.scheduler.service.results import TaskResult, in_job_result, result_of
from proactive_jupyter_kernel.scheduler.store.base import ResultRow
from proactive_jupyter_kernel.workflow.status import TaskStatus

FAILURE = Failure(kind=FailureKind.ERROR, exception="TaskException", message="no")
KILLED = Failure(kind=FailureKind.KILLED, exception="TaskAbortedException", message="killed")


def task(status: TaskStatus, **changes: Any) -> TaskRecord:
    return TaskRecord(job_id=1, task_id=0, name="T", base_name="T", status=status, **changes)


def row(**changes: Any) -> ResultRow:
    return ResultRow(job_id=1, task_id=0, attempt=1, finished_at=1, **changes)


def test_a_good_task_has_its_value() -> None:
    """With metadata, variables and result map."""
    stored = row(value=RawValue(b"5"), metadata={"m": "d"}, variables={"V": 1}, result_map={"r": 2})
    done = task(TaskStatus.FINISHED)
    assert result_of(done, stored) == TaskResult(
        task=done, known=True, value=RawValue(b"5"), metadata={"m": "d"}, variables={"V": 1}, result_map={"r": 2}
    )


@pytest.mark.parametrize("status", [TaskStatus.SUBMITTED, TaskStatus.PENDING, TaskStatus.RUNNING, TaskStatus.PAUSED])
def test_a_task_on_its_way_has_none(status: TaskStatus) -> None:
    """Also while it runs again after a failure."""
    assert result_of(task(status), row(failure=FAILURE)) == TaskResult(task=task(status))


@pytest.mark.parametrize("status", [TaskStatus.IN_ERROR, TaskStatus.WAITING_ON_ERROR, TaskStatus.FAULTY])
def test_a_failed_task_has_its_failure(status: TaskStatus) -> None:
    """Also while somebody is to decide, or its retry waits."""
    assert result_of(task(status, failure=FAILURE), row(failure=FAILURE)).failure == FAILURE


def test_a_task_finished_by_a_person_is_empty() -> None:
    """The failure that led there is not its result."""
    done = task(TaskStatus.FINISHED, propagated={"V": 1})
    assert result_of(done, row(failure=FAILURE)) == TaskResult(task=done, known=True, variables={"V": 1})


NOT_RUN = [
    (TaskStatus.SKIPPED, "TaskSkippedException"),
    (TaskStatus.NOT_STARTED, "TaskCouldNotStartException"),
    (TaskStatus.NOT_RESTARTED, "TaskCouldNotRestartException"),
    (TaskStatus.ABORTED, "TaskAbortedException"),
]


@pytest.mark.parametrize(("status", "exception"), NOT_RUN)
def test_a_task_that_did_not_run_says_why(status: TaskStatus, exception: str) -> None:
    """With ProActive's exception; the job's result leaves it out."""
    stored = row(failure=FAILURE) if status is TaskStatus.NOT_RESTARTED else None
    outcome = result_of(task(status), stored)
    assert outcome.failure is not None
    assert outcome.failure.exception == exception
    assert in_job_result(outcome, None) is False


def test_a_job_lists_what_ran() -> None:
    """A task killed by itself is listed, one aborted by the end of its job is not."""
    by_itself = result_of(task(TaskStatus.ABORTED, failure=KILLED), None)
    by_the_job = result_of(task(TaskStatus.ABORTED), None)
    good = result_of(task(TaskStatus.FINISHED), row())
    bad = result_of(task(TaskStatus.FAULTY, failure=FAILURE), row(failure=FAILURE))
    running = result_of(task(TaskStatus.RUNNING), None)
    listed = [in_job_result(outcome, None) for outcome in (by_itself, by_the_job, good, bad, running)]
    assert listed == [True, False, True, True, False]
