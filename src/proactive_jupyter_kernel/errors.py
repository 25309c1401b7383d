"""The exceptions that this project raises on purpose.

    ProActiveError                     the user can act on it; its text is a complete message
    ├── PragmaError                    a cell cannot be parsed or executed; carries its span in the cell
    │   ├── PragmaSyntaxError
    │   │   └── UnclosedBracket        the cell, or a value, ends inside a bracket
    │   ├── UnknownPragma
    │   ├── UnknownParameter
    │   └── BadValue
    ├── WorkflowError                  a workflow is invalid
    │   ├── InvalidWorkflow            the checks found problems; carries all of them
    │   ├── UnreadableWorkflow         a text is not a workflow in the format it claims
    │   └── NotPortable                a value cannot travel between tasks
    ├── SchedulerError                 the scheduler refused, failed or cannot be reached
    │   ├── NotConnected               no session, or it ended and could not be renewed
    │   ├── LoginRefused
    │   ├── SchedulerUnreachable
    │   ├── PermissionRefused
    │   ├── SubmissionRefused          the scheduler did not accept the workflow
    │   ├── UnknownJob
    │   ├── UnknownTask
    │   ├── UnknownResource            no node source, host or access token has this name
    │   └── WaitTimeout
    ├── UnreadableValue                a task's value cannot be opened here
    │   └── UntrustedValue             opening it could run code of its author
    ├── JobFailed                      a job that was waited for has faulty tasks, or was killed, canceled or failed
    ├── EmbeddedSchedulerError         the embedded scheduler cannot be started, stopped or used
    └── SetupError                     a kernelspec, a configuration file or a folder is wrong

A message says what happened, where, why, and what to do. `hint` holds what to do, so that a display can highlight it.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Collection, Iterable

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
    "UnknownResource",
    "UnknownTask",
    "UnreadableValue",
    "UnreadableWorkflow",
    "UntrustedValue",
    "WaitTimeout",
    "WorkflowError",
    "did_you_mean",
]


class ProActiveError(Exception):
    """The base class; `str()` returns the message and, on a separate line, the hint."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        #: What the user can do; empty if the message says it.
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback; the frames of this package would add nothing to the message."""
        return [f"{_emphasised(type(self).__name__)}: {self}"]


class PragmaError(ProActiveError):
    """A pragma cannot be parsed or executed.

    `line` counts from 1 in the cell, `column` from 0 in that line, `length` is the number of characters of the span and
    `source` is the line as typed; `line` is 0 if the error has no span.
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
    """The text of a pragma does not follow the grammar."""


class UnclosedBracket(PragmaSyntaxError):
    """A bracket is still open at the end of the cell or value; a console waits for more input."""


class UnknownPragma(PragmaError):
    """There is no pragma of this name."""


class UnknownParameter(PragmaError):
    """A pragma has no parameter of this name, or it is given twice, or a required one is missing."""


class BadValue(PragmaError):
    """The value of a parameter has the wrong type, or names something that does not exist."""


class WorkflowError(ProActiveError):
    """A workflow, or a value in it, is invalid."""


class InvalidWorkflow(WorkflowError):
    """The checks found problems. `problems` holds all of them, each a sentence that says where."""

    def __init__(self, name: str, problems: Iterable[object], *, hint: str = "") -> None:
        self.workflow_name = name
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
    """Opening a value could run code of its author, and the author is not trusted."""


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
        #: True: the scheduler may have executed the request before the answer was lost.
        self.in_doubt = in_doubt


class PermissionRefused(SchedulerError):
    """The user of the session does not have this permission."""


class SubmissionRefused(SchedulerError):
    """The scheduler did not accept the workflow; there is no job."""


class UnknownJob(SchedulerError):
    """No job has this id or name."""


class UnknownTask(SchedulerError):
    """The job has no task of this name."""


class UnknownResource(SchedulerError):
    """No node source, host or access token of the scheduler has this name."""


class WaitTimeout(SchedulerError):
    """A wait reached its timeout; nothing was stopped."""


class JobFailed(ProActiveError):
    """A job that was waited for did not succeed: it has faulty tasks, or was killed, canceled or failed.

    `summary` replaces the message if all of it is already shown above the error; `str()` returns the full message.
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
    """A kernelspec, a configuration file or a folder is wrong."""


def _emphasised(name: str) -> str:
    """The name in the color that IPython uses for the names of errors, unless colors are switched off."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None or str(getattr(shell, "colors", "")).lower() == "nocolor":
        return name
    return f"\x1b[31m{name}\x1b[39m"


#: The length of words that are compared, and how many of them; beyond it only similar lengths and first letters count.
_LONGEST_WORD = 100
_MOST_WORDS = 300


def _comparable(word: str, known: Collection[str]) -> list[str]:
    """The known words that are worth a comparison, which is expensive: messages may have thousands of proposals."""
    if len(word) > _LONGEST_WORD:
        return []
    found = [one for one in known if len(one) <= _LONGEST_WORD]
    if len(found) > _MOST_WORDS:
        found = [one for one in found if abs(len(one) - len(word)) <= 2 and one[:1] == word[:1]]
    return found[:_MOST_WORDS] if len(known) <= _MOST_WORDS else found[: _MOST_WORDS // 15]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A sentence that proposes the nearest known word, or lists the known words if none is near and they are few."""
    words = list(dict.fromkeys(known))
    lowered = {name.lower(): name for name in reversed(words)}
    near = difflib.get_close_matches(word.lower(), _comparable(word.lower(), lowered), n=1, cutoff=0.6)
    if near:
        return f"Did you mean {lowered[near[0]]!r}?"
    if words and len(words) <= 12:
        return "Known: " + ", ".join(words) + "."
    return ""
