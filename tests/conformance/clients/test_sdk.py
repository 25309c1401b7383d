"""The PyPI package `proactive`, unmodified, with its Java machine, against the embedded scheduler."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel import Scheduler as OurScheduler
from proactive_jupyter_kernel.workflow import Task, Workflow
from proactive_jupyter_kernel.workflow.model import Script

#: What a version calls at least; a table that lost its rows would prove nothing.
VERSIONS = [("sdk-13", 150), ("sdk-14", 200)]

SOURCES = Path(__file__).parents[3] / "build" / "conformance" / "sources"


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("name", "least"), VERSIONS)
def test_every_call_gives_what_it_should(
    name: str,
    least: int,
    client: Callable[[str], Any],
    scheduler: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The table of programs/sdk.py; and a job of ours and a job of the SDK see each other."""
    sdk = client(name)
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", scheduler.environment["JUPYTER_RUNTIME_DIR"])
    folder = tmp_path / "work"
    folder.mkdir()
    with OurScheduler.embedded(scheduler.home / "data") as ours:
        job = ours.submit(
            Workflow(
                name="ours", tasks=(Task(name="mine", executable=Script(language="cpython", code="result = 'ours'")),)
            )
        )
        calls = sdk.calls("sdk.py", scheduler.url, folder, str(job.id))
        seen = ours.get_job("chain").wait(timeout=30)
        assert [row for row in calls if not row["right"]] == []
        assert len(calls) >= least
        assert (seen.status.label, ours.get_job("chain").result("second").value) == ("Finished", 43)


@pytest.mark.timeout(400)
def test_the_tests_and_scripts_of_its_source_packages_pass(
    client: Callable[[str], Any], scheduler: Any, tmp_path: Path
) -> None:
    """As they are in the packages; see programs/own_tests.py."""
    folder = tmp_path / "work"
    folder.mkdir()
    calls = client("sdk-14").calls("own_tests.py", scheduler.url, folder, str(SOURCES))
    assert [row for row in calls if not row["right"]] == []
    assert len(calls) >= 26
