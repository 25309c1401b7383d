"""Describes the errors of a job: task, error, cell and line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.client.jobs.submitted_job import SubmittedJob
from proactive_jupyter_kernel.errors import JobFailed, SchedulerError, SchedulerUnreachable
from proactive_jupyter_kernel.pragmas.checking import hint_for_name_error
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.jobs.missing_files import hint_of
from proactive_jupyter_kernel.pragmas.jobs.task_hints import hint_for_task_error
from proactive_jupyter_kernel.pragmas.jobs.tracebacks import last_traceback
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

if TYPE_CHECKING:
    from proactive_jupyter_kernel.client.records import Job, TaskResult, TaskState
    from proactive_jupyter_kernel.client.scheduler import Scheduler

__all__ = ["TaskError", "advice", "error_of", "job_failed", "task_failed"]

#: How many faulty tasks are shown with their error, and how many lines of each.
TOLD, LINES = 5, 30
#: How many others are named.
NAMED = 10
#: What is to say of a task that left neither error nor output, as a server has it.
_WITHOUT_MESSAGE: Mapping[TaskStatus, str] = {
    TaskStatus.ABORTED: "The task was killed while it ran: it left no message.",
    TaskStatus.SKIPPED: "The task was skipped in the workflow.",
    TaskStatus.NOT_STARTED: "The job ended before the task started.",
    TaskStatus.NOT_RESTARTED: "The job ended while the task waited for a retry.",
    TaskStatus.FAILED: "The node that ran the task was lost.",
}


def job_failed(context: Context, scheduler: Scheduler, job: Job) -> JobFailed:
    """The error that ends a cell whose job did not end well."""
    faulty = [task for task in job.tasks if task.went_wrong or task.status is TaskStatus.IN_ERROR]
    # A task that the end of the job stopped is not a cause where another one failed.
    causes = [task for task in faulty if task.status is not TaskStatus.ABORTED] or faulty
    head = f"Job {job.id} ({job.name!r}) {_ending(job, len(causes))}."
    told, hints = [], []
    for task in causes[:TOLD]:
        text, hint = _story(context, scheduler, job, task)
        told.append(text)
        hints += [hint] if hint and hint not in hints else []
    if len(causes) > TOLD:
        named = ", ".join(task.name for task in causes[TOLD : TOLD + NAMED])
        rest = ", …" if len(causes) > TOLD + NAMED else ""
        told.append(f"… and {len(causes) - TOLD} more: {named}{rest}")
    if not job.ended:
        hints.append(advice(job))
    if causes:
        hints.append(_further(causes[0], job))
    return JobFailed("\n\n".join([head, *told]), hint="\n".join(hints), job_id=job.id)


def task_failed(context: Context, scheduler: Scheduler, job: Job, task: TaskState) -> JobFailed:
    """The error that ends a cell which asked for the result of a task that has none."""
    head = f"Task {task.name} of job {job.id} ({job.name!r}) has no result: it is {task.status_label}."
    if task.started_at <= 0 and not task.went_wrong:
        reason = SubmittedJob(scheduler, job.id, job.name).waiting_reasons(job).get(task.name, "")
        return JobFailed(f"{head} {reason}".rstrip(), hint="" if job.ended else advice(job))
    text, hint = _story(context, scheduler, job, task)
    hints = [hint, "" if job.ended else advice(job), _further(task, job)]
    return JobFailed(f"{head}\n\n{text}", hint="\n".join(part for part in hints if part))


def _further(task: TaskState, job: Job) -> str:
    """Where to see more of a task that failed."""
    which = f"task_name={task.name}, job_id={job.id}"
    return (
        f"#%print_task_output({which}) shows all that the task wrote,"
        f" #%debug({which}) loads what it had into the notebook."
    )


def advice(job: Job) -> str:
    """What to do about a job that cannot continue without a decision; empty if it can."""
    failed = [task.name for task in job.tasks if task.status is TaskStatus.IN_ERROR]
    if failed and not job.ended:
        which = f"task_name={failed[0]}, job_id={job.id}"
        return (
            f"Task {failed[0]} waits for a decision: #%restart_task({which}) runs it again,"
            f" #%finish_task({which}) continues without its result, #%kill_job(job_id={job.id}) ends the job."
        )
    if job.status is JobStatus.PAUSED:
        return f"The job is paused: #%resume_job(job_id={job.id}) continues it, #%kill_job(job_id={job.id}) ends it."
    return ""


def _ending(job: Job, faulty: int) -> str:
    count = f"{faulty} faulty task{'s' if faulty != 1 else ''}"
    if job.status is JobStatus.KILLED:
        return "was killed"
    if not job.ended:
        return f"is {job.status_label} with {count}"
    ending = {JobStatus.CANCELED: "was cancelled", JobStatus.FAILED: "failed"}.get(job.status, "ended")
    return f"{ending} with {count}" if faulty else ending


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskError:
    """The error of a task, in the words of the notebook's cells."""

    text: str
    #: What to do about it; empty where nothing special is known.
    hint: str = ""


def error_of(context: Context, scheduler: Scheduler, job: Job, task: TaskState) -> TaskError:
    """The traceback of a task that failed, or what it wrote last. Raises `SchedulerUnreachable`."""
    try:
        result = scheduler.task_result(job.id, task.name)
        log = "".join(line.text + "\n" for line in scheduler.task_log(job.id, task.name) if line.error)
    except SchedulerUnreachable:
        raise
    except SchedulerError as error:
        return TaskError(text=f"The error cannot be read: {error.message}")
    told = _error(result, log) or _WITHOUT_MESSAGE.get(task.status, "There is no message.")
    text = context.translate(job.id, task.name, told).rstrip()
    hint = (
        hint_of(context.frontend.folder, text)
        or hint_for_name_error(context, task.base_name, text)
        or hint_for_task_error(text, _dep(context, task.base_name))
    )
    return TaskError(text=text, hint=hint)


def _dep(context: Context, task: str) -> tuple[str, ...] | None:
    """What the task depends on, where this notebook has it."""
    entry = context.draft.tasks.get(task)
    return None if entry is None else (*entry.task.depends, *context.draft.contents.implied(task))


def _story(context: Context, scheduler: Scheduler, job: Job, task: TaskState) -> tuple[str, str]:
    """A task's error, indented below its name, and a hint."""
    try:
        error = error_of(context, scheduler, job, task)
    except SchedulerUnreachable as unreachable:
        return f"  {task.name} ({task.status_label}): the error cannot be read: {unreachable.message}", ""
    lines = error.text.split("\n")
    if len(lines) > LINES:
        lines = [*lines[: LINES // 3], "…", *lines[-(LINES - LINES // 3) :]]
    body = "\n".join(f"    {line}" if line else "" for line in lines)
    return f"  {task.name} ({task.status_label}):\n{body}", error.hint


def _error(result: TaskResult, log: str) -> str:
    """The Python traceback, from the trace or from what the task wrote; else what the scheduler says, if anything."""
    for text in (result.trace, log):
        # Java's traces follow Python's on a server; the embedded scheduler's text is that of one error.
        if found := last_traceback(text, is_whole=text is result.trace and "\n\tat " not in text):
            return found
    if not log.strip():
        return result.failure or result.trace
    # A program that ended with a status says why on its standard error.
    tail = "\n".join(log.rstrip().split("\n")[-10:])
    return f"{result.failure}\n{tail}" if result.failure and not _says(tail, result.failure) else tail


def _says(log: str, failure: str) -> bool:
    """Whether the log holds the scheduler's sentence, or the scheduler has its sentence from the log."""
    # A log of a server has no empty lines.
    dense = "\n".join(line for line in failure.split("\n") if line.strip())
    return dense in log or any(line.count(" ") > 1 and failure.endswith(line) for line in log.split("\n"))
