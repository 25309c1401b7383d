"""Tests of what people look for in a list of jobs: the store on disk and its twin in memory give the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.store.base import Batch, JobFacts, Store, Submission
from proactive_jupyter_kernel.scheduler.store.listing import FAILED_TASK, GROUPS, JobGroup, search_words
from proactive_jupyter_kernel.scheduler.store.memory import MemoryStore
from proactive_jupyter_kernel.scheduler.store.queries import job_conditions, job_order, named
from proactive_jupyter_kernel.scheduler.store.query import JobQuery
from proactive_jupyter_kernel.scheduler.store.sqlite import SqliteStore
from proactive_jupyter_kernel.workflow.model import Priority, Variable, Workflow
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

#: id -> status, changes of the record, project.
JOBS: dict[int, tuple[JobStatus, dict[str, Any], str]] = {
    1: (JobStatus.FINISHED, {"name": "Überblick"}, "a"),
    2: (JobStatus.FINISHED, {"faulty": 1, "owner": "bob"}, "ab"),
    3: (JobStatus.CANCELED, {"faulty": 1}, "a"),
    4: (JobStatus.KILLED, {}, ""),
    5: (JobStatus.RUNNING, {}, "a"),
    6: (JobStatus.PAUSED, {}, ""),
    7: (JobStatus.IN_ERROR, {"in_error": 1}, ""),
    8: (JobStatus.STALLED, {}, ""),
    9: (JobStatus.PENDING, {}, ""),
    10: (JobStatus.FAILED, {"failed": 1}, ""),
}


def _error(message: str) -> Failure:
    return Failure(kind=FailureKind.ERROR, exception="TaskException", message=message)


@pytest.fixture(params=["sqlite", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store = SqliteStore(tmp_path / "scheduler.db") if request.param == "sqlite" else MemoryStore()
    batch = Batch()
    variables = (
        Variable(name="SOURCE", value="s3://Tiles/2026"),
        Variable(name="TOKEN", value="geheim", model=" PA: hidden "),
    )
    for job_id, (status, changes, project) in JOBS.items():
        record = {"name": "job", "owner": "ana", "priority": Priority.NORMAL, "submitted_at": job_id} | changes
        batch.jobs[job_id] = JobRecord(job_id=job_id, status=status, **record)
        facts = JobFacts(project=project, variables=variables if job_id == 4 else ())
        batch.submissions.append(Submission(job_id=job_id, xml="", workflow=Workflow(name="w"), facts=facts))
    for job_id, task_id, status, message in (
        (2, 0, TaskStatus.FINISHED, "of an earlier attempt"),
        (2, 1, TaskStatus.FAULTY, "ValueError: column 'mean' has a höle"),
        (2, 2, TaskStatus.FAULTY, "KeyError"),
        (7, 0, TaskStatus.IN_ERROR, "KeyError"),
    ):
        batch.tasks[job_id, task_id] = TaskRecord(
            job_id=job_id,
            task_id=task_id,
            name=f"T{task_id}",
            base_name=f"T{task_id}",
            status=status,
            failure=_error(message),
        )
    made.write(batch)
    yield made
    made.close()


def ids(store: Store, **query: Any) -> list[int]:
    return [row.record.job_id for row in store.jobs(JobQuery(**query)).rows]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("überBLICK", [1]),
        ("4", [4]),
        ("tiles/2026", [4]),
        ("source=s3", [4]),
        ("token", [4]),
        ("geheim", []),
        ("column 'mean' has a höle", [2]),
        ("keyerror", [7, 2]),
        ("earlier attempt", []),
        ("%", []),
        ("' OR 1 --", []),
        ("99999999999999999999", []),
    ],
)
def test_a_search_finds_names_ids_variables_and_errors(store: Store, text: str, found: list[int]) -> None:
    """Without case, wherever they contain it; hidden values are not found, and nothing in the text is a pattern."""
    assert ids(store, text=text) == found


def test_each_job_is_in_one_group(store: Store) -> None:
    """The counts are those of the lists."""
    lists = {group: ids(store, group=group) for group in JobGroup}
    assert lists == {
        JobGroup.RUNNING: [5],
        JobGroup.WAITING: [9, 8],
        JobGroup.NEEDS_YOU: [7, 6],
        JobGroup.FAILED: [10, 3, 2],
        JobGroup.FINISHED: [1],
        JobGroup.KILLED: [4],
    }
    assert store.job_groups(JobQuery()) == {group: len(found) for group, found in lists.items()}
    assert store.job_groups(JobQuery(text="keyerror")) == {JobGroup.FAILED: 1, JobGroup.NEEDS_YOU: 1}
    assert set(GROUPS) == set(JobStatus)


def test_alive_jobs_come_first_page_by_page(store: Store) -> None:
    """Then the others; the newest first among both."""
    sort = (("alive", True), ("job_id", True))
    assert ids(store, sort=sort) == [9, 8, 7, 6, 5, 10, 4, 3, 2, 1]
    assert [ids(store, sort=sort, limit=4, offset=offset) for offset in (0, 4, 8)] == [
        [9, 8, 7, 6],
        [5, 10, 4, 3],
        [2, 1],
    ]


def test_projects_and_owners_are_listed(store: Store) -> None:
    """A project is chosen by its whole name."""
    assert (store.projects(10), store.projects(1), store.owners(10)) == (("a", "ab"), ("a",), ("ana", "bob"))
    assert (ids(store, in_project="a"), ids(store, owner="bob")) == ([5, 3, 1], [2])


def test_the_first_failure_of_each_job(store: Store) -> None:
    """Of a task that failed, not of one that was tried again with success."""
    found = store.first_failures([1, 2, 7, 99])
    assert {job_id: task.task_id for job_id, task in found.items()} == {2: 1, 7: 0}


def test_long_values_are_cut() -> None:
    """Words are for finding a job, not for keeping its data."""
    facts = JobFacts(variables=tuple(Variable(name=f"V{n}", value="x" * 1000) for n in range(100)))
    assert (len(search_words("n", facts)), "x" * 201 in search_words("n", facts)) == (4000, False)


def test_lists_read_indices_alone(tmp_path: Path) -> None:
    """No page and no count goes over all rows of jobs or tasks, which are large."""
    store = SqliteStore(tmp_path / "scheduler.db")
    queries = {
        "page": JobQuery(sort=(("alive", True), ("job_id", True))),
        "group": JobQuery(sort=(("alive", True), ("job_id", True)), group=JobGroup.FAILED),
        "search": JobQuery(sort=(("alive", True), ("job_id", True)), text="x"),
        "project": JobQuery(sort=(("alive", True), ("job_id", True)), in_project="p"),
    }
    plans: list[str] = []
    for query in queries.values():
        conditions, values = job_conditions(query)
        for name in ("jobs_of_page", "job_groups"):
            statement = named(name).format(conditions=conditions, order=job_order(query))
            rows = store._writer.execute(f"EXPLAIN QUERY PLAN {statement}", values | {"limit": 25, "offset": 0})
            plans += [step for *_, step in rows]
    plans += [step for *_, step in store._writer.execute("EXPLAIN QUERY PLAN " + named("projects"), {"limit": 1})]
    store.close()
    assert [step for step in plans if step in ("SCAN jobs", "SCAN tasks")] == []
    assert any("tasks_failed" in step for step in plans)


def test_the_index_of_failures_has_these_statuses() -> None:
    """SQLite uses it where the query's condition is the same."""
    written = ", ".join(f"'{status.value}'" for status in TaskStatus if status in FAILED_TASK)
    listed = named("first_failure").partition("status IN (")[2].partition(")")[0]
    assert sorted(listed.split(", ")) == sorted(written.split(", "))
