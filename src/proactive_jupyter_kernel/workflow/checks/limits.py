"""What a scheduler refuses although the schema allows it: what cannot be stored, contradicting account settings.

The limits are those of the server's database and parser, and those of any database: integers of 64 bits, and text that
is Unicode.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from proactive_jupyter_kernel.workflow.checks.problem import Problem
from proactive_jupyter_kernel.workflow.model import Task, Variable, Workflow

__all__ = ["account_problems", "limit_problems", "name_problems", "number_problems"]

#: The server's columns for the names of jobs and tasks (``JobData``, ``TaskData``); keys of generic information may be
#: longer.
_LONGEST_NAME = 255


#: Generic information that says when a job is removed: numbers with the units d, h, m and s.
_DELAYS = ("REMOVE_DELAY", "REMOVE_DELAY_ON_ERROR")
_DELAY_PART = re.compile(r"([0-9]+)\s*([dhms])")
_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
#: A longer delay is a mistake, and beyond some length the date of the removal cannot be represented.
_LONGEST_DELAY_YEARS = 1_000
_LONGEST_DELAY = _LONGEST_DELAY_YEARS * 365 * 86_400
#: Digits of a number that certainly fits into 64 bits.
_MOST_DIGITS = 18
#: What no text can contain: half a character of UTF-16, and the character that ends texts in many programs.
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


def limit_problems(workflow: Workflow) -> Iterator[Problem]:
    """All problems, in the order of the workflow."""
    yield from name_problems(workflow.name)
    texts = {"the name": workflow.name, "the project": workflow.project, "the description": workflow.description}
    yield from _text_problems(texts, workflow.variables, workflow.generic_information)
    yield from number_problems(workflow.generic_information)
    for task in workflow.tasks:
        yield from name_problems(task.name, task.name)
        yield from _text_problems({"the name": task.name}, task.variables, task.generic_information, task.name)
        yield from account_problems(task)


def _text_problems(
    texts: Mapping[str, str], variables: Iterable[Variable], information: Mapping[str, str], task: str = ""
) -> Iterator[Problem]:
    """Values of a submission come beside the XML, and may hold what XML cannot."""
    named = {f"the value of variable {variable.name}": variable.value for variable in variables}
    named |= {f"generic information {key}": value for key, value in information.items()}
    for name, text in {**texts, **named}.items():
        if isinstance(text, str) and (found := _NO_TEXT.search(text)):
            message = f"{name} contains the character U+{ord(found[0]):04X}"
            yield Problem(code="PA106", message=message, task=task)


def number_problems(information: Mapping[str, str]) -> Iterator[Problem]:
    """Generic information of a job that stands for a number which is too large to be stored."""
    for key in _DELAYS:
        parts = _DELAY_PART.findall(information.get(key, ""))
        huge = any(len(count.lstrip("0")) > _MOST_DIGITS for count, _ in parts)
        if huge or sum(int(count) * _SECONDS[unit] for count, unit in parts) > _LONGEST_DELAY:
            message = f"generic information {key} is more than {_LONGEST_DELAY_YEARS:,} years"
            yield Problem(code="PA117", message=message)
    parent = information.get("PARENT_JOB_ID", "")
    if parent.isdecimal() and len(parent) > _MOST_DIGITS:
        yield Problem(code="PA117", message=f"generic information PARENT_JOB_ID has {len(parent)} digits")


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
