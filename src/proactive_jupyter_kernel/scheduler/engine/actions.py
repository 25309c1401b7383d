"""What a person may do to jobs and tasks (execution semantics, sections 1.3 and 10.4).

An action that does not fit where the job or task stands does nothing, and so gives no command.
"""

from __future__ import annotations

from collections.abc import Sequence

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind
from proactive_jupyter_kernel.scheduler.engine.core import Core
from proactive_jupyter_kernel.scheduler.engine.ending import cancel, end_job, end_task, pause, wait_for_retry
from proactive_jupyter_kernel.scheduler.engine.events import (
    FinishInErrorTask,
    KillJob,
    KillTask,
    PauseJob,
    PreemptTask,
    RestartAllInErrorTasks,
    RestartInErrorTask,
    RestartTask,
    ResumeJob,
    ScriptsRead,
    SetPriority,
    SetStartAt,
)
from proactive_jupyter_kernel.scheduler.engine.job_state import JobState, TaskNode
from proactive_jupyter_kernel.scheduler.engine.propagation import handed_down
from proactive_jupyter_kernel.scheduler.engine.records import UNSET
from proactive_jupyter_kernel.workflow.model import ErrorPolicy
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

_KILLED = Failure(
    kind=FailureKind.KILLED, exception="TaskAbortedException", message="The task has been manually killed."
)
_RESTARTED = Failure(kind=FailureKind.KILLED, exception="TaskRestartedException", message="Aborted by user")
_PREEMPTED = Failure(kind=FailureKind.KILLED, exception="TaskPreemptedException", message="Preempted by user")


# --- jobs ------------------------------------------------------------------------------------------------------------


def kill_job(core: Core, job: JobState, event: KillJob) -> None:
    """End the job as KILLED: its running tasks are killed, and the others do not start."""
    end_job(core, job, JobStatus.KILLED)


def pause_job(core: Core, job: JobState, event: PauseJob) -> None:
    """Pause the job: running tasks continue, and no other task starts. Changes nothing if it is paused already."""
    if not job.paused:
        pause(core, job)


def resume_job(core: Core, job: JobState, event: ResumeJob) -> None:
    """Resume a paused job; changes nothing if it is not paused."""
    if job.paused:
        resume(core, job)


def resume(core: Core, job: JobState) -> None:
    """Resume a paused job; tasks that waited for a retry no longer wait."""
    job.paused = False
    for node in list(job.nodes):
        if node.status is TaskStatus.PAUSED:
            core.resubmit(job, node)
    core.announce("JOB_RESUMED", job)


def set_priority(core: Core, job: JobState, event: SetPriority) -> None:
    """Change the priority of the job, and the position of its tasks in the queue."""
    if event.priority is not job.record.priority:
        job.change(priority=event.priority)
        requeue(core, job)
        core.announce("JOB_CHANGE_PRIORITY", job)


def requeue(core: Core, job: JobState) -> None:
    """Move the job's tasks in the queue to the position of its present priority."""
    for task_id in sorted(job.ready):
        if (job.id, task_id) in core.queue:
            core.enqueue(job, job.nodes[task_id])


def set_start_at(core: Core, job: JobState, event: SetStartAt) -> None:
    """Change the start time of the job; a task that has a start time itself keeps it."""
    if event.start_at == job.record.start_at:
        return
    job.change(start_at=event.start_at)
    for task_id in sorted(job.ready | job.delayed):
        node = job.nodes[task_id]
        if node.record.start_at is None:
            core.withdraw(job, node)
            if node.status is TaskStatus.PENDING:
                job.move(node, TaskStatus.SUBMITTED)
            core.consider(job, node)
    core.announce("JOB_UPDATED", job)


def scripts_read(core: Core, job: JobState, event: ScriptsRead) -> None:
    """The scripts of the job have been read: tasks that waited only for them may start."""
    names, job.reading = job.reading, frozenset()
    for task_id in sorted(job.delayed):
        node = job.nodes[task_id]
        if node.record.base_name in names:
            core.withdraw(job, node)
            core.consider(job, node)


def restart_all_in_error(core: Core, job: JobState, event: RestartAllInErrorTasks) -> None:
    """Run every IN_ERROR task of the job again."""
    _restart_in_error(core, job, [node for node in job.nodes if node.status is TaskStatus.IN_ERROR])


# --- tasks -----------------------------------------------------------------------------------------------------------


def kill_task(core: Core, job: JobState, node: TaskNode, event: KillTask) -> None:
    """End a task that runs, could run, or waits for a retry or a person; not one that waits for its parents."""
    if node.ended or (node.waiting and node.status in (TaskStatus.SUBMITTED, TaskStatus.PAUSED)):
        return
    _abort(core, job, node, _KILLED)


def _abort(core: Core, job: JobState, node: TaskNode, failure: Failure) -> None:
    """The task will not run again: under cancelJob it is faulty and its job ends, else its children run."""
    running = node.status is TaskStatus.RUNNING
    if running:
        core.kill(job, node)
        job.update(node, duration=core.after(node.record.started_at) - node.record.started_at)
    core.log(job, node, failure.message)
    if node.rules.policy is ErrorPolicy.CANCEL_JOB:
        core.withdraw(job, node)
        cancel(core, job, node, failure=failure)
    else:
        end_task(core, job, node, TaskStatus.ABORTED, failure, handed_down(job, node), None)


def restart_task(core: Core, job: JobState, node: TaskNode, event: RestartTask) -> None:
    """Kill a running task and run it again after the delay. That costs an execution; without one left, it ends."""
    if node.status is not TaskStatus.RUNNING:
        return
    left = max(0, node.record.executions_left - 1)
    job.update(node, executions_left=left, failure=_RESTARTED)
    if left:
        core.kill(job, node)
        wait_for_retry(core, job, node, TaskStatus.WAITING_ON_ERROR, event.delay)
    else:
        _abort(core, job, node, _RESTARTED)


def preempt_task(core: Core, job: JobState, node: TaskNode, event: PreemptTask) -> None:
    """Kill a running task and run it again after the delay; it keeps its executions."""
    if node.status is not TaskStatus.RUNNING:
        return
    job.update(node, failure=_PREEMPTED)
    core.kill(job, node)
    wait_for_retry(core, job, node, TaskStatus.WAITING_ON_ERROR, event.delay)


def restart_in_error(core: Core, job: JobState, node: TaskNode, event: RestartInErrorTask) -> None:
    """Run the task again if it is IN_ERROR."""
    if node.status is TaskStatus.IN_ERROR:
        _restart_in_error(core, job, [node])


def _restart_in_error(core: Core, job: JobState, nodes: Sequence[TaskNode]) -> None:
    """The tasks may run once more; a paused job stays paused until it is resumed."""
    for node in nodes:
        core.resubmit(job, node)
        job.update(node, in_error_at=UNSET)
    if nodes and not job.counts["in_error"]:
        job.change(in_error_at=UNSET)
        core.announce("JOB_RESTARTED_FROM_ERROR", job)


def finish_in_error(core: Core, job: JobState, node: TaskNode, event: FinishInErrorTask) -> None:
    """The task counts as finished, with an empty result; its job continues even if it was paused."""
    if node.status is not TaskStatus.IN_ERROR:
        return
    end_task(core, job, node, TaskStatus.FINISHED, None, handed_down(job, node), None)
    job.update(node, in_error_at=UNSET)
    if not job.counts["in_error"]:
        job.change(in_error_at=UNSET)
    if job.paused:
        resume(core, job)
