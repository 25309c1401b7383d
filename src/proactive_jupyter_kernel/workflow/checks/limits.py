"""What a server refuses although the schema allows it: names that are too long, contradicting account settings.

The limits are those of the server's database and parser.
"""

from __future__ import annotations

from collections.abc import Iterator

from proactive_jupyter_kernel.workflow.checks.problem import Problem
from proactive_jupyter_kernel.workflow.model import Task, Workflow

__all__ = ["account_problems", "key_problems", "limit_problems", "task_name_problems"]

#: The server's columns for names of tasks and keys of generic information (``TaskData``, ``JobData``).
_LONGEST_NAME = 255


def limit_problems(workflow: Workflow) -> Iterator[Problem]:
    """All problems, in the order of the workflow."""
    for key in workflow.generic_information:
        yield from key_problems(key)
    for task in workflow.tasks:
        yield from task_name_problems(task)
        yield from account_problems(task)
        for key in task.generic_information:
            yield from key_problems(key, task.name)


def key_problems(key: str, task: str = "") -> Iterator[Problem]:
    """The limit for keys of generic information."""
    if len(key) > _LONGEST_NAME:
        message = f"name has {len(key)} characters; at most {_LONGEST_NAME} fit"
        yield Problem(code="PA104", message=message, task=task, place=f"generic information {key!r}")


def task_name_problems(task: Task) -> Iterator[Problem]:
    """The limit for task names; the suffixes of copies count as well, but are not known in advance."""
    if len(task.name) > _LONGEST_NAME:
        message = f"the name has {len(task.name)} characters; at most {_LONGEST_NAME} fit"
        yield Problem(code="PA104", message=message, task=task.name)


def account_problems(task: Task) -> Iterator[Problem]:
    """A task that runs under the account of its owner needs its own process."""
    if task.run_as_me is True and task.fork is False:
        explanation = "Another account needs its own process."
        message = "runAsMe and fork=false exclude each other"
        yield Problem(code="PA113", message=message, task=task.name, explanation=explanation)
