"""An IPython of its own for each test, whose displays are recorded, and a scheduler in memory behind it."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from proactive_jupyter_kernel.client.connection import Connection
from proactive_jupyter_kernel.client.login import Session
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.testing.memory_scheduler import MemoryScheduler

WORKFLOW = """<job xmlns="urn:proactive:jobdescriptor:3.14" name="{name}"><taskFlow>{tasks}</taskFlow></job>"""
SCRIPT = """<scriptExecutable><script><code language="bash">:</code></script></scriptExecutable>"""
TASK = f"""<task name="{{name}}">{SCRIPT}</task>"""


@dataclass
class Publisher:
    """A display publisher as a kernel's shell has it, which keeps what it is given."""

    parent_header: dict[str, Any] = field(default_factory=dict)
    #: What was sent: kind of message, its data, its parent.
    sent: list[tuple[str, dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    topic: bytes = b"display_data"
    pub_socket: object = None
    #: IPython asks for it.
    is_publishing: bool = False

    @property
    def session(self) -> Publisher:
        return self

    def publish(
        self, data: dict[str, Any], metadata: Any = None, *, transient: Any = None, update: bool = False
    ) -> None:
        self.sent.append(("update_display_data" if update else "display_data", data, self.parent_header))

    def msg(
        self, kind: str, content: dict[str, Any], parent: dict[str, Any]
    ) -> tuple[str, dict[str, Any], dict[str, Any]]:
        return kind, content["data"], parent

    def send(self, socket: object, message: tuple[str, dict[str, Any], dict[str, Any]], ident: bytes) -> None:
        self.sent.append(message)

    @property
    def texts(self) -> list[str]:
        return [data["text/plain"] for _, data, _ in self.sent]


@pytest.fixture
def shell(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[InteractiveShell]:
    """A plain IPython without a terminal or a kernel; with a database of its history where a test asks for ``True``."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    config = Config()
    config.HistoryManager.enabled = getattr(request, "param", False)
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.colors = "nocolor"
    shell = InteractiveShell(config=config)
    shell.display_pub = Publisher()
    yield shell
    if config.HistoryManager.enabled:
        shell._atexit_once()
    # What IPython does at the end takes a third of a second, for a namespace that is thrown away in any case.
    atexit.unregister(shell.atexit_operations)


@pytest.fixture
def memory(server: MemoryScheduler) -> MemoryScheduler:
    """A scheduler that runs nothing."""
    return server


@pytest.fixture
def scheduler(memory: MemoryScheduler) -> Scheduler:
    return Scheduler(Session(memory.transport(), memory.credentials), sleep=lambda _: None)


@pytest.fixture
def connection(scheduler: Scheduler, memory: MemoryScheduler) -> Connection:
    return Connection(memory.settings, make=lambda: scheduler)


@pytest.fixture
def submit(scheduler: Scheduler) -> Callable[..., int]:
    """Submits a job of tasks of these names."""

    def submit(*names: str, name: str = "Jobs") -> int:
        tasks = "".join(TASK.format(name=task) for task in names)
        return scheduler.submit(WORKFLOW.format(name=name, tasks=tasks)).id

    return submit
