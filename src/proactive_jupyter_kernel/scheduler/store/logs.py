"""The output of tasks as the store keeps it: lines, the parts in which they are written, and the end of a log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from proactive_jupyter_kernel.scheduler.omitted_lines import lines_in

__all__ = ["LogLine", "LogPart", "LogTail", "LogText", "last_lines", "last_parts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of a task's output, without its end."""

    #: True: standard error.
    error: bool
    #: Milliseconds since the epoch.
    at: int
    text: str
    #: Which execution wrote it.
    attempt: int = 1

    @property
    def lines(self) -> int:
        """How many lines of output it stands for; more than one where lines were left out."""
        return lines_in(self.text)


def last_lines(lines: Sequence[LogLine], most: int, most_bytes: int = 2**62) -> Sequence[LogLine]:
    """The end of a log: as many as stand for no more than `most` lines of output and have no more than `most_bytes`
    characters; the last one in any case."""
    first = len(lines)
    while first and (most := most - lines[first - 1].lines) >= 0:
        most_bytes -= len(lines[first - 1].text)
        if most_bytes < 0 and first < len(lines):
            break
        first -= 1
    return lines[first:]


def last_parts(parts: Sequence[tuple[int, int]], lines: int, size: int) -> int:
    """How many parts, newest first, have no more than so many lines and bytes together; 1 or more where there are any.
    Of each part its lines and bytes are given."""
    for number, (count, length) in enumerate(parts):
        lines, size = lines - count, size - length
        if lines < 0 or size < 0:
            return max(number, 1)
    return len(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPart:
    """Lines to append to a task's log."""

    job_id: int
    task_id: int
    #: All of the same attempt.
    lines: tuple[LogLine, ...]
    #: How many lines before these were thrown away because there were too many of them.
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogText:
    """What is kept of a task's log: the last lines, and how many lines before them are gone."""

    lines: tuple[LogLine, ...] = ()
    dropped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTail:
    """The end of a job's output, or what came after a position."""

    #: The id of the task that wrote it, and the line; parts in the order in which they were stored.
    lines: tuple[tuple[int, LogLine], ...] = ()
    #: Where to continue.
    position: int = 0
    #: Whether parts before these were left out.
    cut: bool = False
