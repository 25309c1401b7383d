"""What a task gets from those before it: whose results it sees, and which variables it inherits.

Execution semantics, sections 7.2 and 9.3.
"""

from __future__ import annotations

from proactive_jupyter_kernel.scheduler.attempt import Wire
from proactive_jupyter_kernel.scheduler.engine.job_state import JobState, TaskNode
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["effective_parents", "handed_down", "inherited", "naming_variables", "predecessors"]


def predecessors(node: TaskNode) -> tuple[int, ...]:
    """The ids of the tasks before this one. Where no branch ever decided: those that it would have hung on."""
    links = node.links
    return node.record.depends or links.joined or (() if links.branch is None else (links.branch,))


def effective_parents(job: JobState, node: TaskNode) -> tuple[int, ...]:
    """The tasks whose results are ``results``, in that order.

    A skipped parent is replaced by its nearest ancestors that were not skipped, depth-first, without duplicates.
    """
    found: dict[int, None] = {}
    passed: set[int] = set()
    todo = list(reversed(node.record.depends))
    while todo:
        parent = job.nodes[todo.pop()]
        if parent.status is not TaskStatus.SKIPPED:
            found[parent.id] = None
        elif parent.id not in passed:
            passed.add(parent.id)
            todo += reversed(predecessors(parent))
    return tuple(found)


def handed_down(job: JobState, node: TaskNode) -> dict[str, Wire]:
    """The job's variables, over them the parents' in the order of ``results``: the last parent wins, even if it merely
    passes on what it inherited. Also what a task passes on that could not report."""
    variables = dict(job.variables)
    for parent_id in effective_parents(job, node):
        variables.update(job.nodes[parent_id].record.propagated or {})
    return variables


def inherited(job: JobState, node: TaskNode) -> dict[str, Wire]:
    """Layer 1 of a task's variables: `handed_down`, and over it what names the job and the task."""
    return handed_down(job, node) | naming_variables(job.record, node.record)


def naming_variables(job: JobRecord, task: TaskRecord) -> dict[str, Wire]:
    """What names the job and the task to the task's scripts."""
    return {
        "PA_JOB_ID": str(job.job_id),
        "PA_JOB_NAME": job.name,
        "PA_TASK_ID": str(task.task_id),
        "PA_TASK_NAME": task.name,
        "PA_TASK_ITERATION": task.iteration,
        "PA_TASK_REPLICATION": task.replication,
    }
