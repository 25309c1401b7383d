"""What a process may have written in place of a report, and how it is judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import FailureKind
from proactive_jupyter_kernel.scheduler.runtimes.base import REPORT, how_it_ended
from proactive_jupyter_kernel.scheduler.runtimes.bindings import Bindings
from proactive_jupyter_kernel.scheduler.runtimes.registry import runtime_for
from proactive_jupyter_kernel.scheduler.runtimes.stage import Launch, Stage, StageKind, StageReport
from proactive_jupyter_kernel.workflow.model import Script


def conclude(folder: Path, content: Any, exit_code: int = 0, limit: int = 1000) -> StageReport:
    """Judge a report in a stage of a Python task."""
    if content is not None:
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / REPORT).write_text(text, encoding="utf-8")
    script = Script(language="cpython")
    stage = Stage(kind=StageKind.MAIN, task_name="T", script=script, bindings=Bindings(), folder=folder, limit=limit)
    return runtime_for("cpython").conclude(stage, Launch(programs=("python",)), exit_code)


def test_good_report(tmp_path: Path) -> None:
    """Everything in a good report is taken over; metadata become texts."""
    content = {
        "values": {"result": [1, {"$type": "bytes", "value": "eA=="}]},
        "variablesSet": {"a": None},
        "variablesRemoved": ["b"],
        "resultMap": {"m": 1.5},
        "resultMetadata": {"n": 1, "t": "x"},
        "forkEnvironment": None,
    }
    assert conclude(tmp_path, content) == StageReport(
        exit_code=0,
        values=content["values"],  # type: ignore[arg-type]
        variables_set={"a": None},
        variables_removed=("b",),
        result_map={"m": 1.5},
        metadata={"n": "1", "t": "x"},
    )


def test_no_report(tmp_path: Path) -> None:
    """A process that ends without a report has died; one that said that all is well (``os._exit(0)``) has not."""
    assert conclude(tmp_path, None, 0) == StageReport(exit_code=0)
    failure = conclude(tmp_path, None, 3).failure
    assert failure is not None
    assert (failure.kind, failure.message) == (
        FailureKind.DIED,
        "Failed to execute task: the Python process ended with exit code 3 before the script did",
    )


def test_error(tmp_path: Path) -> None:
    """A script's error is told after the exit code, in one line, with its trace; its variables count."""
    content = {"error": {"type": "E", "message": "a\nb", "trace": "T"}, "exit": 1, "variablesSet": {"v": 1}}
    report = conclude(tmp_path, content, 1)
    assert report.failure is not None
    assert (report.failure.message, report.failure.stack_trace) == (
        "Failed to execute task: Python process execution has failed with exit code 1: E: a b",
        "T",
    )
    assert report.variables_set == {"v": 1}


def test_crash_after_the_report(tmp_path: Path) -> None:
    """A process that crashes when its script has ended well has failed, as on a server."""
    failure = conclude(tmp_path, {"values": {"result": 1}}, -11).failure
    assert failure is not None
    assert failure.message == "Failed to execute task: Python process execution has failed with exit code 139"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"values": 3}',
        '{"values": {"result": NaN}}',
        '{"values": {"result": {"$type": "nonsense", "value": 1}}}',
        '{"variablesSet": {"v": {"$type": "decimal", "value": "x"}}}',
        '{"variablesRemoved": "a"}',
        '{"exit": "1"}',
        '{"values": {"result": ' + "[" * 100_000,
        "\ud83d".encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
def test_rubbish(tmp_path: Path, content: str) -> None:
    """Whatever else a process wrote there fails the task, and nothing more."""
    report = conclude(tmp_path, content, limit=1_000_000)
    assert report.failure is not None
    assert report.failure.message.startswith("Failed to execute task: the report of its process cannot be read (")


def test_too_large(tmp_path: Path) -> None:
    """A report over the limit is not even read."""
    failure = conclude(tmp_path, {"values": {"result": "x" * 2000}}).failure
    assert failure is not None
    assert "more than the 1,000 bytes that may travel" in failure.message


def test_long_name(tmp_path: Path) -> None:
    """A variable's name has the length that a server's database takes."""
    failure = conclude(tmp_path, {"variablesSet": {"n" * 256: 1}}).failure
    assert failure is not None
    assert "has 256 characters, more than 255" in failure.message


@pytest.mark.parametrize(
    ("code", "text"),
    [(3, "ended with exit code 3"), (-9, "was ended by signal 9 (SIGKILL)"), (-99, "was ended by signal 99")],
)
def test_how_it_ended(code: int, text: str) -> None:
    """Exit codes and signals in words."""
    assert how_it_ended(code) == text
