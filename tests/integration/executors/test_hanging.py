"""What runs a task is stopped, signaled or killed: the task can be killed, its walltime counts, the next one runs."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.integration.executors.conftest import until

from proactive_jupyter_kernel.scheduler.attempt import FailureKind
from proactive_jupyter_kernel.scheduler.executors import work, working_node

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes cannot be stopped here")

#: Of a bash task the parent is the node; of a Python task it is the template.
STOPPING = {
    "bash": "touch {ready}; kill -STOP $PPID; sleep 300",
    "cpython": "import os, time\nos.kill(os.getppid(), 19)\nopen({ready!r}, 'w')\ntime.sleep(300)",
}


@pytest.mark.parametrize("language", STOPPING)
def test_parent_stopped(
    language: str, labs: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task whose parent does not run any more can be killed."""
    monkeypatch.setattr(working_node, "PATIENCE", 0.5)
    lab = labs()
    ready = tmp_path / "ready"
    run = lab.kill_when(lab.attempt(STOPPING[language].format(ready=str(ready)), language), ready.exists)
    again = lab.run("result = 1")
    assert (run.outcome.failure.kind, again.value, lab.left()) == (FailureKind.KILLED, 1, [])


def test_node_stopped_over_its_walltime(labs: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The walltime of a task counts, too, when its node cannot end it."""
    monkeypatch.setattr(working_node, "PATIENCE", 0.5)
    monkeypatch.setattr(work, "_LATE", 0.1)
    run = labs().run("kill -STOP $PPID; sleep 300", "bash", walltime=0.5)
    assert run.outcome.failure.kind is FailureKind.WALLTIME


def test_idle_node_stopped(labs: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that was stopped while it had no work ends with its executor."""
    monkeypatch.setattr(working_node, "PATIENCE", 0.5)
    monkeypatch.setattr("proactive_jupyter_kernel.scheduler.executors.nodes.PATIENCE", 0.5)
    lab = labs()
    pid = int(lab.run("echo $PPID", "bash").out)
    os.kill(pid, signal.SIGSTOP)
    lab.do(lab.executor.close())
    assert not lab.is_running(pid)


def test_signals_to_the_parent(lab: Any) -> None:
    """What asks a process to end does not end a node."""
    run = lab.run("for name in TERM HUP INT; do kill -$name $PPID; done; sleep 0.2", "bash")
    assert run.outcome.failure is None


def test_idle_node_killed(labs: Callable[..., Any]) -> None:
    """Nothing is left of a node that is killed while it has no work."""
    lab = labs()
    os.kill(int(lab.run("echo $PPID", "bash").out), signal.SIGKILL)
    lab.do(until(lambda: not list(lab.folder.iterdir())))
    assert lab.run("result = 1").value == 1


def test_fork_server_killed(labs: Callable[..., Any]) -> None:
    """Without their fork server nodes end after their work, because nobody would inherit what they leave."""
    lab = labs()
    node = int(lab.run("echo $PPID", "bash").out)
    os.kill(psutil.Process(node).ppid(), signal.SIGKILL)
    lab.do(until(lambda: not lab.is_running(node)))
    assert lab.run("result = 1").value == 1
