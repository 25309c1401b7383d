"""`#%submit_job(from=T)` and `only=[T]`."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.errors import PragmaError
from proactive_jupyter_kernel.testing.memory_scheduler import ScriptedOutcome
from proactive_jupyter_kernel.workflow.formats import xml
from proactive_jupyter_kernel.workflow.model import Script

CHAIN = "#%task(A)\nresult = 1\n#%task(B, dep=A)\nresult = 2\n#%task(C, dep=B)\nresult = 3"


def submitted(notebook, job_id: int) -> dict[str, tuple[tuple[str, ...], str]]:
    """The tasks of a job: what they depend on, and their code."""
    tasks = xml.loads(notebook.context.scheduler.xml(job_id)).workflow.tasks
    return {one.name: (one.depends, one.executable.code if isinstance(one.executable, Script) else "") for one in tasks}


def test_a_part_runs_with_the_results_of_the_last_job(notebook) -> None:
    """The answer says whose results are used, the workflow where they came from."""
    notebook.server.outcomes["B"] = ScriptedOutcome(result=[1, "two"])
    notebook.run(CHAIN + "\n#%submit_job(name=chain, wait=on)")
    assert notebook.run("#%task(C, dep=B)\nresult = 4\n#%submit_job(from=C)") == [
        "* Redefined task C (Python, after B).",
        "* Results of job 1 ('chain') are used for B. Not needed: A.",
    ]
    parents, script = submitted(notebook, 2)["C"]
    # On a server there is code around it.
    assert (parents, script.split("\n").count("result = 4")) == (("B",), 1)
    assert submitted(notebook, 2)["B"] == (
        (),
        "# What B returned in job 1, and the variables that it handed on.\nresult = [1, 'two']",
    )
    stored = xml.loads(notebook.context.scheduler.xml(2)).workflow.task("B")
    assert (stored.description, dict(stored.generic_information)) == (
        "The result of B in job 1.",
        {"RESULT_OF": "job 1: B"},
    )


def test_a_part_that_needs_no_result_says_so(notebook) -> None:
    """A first task follows nothing."""
    notebook.run("#%task(A)\n1\n#%task(B)\n2\n#%submit_job(wait=on)")
    assert notebook.run("#%submit_job(from=B)") == ["* No result of job 1 ('Unnamed_job') is used. Not needed: A."]


def test_only_some_tasks_run(notebook) -> None:
    """Nothing that follows them."""
    notebook.run(CHAIN + "\n#%submit_job(wait=on)")
    assert notebook.run("#%submit_job(only=[B])") == [
        "* Results of job 1 ('Unnamed_job') are used for A. Not needed: C."
    ]
    assert list(submitted(notebook, 2)) == ["A", "B"]


def test_code_that_changed_before_is_a_warning(notebook) -> None:
    """The old result is used, and may not be what is wanted."""
    notebook.run(CHAIN + "\n#%submit_job(wait=on)")
    notebook.run("#%task(B, dep=A)\nresult = 'new'")
    assert notebook.run("#%submit_job(from=C)") == [
        "* Results of job 1 ('Unnamed_job') are used for B. Not needed: A.",
        "! The code of B changed since job 1; the results of the old code are used. from=B would run it again.",
    ]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("#%submit_job(from=D)", "there is no task 'D'."),
        ("#%submit_job(only=[])", "only names no task."),
        ("#%submit_job(from=[])", "from names no task."),
        ("#%submit_job(from=B, only=C)", "from and only cannot go together: from also runs what follows."),
        ("#%submit_job(job_id=1)", "job_id says whose results are used, and needs from or only."),
        ("#%submit_job(from=C)", "job 1 has no result of B (Faulty), which must have finished without an error."),
    ],
)
def test_what_is_refused(notebook, cell: str, expected: str) -> None:
    """Before anything is submitted."""
    notebook.server.outcomes["B"] = ScriptedOutcome(failure="no")
    notebook.run(CHAIN + "\n#%submit_job()")
    notebook.server.finish(1)
    with pytest.raises(PragmaError) as refused:
        notebook.run(cell)
    assert expected in str(refused.value)
    assert list(notebook.server.jobs) == [1]


def test_without_an_earlier_job_there_are_no_results(notebook) -> None:
    """The message says how to name one."""
    notebook.run(CHAIN)
    with pytest.raises(PragmaError, match="no job with results that could be used was submitted from this notebook"):
        notebook.run("#%submit_job(from=C)")


def test_a_job_that_ran_a_part_names_the_job_before_it(notebook) -> None:
    """The last job may lack what an earlier one has."""
    notebook.run(CHAIN + "\n#%submit_job(wait=on)\n#%submit_job(from=C, wait=on)")
    with pytest.raises(PragmaError, match="Job 2 ran a part, with results of job 1: job_id=1"):
        notebook.run("#%submit_job(from=B)")
    notebook.run("#%submit_job(from=B, job_id=1)")
    assert list(submitted(notebook, 3)) == ["A", "B", "C"]
