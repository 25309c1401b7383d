"""Times and statuses of a task in words."""

from __future__ import annotations

from proactive_jupyter_kernel.workflow.display.marks import task_word
from proactive_jupyter_kernel.workflow.display.records import Task
from proactive_jupyter_kernel.workflow.display.relations import Relations, names_text
from proactive_jupyter_kernel.workflow.display.times import duration
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["attempts", "run_time", "time_text", "waiting_words"]


def attempts(task: Task) -> int:
    """How often the task was started, the present attempt included."""
    used = task.max_executions - max(task.executions_left, 0)
    running = task.status is TaskStatus.RUNNING
    return max(1, min(used + running, task.max_executions))


def time_text(task: Task, seen_at: int) -> str:
    """How long the task ran, or runs by now; empty where it has not started."""
    if task.status in (TaskStatus.SKIPPED, TaskStatus.NOT_STARTED) or task.started_at <= 0:
        return ""
    return duration(run_time(task, seen_at))


def run_time(task: Task, seen_at: int) -> int:
    """Milliseconds that a task ran, or has run by now."""
    if not task.ended and task.status is not TaskStatus.IN_ERROR:
        return max(seen_at - task.started_at, 0)
    if task.duration >= 0:
        return task.duration
    return max((task.finished_at if task.finished_at > 0 else seen_at) - task.started_at, 0)


def waiting_words(task: Task, relations: Relations) -> str:
    """The status of a task, with what it waits for."""
    if task.status is TaskStatus.SUBMITTED and (parents := relations.waits_for(task)):
        return f"Waits for {names_text(parents, 3)}"
    words = task_word(task.status)
    if task.status is TaskStatus.RUNNING:
        words += f" {task.progress} %" if 0 < task.progress <= 100 else ""
    tried = attempts(task)
    if task.max_executions > 1 and task.status not in _NEVER and (tried > 1 or task.status in _TRIED):
        words += f", attempt {tried} of {task.max_executions}"
    return words


_NEVER = frozenset({TaskStatus.NOT_STARTED, TaskStatus.SKIPPED, TaskStatus.SUBMITTED, TaskStatus.PENDING})
_TRIED = frozenset({TaskStatus.FAULTY, TaskStatus.IN_ERROR, TaskStatus.WAITING_ON_ERROR})
