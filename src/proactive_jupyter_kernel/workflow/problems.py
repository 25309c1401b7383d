"""A problem of a workflow: what is wrong, where, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["UNKNOWN_DEPENDENCE", "Problem"]

#: The kind of a dependency on a task that does not exist: such a workflow can still be read.
UNKNOWN_DEPENDENCE = "DEPENDENCE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong. `str()` gives a whole sentence with its place."""

    #: ``NAME``, ``STRUCTURE``, ``DEPENDENCE``, ``VARIABLE``, ``REFERENCE``, or the server's kind of flow error: ``IF``,
    #: ``RECURSION``, ``UNREACHABLE``, ``BLOCK``, ``REPLICATE``, ``LOOP``.
    kind: str
    #: What is wrong; in the server's words where the server has some.
    message: str
    #: The task that has the problem; empty: the workflow itself.
    task: str = ""
    #: Where in the task or workflow: ``variable 'X'``, ``attribute 'walltime'``; empty: as a whole.
    place: str = ""
    #: The same for people: why it is wrong and what to change; empty where the message says it.
    explanation: str = ""
    #: In the text that was read, from 1; 0 where there is none.
    line: int = 0

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
