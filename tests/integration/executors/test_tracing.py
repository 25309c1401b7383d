"""The steps of a task's life that its node takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.executors.conftest import Lab

from proactive_jupyter_kernel.scheduler.monitoring import tracing


def test_a_node_marks_the_steps_of_each_attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them, in order, for the right task; the script runs before the end of its process is known."""
    file = tmp_path / "trace"
    monkeypatch.setenv(tracing.VARIABLE, str(file))
    lab = Lab(tmp_path / "scratch")
    try:
        attempts = [lab.attempt("import time\nresult = time.monotonic_ns()") for _ in range(2)]
        began = [lab.run(attempt).value for attempt in attempts]
    finally:
        lab.close()
    found = tracing.read(file.read_text(encoding="ascii"))
    lives = [found[7, attempt.task_id] for attempt in attempts]
    assert [sorted(life, key=lambda step: life[step]) for life in lives] == [
        ["taken", "forked", "exited", "delivered"]
    ] * 2
    # The script may begin before the node has marked the fork.
    assert all(life["taken"] < at < life["exited"] for life, at in zip(lives, began, strict=True))
