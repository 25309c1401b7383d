"""Precious logs: the complete output of a task as a file in the user space, one after another execution.

The file is ``<jobid>/TaskLogs-<jobid>-<taskid>.log``, its lines have the form that clients show. It is there also after
a kill or a walltime. A user space that cannot be written costs the file, not the task: its log says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from proactive_jupyter_kernel.scheduler.attempt import Attempt
from proactive_jupyter_kernel.scheduler.service.logs import LogSource, formatted
from proactive_jupyter_kernel.scheduler.spaces.staging import WARNING, is_remote
from proactive_jupyter_kernel.scheduler.store.logs import LogLine

__all__ = ["PreciousLog"]

#: Characters that are gathered before they are written.
_BUFFER = 64 * 1024


class PreciousLog:
    """The file of one attempt's output. Does nothing for a task whose logs are not precious."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._source = LogSource(
            job_id=attempt.job_id, task_id=attempt.task_id, task_name=attempt.task_name, host=attempt.slot.host
        )
        #: A line for the task's log about what went wrong; empty where nothing did.
        self.trouble = ""
        self._file: TextIO | None = None

    def open(self) -> None:
        """Open the file of earlier executions, or create it. May block."""
        attempt = self._attempt
        if not attempt.precious_logs:
            return
        space = attempt.spaces.get("userspace", "")
        if not space or is_remote(space):
            self._give_up(f"the user space {space} is not a folder of this machine")
            return
        job, task = attempt.job_id, attempt.task_id
        path = Path(space, str(job), f"TaskLogs-{job}-{task}.log")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", buffering=_BUFFER, encoding="utf-8", errors="replace", newline="")
        except OSError as error:
            self._give_up(str(error))

    def write(self, line: LogLine) -> None:
        """Add a line."""
        if self._file is None:
            return
        try:
            self._file.write(formatted(self._source, line))
        except OSError as error:
            self._give_up(str(error))

    def close(self) -> None:
        """Write what there is. May block."""
        file, self._file = self._file, None
        if file is None:
            return
        try:
            file.close()
        except OSError as error:
            self._give_up(str(error))

    def _give_up(self, why: str) -> None:
        self._file = None
        self.trouble = f"{WARNING} The precious log of the task cannot be written: {why}"
