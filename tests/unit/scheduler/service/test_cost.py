"""What a task costs the scheduler, in numbers that do not depend on the machine."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from pathlib import Path

from proactive_jupyter_kernel.scheduler import settings
from proactive_jupyter_kernel.scheduler.engine.commands import Announce
from proactive_jupyter_kernel.scheduler.executors.memory import MemoryExecutor
from proactive_jupyter_kernel.scheduler.service.service import Service
from proactive_jupyter_kernel.scheduler.service.site import Site
from proactive_jupyter_kernel.scheduler.store.sqlite import SqliteStore
from proactive_jupyter_kernel.workflow.formats import xml
from proactive_jupyter_kernel.workflow.model import Script, Task, Workflow

_CODE = Script(language="bash", code="true")


def _workflow(tasks: int) -> str:
    """Tasks that run one after the other."""
    names = [f"T{number}" for number in range(tasks)]
    parents = [(), *((name,) for name in names)]
    return xml.dumps(
        Workflow(
            name="chain",
            tasks=tuple(
                Task(name=name, executable=_CODE, depends=depends)
                for name, depends in zip(names, parents, strict=False)
            ),
        )
    )


def test_statements_and_news_of_a_task(tmp_path: Path) -> None:
    """Each more task is written three times, in one transaction with its parent's end, and never read itself.

    Nothing is said of tasks while nobody wants to hear of them.
    """
    statements: list[str] = []
    news: list[Announce] = []

    async def costs(tasks: int, hear: bool = True) -> tuple[Counter[str], Counter[str]]:
        store = SqliteStore(tmp_path / f"{tasks}.db")
        made = Service(
            store=store,
            executor=MemoryExecutor(slots=1),
            settings=settings.load({}),
            site=Site(user="ana", home=str(tmp_path), url="http://127.0.0.1:1"),
        )
        await made.start()
        statements.clear()
        news.clear()
        ended = asyncio.Event()
        made.listeners.add(news.append, tasks=hear)
        made.listeners.add(lambda each: ended.set() if each.event == "JOB_RUNNING_TO_FINISHED" else None)
        store._writer.set_trace_callback(statements.append)
        await made.submit(_workflow(tasks), owner="ana")
        await ended.wait()
        store._writer.set_trace_callback(None)
        told = Counter(each.event for each in news)
        # A slow machine has the thread write, which sets a timeout.
        written = Counter(" ".join(text.split()[:3]) for text in statements if not text.startswith("PRAGMA"))
        await made.close()
        store.close()
        return written, told

    async def more() -> tuple[Counter[str], Counter[str], Counter[str]]:
        few, few_told = await costs(5)
        many, many_told = await costs(15)
        _, unheard = await costs(3, hear=False)
        return many - few, many_told - few_told, unheard

    written, told, unheard = asyncio.run(more())
    assert written == {
        "BEGIN IMMEDIATE": 10,
        "INSERT INTO tasks": 30,  # submitted, started, ended
        "UPDATE jobs SET": 30,  # the record, its nodes, its time
        "INSERT OR REPLACE": 10,  # the result
        "INSERT INTO counters": 10,  # the revision
        "COMMIT": 10,
    }
    assert told == {"TASK_VARIABLES_UPDATED": 10, "TASK_PENDING_TO_RUNNING": 10, "TASK_RUNNING_TO_FINISHED": 10}
    assert unheard == {"JOB_SUBMITTED": 1, "JOB_PENDING_TO_RUNNING": 1, "JOB_RUNNING_TO_FINISHED": 1}


def test_importing_the_daemon_is_cheap() -> None:
    """What reads and checks workflows is not loaded before there is one; nor what only clients or browsers need."""
    code = (
        "import sys, proactive_jupyter_kernel.scheduler.daemon.process\n"
        "late = ('client', 'workflow.spel', 'workflow.model_types', 'workflow.formats.xml')\n"
        "late += ('scheduler.portals.pages',)\n"
        "names = ('lxml', 'httpx2', 'jinja2', 'distributed', *(f'proactive_jupyter_kernel.{name}' for name in late))\n"
        "print([name for name in names if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_process_for_checks_does_not_load_the_scheduler() -> None:
    """It starts with the first submission, which waits for it."""
    code = (
        "import sys, proactive_jupyter_kernel.scheduler.service.check_process\n"
        "late = ('engine.machine', 'service.service', 'service.runner', 'store.sqlite', 'executors', 'rest')\n"
        "print([name for name in late if f'proactive_jupyter_kernel.scheduler.{name}' in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
