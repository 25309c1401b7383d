"""One task's life, step by step: which step was reached when, in which process.

Off unless the setting TRACE names a file. Then each step appends a line to it: the time of the system's monotonic
clock in nanoseconds, which all processes share, the process id, the step, the job and the task. Off, a step costs a
call that returns at once. `benchmarks/trace_task.py` reads the file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

__all__ = ["NODE_STEPS", "STEPS", "VARIABLE", "about", "begin", "end", "here", "mark", "now", "read"]

#: Where the setting TRACE comes from. Nodes inherit the environment of the scheduler.
VARIABLE = "PROACTIVE_KERNEL_TRACE"

#: The steps of a task, in order, and what each means. A job of one task passes through all of them once.
STEPS: Mapping[str, str] = {
    "received": "the scheduler has read the request of the submission",
    "checked": "the workflow is checked, its references are resolved",
    "stored": "the job is in the store",
    "started": "the scheduler starts the attempt",
    "assembled": "all that the attempt needs is put together",
    "taken": "the node has read the attempt",
    "forked": "the process of the task is started",
    "exited": "the node knows that this process has ended",
    "delivered": "the node has cleared away what the attempt left, and sent the outcome",
    "outcome": "the scheduler has the outcome of the attempt",
    "kept": "the outcome is in the store, with the task's output",
}

#: Those that the node takes.
NODE_STEPS = frozenset({"taken", "forked", "exited", "delivered"})

#: The file's descriptor; negative: off.
_file = -1
#: The job and the task that a node works for.
_subject = (0, -1)


def begin(path: str) -> None:
    """Write steps to this file from now on; empty: do not. Lines are appended: several processes share it."""
    global _file
    end()
    if path:
        _file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


def end() -> None:
    """Write no more."""
    global _file
    if _file >= 0:
        os.close(_file)
    _file = -1


def now() -> int:
    """The time of a step that is written later, by `mark`; 0 while tracing is off."""
    return time.monotonic_ns() if _file >= 0 else 0


def mark(step: str, job_id: int, task_id: int = -1, *, at: int = 0) -> None:
    """A step is reached, now or at the time of `now`. A step of a job as a whole has no task."""
    if _file >= 0:
        line = f"{at or time.monotonic_ns()} {os.getpid()} {step} {job_id} {task_id}\n"
        os.write(_file, line.encode("ascii"))


def about(job_id: int, task_id: int) -> None:
    """What `here` is about from now on, in a process that does one thing at a time."""
    global _subject
    _subject = job_id, task_id


def here(step: str) -> None:
    """A step of what this process works for is reached."""
    mark(step, *_subject)


def read(text: str) -> dict[tuple[int, int], dict[str, int]]:
    """(job id, task id) -> step -> nanoseconds, from the text of a trace file. The last mark of a step counts."""
    found: dict[tuple[int, int], dict[str, int]] = {}
    for line in text.splitlines():
        at, _, step, job_id, task_id = line.split(" ")
        found.setdefault((int(job_id), int(task_id)), {})[step] = int(at)
    return found
