"""Which Python runs the tasks of a job, on the embedded scheduler and on a server."""

from __future__ import annotations

import sys

import pytest

from proactive_jupyter_kernel.client.jobs.python_command import python_command
from proactive_jupyter_kernel.workflow.formats import xml

JOB = '<job xmlns="urn:proactive:jobdescriptor:3.14" name="job">{}<taskFlow><task name="t">{}</task></taskFlow></job>'
INFORMATION = '<genericInformation><info name="PYTHON_COMMAND" value="python9"/></genericInformation>'
SCRIPT = '<scriptExecutable><script><code language="{}">{}</code></script></scriptExecutable>'
BASH = SCRIPT.format("bash", "true")
PYTHON = SCRIPT.format("cpython", "pass")
PRE = f'<pre><script><code language="cpython">pass</code></script></pre>{BASH}'

OURS = {"PYTHON_COMMAND": sys.executable}
PYTHON3 = {"PYTHON_COMMAND": "python3"}


@pytest.mark.parametrize(
    ("text", "embedded", "on_a_server"),
    [
        (JOB.format("", BASH), OURS, {}),
        (JOB.format("", PYTHON), OURS, PYTHON3),
        (JOB.format("", PRE), OURS, PYTHON3),
        (JOB.format("", SCRIPT.format("bash", "echo PYTHON_COMMAND")), OURS, {}),
        (JOB.format("", INFORMATION + PYTHON), OURS, PYTHON3),
        (JOB.format(INFORMATION, PYTHON), {}, {}),
    ],
)
def test_a_job_that_names_no_python_gets_one(text: str, embedded: object, on_a_server: object) -> None:
    """The job's own generic information counts, not a task's; XML and model give the same."""
    workflow = xml.loads(text).workflow
    for source in (text, text.encode(), workflow):
        found = python_command(source, embedded=True), python_command(source, embedded=False)
        assert found == (embedded, on_a_server)


def test_any_encoding_is_read() -> None:
    """UTF-16 hides no PYTHON_COMMAND."""
    assert python_command(JOB.format(INFORMATION, PYTHON).encode("utf-16"), embedded=True) == {}


def test_text_that_is_not_a_workflow_is_left_to_the_scheduler() -> None:
    """The scheduler refuses it, and says why."""
    text = "PYTHON_COMMAND python in rubbish"
    assert (python_command(text, embedded=True), python_command(text, embedded=False)) == (OURS, {})
