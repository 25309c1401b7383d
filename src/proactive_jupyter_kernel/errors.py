"""Every exception that this project raises on purpose.

    ProActiveError                     something a person can act on; its text is a finished message
    ├── PragmaError                    a cell cannot be read or obeyed; carries the place in the cell
    │   ├── PragmaSyntaxError
    │   │   └── UnclosedBracket        the cell ends, or a value does, inside of a bracket
    │   ├── UnknownPragma
    │   ├── UnknownParameter
    │   └── BadValue
    ├── WorkflowError                  a workflow is not what it must be
    │   ├── InvalidWorkflow            the checks found problems; carries all of them
    │   ├── UnreadableWorkflow         a text is not a workflow in the format it claims
    │   └── NotPortable                a value cannot travel between tasks
    ├── SchedulerError                 the scheduler refused, failed or cannot be reached
    │   ├── NotConnected               no session, or it ended and could not be renewed
    │   ├── LoginRefused
    │   ├── SchedulerUnreachable
    │   ├── PermissionRefused
    │   ├── SubmissionRefused          the scheduler did not take the workflow
    │   ├── UnknownJob
    │   ├── UnknownTask
    │   └── WaitTimeout
    ├── UnreadableValue                a task's value cannot be opened here
    │   └── UntrustedValue             opening it could run code of somebody else
    ├── JobFailed                      a job that was waited for ended with faulty tasks, or badly
    ├── EmbeddedSchedulerError         the embedded scheduler cannot be started, stopped or used
    └── SetupError                     kernelspec, configuration file, folder: the surroundings are wrong

A message says what, where, why and what next. `hint` holds the "what next" apart, so that a display can set it off.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable

__all__ = [
    "BadValue",
    "EmbeddedSchedulerError",
    "InvalidWorkflow",
    "JobFailed",
    "LoginRefused",
    "NotConnected",
    "NotPortable",
    "PermissionRefused",
    "PragmaError",
    "PragmaSyntaxError",
    "ProActiveError",
    "SchedulerError",
    "SchedulerUnreachable",
    "SetupError",
    "SubmissionRefused",
    "UnclosedBracket",
    "UnknownJob",
    "UnknownParameter",
    "UnknownPragma",
    "UnknownTask",
    "UnreadableValue",
    "UnreadableWorkflow",
    "UntrustedValue",
    "WaitTimeout",
    "WorkflowError",
    "did_you_mean",
]


class ProActiveError(Exception):
    """Base of all; `str()` gives the message and, on a line of its own, the hint."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        #: What the reader can do next; empty where the message says it all.
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback: the message is finished, our frames tell nothing more."""
        return [f"{_emphasised(type(self).__name__)}: {self}"]


class PragmaError(ProActiveError):
    """A pragma cannot be read or obeyed.

    `line` counts from 1 in the cell, `column` from 0 in that line, `length` is how many characters are at fault and
    `source` is the line as typed; `line` is 0 where the fault has no place.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        pragma: str = "",
        line: int = 0,
        column: int = 0,
        length: int = 1,
        source: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.pragma = pragma
        self.line = line
        self.column = column
        self.length = length
        self.source = source

    def __str__(self) -> str:
        if not self.line:
            return super().__str__()
        marker = " " * self.column + "~" * (max(self.length, 1) - 1) + "^"
        parts = [self.message, f"  line {self.line}:", f"    {self.source}", f"    {marker}"]
        if self.hint:
            parts.append(self.hint)
        return "\n".join(parts)


class PragmaSyntaxError(PragmaError):
    """The text of a pragma breaks the grammar."""


class UnclosedBracket(PragmaSyntaxError):
    """A bracket is open where the cell ends, or the value: a console lets its user go on typing."""


class UnknownPragma(PragmaError):
    """`#%name` names no pragma."""


class UnknownParameter(PragmaError):
    """A pragma has no parameter of this name, or got it twice, or misses a required one."""


class BadValue(PragmaError):
    """A parameter's value is not of its kind, or names something that does not exist."""


class WorkflowError(ProActiveError):
    """A workflow, or a value in it, is not what it must be."""


class InvalidWorkflow(WorkflowError):
    """The checks found problems. `problems` holds every one, each already a sentence with its place."""

    def __init__(self, name: str, problems: Iterable[object], *, hint: str = "") -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        lines = [f"Workflow {name!r} has {count} problem{'s' if count != 1 else ''}:"]
        lines += [f"  {number}. {problem}" for number, problem in enumerate(self.problems, 1)]
        super().__init__("\n".join(lines), hint=hint)


class UnreadableWorkflow(WorkflowError):
    """A text is not a workflow in the format it claims."""


class UnreadableValue(ProActiveError):
    """A task's value cannot be opened here: a library is missing, or versions differ."""


class UntrustedValue(UnreadableValue):
    """Opening a value could run code of whoever wrote it, and nobody said that this is wanted."""


class NotPortable(WorkflowError):
    """A value cannot travel between tasks."""


class SchedulerError(ProActiveError):
    """The scheduler refused a request, failed at it, or cannot be reached."""


class NotConnected(SchedulerError):
    """There is no session, or it ended and could not be renewed."""


class LoginRefused(SchedulerError):
    """The scheduler does not accept this login and password."""


class SchedulerUnreachable(SchedulerError):
    """Nothing answers at the address."""

    def __init__(self, message: str, *, hint: str = "", in_doubt: bool = False) -> None:
        super().__init__(message, hint=hint)
        #: True: the request may have arrived and been obeyed before the answer was lost.
        self.in_doubt = in_doubt


class PermissionRefused(SchedulerError):
    """The session's user may not do this."""


class SubmissionRefused(SchedulerError):
    """The scheduler did not take the workflow; there is no job."""


class UnknownJob(SchedulerError):
    """No job has this id or name."""


class UnknownTask(SchedulerError):
    """The job has no task of this name."""


class WaitTimeout(SchedulerError):
    """What was waited for did not happen in time; nothing was stopped."""


class JobFailed(ProActiveError):
    """A job that was waited for did not end well: faulty tasks, or it was killed, cancelled or failed.

    `summary` replaces the message where the whole of it stands above the error already; `str()` has the whole.
    """

    def __init__(self, message: str, *, hint: str = "", job_id: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.job_id = job_id
        self.summary = ""

    def _render_traceback_(self) -> list[str]:
        if not self.summary:
            return super()._render_traceback_()
        return [f"{_emphasised(type(self).__name__)}: {self.summary}"]


class EmbeddedSchedulerError(ProActiveError):
    """The embedded scheduler cannot be started, stopped or used."""


class SetupError(ProActiveError):
    """The surroundings are wrong: a kernelspec, a configuration file, a folder."""


def _emphasised(name: str) -> str:
    """The name in the colour that IPython gives to the name of an error, unless its user wants no colours."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None or str(getattr(shell, "colors", "")).lower() == "nocolor":
        return name
    return f"\x1b[31m{name}\x1b[39m"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A sentence that proposes the nearest known word; the known words where none is near and they are few."""
    words = list(dict.fromkeys(known))
    lowered = {name.lower(): name for name in reversed(words)}
    near = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {lowered[near[0]]!r}?"
    if words and len(words) <= 12:
        return "Known: " + ", ".join(words) + "."
    return ""
