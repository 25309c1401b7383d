"""What a server refuses although the schema allows it: names that are too long, contradicting account settings.

The limits are those of the server's database and parser.
"""

from __future__ import annotations

from collections.abc import Iterator

from proactive_jupyter_kernel.workflow.checks.problem import Problem
from proactive_jupyter_kernel.workflow.model import Task, Workflow

__all__ = ["account_problems", "limit_problems", "name_problems"]

#: The server's columns for the names of jobs and tasks (``JobData``, ``TaskData``); keys of generic information may be
#: longer.
_LONGEST_NAME = 255


def limit_problems(workflow: Workflow) -> Iterator[Problem]:
    """All problems, in the order of the workflow."""
    yield from name_problems(workflow.name)
    for task in workflow.tasks:
        yield from name_problems(task.name, task.name)
        yield from account_problems(task)


def name_problems(name: str, task: str = "") -> Iterator[Problem]:
    """The limit for the names of jobs and tasks; the suffixes of copies count as well, but are not known in advance."""
    if len(name) > _LONGEST_NAME:
        message = f"the name has {len(name)} characters; at most {_LONGEST_NAME} fit"
        yield Problem(code="PA104", message=message, task=task)


def account_problems(task: Task) -> Iterator[Problem]:
    """A task that runs under the account of its owner needs its own process."""
    if task.run_as_me is True and task.fork is False:
        explanation = "Another account needs its own process."
        message = "runAsMe and fork=false exclude each other"
        yield Problem(code="PA113", message=message, task=task.name, explanation=explanation)
