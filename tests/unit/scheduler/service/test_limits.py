"""Limits on results, on the jobs that are kept, and on the store; what is beyond is said."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.errors import SubmissionRefused
from proactive_jupyter_kernel.scheduler import settings
from proactive_jupyter_kernel.scheduler.attempt import Outcome
from proactive_jupyter_kernel.scheduler.executors.memory import MemoryExecutor
from proactive_jupyter_kernel.scheduler.service import retention
from proactive_jupyter_kernel.scheduler.service.service import Service
from proactive_jupyter_kernel.scheduler.service.site import Site
from proactive_jupyter_kernel.scheduler.store.memory import MemoryStore
from proactive_jupyter_kernel.scheduler.store.query import JobQuery
from proactive_jupyter_kernel.scheduler.store.sqlite import SqliteStore
from proactive_jupyter_kernel.workflow.status import TaskStatus

XML = (
    '<job xmlns="urn:proactive:jobdescriptor:3.14" name="a job"><taskFlow><task name="A"><scriptExecutable><script>'
    '<code language="bash">1</code></script></scriptExecutable></task></taskFlow></job>'
)
DAY = 24 * 3600 * 1000
ALL = JobQuery()


def play(
    scenario: Callable[[Service], Coroutine[Any, Any, None]], store: Any, *, value: Any = 1, **changes: Any
) -> None:
    """A scenario with a started service, whose tasks all give that value."""
    now = {"ms": 1_000 * DAY}

    async def played() -> None:
        made = Service(
            store=store,
            executor=MemoryExecutor({"A": lambda attempt: Outcome(value=value)}),
            settings=replace(settings.load({}), **changes),
            site=Site(user="ana", home="/home/x", url="http://127.0.0.1:1", spaces={}),
            clock=lambda: now["ms"],
        )
        made.pass_days = lambda days: now.update(ms=now["ms"] + days * DAY)  # type: ignore[attr-defined]
        await made.start()
        await scenario(made)
        await made.close()

    asyncio.run(played())
    store.close()


async def run_jobs(service: Service, count: int) -> None:
    for _ in range(count):
        job = await service.submit(XML, owner="ana")
        await service.wait_ended(job.job_id)


@pytest.mark.parametrize(("limit", "fits"), [(1026, True), (1025, False), (0, True)])
def test_a_result_over_the_limit_fails_its_task(limit: int, fits: bool) -> None:
    """The log says its size, the limit and what to do; nothing of the value is kept."""
    store = MemoryStore()

    async def scenario(service: Service) -> None:
        await run_jobs(service, 1)
        outcome = service.ask.outcome(1, "A")
        lines = [line.text for line in store.log(1, 0).lines]
        assert (outcome.value.size, outcome.task.status) == (
            (1026, TaskStatus.FINISHED) if fits else (4, TaskStatus.FAULTY)
        )
        said = "The result has 1,026 bytes, more than the 1,025 that this scheduler keeps"
        assert any(line.startswith(said) for line in lines) is not fits

    play(scenario, store, value="x" * 1024, result_bytes=limit)


@pytest.mark.parametrize("kind", [MemoryStore, SqliteStore])
def test_jobs_beyond_the_number_are_removed(kind: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Those that ended first; the log says how many. An alive job does not count and is not touched."""
    store = kind() if kind is MemoryStore else kind(tmp_path / "s.db")

    async def scenario(service: Service) -> None:
        await run_jobs(service, 25)
        await service._retention.apply()
        assert [row.record.job_id for row in service.ask.jobs(ALL).rows] == [25, 24]
        assert await service._retention.apply() == 0

    caplog.set_level("INFO")
    play(scenario, store, jobs_kept=2)
    assert (
        "removed 23 ended jobs, as the limits ask for: PROACTIVE_KERNEL_JOBS_KEPT=2 PROACTIVE_KERNEL_JOBS_DAYS=0"
        in caplog.text
    )


def test_jobs_beyond_the_age_are_removed() -> None:
    """By the time of their end."""

    async def scenario(service: Service) -> None:
        await run_jobs(service, 2)
        service.pass_days(2)  # type: ignore[attr-defined]
        await run_jobs(service, 1)
        service.pass_days(1.5)  # type: ignore[attr-defined]
        await service._retention.apply()
        assert [row.record.job_id for row in service.ask.jobs(ALL).rows] == [3]

    play(scenario, MemoryStore(), jobs_days=3, jobs_kept=0)


@pytest.mark.parametrize("days", [0, 30])
def test_the_end_of_a_job_leads_to_a_look(days: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A moment later, without anybody asking; also where a look at the age of jobs is due in an hour."""
    monkeypatch.setattr(retention, "DELAY", 0.01)

    async def scenario(service: Service) -> None:
        await asyncio.sleep(0.05)  # the look of the start is over
        await run_jobs(service, 5)
        async with asyncio.timeout(20):
            while service.ask.jobs(ALL).total > 1:
                await asyncio.sleep(0.01)

    play(scenario, MemoryStore(), jobs_kept=1, jobs_days=days)


@pytest.mark.parametrize("earlier", [False, True])
def test_the_file_shrinks_with_the_jobs(tmp_path: Path, earlier: bool) -> None:
    """Also that of a store that an earlier version made, which cannot give back single pages."""
    path = tmp_path / "s.db"
    if earlier:
        SqliteStore(path).close()
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript("PRAGMA auto_vacuum = NONE; VACUUM;")
    store = SqliteStore(path)
    sizes = []

    async def scenario(service: Service) -> None:
        await run_jobs(service, 30)
        sizes.append(store.used)
        await service._retention.apply()
        sizes.append(store.used)

    play(scenario, store, value="x" * 500_000, jobs_kept=1)
    assert sizes[0] > 15_000_000
    assert sizes[1] < 2_000_000
    # What is kept for the next jobs is a megabyte.
    assert path.stat().st_size < 4_000_000
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM results").fetchone() == (1,)


def test_a_store_over_its_limit_takes_no_jobs(tmp_path: Path) -> None:
    """The refusal says its size and what to do; after a removal jobs are taken again."""

    async def scenario(service: Service) -> None:
        await run_jobs(service, 2)
        said = r"the store of the scheduler has [\d,]+ bytes, more than the 1,048,576"
        with pytest.raises(SubmissionRefused, match=said):
            await service.submit(XML, owner="ana")
        assert service.measures.jobs_refused == 1
        await service.remove_jobs([1, 2])
        await run_jobs(service, 1)

    play(scenario, SqliteStore(tmp_path / "s.db"), value="x" * 500_000, store_bytes=1024 * 1024)
