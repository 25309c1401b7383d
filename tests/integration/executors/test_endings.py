"""Killed, out of time, crashed: nothing of a task stays behind, however it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from proactive_jupyter_kernel.scheduler.attempt import FailureKind

#: Starts children in every way in which a shell can let them go, and notes their numbers.
FAMILY = """
sleep 300 &
echo $! > {space}/child
setsid sleep 300 &
echo $! > {space}/session
(setsid sh -c 'echo $$ > {space}/orphan; exec sleep 300' &)
while [ ! -s {space}/orphan ]; do sleep 0.01; done
touch {space}/ready
"""


def pids(space: Path) -> list[int]:
    return [int((space / name).read_text()) for name in ("child", "session", "orphan")]


def test_kill_ends_the_family(lab: Any, tmp_path: Path) -> None:
    """A kill ends the task with its children, those with sessions of their own and orphans included."""
    attempt = lab.attempt(FAMILY.format(space=tmp_path) + "wait; sleep 300", "bash")
    run = lab.kill_when(attempt, (tmp_path / "ready").exists)
    failure = run.outcome.failure
    assert (failure.kind, failure.exception, failure.message) == (
        FailureKind.KILLED,
        "TaskAbortedException",
        "The task has been manually killed.",
    )
    assert [lab.is_running(pid) for pid in pids(tmp_path)] == [False, False, False]


def test_kill_of_python_family(lab: Any, tmp_path: Path) -> None:
    """Workers of a pool end with their task."""
    code = (
        "import multiprocessing, os, time, warnings\nwarnings.simplefilter('ignore')\n"
        "pool = multiprocessing.get_context('fork').Pool(2)\n"
        "found = [process.pid for process in pool._pool]\n"
        f"open({str(tmp_path / 'part')!r}, 'w').write(' '.join(map(str, found)))\n"
        f"os.rename({str(tmp_path / 'part')!r}, {str(tmp_path / 'pids')!r})\n"
        "time.sleep(300)"
    )
    lab.kill_when(lab.attempt(code), (tmp_path / "pids").exists)
    assert [lab.is_running(int(pid)) for pid in (tmp_path / "pids").read_text().split()] == [False, False]


def test_normal_end_ends_what_is_left(lab: Any, tmp_path: Path) -> None:
    """What a task leaves running is ended with it, and does not keep it from ending."""
    run = lab.run(FAMILY.format(space=tmp_path), "bash")
    assert run.value == 0
    assert [lab.is_running(pid) for pid in pids(tmp_path)] == [False, False, False]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only the environment tells")
def test_process_without_environment(lab: Any, tmp_path: Path) -> None:
    """A process that a task has let go of, in a session of its own and without an environment, ends with the task."""
    code = (
        f"(env -i setsid sh -c 'echo $$ > {tmp_path}/pid; exec sleep 300' &)\nwhile [ ! -s {tmp_path}/pid ]; do :; done"
    )
    assert lab.run(code, "bash").value == 0
    assert not lab.is_running(int((tmp_path / "pid").read_text()))


def test_spared(lab: Any, tmp_path: Path) -> None:
    """With DISABLE_PTK what a task leaves running lives on."""
    run = lab.run(FAMILY.format(space=tmp_path), "bash", generic_information={"DISABLE_PTK": "true"})
    try:
        assert run.value == 0
        lab.run("setsid true & true", "bash")
        assert [lab.is_running(pid) for pid in pids(tmp_path)] == [True, True, True]
    finally:
        for pid in pids(tmp_path):
            os.kill(pid, signal.SIGKILL)


def test_kind_end(lab: Any, tmp_path: Path) -> None:
    """A task that listens to the signal may tidy up; one that does not is killed all the same."""
    polite = f"trap 'echo tidied > {tmp_path}/tidied; exit' TERM; touch {tmp_path}/ready; while :; do sleep 0.01; done"
    lab.kill_when(lab.attempt(polite, "bash"), (tmp_path / "ready").exists)
    assert (tmp_path / "tidied").read_text() == "tidied\n"
    stubborn = f"trap '' TERM; echo $$ > {tmp_path}/pid; while :; do sleep 0.01; done"
    run = lab.kill_when(
        lab.attempt(stubborn, "bash"), lambda: bool((tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    )
    assert run.outcome.failure.kind is FailureKind.KILLED
    assert not lab.is_running(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize("language", ["cpython", "bash"])
def test_kill_during_the_start(lab: Any, tmp_path: Path, language: str) -> None:
    """An attempt that is killed at any moment of its start does not run to its end: no signal is lost."""
    ended = tmp_path / "ended"
    code = {
        "cpython": f"import time\ntime.sleep(0.25)\nopen({str(ended)!r}, 'w')",
        "bash": f"sleep 0.25; touch {ended}",
    }[language]

    async def scene(milliseconds: float) -> Any:
        attempt = lab.attempt(code, language)
        task = asyncio.create_task(lab.start(attempt, []))
        await asyncio.sleep(milliseconds / 1000)
        await lab.executor.kill(attempt.key)
        return (await task).failure.kind

    kinds = {lab.do(scene(milliseconds)) for milliseconds in (0, 1, 2, 3, 4, 6, 9, 15)}
    assert (kinds, ended.exists()) == ({FailureKind.KILLED}, False)


def test_kill_of_unknown(lab: Any) -> None:
    """Killing what does not run does nothing."""
    lab.do(lab.executor.kill("1t1-1"))


def test_walltime(lab: Any, tmp_path: Path) -> None:
    """A task that runs into its walltime is ended with its children, and its log says why."""
    run = lab.run(FAMILY.format(space=tmp_path) + "wait", "bash", walltime=1.5)
    failure = run.outcome.failure
    assert (failure.kind, failure.exception, failure.message) == (
        FailureKind.WALLTIME,
        "WalltimeExceededException",
        "Walltime of 1500 ms reached on task T",
    )
    assert run.err.endswith("Walltime of 1500 ms reached on task T\n")
    assert run.outcome.flow_decided is False
    assert [lab.is_running(pid) for pid in pids(tmp_path)] == [False, False, False]


def test_walltime_covers_all_scripts(lab: Any) -> None:
    """The walltime counts from the first script to the last."""
    run = lab.run("", post=lab.script("sleep 60", "bash"), walltime=0.8)
    assert run.outcome.failure.kind is FailureKind.WALLTIME


def test_read_only_folders_are_removed(lab: Any) -> None:
    """A folder that a task made read-only is removed all the same."""
    assert lab.run("mkdir -p a/b; touch a/b/c; chmod -R a-w a", "bash").value == 0
    assert lab.left() == []


def test_processes_are_known_by_cookie(lab: Any) -> None:
    """Every process of a task carries its attempt's cookie."""
    assert len(lab.run("result = os.environ['PROACTIVE_TASK_COOKIE']").value) == 32


HOST = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {here!r})
import importlib.util
spec = importlib.util.spec_from_file_location("lab_conftest", {here!r} + "/conftest.py")
module = importlib.util.module_from_spec(spec)
sys.modules["lab_conftest"] = module
spec.loader.exec_module(module)
lab = module.Lab(Path({scratch!r}), warm={warm})
code = Path({script!r}).read_text()
lab.run(code, "bash")
"""


@pytest.mark.parametrize("warm", [True, False])
def test_killed_scheduler(tmp_path: Path, warm: bool) -> None:
    """When the process that hosts the executor is killed, its nodes end their tasks and themselves, however tasks are
    started; a successor finds nothing left."""
    space, scratch = tmp_path / "space", tmp_path / "scratch"
    space.mkdir()
    (tmp_path / "script").write_text(FAMILY.format(space=space) + "wait; sleep 300")
    here = str(Path(__file__).parent)
    source = HOST.format(here=here, scratch=str(scratch), warm=warm, script=str(tmp_path / "script"))
    process = subprocess.Popen([sys.executable, "-c", source], start_new_session=True)
    try:
        wait_for(lambda: (space / "ready").exists())
        journal = json.loads(next(scratch.glob("node-*.json")).read_text())
        process.kill()
        process.wait()
        everyone = [*pids(space), *(pid for pid, _ in journal["processes"])]
        wait_for(lambda: not any(map(is_running, everyone)))
        successor(scratch)
        assert [pid for pid in everyone if is_running(pid)] == []
        assert list(scratch.iterdir()) == []
    finally:
        process.kill()
        process.wait()


def successor(scratch: Path) -> None:
    from proactive_jupyter_kernel.scheduler.nodes.scratch import clean_up

    clean_up(scratch)


def wait_for(ready: Any, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
