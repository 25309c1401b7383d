"""What follows when an attempt, a task or a job ends (execution semantics, sections 1.3, 4.1 and 10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind, Wire
from proactive_jupyter_kernel.scheduler.engine import controls, flow
from proactive_jupyter_kernel.scheduler.engine.core import Core
from proactive_jupyter_kernel.scheduler.engine.events import AttemptEnded
from proactive_jupyter_kernel.scheduler.engine.job_state import WAITING_FOR_RETRY, JobState, TaskNode
from proactive_jupyter_kernel.scheduler.engine.propagation import handed_down
from proactive_jupyter_kernel.scheduler.engine.records import UNSET
from proactive_jupyter_kernel.scheduler.engine.rules import removal_delay
from proactive_jupyter_kernel.workflow.model import ErrorPolicy
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

__all__ = ["attempt_ended", "cancel", "end_if_complete", "end_job", "end_task", "pause", "wait_for_retry"]

#: Kinds of failure after which the process could not report its variables.
_SILENT = frozenset({FailureKind.DIED, FailureKind.WALLTIME, FailureKind.KILLED, FailureKind.LOST})


def attempt_ended(core: Core, job: JobState, node: TaskNode, event: AttemptEnded) -> None:
    """An attempt that the machine waits for is over."""
    core.free(job, node)
    job.update(node, duration=max(0, event.duration))
    failure = event.failure
    if failure is not None and failure.kind is FailureKind.LOST:
        _lost(core, job, node, failure)
    elif failure is not None and failure.kind is FailureKind.KILLED:
        core.resubmit(job, node)  # not on the machine's word, so it costs nothing
    else:
        decision, failure = _decide(core, job, node, event)
        if failure is None:
            _succeeded(core, job, node, event.variables, decision)
        else:
            _failed(core, job, node, failure, _reported(job, node, event), decision)


def _decide(
    core: Core, job: JobState, node: TaskNode, event: AttemptEnded
) -> tuple[flow.Decision | None, Failure | None]:
    """What the flow script decided, and why the execution failed, if it did.

    A script that ran after a failure is obeyed when the task ends with that failure. An invalid answer fails the
    execution.
    """
    action, failure = node.definition.flow, event.failure
    if action is None or (failure is not None and not event.flow_decided):
        return None, failure
    try:
        decision = flow.judge(
            action,
            node.record.name,
            event.flow,
            event.flow_decided,
            now=core.now,
            most_runs=core.limits.runs,
            zone=core.zone,
        )
    except flow.InvalidFlowResult as error:
        message = f"Failed to execute control flow script: {error}"
        core.log(job, node, message)
        return None, failure or Failure(kind=FailureKind.ERROR, exception="TaskException", message=message)
    return decision, failure


def _reported(job: JobState, node: TaskNode, event: AttemptEnded) -> Mapping[str, Wire]:
    silent = event.failure is not None and event.failure.kind in _SILENT
    return handed_down(job, node) if silent else event.variables


def _succeeded(
    core: Core, job: JobState, node: TaskNode, variables: Mapping[str, Wire], decision: flow.Decision | None
) -> None:
    job.count_faulty(node, False)
    end_task(core, job, node, TaskStatus.FINISHED, None, variables, decision)


# --- failures --------------------------------------------------------------------------------------------------------


def _failed(
    core: Core,
    job: JobState,
    node: TaskNode,
    failure: Failure,
    variables: Mapping[str, Wire],
    decision: flow.Decision | None,
) -> None:
    """The attempt failed: retry the task, or apply its error policy if it has no execution left."""
    left = max(0, node.record.executions_left - 1)
    job.update(node, executions_left=left, failure=failure)
    if node.rules.policy is ErrorPolicy.CONTINUE:
        job.count_faulty(node, True)
    if left:
        node.avoid = frozenset({node.record.slot}) if node.rules.elsewhere else frozenset()
        most = node.rules.max_executions
        core.log(job, node, f"Attempt {most - left} of {most} failed, retrying")
        wait_for_retry(core, job, node, TaskStatus.WAITING_ON_ERROR, node.rules.delay(left))
    else:
        _LAST_FAILURE[node.rules.policy](core, job, node, variables, decision)


def _continue(
    core: Core, job: JobState, node: TaskNode, variables: Mapping[str, Wire], decision: flow.Decision | None
) -> None:
    end_task(core, job, node, TaskStatus.FAULTY, node.record.failure, variables, decision)


def _cancel(
    core: Core, job: JobState, node: TaskNode, variables: Mapping[str, Wire], decision: flow.Decision | None
) -> None:
    cancel(core, job, node, propagated=variables)


def cancel(core: Core, job: JobState, node: TaskNode, **changes: Any) -> None:
    """The task is faulty, and its job ends with it."""
    job.count_faulty(node, True)
    job.move(node, TaskStatus.FAULTY, finished_at=core.after(node.record.started_at), progress=100, **changes)
    _note_precious(job, node)
    core.announce("TASK_RUNNING_TO_FINISHED", job, node)
    end_job(core, job, JobStatus.CANCELED)


def _suspend(
    core: Core, job: JobState, node: TaskNode, variables: Mapping[str, Wire], decision: flow.Decision | None
) -> None:
    job.move(node, TaskStatus.IN_ERROR, in_error_at=core.now)
    job.change(in_error_at=core.now)
    core.announce("TASK_IN_ERROR", job, node)
    core.announce("JOB_IN_ERROR", job)


def _pause_job(
    core: Core, job: JobState, node: TaskNode, variables: Mapping[str, Wire], decision: flow.Decision | None
) -> None:
    _suspend(core, job, node, variables, decision)
    pause(core, job)


_Policy = Callable[[Core, JobState, TaskNode, Mapping[str, Wire], flow.Decision | None], None]

#: What follows the last failing execution.
_LAST_FAILURE: Mapping[ErrorPolicy, _Policy] = MappingProxyType(
    {
        ErrorPolicy.CONTINUE: _continue,
        ErrorPolicy.CANCEL_JOB: _cancel,
        ErrorPolicy.SUSPEND_TASK: _suspend,
        ErrorPolicy.PAUSE_JOB: _pause_job,
    }
)


def _lost(core: Core, job: JobState, node: TaskNode, failure: Failure) -> None:
    """The node was lost: run the task again, or fail the job if the task met too many lost nodes."""
    left = max(0, node.record.node_failures_left - 1)
    job.update(node, node_failures_left=left, failure=failure)
    if left:
        wait_for_retry(core, job, node, TaskStatus.WAITING_ON_FAILURE, core.limits.node_failure_delay)
    else:
        job.move(node, TaskStatus.FAILED, finished_at=core.after(node.record.started_at))
        core.announce("TASK_RUNNING_TO_FINISHED", job, node)
        end_job(core, job, JobStatus.FAILED)


def wait_for_retry(core: Core, job: JobState, node: TaskNode, status: TaskStatus, delay: int) -> None:
    """The task runs again after `delay` milliseconds."""
    job.move(node, status, progress=0)
    core.wake(job, node, core.now + delay)
    core.announce("TASK_WAITING_FOR_RESTART", job, node)


# --- ends ------------------------------------------------------------------------------------------------------------


def end_task(
    core: Core,
    job: JobState,
    node: TaskNode,
    status: TaskStatus,
    failure: Failure | None,
    variables: Mapping[str, Wire],
    decision: flow.Decision | None,
) -> None:
    """The task has ended and its job continues: take its flow action (the default one without a decision), and let its
    children run."""
    event = "TASK_IN_ERROR_TO_FINISHED" if node.status is TaskStatus.IN_ERROR else "TASK_RUNNING_TO_FINISHED"
    core.withdraw(job, node)
    node.avoid = frozenset()
    job.move(
        node,
        status,
        finished_at=core.after(node.record.started_at),
        progress=100,
        failure=failure,
        propagated=variables,
    )
    _note_precious(job, node)
    core.announce(event, job, node)
    action = node.definition.flow
    if action is not None:
        controls.apply(core, job, node, decision or flow.default(action))
    for child in job.settle(node):
        core.consider(job, child)


def _note_precious(job: JobState, node: TaskNode) -> None:
    if node.definition.precious_result and node.status in (TaskStatus.FINISHED, TaskStatus.FAULTY):
        job.change(precious=(*job.record.precious, node.record.name))


def end_if_complete(core: Core, job: JobState) -> None:
    """End the job when all of its tasks have ended."""
    if job.alive and job.complete:
        end_job(core, job, JobStatus.FINISHED)


def end_job(core: Core, job: JobState, status: JobStatus) -> None:
    """End the job now, with its running and waiting tasks."""
    started = job.started
    errors = status is not JobStatus.FINISHED or job.counts["faulty"] > 0
    job.close(status, finished_at=core.after(job.record.submitted_at, job.record.started_at), remove_at=None)
    for node in job.nodes:
        if not node.ended:
            _end_with_job(core, job, node)
    delay = removal_delay(job.workflow.generic_information, with_errors=errors)
    if delay is not None:
        job.change(remove_at=core.now + delay)
        core.remove_at(job.id, core.now + delay)
    core.announce("JOB_RUNNING_TO_FINISHED" if started else "JOB_PENDING_TO_FINISHED", job)
    if status is JobStatus.FINISHED and errors:
        core.announce("JOB_RUNNING_TO_FINISHED_WITH_ERRORS", job)


def _end_with_job(core: Core, job: JobState, node: TaskNode) -> None:
    core.withdraw(job, node)
    if node.status is TaskStatus.RUNNING:
        core.kill(job, node)
        ended = core.after(node.record.started_at)
        duration = ended - node.record.started_at if node.record.started_at != UNSET else UNSET
        job.move(node, TaskStatus.ABORTED, finished_at=ended, duration=duration, progress=100)
    elif node.status in WAITING_FOR_RETRY:
        job.move(node, TaskStatus.NOT_RESTARTED)
    else:
        job.move(node, TaskStatus.NOT_STARTED)
    core.announce("TASK_RUNNING_TO_FINISHED", job, node)


def pause(core: Core, job: JobState) -> None:
    """Pause the job: running tasks run to their end, no other task starts."""
    job.paused = True
    for node in job.nodes:
        if node.status in _PAUSABLE:
            core.withdraw(job, node)
            job.move(node, TaskStatus.PAUSED)
    core.announce("JOB_PAUSED", job)


_PAUSABLE = frozenset({TaskStatus.SUBMITTED, TaskStatus.PENDING}) | WAITING_FOR_RETRY
