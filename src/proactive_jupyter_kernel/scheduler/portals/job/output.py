"""The output of a job's tasks on its page: the last lines, then what comes. Bounded in parts, lines and characters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from proactive_jupyter_kernel.scheduler.service.questions import ALL, Questions
from proactive_jupyter_kernel.scheduler.store.logs import LogTail
from proactive_jupyter_kernel.workflow.display.lines import shortened, shown_text
from proactive_jupyter_kernel.workflow.display.times import clock_time

__all__ = ["Line", "Output", "output_of", "read_tail", "texts_of"]

#: Lines that are shown, and characters of each.
LINES, WIDTH = 300, 2_000
#: Bytes of output that are read for them.
SIZE = 1024 * 1024
#: Tasks of the choice above which the page has a field to search for one instead.
CHOICE = 60
#: Tasks whose whole logs are read at once for a download.
_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line."""

    at: str
    task: str
    text: str
    error: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The panel."""

    #: Full name; empty: all tasks.
    task: str
    lines: tuple[Line, ...]
    #: Where the script continues.
    position: int
    #: Whether lines before these are not shown.
    cut: bool
    #: Whether more may come.
    alive: bool
    #: Names for the choice; empty: there are too many, or only one.
    tasks: tuple[str, ...] = ()


def read_tail(ask: Questions, job_id: int, task: str, *, after: int = 0) -> tuple[LogTail, dict[int, str], bool]:
    """The end of the output after a position; the names of the tasks that wrote it; whether more may come."""
    ended = ask.ended(job_id)
    task_id = ask.task(job_id, task).task_id if task else None
    tail = ask.log_tail(job_id, task_id=task_id, after=after, lines=LINES, size=SIZE)
    writers = {writer for writer, _ in tail.lines}
    names = {found.task_id: found.name for found in ask.tasks_of(job_id, writers)} if writers else {}
    return tail, names, not ended


def output_of(
    tail: LogTail,
    names: dict[int, str],
    *,
    task: str = "",
    alive: bool,
    tasks: Sequence[str] = (),
    zone: tzinfo | None = None,
) -> Output:
    """The panel: lines of all tasks in the order of their times, those of each in their own order."""
    ordered = sorted(tail.lines, key=lambda found: found[1].at)
    shown = ordered[-LINES:]
    return Output(
        task=task,
        lines=tuple(
            Line(
                at=clock_time(line.at, zone),
                task=names.get(writer, ""),
                text=shortened(shown_text(line.text), WIDTH),
                error=line.error,
            )
            for writer, line in shown
        ),
        position=tail.position,
        cut=tail.cut or len(ordered) > len(shown),
        alive=alive,
        tasks=tuple(tasks) if 1 < len(tasks) <= CHOICE else (),
    )


def texts_of(ask: Questions, job_id: int, ids: Sequence[int]) -> Iterator[str]:
    """The whole logs of some tasks as a download has them, with the task's name in front of each line."""
    yield from ask.job_log(job_id, ask.tasks_of(job_id, ids), ALL)


def portions(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """The ids of tasks in portions whose logs are read at once."""
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]
