"""The results that are kept in memory for the tasks that depend on them."""

from __future__ import annotations

from dataclasses import replace

from proactive_jupyter_kernel.scheduler.engine.records import TaskRecord
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.scheduler.runtimes.stage import killed
from proactive_jupyter_kernel.scheduler.service.latest import LatestResults
from proactive_jupyter_kernel.scheduler.service.results import result_of
from proactive_jupyter_kernel.scheduler.store.base import ResultRow
from proactive_jupyter_kernel.workflow.status import TaskStatus


def task(number: int) -> TaskRecord:
    return TaskRecord(
        job_id=1, task_id=number, name=f"T{number}", base_name="T", status=TaskStatus.FINISHED, attempts=1
    )


def row(number: int, value: object = 7) -> ResultRow:
    return ResultRow(job_id=1, task_id=number, attempt=1, finished_at=5, value=RawValue.of(value))


def test_results_of_last_attempts_are_known() -> None:
    """What is noted is what would be read of the store."""
    latest = LatestResults()
    latest.note(row(0))
    latest.note(row(1, "x"))

    assert latest.of([task(1), task(0)]) == [result_of(task(1), row(1, "x")), result_of(task(0), row(0))]
    assert latest.of([]) == []


def test_what_is_not_known_of_one_is_read_of_all() -> None:
    """An attempt that was not noted, another attempt of the same task, a failure and a large value have to be read."""
    latest = LatestResults()
    for number, value in ((0, 7), (1, "x" * 100_000)):
        latest.note(row(number, value))
    latest.note(replace(row(2), failure=killed()))

    asked = ([task(0), task(3)], [replace(task(0), attempts=2)], [task(1)], [task(2)])

    assert [latest.of(tasks) for tasks in asked] == [None, None, None, None]


def test_only_the_last_ones_are_kept() -> None:
    """A job of any size takes the same memory."""
    latest = LatestResults()
    for number in range(1_000):
        latest.note(row(number))

    assert latest.of([task(0)]) is None
    assert latest.of([task(999)]) is not None
