"""What every executor promises, asked of the local one and of its stand-in alike."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import (
    Attempt,
    FailureKind,
    Outcome,
    Selection,
    SelectionAnswer,
)
from proactive_jupyter_kernel.scheduler.executors.base import Executor
from proactive_jupyter_kernel.scheduler.executors.local import LocalExecutor, LocalSettings
from proactive_jupyter_kernel.scheduler.executors.memory import MemoryExecutor, ScriptedAttempt
from proactive_jupyter_kernel.scheduler.nodes.settings import NodeSettings
from proactive_jupyter_kernel.workflow.model import Script, SelectionScript

#: What the tasks do, as a script and as a play.
SCRIPTS = {
    "good": "print('one')\nimport sys\nprint('two', file=sys.stderr)\nresult = 3\nvariables['v'] = 1",
    "bad": "raise ValueError('wrong')",
    "long": "import time\nprint('started', flush=True)\ntime.sleep(300)",
    "half": "import time\nprogress.set(50)\nprint('set', flush=True)\ntime.sleep(300)",
}


def good(stage: ScriptedAttempt) -> Outcome:
    stage.say("one")
    stage.say("two", error=True)
    return Outcome(value=3, variables_set={"v": 1})


def bad(stage: ScriptedAttempt) -> Outcome:
    raise ValueError("wrong")


async def long(stage: ScriptedAttempt) -> Outcome:
    stage.say("started")
    await asyncio.sleep(300)
    return Outcome()


async def half(stage: ScriptedAttempt) -> Outcome:
    stage.progress(50)
    await asyncio.sleep(300)
    return Outcome()


class Bench:
    """An executor, and what was heard from it."""

    def __init__(self, make: Callable[[], Executor]) -> None:
        self.runner = asyncio.Runner()
        self.executor = make()
        self.lines: list[tuple[str, str]] = []
        self.progress: list[int] = []
        self.runner.run(self.executor.start())

    def attempt(self, name: str, **fields: Any) -> Attempt:
        main = Script(language="cpython", code=SCRIPTS[name])
        slot = self.executor.slots[0]
        return Attempt(
            job_id=1, job_name="J", task_id=0, task_name=name, number=1, owner="u", slot=slot, main=main, **fields
        )

    async def run(self, attempt: Attempt) -> Outcome:
        def hear(stream: str, text: str, at: int) -> None:
            assert at > 1_500_000_000_000
            self.lines.append((stream, text))

        return await self.executor.run(attempt, hear, self.progress.append)

    def until(self, name: str, ready: Callable[[], bool], then: Callable[[str], Any], **fields: Any) -> Outcome:
        """Start a task, wait for something, do something, and return the task's outcome."""

        async def scene() -> Outcome:
            attempt = self.attempt(name, **fields)
            task = asyncio.create_task(self.run(attempt))
            async with asyncio.timeout(20):
                while not ready():
                    await asyncio.sleep(0.005)
                await then(attempt.key)
                return await task

        return self.runner.run(scene())

    def close(self) -> None:
        self.runner.run(self.executor.close())
        self.runner.close()


@pytest.fixture(
    params=[
        pytest.param("memory", marks=pytest.mark.local_only("it has no tasks")),
        pytest.param("local", marks=pytest.mark.local_only("it is the other executor")),
        pytest.param("dask", marks=pytest.mark.dask),
    ]
)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "memory":
        bench = Bench(lambda: MemoryExecutor({"good": good, "bad": bad, "long": long, "half": half}, select=_select))
    elif request.param == "dask":
        make = request.getfixturevalue("dask_executor")
        bench = Bench(lambda: make(NodeSettings(progress_every=0.02, grace=0.5)))
    else:
        bench = Bench(lambda: LocalExecutor(tmp_path / "scratch", LocalSettings(progress_every=0.02, grace=0.5)))
    yield bench
    bench.close()


def _select(selection: Selection) -> SelectionAnswer:
    return SelectionAnswer(selected=all("True" in entry.script.code for entry in selection.scripts))


def test_slots_have_names(bench: Bench) -> None:
    """There is room, and each slot has a name of its own."""
    names = [slot.name for slot in bench.executor.slots]
    assert names
    assert len(set(names)) == len(names)


def test_success(bench: Bench) -> None:
    """A task that ends well gives value, variables, output of both streams, and a duration."""
    outcome = bench.runner.run(bench.run(bench.attempt("good")))
    assert (outcome.failure, outcome.value, dict(outcome.variables_set)) == (None, 3, {"v": 1})
    assert sorted(bench.lines) == [("err", "two\n"), ("out", "one\n")]
    assert outcome.duration >= 0


def test_failure(bench: Bench) -> None:
    """A task that fails gives a failure, never an exception, and its log tells why."""
    outcome = bench.runner.run(bench.run(bench.attempt("bad")))
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.exception) == (FailureKind.ERROR, "TaskException")
    assert outcome.failure.message.startswith("Failed to execute task: ")
    assert outcome.failure.message.endswith("ValueError: wrong")
    assert any("ValueError: wrong" in text for stream, text in bench.lines if stream == "err")


def test_walltime(bench: Bench) -> None:
    """A task that runs into its walltime is ended, and its log says so."""
    outcome = bench.runner.run(bench.run(bench.attempt("long", walltime=0.4)))
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.message) == (
        FailureKind.WALLTIME,
        "Walltime of 400 ms reached on task long",
    )
    assert bench.lines[-1] == ("err", "Walltime of 400 ms reached on task long\n")


def test_kill(bench: Bench) -> None:
    """A task that is killed gives an outcome that says so, and what it wrote before."""
    outcome = bench.until("long", lambda: bool(bench.lines), bench.executor.kill)
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.message) == (
        FailureKind.KILLED,
        "The task has been manually killed.",
    )
    assert bench.lines == [("out", "started\n")]


def test_kill_of_unknown(bench: Bench) -> None:
    """To kill what does not run is not an error."""
    bench.runner.run(bench.executor.kill("9t9-9"))


def test_progress(bench: Bench) -> None:
    """Progress is told while the task runs."""
    bench.until("half", lambda: bool(bench.progress), bench.executor.kill)
    assert bench.progress == [50]


def test_close(bench: Bench) -> None:
    """Closing gives every running task an outcome that says it was lost, which costs it no execution."""
    outcome = bench.until("long", lambda: bool(bench.lines), lambda key: bench.executor.close())
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.LOST


def test_side_by_side(bench: Bench) -> None:
    """Attempts run side by side, each with its own outcome."""

    async def scene() -> list[Outcome]:
        from dataclasses import replace

        attempts = [replace(bench.attempt("good"), task_id=number) for number in range(8)]
        return await asyncio.gather(*(bench.run(attempt) for attempt in attempts))

    assert [outcome.value for outcome in bench.runner.run(scene())] == [3] * 8


@pytest.mark.parametrize(("codes", "selected"), [(["True"], True), (["True", "False"], False), ([], True)])
def test_selection(bench: Bench, codes: list[str], selected: bool) -> None:
    """A slot is selected when all scripts select it."""
    scripts = tuple(SelectionScript(script=Script(language="cpython", code=f"selected = {code}")) for code in codes)
    selection = Selection(job_id=1, task_id=0, task_name="T", slot=bench.executor.slots[0], scripts=scripts)
    assert bench.runner.run(bench.executor.select(selection)).selected is selected


def test_local_leaves_nothing(tmp_path: Path) -> None:
    """An executor that was closed leaves no process and no folder."""
    import psutil

    before = {process.pid for process in psutil.Process(os.getpid()).children(recursive=True)}
    bench = Bench(lambda: LocalExecutor(tmp_path / "scratch"))
    bench.runner.run(bench.run(bench.attempt("good")))
    bench.close()
    after = {process.pid for process in psutil.Process(os.getpid()).children(recursive=True)}
    assert (after - before, list((tmp_path / "scratch").iterdir())) == (set(), [])


FEW_HANDLES = """
import asyncio, resource, sys
from pathlib import Path
from proactive_jupyter_kernel.scheduler.attempt import Attempt, Slot
from proactive_jupyter_kernel.scheduler.executors.local import LocalExecutor, LocalSettings
from proactive_jupyter_kernel.workflow.model import Script

def attempt(number):
    main = Script(language="cpython", code=f"import time; time.sleep(0.05); result = {number}")
    fields = dict(job_id=1, job_name="J", task_name="T", number=1, owner="u")
    return Attempt(task_id=number, slot=Slot(name=f"local-{number}"), main=main, **fields)

async def scene():
    executor = LocalExecutor(Path(sys.argv[1]), LocalSettings(slots=32))
    await executor.start()
    outcomes = await asyncio.gather(*(executor.run(attempt(number), lambda *_: None) for number in range(32)))
    await executor.close()
    print([outcome.failure or outcome.value for outcome in outcomes] == list(range(32)))

resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
asyncio.run(scene())
"""


@pytest.mark.skipif(os.name != "posix", reason="limits of file handles are those of POSIX")
def test_few_file_handles(tmp_path: Path) -> None:
    """Where there are fewer file handles than slots need, tasks wait for each other, and none fails."""
    import subprocess
    import sys

    command = [sys.executable, "-c", FEW_HANDLES, str(tmp_path / "scratch")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert (done.stdout, done.returncode) == ("True\n", 0), done.stderr
