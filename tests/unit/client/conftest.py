"""A scheduler in memory and a client of it."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.client.login import Session
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.testing.memory_scheduler import MemoryScheduler


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def memory(server: MemoryScheduler) -> MemoryScheduler:
    return server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def scheduler(memory: MemoryScheduler, clock: Clock) -> Scheduler:
    return Scheduler(Session(memory.transport(), memory.credentials), clock=clock, sleep=clock.sleep)


@pytest.fixture
def xml() -> str:
    """Two tasks, B after A."""
    script = '<scriptExecutable><script><code language="bash">true</code></script></scriptExecutable>'
    return (
        '<job xmlns="urn:proactive:jobdescriptor:3.14" name="demo">'
        '<variables><variable name="V" value="1"/></variables>'
        f'<taskFlow><task name="A">{script}</task>'
        f'<task name="B"><depends><task ref="A"/></depends>{script}</task></taskFlow></job>'
    )
