"""A local executor to play with: once with warm processes, once starting each process anew."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest
from tests.integration.executors.giver import Giver

from proactive_jupyter_kernel.scheduler.attempt import Attempt, FlowScript, Outcome, Slot
from proactive_jupyter_kernel.scheduler.executors.local import LocalExecutor, LocalSettings
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.workflow.model import NativeCommand, Script

T = TypeVar("T")
_NUMBERS = itertools.count(1)


@dataclass
class Run:
    """What came of an attempt."""

    outcome: Outcome
    lines: list[tuple[str, str]] = field(default_factory=list)

    @property
    def out(self) -> str:
        return "".join(text for stream, text in self.lines if stream == "out")

    @property
    def err(self) -> str:
        return "".join(text for stream, text in self.lines if stream == "err")

    @property
    def value(self) -> Any:
        assert self.outcome.failure is None, (self.outcome.failure, self.err)
        return RawValue.of(self.outcome.value).decoded()

    @property
    def message(self) -> str:
        assert self.outcome.failure is not None, self.outcome
        return self.outcome.failure.message


class Lab:
    """An executor on an event loop of its own, used from synchronous tests."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.runner = asyncio.Runner()
        self.settings = LocalSettings(**{"grace": 0.5, **settings})
        self.executor = LocalExecutor(folder, self.settings)
        self.do(self.executor.start())

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def attempt(self, code: str = "", language: str = "cpython", **fields: Any) -> Attempt:
        number = next(_NUMBERS)
        return Attempt(
            **{
                "job_id": 7,
                "job_name": "Job",
                "task_id": number,
                "task_name": "T",
                "number": 1,
                "owner": "ada",
                "slot": Slot(name="local-0"),
                "main": Script(language=language, code=code),
                **fields,
                "inherited": {"PA_JOB_ID": "7", "PA_TASK_NAME": "T", **fields.get("inherited", {})},
            }
        )

    async def start(self, attempt: Attempt, lines: list[tuple[str, str]]) -> Outcome:
        return await self.executor.run(attempt, lambda stream, text, at: lines.append((stream, text)))

    def run(self, code: str | Attempt | NativeCommand = "", language: str = "cpython", **fields: Any) -> Run:
        if isinstance(code, NativeCommand):
            code = self.attempt(main=code, **fields)
        attempt = code if isinstance(code, Attempt) else self.attempt(code, language, **fields)
        lines: list[tuple[str, str]] = []
        outcome = self.do(self.start(attempt, lines))
        return Run(outcome, lines)

    def kill_when(self, attempt: Attempt, ready: Callable[[], bool]) -> Run:
        """Run it, and kill it as soon as `ready` says so."""

        async def scene() -> tuple[Outcome, list[tuple[str, str]]]:
            lines: list[tuple[str, str]] = []
            task = asyncio.create_task(self.start(attempt, lines))
            await until(ready)
            await self.executor.kill(attempt.key)
            return await task, lines

        return Run(*self.do(scene()))

    def local(self, attempt: Attempt) -> Path:
        """The attempt's working folder."""
        return self.folder / attempt.key / "local"

    def left(self) -> list[str]:
        """The folders that attempts have left; those that nodes keep are empty."""
        kept = [path for path in self.folder.iterdir() if path.name.startswith("node-")]
        # Processes that stay have some there.
        kept = [path for path in kept if ".resident-" not in path.name]
        files = [str(file) for path in kept if path.is_dir() for file in path.rglob("*") if not file.is_dir()]
        return [path.name for path in self.folder.iterdir() if not path.name.startswith("node-")] + files

    @staticmethod
    def script(code: str, language: str = "cpython") -> Script:
        return Script(language=language, code=code)

    @staticmethod
    def flow(variable: str, code: str, language: str = "cpython") -> FlowScript:
        return FlowScript(script=Script(language=language, code=code), variable=variable)

    @staticmethod
    def is_running(pid: int) -> bool:
        """Whether a process lives; one that is ending, without memory already, or only waits to be reaped does not."""
        try:
            process = psutil.Process(pid)
            return process.status() != psutil.STATUS_ZOMBIE and process.memory_info().rss > 0
        except psutil.NoSuchProcess:
            return False

    def close(self) -> None:
        self.do(self.executor.close())
        self.runner.close()


async def until(ready: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something to happen."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


@pytest.fixture(scope="module", params=["warm", "spawned"])
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """An executor, with both ways of starting processes and of reading their output."""
    is_warm = request.param == "warm"
    lab = Lab(tmp_path_factory.mktemp("scratch"), warm=is_warm, threads=not is_warm)
    yield lab
    threads = [thread.name for thread in threading.enumerate() if thread.name.startswith("read std")]
    left = lab.left()
    lab.close()
    assert (left, threads, list(lab.folder.iterdir())) == ([], [], []), "folders or threads stay behind"


@pytest.fixture(scope="module")
def warm_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """An executor with warm processes."""
    if os.name != "posix":
        pytest.skip("warm processes need fork")
    lab = Lab(tmp_path_factory.mktemp("scratch"))
    yield lab
    lab.close()


@pytest.fixture
def python() -> str:
    return sys.executable


@pytest.fixture
def labs(tmp_path: Path) -> Iterator[Callable[..., Lab]]:
    """Makes executors with settings of their own."""
    made: list[Lab] = []

    def make(**settings: Any) -> Lab:
        made.append(Lab(tmp_path / f"scratch-{len(made)}", **settings))
        return made[-1]

    yield make
    for lab in made:
        lab.close()


@pytest.fixture
def giver(tmp_path: Path) -> Iterator[Giver]:
    giver = Giver(tmp_path)
    yield giver
    giver.close()
    assert list(tmp_path.iterdir()) == [], "a node leaves nothing"
