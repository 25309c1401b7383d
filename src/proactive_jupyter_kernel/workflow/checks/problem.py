"""A problem of a workflow: which check found it, where, why, and what to change."""

from __future__ import annotations

from dataclasses import dataclass

from proactive_jupyter_kernel.workflow.checks.table import CHECKS, Severity

__all__ = ["Problem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One error or warning. `str()` returns a complete sentence that says where it is."""

    #: The code of the check that found it, a key of `CHECKS`.
    code: str
    #: What is wrong, in the words of the server if it has a message for it.
    message: str
    #: The task that has the problem; empty: the workflow itself.
    task: str = ""
    #: Where in the task or workflow: ``variable 'X'``, ``attribute 'walltime'``; empty: the whole of it.
    place: str = ""
    #: Why it is wrong and what to change, with the names of the tasks; empty if the message says it.
    explanation: str = ""
    #: The line in the text that was read, from 1; 0 if there is none.
    line: int = 0
    #: The variable whose value is wrong, and why, for a message beside its field; empty: no value is.
    variable: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        if self.code not in CHECKS:
            raise ValueError(f"{self.code!r} is not the code of a check")

    @property
    def severity(self) -> Severity:
        """Whether a scheduler refuses the workflow for this reason."""
        return CHECKS[self.code].severity

    @property
    def kind(self) -> str:
        """The group of the check, such as ``REPLICATE``."""
        return CHECKS[self.code].kind

    @property
    def fix(self) -> str:
        """What to change in general; `explanation` is specific to this workflow."""
        return CHECKS[self.code].fix

    def __str__(self) -> str:
        where = []
        if self.line:
            where.append(f"line {self.line}")
        if self.task:
            where.append(f"task {self.task!r}")
        if self.place:
            where.append(self.place)
        sentence = f"{', '.join(where)}: {self.message}" if where else self.message
        sentence = sentence[0].upper() + sentence[1:]
        if self.explanation:
            return f"{sentence.rstrip('.')}. {self.explanation}"
        return sentence
