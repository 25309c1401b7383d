"""Which Python runs the Python tasks of a job (generic information ``PYTHON_COMMAND``), for every way to submit one.

A job that names one keeps it. The embedded scheduler gets this interpreter: it serves notebooks of several
environments, and the tasks of each need the packages of theirs. A server gets ``python3``: its own default is
``python``, which many machines do not have.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from proactive_jupyter_kernel.errors import WorkflowError
from proactive_jupyter_kernel.workflow.model import Script, Task, Workflow

__all__ = ["python_command"]

NAME = "PYTHON_COMMAND"
ON_A_SERVER = "python3"


def python_command(workflow: Workflow | str | bytes, *, embedded: bool) -> dict[str, str]:
    """The generic information to add; empty where the job names its Python itself, or has no Python on a server."""
    if not isinstance(workflow, Workflow):
        return _of_text(workflow.encode("utf-8") if isinstance(workflow, str) else workflow, embedded=embedded)
    if NAME in workflow.generic_information:
        return {}
    if embedded:
        return {NAME: sys.executable}
    return {NAME: ON_A_SERVER} if any(_is_python(task) for task in workflow.tasks) else {}


def _of_text(xml: bytes, *, embedded: bool) -> dict[str, str]:
    # Reading a large workflow takes a while; most need not be read. UTF-16 hides the words from this test.
    relevant = NAME.encode() if embedded else b"ython"
    if relevant not in xml and b"\0" not in xml:
        return {NAME: sys.executable} if embedded else {}
    from proactive_jupyter_kernel.workflow.formats import xml as xml_format

    try:
        return python_command(xml_format.loads(xml).workflow, embedded=embedded)
    except WorkflowError:
        return {NAME: sys.executable} if embedded else {}


def _is_python(task: Task) -> bool:
    return any(isinstance(script, Script) and script.language == "cpython" for script in _scripts(task))


def _scripts(task: Task) -> Iterable[object]:
    return task.executable, task.pre, task.post, task.clean
