"""Names that the code of a Python task finds ready, which the notebook's own Python has not. Pure.

They follow ProActive's Python engine: ``variables`` is a Java map, ``results`` a list of the parents' results.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["PYTHON_ENGINES", "SYSTEM_VARIABLES", "CompletionContext", "wanted"]

PYTHON_ENGINES = frozenset({"cpython", "python"})

#: Variables that the scheduler gives every task.
SYSTEM_VARIABLES = (
    "PA_JOB_ID",
    "PA_JOB_NAME",
    "PA_TASK_ID",
    "PA_TASK_NAME",
    "PA_TASK_ITERATION",
    "PA_TASK_REPLICATION",
    "PA_USER",
    "PA_SCHEDULER_HOME",
)

#: Name -> one sentence.
_OF_VARIABLES: Mapping[str, str] = {
    "get(": "The value of a variable; None if there is none.",
    "put(": "Sets a variable for the tasks that follow.",
    "containsKey(": "Whether there is such a variable.",
    "keySet()": "The names of all variables.",
    "keys()": "The names of all variables.",
    "items()": "The names and values of all variables.",
    "values()": "The values of all variables.",
    "remove(": "Removes a variable.",
    "update(": "Sets several variables.",
    "size()": "How many variables there are.",
}
_OF_RESULT: Mapping[str, str] = {
    "value()": "The result of the parent; raises if it failed.",
    "hadException()": "Whether the parent failed.",
    "getException()": "Why the parent failed; None if it did not.",
    "getTaskId()": "The parent's id; getReadableName() of it is the parent's name.",
    "getMetadata()": "What the parent said about its result.",
}
_KEY = re.compile(r"\bvariables\s*(?:\[|\.\s*get\s*\()\s*['\"](?P<typed>[\w.\-]*)\Z")
_METHOD = re.compile(r"\bvariables\s*\.\s*(?P<typed>\w*)\Z")
_RESULT = re.compile(r"\bresults\s*\[[^\]\n]*\]\s*\.\s*(?P<typed>\w*)\Z")
_ATTRIBUTE = re.compile(r"(?<![\w.])(?P<name>[^\W\d]\w*)\s*\.\s*(?P<typed>\w*)\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionContext:
    """What may stand at the end of some code."""

    #: What is typed of it.
    typed: str
    #: Names and what they are.
    names: Mapping[str, str]


def wanted(code: str, variables: Iterable[str]) -> CompletionContext | None:
    """What completes the code of a Python task that ends here; None where only Python itself can tell."""
    line = code.rpartition("\n")[2]
    if key := _KEY.search(line):
        names = dict.fromkeys(variables, "A variable of the job or of a task.")
        return CompletionContext(
            typed=key["typed"], names={**names, **dict.fromkeys(SYSTEM_VARIABLES, "Set by the scheduler.")}
        )
    if method := _METHOD.search(line):
        return CompletionContext(typed=method["typed"], names=_OF_VARIABLES)
    if result := _RESULT.search(line):
        return CompletionContext(typed=result["typed"], names=_OF_RESULT)
    attribute = _ATTRIBUTE.search(line)
    if attribute and re.search(rf"\bfor\s+{attribute['name']}\s+in\s+results\b", code):
        return CompletionContext(typed=attribute["typed"], names=_OF_RESULT)
    return None
