"""`trust=on`: a value that can run code of whoever wrote it is opened for jobs of others only when asked for."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.errors import UntrustedValue
from proactive_jupyter_kernel.testing.memory_scheduler import ScriptedOutcome
from proactive_jupyter_kernel.workflow.python_tasks import tagged


class _Model:
    """What only a pickle can carry."""


@pytest.fixture
def fitted(notebook, monkeypatch):
    """A notebook that sees a job of another user, whose result is a model."""
    notebook.server.outcomes["Fit"] = ScriptedOutcome(result=tagged.encode(_Model()))
    notebook.run("#%task(Fit)\nresult = 1\n#%submit_job(name=fit)")
    notebook.server.finish(1)
    monkeypatch.setattr(Scheduler, "is_mine", lambda scheduler, job_id: False)
    return notebook


PRAGMAS = {
    "#%get_task_result(Fit, job_id=1, into=found{})": lambda found: found,
    "#%get_job_result(job_id=1, into=found{})": lambda found: found["Fit"],
}


@pytest.mark.parametrize("pragma", PRAGMAS)
def test_value_of_a_foreign_job_is_not_opened(fitted, pragma: str) -> None:
    """The error says what it is and names the way."""
    with pytest.raises(UntrustedValue, match=r"_Model") as refused:
        fitted.run(pragma.format(""))
    assert "trust=on" in str(refused.value)
    assert "found" not in fitted.frontend.namespace


@pytest.mark.parametrize("pragma", PRAGMAS)
def test_trust_opens_it(fitted, pragma: str) -> None:
    """For this one pragma."""
    fitted.run(pragma.format(", trust=on"))
    assert isinstance(PRAGMAS[pragma](fitted.frontend.namespace["found"]), _Model)


@pytest.mark.parametrize(
    ("mine", "trust", "expected"), [(False, "", False), (False, ", trust=on", True), (True, "", True)]
)
def test_markup_of_a_foreign_job_is_shown_as_text(
    notebook, monkeypatch, mine: bool, trust: str, expected: bool
) -> None:
    """Unless `trust=on` says otherwise."""
    page = ScriptedOutcome(result="<b>x</b>", metadata={"content.type": "text/html"})
    notebook.server.outcomes["Page"] = page
    notebook.run("#%task(Page)\nresult = 1\n#%submit_job(name=page)")
    notebook.server.finish(1)
    monkeypatch.setattr(Scheduler, "is_mine", lambda scheduler, job_id: mine)
    notebook.run(f"#%get_job_result(job_id=1{trust})")
    notebook.run(f"#%get_task_result(Page, job_id=1{trust})")
    assert [value.trusted for value in notebook.frontend.values] == [expected, expected]
