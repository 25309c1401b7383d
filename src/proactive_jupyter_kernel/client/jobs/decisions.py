"""Which tasks of a job wait for a person: an In-Error task, and what can only run after it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection

from proactive_jupyter_kernel.client.records import Job, TaskState
from proactive_jupyter_kernel.errors import ProActiveError
from proactive_jupyter_kernel.workflow.model import Branch, Workflow
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["blocked_tasks", "is_over"]

#: Statuses in which a task makes progress or will by itself.
ACTIVE = frozenset({TaskStatus.RUNNING, TaskStatus.WAITING_ON_ERROR, TaskStatus.WAITING_ON_FAILURE})


def blocked_tasks(job: Job, workflow: Callable[[], Workflow]) -> frozenset[str]:
    """Names of the In-Error tasks and of those that cannot start before somebody has decided about these.

    `workflow` gives the definition of the job; it is called only if a task is In-Error.
    """
    failed = [task for task in job.tasks if task.status is TaskStatus.IN_ERROR]
    if not failed:
        return frozenset()
    waiting = [task for task in job.tasks if not task.ended and task.status not in ACTIVE]
    try:
        after = _descendants(workflow(), {task.base_name for task in failed})
    except ProActiveError:
        # Without the definition: as long as a task runs, more may start.
        if any(task.status in ACTIVE for task in job.tasks):
            return frozenset(task.name for task in failed)
        return frozenset(task.name for task in waiting)
    return frozenset(task.name for task in waiting if _is_blocked(task, after))


def is_over(job: Job, tasks: Collection[str], blocked: Collection[str]) -> bool:
    """Whether each of the tasks has ended or is blocked; all tasks of the job where none are named.

    A base name means the task and all its copies.
    """
    if job.ended:
        return True
    if not tasks:
        return bool(blocked) and all(task.ended or task.name in blocked for task in job.tasks)
    meant = [task for task in job.tasks if task.name in tasks or task.base_name in tasks]
    found = {task.base_name for task in meant} | {task.name for task in meant}
    return found.issuperset(tasks) and all(task.ended or task.name in blocked for task in meant)


def _is_blocked(task: TaskState, after: Collection[str]) -> bool:
    # A job with the policy "pause the job" holds its other tasks as well.
    return task.status in (TaskStatus.IN_ERROR, TaskStatus.PAUSED) or task.base_name in after


def _descendants(workflow: Workflow, names: Collection[str]) -> frozenset[str]:
    """The tasks that can only run after one of these has, by dependencies and branches."""
    children: defaultdict[str, set[str]] = defaultdict(set)
    for task in workflow.tasks:
        for parent in task.depends:
            children[parent].add(task.name)
        if isinstance(task.flow, Branch):
            children[task.name] |= {task.flow.target, task.flow.otherwise, task.flow.continuation} - {""}
    reached: set[str] = set()
    stack = list(names)
    while stack:
        for child in children[stack.pop()] - reached:
            reached.add(child)
            stack.append(child)
    return frozenset(reached)
