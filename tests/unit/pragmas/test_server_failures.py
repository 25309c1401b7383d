"""Failures as a ProActive server reports them, recorded, in the words of the notebook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from proactive_jupyter_kernel.errors import JobFailed
from proactive_jupyter_kernel.testing.memory_jobs import ScriptedOutcome
from proactive_jupyter_kernel.workflow.status import TaskStatus

TOLD = [
    (
        "py_raise",
        "#%task(A)\nprint('before')\nraise ValueError('bad é')",
        "Traceback (most recent call last):\n      Cell In[1], line 3, in <module>\n"
        "        raise ValueError('bad é')\n    ValueError: bad é",
    ),
    ("py_exit3", "#%task(A)\n3", "Failed to execute task: Python process execution has failed with exit code 3"),
    (
        "sh_exit2",
        "#%task(A, language=bash)\nexit 2",
        "oops\n    Failed to execute task: Script failed with exit code 2",
    ),
    (
        "g_throw",
        "#%task(A, language=groovy)\nthrow x",
        "Failed to execute task: java.lang.IllegalStateException: bad",
    ),
    (
        "g_syntax",
        "#%task(A, language=groovy)\ndef (",
        "Failed to execute task: org.codehaus.groovy.control.MultipleCompilationErrorsException: startup failed:\n"
        "    Cell In[1], line 2: unexpected token:  @ line 1, column 6.\n       def (\n            ^\n    1 error",
    ),
]


@pytest.mark.parametrize(("task", "cell", "told"), TOLD)
def test_recorded_failures(notebook, recorded: Callable[[str, str], Any], task: str, cell: str, told: str) -> None:
    """The message with the exit code and the line of the cell, once, without a frame of Java's."""
    answer = recorded("09-faults", f"GET /jobs/<JOB1>/tasks/{task}/result")
    lines = tuple(("err", line) for line in answer["output"]["stderrLogs"].splitlines())
    failure = answer["exceptionMessage"]
    notebook.server.outcomes["A"] = ScriptedOutcome(failure=failure, trace=failure, lines=lines)
    notebook.run(cell)
    notebook.run("#%submit_job()")
    with pytest.raises(JobFailed) as caught:
        notebook.run("#%get_task_result(A)")
    assert caught.value.message.split("A (Faulty):\n    ")[1] == told


def test_killed_task_without_an_exception(notebook) -> None:
    """A server has neither exception nor output for it."""
    notebook.server.outcomes["A"] = ScriptedOutcome(failure="", status=TaskStatus.ABORTED)
    notebook.run("#%task(A)\n1\n#%submit_job()")
    with pytest.raises(JobFailed) as caught:
        notebook.run("#%get_task_result(A)")
    assert (
        caught.value.message.split("A (Aborted):\n    ")[1] == "The task was killed while it ran: it left no message."
    )


@pytest.mark.parametrize(
    ("language", "failure", "told"),
    [
        (
            "groovy",
            "groovy.lang.MissingPropertyException: No x\n\tat Script7.run(Script7.groovy:2)",
            "groovy.lang.MissingPropertyException: No x\n        at Cell In[1], line 3",
        ),
        (
            "javascript",
            'ReferenceError: "x" is not defined in <eval> at line number 2',
            'ReferenceError: "x" is not defined in Cell In[1], line 3',
        ),
    ],
)
def test_lines_of_other_languages(notebook, language: str, failure: str, told: str) -> None:
    """A server's names for a script become the cell."""
    trace = f"{failure}\n\tat a.B.c(B.java:1)\n"
    notebook.server.outcomes["A"] = ScriptedOutcome(failure=f"Failed to execute task: {trace}", trace=trace)
    notebook.run(f"#%task(A, language={language})\ny\nx\n#%submit_job()")
    with pytest.raises(JobFailed) as caught:
        notebook.run("#%get_task_result(A)")
    assert caught.value.message.split("A (Faulty):\n    ")[1] == f"Failed to execute task: {told}"
