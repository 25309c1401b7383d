"""What the display needs of a task and a job, and records of display texts. The writers escape them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from proactive_jupyter_kernel.workflow.display.marks import Mark
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

__all__ = ["Count", "ErrorGroup", "Failure", "Family", "Job", "Notice", "Row", "Segment", "Span", "Task"]


class Task(Protocol):
    """A task of a job, or an instance created by a loop or a replication. Times are milliseconds, -1 if not set."""

    @property
    def name(self) -> str:
        """The full name, as ``T#1*2``."""
        ...

    @property
    def base_name(self) -> str:
        """The name in the workflow."""
        ...

    @property
    def status(self) -> TaskStatus: ...

    @property
    def started_at(self) -> int: ...

    @property
    def finished_at(self) -> int: ...

    @property
    def duration(self) -> int:
        """Milliseconds of the last execution."""
        ...

    @property
    def progress(self) -> int: ...

    @property
    def executions_left(self) -> int: ...

    @property
    def max_executions(self) -> int: ...

    @property
    def ended(self) -> bool:
        """Whether it will not run again."""
        ...


class Job(Protocol):
    """A job and its tasks, in the order of their ids."""

    @property
    def status(self) -> JobStatus: ...

    @property
    def tasks(self) -> Sequence[Task]: ...

    @property
    def ended(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The time that bars show."""

    #: Milliseconds since the epoch.
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The error of one task."""

    task: str
    #: The error in one line, such as ``ValueError: column mean has a hole``.
    line: str = ""
    #: Where it was raised, such as ``cell [3], line 2``; empty where that is unknown.
    place: str = ""
    #: The number in the cell and the text of the lines around the place, the faulty one last.
    code: tuple[tuple[int, str], ...] = ()
    #: What to do about it; empty where nothing better than the usual advice is known.
    hint: str = ""
    #: The traceback, with places in cells.
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    """A number in words, such as ``1 failed``, and its tone (empty: none)."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a bar."""

    tone: str
    #: In percent of the whole bar.
    start: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorGroup:
    """A group of tasks that failed with the same error."""

    #: ``check``, or ``work*78, work*119 and 3 more``.
    tasks: str
    #: ``Faulty after 1.2 s, 1 attempt``, or ``5 tasks, the same error``.
    how: str
    line: str
    mark: Mark = Mark.BAD
    place: str = ""
    code: tuple[tuple[int, str], ...] = ()
    #: What the failure did to other tasks, as sentences.
    effects: tuple[str, ...] = ()
    #: What to do. Text between backquotes is code.
    advice: tuple[str, ...] = ()
    trace: str = ""
    #: The full name of the first task of the group.
    first: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What the job waits for, or what the user has to do."""

    mark: Mark
    head: str
    #: Text between backquotes is code.
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A task in the table."""

    task: str
    mark: Mark
    word: str
    time: str = ""
    #: None: it has not started.
    bar: Segment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The tasks of one base name, or a single task of a job with families."""

    name: str
    size: int
    mark: Mark
    bar: tuple[Segment, ...]
    counts: tuple[Count, ...]
