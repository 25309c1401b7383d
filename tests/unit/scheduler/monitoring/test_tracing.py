"""The tracer of one task's life."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from proactive_jupyter_kernel.scheduler import settings
from proactive_jupyter_kernel.scheduler.executors.memory import MemoryExecutor
from proactive_jupyter_kernel.scheduler.monitoring import tracing
from proactive_jupyter_kernel.scheduler.service.service import Service
from proactive_jupyter_kernel.scheduler.service.site import Site
from proactive_jupyter_kernel.scheduler.store.memory import MemoryStore

XML = (
    '<job xmlns="urn:proactive:jobdescriptor:3.14" name="a job"><taskFlow><task name="A"><scriptExecutable><script>'
    '<code language="bash">1</code></script></scriptExecutable></task></taskFlow></job>'
)


@pytest.fixture(autouse=True)
def _off() -> Iterator[None]:
    yield
    tracing.end()


async def _one_job() -> None:
    service = Service(
        store=MemoryStore(),
        executor=MemoryExecutor(),
        settings=settings.load({}),
        site=Site(user="ana", home="/home/x", url="http://127.0.0.1:1", spaces={}),
    )
    await service.start()
    await service.submit(XML, owner="ana")
    await service.wait_ended(1)
    await service.close()


def test_a_task_passes_through_every_step_of_the_scheduler(tmp_path: Path) -> None:
    """Each step is marked once, for the job or its task, and none comes before the submission was received."""
    file = tmp_path / "trace"
    tracing.begin(str(file))
    asyncio.run(_one_job())
    marks = tracing.read(file.read_text(encoding="ascii"))
    steps = {**marks[1, -1], **marks[1, 0]}
    assert ({job_id for job_id, _ in marks}, set(steps), min(steps, key=lambda step: steps[step])) == (
        {1},
        set(tracing.STEPS) - tracing.NODE_STEPS,
        "received",
    )


def test_off_no_step_is_written_and_none_has_a_time(tmp_path: Path) -> None:
    """After the end, and before any beginning."""
    file = tmp_path / "trace"
    tracing.begin(str(file))
    tracing.mark("stored", 7)
    tracing.end()
    tracing.mark("stored", 8)
    assert (tracing.now(), list(tracing.read(file.read_text(encoding="ascii")))) == (0, [(7, -1)])


def test_a_step_may_be_written_later_than_it_was_reached(tmp_path: Path) -> None:
    """A submission has no id yet when its request is read."""
    file = tmp_path / "trace"
    tracing.begin(str(file))
    tracing.mark("received", 7, at=123)
    assert tracing.read(file.read_text(encoding="ascii")) == {(7, -1): {"received": 123}}
