"""Streams the output of tasks to the waiting cell, below the names of the tasks."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence
from itertools import groupby

from proactive_jupyter_kernel.client.jobs import OutputReader, TaskLine
from proactive_jupyter_kernel.client.records import Job
from proactive_jupyter_kernel.errors import SchedulerError, SchedulerUnreachable
from proactive_jupyter_kernel.notebook.frontend import NotebookFrontend

__all__ = ["OutputStream", "Translate"]

Translate = Callable[[str, str], str]

#: A line that starts a traceback, and one that continues it. `translate` needs a traceback in one piece.
_START = re.compile(r"\s*Traceback \(most recent call last\):")
_INSIDE = re.compile(r"\s|$|Traceback ")


class OutputStream:
    """The output of one wait. A line ``[name]`` says whose output follows where several tasks write."""

    def __init__(self, frontend: NotebookFrontend, reader: OutputReader, translate: Translate | None) -> None:
        """`translate(task, text)` gives the text with the places in cells for the places in scripts."""
        self._frontend = frontend
        self._reader = reader
        self._translate = translate or (lambda _, text: text)
        #: By task, the lines of a traceback whose end has not come.
        self._held: dict[str, list[TaskLine]] = {}
        self._last = ""

    def write(self, job: Job) -> None:
        """Write the lines since the last call. The poller reports a scheduler that does not answer."""
        with contextlib.suppress(SchedulerUnreachable):
            self._print(job, self._reader.fresh(job))

    def finish(self, job: Job) -> None:
        """Write what is left, also of tasks that still run: the wait is over, or was cut."""
        with contextlib.suppress(SchedulerError):
            self._print(job, self._reader.fresh(job, final=True))
        for lines in list(self._held.values()):
            self._show(job, lines)
        self._held.clear()

    def _print(self, job: Job, lines: Sequence[TaskLine]) -> None:
        for task, group in groupby(lines, key=lambda line: line.task):
            together = [*self._held.pop(task, ()), *group]
            state = job.task(task)
            start = len(together) if state is None or state.ended else _open_traceback(together)
            if start < len(together):
                self._held[task] = together[start:]
            self._show(job, together[:start])
        for task in [name for name in self._held if (state := job.task(name)) is None or state.ended]:
            self._show(job, self._held.pop(task))

    def _show(self, job: Job, lines: Sequence[TaskLine]) -> None:
        for (task, is_error), group in groupby(lines, key=lambda line: (line.task, line.line.error)):
            text = "".join(f"{line.line.text}\n" for line in group)
            text = self._translate(task, text)
            if task and task != self._last and self._reader.count(job) > 1:
                text = f"[{task}]\n{text}"
            self._last = task
            self._frontend.write(text, error=is_error)


def _open_traceback(lines: Sequence[TaskLine]) -> int:
    """Where a traceback starts whose last line has not arrived yet; the number of lines if there is none."""
    texts = [line.line.text for line in lines]
    start = next((index for index in range(len(texts) - 1, -1, -1) if _START.match(texts[index])), None)
    if start is None or any(not _INSIDE.match(text) for text in texts[start + 1 :]):
        return len(lines)
    return start
