"""A notebook whose file the front end tells, over a restart of its kernel: its last job, and its journal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def kernel(start_kernel: Callable[..., Any], home: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A kernel as Jupyter Server starts it for a notebook."""
    monkeypatch.setenv("JPY_SESSION_NAME", str(home / "remembered.ipynb"))
    return start_kernel()


def test_the_last_job_and_the_draft_outlive_the_kernel(kernel: Any) -> None:
    """The job at once; the draft when told."""
    kernel.run("#%configure(journal=on)", cell="configure")
    kernel.run("#%task(name=Answer)\nresult = 42", cell="answer")
    kernel.run("#%submit_job(name=Remembered, wait=on, draw=off)", cell="submit")
    kernel.restart()
    result = kernel.run("#%get_task_result(task_name=Answer)", cell="result")
    assert "1 cell, tasks Answer. #%draft(restore=on) restores it" in result.stream()
    assert result.data() == ["Answer: 42"]
    assert "there is no task to submit yet" in kernel.run("#%submit_job()", cell="submit").content["evalue"]
    restored = kernel.run("#%draft(restore=on)", cell="draft")
    assert restored.stream().startswith("Restored the draft from 1 cell. Tasks: Answer.\n")
    again = kernel.run("#%submit_job(wait=on, draw=off)\n#%get_job_result(into=found)\nfound", cell="submit")
    assert (again.status, again.data()[-1]) == ("ok", "{'Answer': 42}")
