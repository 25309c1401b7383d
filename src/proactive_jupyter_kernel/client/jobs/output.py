"""What the tasks of a job write, each line once: live, and from the stored log of a task that has ended.

The live log comes early, but does not tell the streams apart. A task's stored log is complete, but a ProActive server
has it only when the task has ended. So live lines are given as they come, and the lines of a stored log that were not
among them follow when the task has ended.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import islice

from proactive_jupyter_kernel.client import logs
from proactive_jupyter_kernel.client.api import SchedulerApi
from proactive_jupyter_kernel.client.java_traces import TraceFilter
from proactive_jupyter_kernel.client.records import Job, LogLine, TaskState
from proactive_jupyter_kernel.errors import (
    NotConnected,
    PermissionRefused,
    SchedulerError,
    SchedulerUnreachable,
    UnknownJob,
)
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["LiveLog", "OutputReader", "TaskLine"]

#: Live lines of a job that are kept for its readers. A reader that falls behind gets the rest from the stored logs.
KEPT_LINES = 2_000
#: Tasks that never ran wrote nothing.
SILENT = frozenset({TaskStatus.SKIPPED, TaskStatus.NOT_STARTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLine:
    """A line and the task that wrote it."""

    #: The task's full name; empty where the scheduler does not say.
    task: str
    line: LogLine


class LiveLog:
    """The live log of one job, shared by all its readers: a scheduler gives each line once per session."""

    def __init__(self, scheduler: SchedulerApi, job_id: int) -> None:
        self._scheduler = scheduler
        self._job_id = job_id
        self._lines: deque[LogLine] = deque(maxlen=KEPT_LINES)
        #: How many lines came so far.
        self._count = 0
        self._refused = False
        self._traces = TraceFilter()
        self._lock = threading.Lock()

    def since(self, position: int) -> tuple[list[LogLine], int]:
        """The lines after the first `position` ones, as far as they are kept, and the new position."""
        with self._lock:
            self._read()
            missed = max(0, position - (self._count - len(self._lines)))
            return list(islice(self._lines, missed, None)), self._count

    def _read(self) -> None:
        if self._refused:
            return
        try:
            lines = self._traces.kept(logs.parse(self._scheduler.live_log(self._job_id)))
        except (SchedulerUnreachable, NotConnected, UnknownJob):
            raise
        except PermissionRefused:
            self._refused = True
        except SchedulerError:
            pass  # This server has no live log now; the stored logs have every line later.
        else:
            self._lines.extend(lines)
            self._count += len(lines)


class OutputReader:
    """Reads the output of a job, or of some of its tasks, piece by piece."""

    def __init__(self, scheduler: SchedulerApi, live_log: LiveLog, job_id: int, *, tasks: Collection[str] = ()) -> None:
        """`tasks` are full names, or base names, which also mean the copies of a task; empty: all tasks."""
        self._scheduler = scheduler
        self._live_log = live_log
        self._job_id = job_id
        self._tasks = frozenset(tasks)
        self._position = 0
        #: Live lines of tasks that were not in the job's state yet: copies that a loop or a replication made since.
        self._early: list[LogLine] = []
        self._shown: dict[str, Counter[tuple[str, str]]] = {}
        self._complete: set[str] = set()

    def fresh(self, job: Job, *, final: bool = False) -> list[TaskLine]:
        """The lines since the last call; `job` is the newest state.

        With `final` the stored logs of tasks that have not ended are read, too: nothing is read later. Raises
        `SchedulerUnreachable` without losing a line; another error about a task's log is given as a line.
        """
        lines = [] if all(task.ended for task in job.tasks) else self._live(job)
        read = [task for task in job.tasks if self._means(task) and (task.ended or (final and task.started_at > 0))]
        for task in sorted(read, key=lambda task: (not task.ended, task.finished_at, task.id)):
            if task.name not in self._complete:
                lines += self._rest(task)
        return lines

    def tail(self, job: Job, count: int) -> list[TaskLine]:
        """The last lines of the tasks that run now; does not count as reading them."""
        running = {f"{job.id}t{task.id}": task.name for task in job.tasks if task.started_at > 0 and not task.ended}
        if not running:
            return []
        found, _ = self._live_log.since(0)
        lines = [TaskLine(task=running[line.task], line=line) for line in found if line.task in running]
        return lines[-count:]

    def count(self, job: Job) -> int:
        """How many tasks of the job are read."""
        return sum(self._means(task) for task in job.tasks)

    def _means(self, task: TaskState) -> bool:
        return not self._tasks or task.name in self._tasks or task.base_name in self._tasks

    def _live(self, job: Job) -> list[TaskLine]:
        names = {f"{job.id}t{task.id}": task.name if self._means(task) else None for task in job.tasks}
        found, position = self._live_log.since(self._position)
        found = [*self._early, *found]
        early = [line for line in found if line.task and line.task not in names]
        lines = [
            TaskLine(task=name, line=line)
            for line in found
            if not (line.task and line.task not in names)
            and (name := names.get(line.task, "")) is not None
            and name not in self._complete
        ]
        errors = {name: self._unseen_errors(name) for name in dict.fromkeys(line.task for line in lines) if name}
        self._position, self._early = position, early
        return [self._told(line, errors.get(line.task, Counter())) for line in lines]

    def _unseen_errors(self, name: str) -> Counter[tuple[str, str]]:
        """How often each line was written to standard error and not given yet."""
        written = Counter(_key(line) for line in self._scheduler.error_log(self._job_id, name))
        return written - self._shown.get(name, Counter())

    def _told(self, line: TaskLine, errors: Counter[tuple[str, str]]) -> TaskLine:
        key = _key(line.line)
        self._shown.setdefault(line.task, Counter())[key] += 1
        if not errors[key]:
            return line
        errors[key] -= 1
        return replace(line, line=replace(line.line, error=True))

    def _rest(self, task: TaskState) -> list[TaskLine]:
        """The lines in the stored log of a task that were not given live."""
        stored = self._stored(task)
        shown = self._shown.get(task.name, Counter()).copy()
        rest = []
        for line in stored:
            if shown[_key(line)]:
                shown[_key(line)] -= 1
            else:
                rest.append(TaskLine(task=task.name, line=line))
        if task.ended:
            self._complete.add(task.name)
            self._shown.pop(task.name, None)
        else:
            self._shown[task.name] = Counter(_key(line) for line in stored)
        return rest

    def _stored(self, task: TaskState) -> list[LogLine]:
        if task.status in SILENT:
            return []
        try:
            return self._scheduler.task_log(self._job_id, task.name)
        except SchedulerUnreachable:
            raise
        except SchedulerError as error:
            if not task.ended:
                return []  # A server may have the log only after the end.
            return [LogLine(text=f"The output of task {task.name!r} cannot be read: {error.message}", error=True)]


def _key(line: LogLine) -> tuple[str, str]:
    return line.time, line.text
