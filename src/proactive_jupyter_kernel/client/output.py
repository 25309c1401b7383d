"""What the tasks of a job write, each line once, as soon as the scheduler tells it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from proactive_jupyter_kernel.client import logs
from proactive_jupyter_kernel.client.records import Job, LogLine, TaskState
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.errors import (
    NotConnected,
    PermissionRefused,
    SchedulerError,
    SchedulerUnreachable,
    UnknownJob,
)

__all__ = ["JobOutput", "TaskLine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLine:
    """A line and who wrote it."""

    #: The task's full name; empty where the scheduler did not tell.
    task: str
    line: LogLine


class JobOutput:
    """Reads a job's output piece by piece.

    The live log comes early, but does not tell the streams apart, and what another reader in the same session has read
    is gone from it; a task's stored log is complete, but on a real server there only when the task has ended. So live
    lines are shown as they come, and what of a stored log was not among them follows when its task has ended.
    """

    def __init__(self, scheduler: Scheduler, job_id: int) -> None:
        self._scheduler = scheduler
        self._job_id = job_id
        self._shown: dict[str, Counter[tuple[str, str]]] = {}
        self._complete: set[str] = set()

    def fresh(self, job: Job) -> list[TaskLine]:
        """The lines that came since the last call; `job` is the job's newest state."""
        lines = [] if self._all_known(job) else self._live(job)
        for task in job.tasks:
            if task.ended and task.name not in self._complete:
                lines += self._rest(task)
        return lines

    def _all_known(self, job: Job) -> bool:
        return all(task.ended for task in job.tasks)

    def _live(self, job: Job) -> list[TaskLine]:
        names = {f"{job.id}t{task.id}": task.name for task in job.tasks}
        lines = [TaskLine(task=names.get(line.task, ""), line=line) for line in logs.parse(self._live_text())]
        errors = {
            name: self._unseen_errors(name)
            for name in dict.fromkeys(line.task for line in lines)
            if name and name not in self._complete
        }
        return [self._told(line, errors.get(line.task, Counter())) for line in lines if line.task not in self._complete]

    def _live_text(self) -> str:
        """The live log; nothing where the server has none to give: the stored logs bring every line later."""
        try:
            return self._scheduler.live_log(self._job_id)
        except (SchedulerUnreachable, NotConnected, PermissionRefused, UnknownJob):
            raise
        except SchedulerError:
            return ""

    def _unseen_errors(self, name: str) -> Counter[tuple[str, str]]:
        """How often each line was written to standard error and not shown yet."""
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
        """The lines of an ended task that were not shown live."""
        self._complete.add(task.name)
        shown = self._shown.pop(task.name, Counter())
        rest = []
        for line in self._scheduler.task_log(self._job_id, task.name):
            if shown[_key(line)]:
                shown[_key(line)] -= 1
            else:
                rest.append(TaskLine(task=task.name, line=line))
        return rest


def _key(line: LogLine) -> tuple[str, str]:
    return line.time, line.text
