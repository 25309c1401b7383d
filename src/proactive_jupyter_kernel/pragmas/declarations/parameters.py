"""Kinds and parameters that several pragmas share, so that they read and behave alike everywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from proactive_jupyter_kernel.pragmas.declarations.registry import Parameter
from proactive_jupyter_kernel.pragmas.declarations.values import (
    Duration,
    FilePath,
    Integer,
    LanguageName,
    Names,
    Pairs,
    Plain,
    Switch,
    XmlName,
)
from proactive_jupyter_kernel.pragmas.declarations.variable_pairs import VariablePairs
from proactive_jupyter_kernel.workflow.languages import Language, by_pragma_name, language_of_file

__all__ = [
    "FLOW_LANGUAGE",
    "INFO_PAIRS",
    "JOB_NAME",
    "JOB_REFERENCE",
    "LANGUAGE",
    "PATH",
    "PYTHON",
    "SWITCH",
    "TASK_NAME",
    "TASK_NAMES",
    "TIMEOUT",
    "VARIABLES",
    "VARIABLE_NAMES",
    "VARIABLE_PAIRS",
]


def _language(name: str) -> Language:
    found = by_pragma_name(name)
    if found is None:
        raise LookupError(name)
    return found


PYTHON, JAVASCRIPT = _language("Python"), _language("Javascript")
SWITCH = Switch()

TASK_NAME = XmlName("a task's name", offers="tasks")
TASK_NAMES = Names(TASK_NAME, "names of tasks")
VARIABLE_NAMES = Names(XmlName("a variable's name", offers="variables"), "names of variables")
VARIABLE_PAIRS = Pairs(XmlName("a variable's name", offers="variables"))
VARIABLES = VariablePairs(XmlName("a variable's name", offers="variables"))
INFO_PAIRS = Pairs(XmlName("a key of generic information"))
#: The schema of workflows wants two characters.
JOB_NAME = Plain("a job's name: at least 2 characters", minimum=2, offers="jobs")


def _language_or(default: Language) -> Callable[[Mapping[str, Any]], Language]:
    """The language that the extension of the file tells, where a file is named; else the default."""

    def derive(values: Mapping[str, Any]) -> Language:
        path = values.get("path") or ""
        return language_of_file(path) or default

    return derive


LANGUAGE = Parameter(
    name="language",
    kind=LanguageName(),
    default=PYTHON,
    derive=_language_or(PYTHON),
    doc="The language of the code; by default that of the file extension, as in path=x.R.",
)
#: Flow scripts are JavaScript by default: existing notebooks write them so.
FLOW_LANGUAGE = Parameter(
    name="language",
    kind=LanguageName(),
    default=JAVASCRIPT,
    derive=_language_or(JAVASCRIPT),
    doc="The language of the script; by default that of the file extension, as in path=x.groovy.",
)
PATH = Parameter(
    name="path",
    kind=FilePath(),
    doc="A file that holds the code, relative to the notebook's folder. It wins over code in the cell.",
)
TIMEOUT = Parameter(
    name="timeout",
    kind=Duration(fine=True),
    doc="How long to wait at most: seconds, MM:SS or HH:MM:SS. When it is over, the job is still running.",
)

#: Which job to use; without either, the last one submitted from this notebook.
JOB_REFERENCE = (
    Parameter(
        name="job_id",
        kind=Integer(minimum=1, offers="job_ids"),
        nameless=True,
        aliases=("id",),
        doc="The job's number. Without it and without a name: the job submitted last from this notebook.",
    ),
    Parameter(
        name="job_name",
        kind=Plain("a job's name", offers="jobs"),
        nameless=True,
        doc="The job's name; of several jobs the newest.",
    ),
)
