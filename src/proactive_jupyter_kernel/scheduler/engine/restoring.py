"""A living job made again from its stored records, after the scheduler was restarted or killed (section 17)."""

from __future__ import annotations

from collections.abc import Sequence

from proactive_jupyter_kernel.scheduler.engine.core import Core
from proactive_jupyter_kernel.scheduler.engine.job_state import WAITING_FOR_RETRY, JobState, Links, TaskNode
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.workflow.model import Workflow
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["restored_job", "resume_work"]

#: Milliseconds that a task waits which a person restarted or preempted.
_LONGEST_RESTART = 5_000


def restored_job(record: JobRecord, workflow: Workflow, tasks: Sequence[TaskRecord], *, node_failures: int) -> JobState:
    """The state of a stored job, as it was stored."""
    job = JobState(record, workflow, node_failures=node_failures)
    for task in sorted(tasks, key=lambda task: task.task_id):
        job.add(_node(job, task))
    for node in job.nodes:
        job.connect(node)
    job.drain()  # what is stored need not be saved again
    return job


def resume_work(core: Core, job: JobState) -> None:
    """Let a restored job continue. Tasks that ran are submitted again; their executions are not lowered."""
    for node in job.nodes:
        _go_on(core, job, node)


def _node(job: JobState, record: TaskRecord) -> TaskNode:
    """A task as its stored record says, without dependents."""
    private = record.private
    base = record.base_name
    node = TaskNode(record, job.definitions[base], job.rules[base], Links.from_wire(private))
    node.settled = node.ended
    node.wake = private.get("wake")
    node.avoid = frozenset(private.get("avoid", ()))
    node.counted_faulty = bool(private.get("faulty"))
    return node


def _go_on(core: Core, job: JobState, node: TaskNode) -> None:
    """Continue a restored task from its status."""
    if node.status is TaskStatus.RUNNING:
        core.resubmit(job, node)
    elif node.status in WAITING_FOR_RETRY:
        # At the latest after its whole delay: the clock may have been set back while the scheduler did not run.
        longest = max(node.rules.delay(node.record.executions_left), core.limits.node_failure_delay, _LONGEST_RESTART)
        core.wake(job, node, core.now if node.wake is None else min(node.wake, core.now + longest))
    elif node.status is TaskStatus.PENDING:
        job.ready.add(node.id)
        core.enqueue(job, node)
    elif node.status is TaskStatus.SUBMITTED:
        core.consider(job, node)
