"""Warm processes: what makes them start, stay, fail and go."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
import venv
from pathlib import Path
from typing import Any

import psutil
import pytest

from proactive_jupyter_kernel.scheduler.attempt import FailureKind
from proactive_jupyter_kernel.scheduler.executors.local import LocalExecutor, LocalSettings
from proactive_jupyter_kernel.scheduler.nodes.template import can_fork

pytestmark = pytest.mark.skipif(os.name != "posix", reason="warm processes need fork")


def warm_processes() -> list[psutil.Process]:
    """Those that fork, without their forks."""
    found = {}
    for process in psutil.Process().children(recursive=True):
        try:
            if "--warm" in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                found[process.pid] = process, process.ppid()
        except psutil.Error:
            continue
    return [process for process, parent in found.values() if parent not in found]


def wait_for(ready: Any, lab: Any, seconds: float = 60.0) -> None:
    async def scene() -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            assert time.monotonic() < deadline, "it did not happen in time"
            await asyncio.sleep(0.01)

    lab.do(scene())


@pytest.fixture
def other_python(tmp_path: Path) -> str:
    """Another interpreter, as far as the executor can tell."""
    path = tmp_path / "bin" / "python-other"
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    path.chmod(0o755)
    return str(path)


def test_tasks_are_forks(warm_lab: Any) -> None:
    """Python tasks come from a warm process, which is their parent; they share no interpreter with each other."""
    first = warm_lab.run("result = [os.getppid(), os.getpid(), os.getsid(0)]").value
    second = warm_lab.run("result = [os.getppid(), os.getpid(), os.getsid(0)]").value
    # Other tests may have warm processes of their own.
    assert first[0] == second[0]
    assert first[0] in [process.pid for process in warm_processes()]
    assert (first[1] != second[1], first[2] == first[1]) == (True, True)


def test_spawned_without_warm_processes(tmp_path: Path) -> None:
    """With warm processes switched off there are none."""

    async def scene() -> Any:
        executor = LocalExecutor(tmp_path / "scratch", LocalSettings(warm=False))
        await executor.start()
        before = {process.pid for process in warm_processes()}
        outcome = await executor.run(_attempt("result = os.getppid()"), lambda *_: None)
        found = outcome.value, {process.pid for process in warm_processes()} - before
        await executor.close()
        return found

    parent, fresh = asyncio.run(scene())
    assert (parent != os.getpid(), fresh) == (True, set())


def test_modules_are_those_of_the_library(warm_lab: Any) -> None:
    """A script finds nothing imported but the standard library and what its interpreter imports at its start."""
    code = (
        "import subprocess\n"
        "fresh = subprocess.check_output([sys.executable, '-c', 'import sys; print(*sys.modules)'], text=True)\n"
        "known = {*sys.stdlib_module_names, *(name.partition('.')[0] for name in fresh.split())}\n"
        "result = sorted({name.partition('.')[0] for name in sys.modules} - known)"
    )
    assert warm_lab.run(code).value == ["_proactive", "_proactive_tasks", "_proactive_values"]


def test_forks_end_the_short_way(warm_lab: Any) -> None:
    """The warm process loads nothing after it has counted its modules, or its forks look through all."""
    warm_lab.run("result = 1")
    known = warm_lab.run(
        "import sys\nresult = [sys.modules['_proactive.leaving']._known_modules, len(sys.modules)]"
    ).value
    assert known[0] == known[1]


def test_other_interpreter(warm_lab: Any, other_python: str) -> None:
    """Each interpreter has a warm process of its own."""
    information = {"PYTHON_COMMAND": other_python}
    first = warm_lab.run("result = os.getppid()", generic_information=information).value
    second = warm_lab.run("result = os.getppid()", generic_information=information).value
    ours = warm_lab.run("result = os.getppid()").value
    assert (first == second, first == ours) == (True, False)


def test_interpreter_that_cannot_be_warm(warm_lab: Any, tmp_path: Path) -> None:
    """An interpreter that will not stay warm runs its tasks all the same."""
    cold = tmp_path / "python-cold"
    cold.write_text(f'#!/bin/sh\n[ "$2" = --warm ] && exit 1\nexec {sys.executable} "$@"\n')
    cold.chmod(0o755)
    assert warm_lab.run("result = 1", generic_information={"PYTHON_COMMAND": str(cold)}).value == 1


def test_new_packages_are_seen(warm_lab: Any, tmp_path: Path) -> None:
    """After something was installed for an interpreter its next task starts as a new interpreter would."""
    venv.create(tmp_path / "venv", symlinks=True)
    site = next((tmp_path / "venv" / "lib").glob("python*/site-packages"))
    information = {"PYTHON_COMMAND": str(tmp_path / "venv" / "bin" / "python")}
    assert warm_lab.run("result = 1", generic_information=information).value == 1
    (tmp_path / "editable").mkdir()
    (tmp_path / "editable" / "brand_new.py").write_text("x = 1")
    (site / "brand_new.pth").write_text(str(tmp_path / "editable"))
    assert warm_lab.run("import brand_new\nresult = brand_new.x", generic_information=information).value == 1


def test_crash_of_the_warm_process(warm_lab: Any, tmp_path: Path) -> None:
    """When a warm process dies, its tasks end and are lost, which costs them nothing; the next gets a new one."""

    async def scene() -> Any:
        attempt = warm_lab.attempt(
            "import subprocess, time\nchild = subprocess.Popen(['setsid', 'sleep', '300'])\n"
            "open('pids', 'w').write(f'{os.getpid()} {child.pid} {os.getppid()}')\nos.rename('pids', 'ready')\n"
            "time.sleep(300)"
        )
        ready = warm_lab.local(attempt) / "ready"
        task = asyncio.create_task(warm_lab.start(attempt, []))
        async with asyncio.timeout(20):
            while not ready.exists():
                await asyncio.sleep(0.01)
        pids = [int(pid) for pid in ready.read_text().split()]
        os.kill(pids[2], signal.SIGKILL)
        return await task, pids

    outcome, pids = warm_lab.do(scene())
    assert outcome.failure.kind is FailureKind.LOST
    wait_for(lambda: not any(map(warm_lab.is_running, pids)), warm_lab)
    assert warm_lab.run("result = os.getppid()").value != pids[2]


def test_idle_process_ends(tmp_path: Path, other_python: str) -> None:
    """A warm process that nobody uses ends after a while, and comes back when it is needed."""

    async def scene() -> list[int]:
        executor = LocalExecutor(tmp_path / "scratch", LocalSettings(warm_idle=0.2))
        await executor.start()
        first = await executor.run(_attempt("result = os.getppid()"), lambda *_: None)
        async with asyncio.timeout(20):
            while psutil.pid_exists(first.value):
                await asyncio.sleep(0.02)
        second = await executor.run(_attempt("result = os.getppid()"), lambda *_: None)
        await executor.close()
        return [first.value, second.value]

    first, second = asyncio.run(scene())
    assert first != second


def test_few_interpreters_stay_warm(tmp_path: Path) -> None:
    """Of many interpreters only some stay warm, those used last and the scheduler's own."""
    paths = []
    for number in range(3):
        path = tmp_path / f"python-{number}"
        path.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        path.chmod(0o755)
        paths.append(str(path))

    before = {process.pid for process in warm_processes()}

    def fresh() -> int:
        return len({process.pid for process in warm_processes()} - before)

    async def scene() -> int:
        executor = LocalExecutor(tmp_path / "scratch", LocalSettings(warm_most=2))
        await executor.start()
        for path in paths:
            await executor.run(_attempt("result = 1", PYTHON_COMMAND=path), lambda *_: None)
        async with asyncio.timeout(20):
            while fresh() > 2:
                await asyncio.sleep(0.02)
        count = fresh()
        await executor.close()
        return count

    assert asyncio.run(scene()) == 2


@pytest.mark.parametrize(
    ("change", "forks"),
    [
        ({}, True),
        ({"X": "1"}, True),
        ({"PYTHONPATH": "/x"}, False),
        ({"LD_PRELOAD": "x"}, False),
        ({"LC_ALL": "C"}, False),
    ],
)
def test_what_needs_a_new_interpreter(change: dict[str, str], forks: bool) -> None:
    """Variables that only an interpreter's start can honour rule out a fork."""
    base = {"PATH": "/bin", "LANG": "C.UTF-8"}
    assert can_fork(base, {**base, **change}) is forks


def test_time_zone(warm_lab: Any) -> None:
    """A time zone in the fork environment counts in a fork, too."""
    from proactive_jupyter_kernel.workflow.model import ForkEnvironment

    environment = ForkEnvironment(environment={"TZ": "XYZ-5"})
    run = warm_lab.run("import time\nresult = time.strftime('%z', time.localtime(0))", fork_environment=environment)
    assert run.value == "+0500"


def _attempt(code: str, **information: str) -> Any:
    from proactive_jupyter_kernel.scheduler.attempt import Attempt, Slot
    from proactive_jupyter_kernel.workflow.model import Script

    return Attempt(
        job_id=1,
        job_name="J",
        task_id=0,
        task_name="T",
        number=1,
        owner="u",
        slot=Slot(name="local-0"),
        main=Script(language="cpython", code=code),
        generic_information=information,
    )
