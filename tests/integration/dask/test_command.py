"""The executor of a scheduler on the command line: chosen, kept, shown, and what is said where it cannot be had."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.dask

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    """Runs ``proactive-kernel scheduler`` on a data folder of its own."""

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **{name: value for name, value in os.environ.items() if name != "PROACTIVE_KERNEL_EXECUTOR"},
            "PROACTIVE_KERNEL_DATA_DIR": str(tmp_path / "data"),
            "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
            **more,
        }
        line = [sys.executable, "-m", "proactive_jupyter_kernel", "scheduler", *arguments]
        return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=100, check=False)

    yield run
    run("stop")


def test_the_choice_lasts(command: Command) -> None:
    """A later start needs no option; `local` takes the choice back, once the scheduler has stopped."""
    assert command("start", "--executor", "dask://local?workers=1").returncode == 0
    assert "Tasks run on: dask://local?workers=1\nStatus: STARTED" in command("status").stdout
    changed = command("start", "--executor", "local")
    assert "It runs its tasks on dask://local?workers=1: stop it, then start it again" in changed.stderr
    assert ("run them on local" in changed.stderr, changed.returncode) == (True, 1)
    command("stop")
    command("start")
    assert json.loads(command("status", "--json").stdout)["executor"] == "local"


def test_a_cluster_that_is_not_there_is_named(command: Command) -> None:
    """The scheduler starts, for its jobs can be read, and says that the Dask scheduler does not answer."""
    started = command("start", "--executor", "dask://127.0.0.1:9")
    assert started.returncode == 0
    assert "The Dask scheduler at tcp://127.0.0.1:9 does not answer" in started.stderr
    status = command("status")
    assert "Nodes: 0 of 0 free.\n  The Dask scheduler at tcp://127.0.0.1:9 does not answer: " in status.stdout
    assert "does not answer" not in status.stderr


def test_a_wrong_executor_is_refused(command: Command) -> None:
    """Before anything is started or kept, with the forms that are known."""
    refused = command("start", "--executor", "dusk")
    assert refused.returncode == 2
    assert "'dusk' must be local, dask, dask://local?workers=4 or dask://HOST:PORT" in " ".join(refused.stderr.split())


def test_dask_that_is_not_installed_is_named(command: Command, tmp_path: Path) -> None:
    """With the extra to install."""
    hidden = tmp_path / "hidden" / "distributed"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'distributed'\")")
    failed = command("start", "--executor", "dask", PYTHONPATH=str(hidden.parent))
    assert failed.returncode == 1
    said = " ".join(failed.stderr.split())
    assert "Tasks cannot run on Dask: No module named 'distributed'." in said
    assert 'pip install "proactive-jupyter-kernel[dask]"' in said
