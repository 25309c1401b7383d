"""The command in process, on a scheduler in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from proactive_jupyter_kernel.cli import common
from proactive_jupyter_kernel.cli.app import app
from proactive_jupyter_kernel.client.config import Settings
from proactive_jupyter_kernel.client.connection import Connection
from proactive_jupyter_kernel.client.login import Session
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.testing.memory_scheduler import MemoryScheduler

Run = Callable[..., Result]


@pytest.fixture
def memory(server: MemoryScheduler) -> MemoryScheduler:
    return server


@pytest.fixture
def settings_used() -> list[Settings]:
    """The settings with which commands connected."""
    return []


@pytest.fixture
def run(memory: MemoryScheduler, settings_used: list[Settings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs the command with these arguments in an empty folder."""

    def connect(settings: Settings, *, data_dir: Path | None = None) -> Connection:
        settings_used.append(settings)
        session = Session(memory.transport(), memory.credentials)
        return Connection(settings, make=lambda: Scheduler(session, sleep=lambda seconds: None))

    monkeypatch.setattr(common, "Connection", connect)
    monkeypatch.chdir(tmp_path)
    for name in ("PROACTIVE_URL", "PROACTIVE_LOGIN", "PROACTIVE_PASSWORD"):
        monkeypatch.delenv(name, raising=False)

    def invoke(*arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(app, arguments, **options)

    return invoke


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    """A file with two tasks, B after A."""
    script = '<scriptExecutable><script><code language="bash">true</code></script></scriptExecutable>'
    path = tmp_path / "workflow.xml"
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<job xmlns="urn:proactive:jobdescriptor:3.14" name="démo">'
        '<variables><variable name="V" value="1"/></variables>'
        f'<taskFlow><task name="A">{script}</task>'
        f'<task name="B"><depends><task ref="A"/></depends>{script}</task></taskFlow></job>',
        encoding="utf-8",
    )
    return path


@pytest.fixture
def facts() -> Callable[[Result], Any]:
    """The JSON that a command printed, and nothing beside it."""
    return lambda result: json.loads(result.stdout)
