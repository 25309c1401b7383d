"""Queries beside the loop: what they see, and the workflows that they share."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.scheduler.store.base import Batch, Rows
from proactive_jupyter_kernel.scheduler.store.query import JobQuery
from proactive_jupyter_kernel.scheduler.store.reader import OutputNotStored, Reader, Workflows
from proactive_jupyter_kernel.scheduler.store.sqlite import SqliteStore
from proactive_jupyter_kernel.workflow.model import Workflow

from .test_store import new_job


class _View:
    """Rows, and a log that can be read only when all output is stored."""

    def __init__(self, rows: Rows, output_stored: bool) -> None:
        self.rows = rows
        self.output_stored = output_stored

    def log(self) -> str:
        if not self.output_stored:
            raise OutputNotStored
        return "log"


def reader(store: SqliteStore, *, waiting: list[str], first_revision: int = 0) -> Reader[_View]:
    """A reader; `waiting` are lines that wait to be stored."""

    async def store_output() -> None:
        waiting.clear()

    return Reader(
        store,
        view=_View,
        output_waits=lambda: bool(waiting),
        store_output=store_output,
        first_revision=first_revision,
    )


def test_rows_and_revision_are_of_one_moment(tmp_path: Path) -> None:
    """A change during the query shows in neither: the poller that comes with this revision gets it."""
    store = SqliteStore(tmp_path / "s.db")
    read, changed = threading.Event(), threading.Event()

    def listing(view: _View) -> int:
        before = view.rows.jobs(JobQuery()).total
        read.set()
        changed.wait()
        assert view.rows.jobs(JobQuery()).total == before
        return before

    async def scenario() -> Any:
        asking = asyncio.create_task(queries.query(listing))
        await asyncio.to_thread(read.wait)
        store.write(Batch(**{**vars_of(new_job(1)), "revision": 8}))
        changed.set()
        return await asking, await queries.query(lambda view: view.rows.jobs(JobQuery()).total)

    queries = reader(store, waiting=[], first_revision=7)
    assert asyncio.run(scenario()) == ((7, 0), (8, 1))
    queries.close()
    store.close()


def vars_of(batch: Batch) -> dict[str, Any]:
    return {name: getattr(batch, name) for name in ("submissions", "jobs", "tasks")}


def test_output_is_stored_before_a_log_is_read(tmp_path: Path) -> None:
    """By the reader, for queries that read a log; others do not wait for it."""
    store = SqliteStore(tmp_path / "s.db")
    waiting = ["a line"]
    queries = reader(store, waiting=waiting)

    async def scenario() -> list[Any]:
        await queries.query(lambda view: view.rows.revision)
        before = list(waiting)
        return [before, await queries.query(lambda view: view.log()), waiting]

    assert asyncio.run(scenario()) == [["a line"], (0, "log"), []]
    queries.close()
    store.close()


def test_the_workflow_that_was_used_last_stays() -> None:
    """Also where it was the first to be decoded."""
    workflows = Workflows(most=2)
    loaded: list[int] = []

    def load(job_id: int) -> Workflow | None:
        loaded.append(job_id)
        return Workflow(name=str(job_id)) if job_id < 9 else None

    for job_id in (1, 2, 1, 3, 1, 2, 9):
        workflows.get(job_id, load)
    assert loaded == [1, 2, 3, 2, 9]
    workflows.forget(1)
    workflows.get(1, load)
    assert loaded[5:] == [1]


def test_a_workflow_whose_job_is_removed_while_it_is_decoded_is_not_kept() -> None:
    """The next job of that id, in another store, is another job."""
    workflows = Workflows()

    def load(job_id: int) -> Workflow:
        workflows.forget(job_id)
        return Workflow(name="old")

    workflows.get(1, load)
    found = workflows.get(1, lambda job_id: None)
    assert found is None
