"""Jobs as the page of a job sees them, without a scheduler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.engine.records import JobRecord
from proactive_jupyter_kernel.scheduler.portals.job.snapshot import JobSnapshot, TaskSnapshot
from proactive_jupyter_kernel.scheduler.store.base import JobFacts, JobRow
from proactive_jupyter_kernel.workflow.model import Priority, Replicate, Script, Task, Workflow
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

#: When the page looks.
NOW = 1_000_000

CODE = Script(language="cpython", code="pass")
WORKFLOW = Workflow(
    name="scan",
    tasks=(
        Task(name="split", executable=CODE, flow=Replicate(script=CODE)),
        Task(name="work", executable=CODE, depends=("split",)),
        Task(name="merge", executable=CODE, depends=("work",)),
    ),
)

Sight = Callable[..., JobSnapshot]


def task(number: int, name: str, status: TaskStatus, **changes: Any) -> TaskSnapshot:
    """A task whose record was read."""
    values: dict[str, Any] = {"base_name": name.partition("*")[0], "read": True}
    if status not in (TaskStatus.SUBMITTED, TaskStatus.PENDING):
        values |= {"started_at": NOW - 5_000, "node": "local-0"}
    if status in (TaskStatus.FINISHED, TaskStatus.FAULTY):
        values |= {"finished_at": NOW - 4_900, "duration": 100}
    return TaskSnapshot(id=number, name=name, status=status, **values | changes)


def replicas(count: int, *, failed: tuple[int, ...] = (), running: int = 0, **changes: Any) -> tuple[TaskSnapshot, ...]:
    """split, `count` replicas of work of which the last ones run, and merge."""
    found = [task(0, "split", TaskStatus.FINISHED)]
    for number in range(count):
        status = TaskStatus.RUNNING if number >= count - running else TaskStatus.FINISHED
        status = TaskStatus.FAULTY if number in failed else status
        name = f"work*{number}" if number else "work"
        found.append(task(number + 1, name, status, **changes))
    return (*found, task(count + 1, "merge", TaskStatus.SUBMITTED))


@pytest.fixture
def snapshot() -> Sight:
    """Makes a job."""

    def make(
        tasks: tuple[TaskSnapshot, ...],
        status: JobStatus = JobStatus.RUNNING,
        facts: JobFacts | None = None,
        **changes: Any,
    ) -> JobSnapshot:
        record = JobRecord(
            job_id=31,
            name="scan",
            owner="ana",
            status=status,
            priority=Priority.NORMAL,
            submitted_at=NOW - 8_000,
            started_at=NOW - 7_400,
            finished_at=NOW - 1_000 if status is JobStatus.FINISHED else -1,
            **changes,
        )
        return JobSnapshot(
            row=JobRow(record=record, facts=facts or JobFacts()),
            tasks=tasks,
            workflow=WORKFLOW,
            definitions={each.name: each for each in WORKFLOW.tasks},
            seen_at=NOW,
        )

    return make
