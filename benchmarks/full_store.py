"""What 10,000 finished jobs in the store change: start, submission, tasks, listings, and the answers about one job.

    python benchmarks/full_store.py [--jobs 10000] [--rounds 5] [--json]

The scheduler runs in this process, with tasks in memory and the store on disk, once with a store of 60 jobs and once
with a full one, in turns. Times are the least of all rounds in milliseconds; "slower" is the full store's time over
the other's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.scheduler import settings
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.executors.memory import MemoryExecutor
from proactive_jupyter_kernel.scheduler.portals import jobs
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.scheduler.service.service import Service
from proactive_jupyter_kernel.scheduler.service.site import Site
from proactive_jupyter_kernel.scheduler.store.base import Batch, JobFacts, ResultRow, Submission
from proactive_jupyter_kernel.scheduler.store.logs import LogLine, LogPart
from proactive_jupyter_kernel.scheduler.store.query import JobQuery, TaskQuery
from proactive_jupyter_kernel.scheduler.store.sqlite import SqliteStore
from proactive_jupyter_kernel.workflow.formats import xml
from proactive_jupyter_kernel.workflow.model import Priority, Script, Task, Workflow
from proactive_jupyter_kernel.workflow.status import JOB_ALIVE, JobStatus, TaskStatus

#: Jobs of the small store: enough for a page. Tasks of each job.
_FEW, _TASKS = 60, 5
_REPEATS = 10
_CODE = Script(language="cpython", code="result = 1")
_SORT_OF_CLIENTS = (("status", True), ("job_id", True))
#: Name -> what is asked for; each is read as a request reads it.
_QUESTIONS: dict[str, Callable[[Questions], Any]] = {
    "list of the portal": lambda ask: jobs.find(ask, jobs.wish({})),
    "search of the portal": lambda ask: jobs.find(ask, jobs.wish({"q": "77", "state": "finished"})),
    "page of jobs": lambda ask: ask.jobs(JobQuery(limit=50, sort=_SORT_OF_CLIENTS)),
    "page of alive jobs": lambda ask: ask.jobs(JobQuery(limit=50, statuses=JOB_ALIVE, sort=_SORT_OF_CLIENTS)),
    "page by name": lambda ask: ask.jobs(JobQuery(limit=50, sort=(("name", False),))),
    "page by submission": lambda ask: ask.jobs(JobQuery(limit=50, sort=(("submitted_at", True),))),
    "page of children": lambda ask: ask.jobs(JobQuery(limit=50, parent_id=1)),
    "page of tasks": lambda ask: ask.find_tasks(TaskQuery(limit=50)),
    "page of running tasks": lambda ask: ask.find_tasks(TaskQuery(limit=50, statuses=frozenset({TaskStatus.RUNNING}))),
    "one job": lambda ask: ask.job(1),
}


def fill(path: Path, jobs: int) -> None:
    """Make a store of finished jobs."""
    store = SqliteStore(path)
    workflow = Workflow(name="old", tasks=tuple(Task(name=f"T{n}", executable=_CODE) for n in range(_TASKS)))
    text = xml.dumps(workflow)
    for first in range(1, jobs + 1, 500):
        batch = Batch()
        for job_id in range(first, min(first + 500, jobs + 1)):
            _add(batch, job_id, workflow, text)
        store.write(batch)
    store.close()


def _add(batch: Batch, job_id: int, workflow: Workflow, text: str) -> None:
    at = 1_700_000_000_000 + job_id * 1000
    submission = Submission(job_id=job_id, xml=text, workflow=workflow, facts=JobFacts(project="p", mode="rest-api"))
    batch.submissions.append(submission)
    batch.jobs[job_id] = JobRecord(
        job_id=job_id,
        name=f"old {job_id}",
        owner="ana",
        status=JobStatus.FINISHED,
        priority=Priority.NORMAL,
        submitted_at=at,
        started_at=at,
        finished_at=at + 500,
        total=_TASKS,
        finished=_TASKS,
    )
    for task_id in range(_TASKS):
        task = TaskRecord(
            job_id=job_id,
            task_id=task_id,
            name=f"T{task_id}",
            base_name=f"T{task_id}",
            status=TaskStatus.FINISHED,
            started_at=at,
            finished_at=at + 400,
            propagated={"V": "x"},
        )
        batch.tasks[job_id, task_id] = task
        batch.results.append(
            ResultRow(job_id=job_id, task_id=task_id, attempt=1, finished_at=at, value=RawValue.of("x" * 200))
        )
        line = LogLine(error=False, at=at, text="a line of output")
        batch.logs.append(LogPart(job_id=job_id, task_id=task_id, lines=(line,) * 3))


async def measured(path: Path, folder: Path) -> dict[str, float]:
    """Milliseconds of everything, once."""
    times: dict[str, float] = {}

    async def took(name: str, work: Awaitable[Any]) -> Any:
        begin = time.perf_counter()
        found = await work
        times[name] = min(times.get(name, 1e9), (time.perf_counter() - begin) * 1000)
        return found

    begin = time.perf_counter()
    store = SqliteStore(path)
    service = Service(
        store=store,
        executor=MemoryExecutor(slots=2),
        settings=settings.load({}),
        site=Site(user="ana", home=str(folder), url="http://127.0.0.1:1"),
    )
    await service.start()
    times["start"] = (time.perf_counter() - begin) * 1000
    small = xml.dumps(Workflow(name="new", tasks=(Task(name="T", executable=_CODE),)))
    await service.wait_ended((await service.submit(small, owner="ana")).job_id)  # loads what the first one needs
    for _ in range(_REPEATS):
        await took("submission", service.submit(small, owner="ana"))
    many = xml.dumps(Workflow(name="new", tasks=tuple(Task(name=f"T{n}", executable=_CODE) for n in range(300))))
    job = await service.submit(many, owner="ana")
    await took("300 tasks", service.wait_ended(job.job_id))
    for name, question in _QUESTIONS.items():
        for _ in range(_REPEATS):
            await took(name, service.reader.query(question))
    await service.close()
    store.close()
    return times


def measure(jobs: int, rounds: int) -> dict[str, dict[str, float]]:
    """The times with few and with many jobs, and their ratio."""
    found: dict[str, list[dict[str, float]]] = {"few": [], "full": []}
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder, "full.db"), jobs)
        fill(Path(folder, "few.db"), _FEW)
        for number in range(rounds):
            for kind, times in found.items():
                path = Path(folder, f"{kind}{number}.db")
                shutil.copy(Path(folder, f"{kind}.db"), path)
                times.append(asyncio.run(measured(path, Path(folder))))
                path.unlink()
    figures: dict[str, dict[str, float]] = {}
    for name in found["few"][0]:
        few, full = (min(each[name] for each in found[kind]) for kind in ("few", "full"))
        figures[name] = {"few": round(few, 3), "full": round(full, 3), "slower": round(full / few, 2)}
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = measure(arguments.jobs, arguments.rounds)
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, row in figures.items():
        print(f"{name:24} {row['few']:9.2f} ms {row['full']:9.2f} ms {row['slower']:6.2f}")


if __name__ == "__main__":
    main()
