"""Waits for a job at a terminal: prints its output and notices, and handles SIGINT and SIGTERM."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from types import FrameType

import click

from proactive_jupyter_kernel.cli.app import EXIT_INTERRUPTED, EXIT_TERMINATED
from proactive_jupyter_kernel.cli.common import note
from proactive_jupyter_kernel.client.jobs import SubmittedJob, TaskLine
from proactive_jupyter_kernel.client.records import Job
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.errors import SchedulerError, WaitTimeout
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["print_line", "tell_decision", "watch"]

#: Polling interval in seconds for the output of a job whose state does not change.
BEAT = 0.25
#: Polling interval in seconds for the reasons why tasks wait, which need several requests.
REASONS_EVERY = 5.0

#: The statuses with a notice.
NOTICES = {
    TaskStatus.FAULTY: "failed",
    TaskStatus.FAILED: "failed: its node was lost",
    TaskStatus.IN_ERROR: "failed and waits for a decision",
    TaskStatus.WAITING_ON_ERROR: "failed and will be retried",
    TaskStatus.WAITING_ON_FAILURE: "lost its node and will be retried",
    TaskStatus.ABORTED: "was killed",
}


class _Terminated(KeyboardInterrupt):
    """SIGTERM came."""


def watch(
    scheduler: Scheduler, job_id: int, *, all_to_stderr: bool = False, task: str = "", timeout: float | None = None
) -> Job:
    """The job when it has ended or needs a decision; until then its output is printed, of one task if it is named.

    SIGINT or SIGTERM end the wait, not the job, and a notice says so (`click.exceptions.Exit` with status 130 or 143).
    Raises `WaitTimeout` after `timeout` seconds.
    """
    submitted = scheduler.get_job(job_id)
    tasks = (task,) if task else ()
    output = submitted.output_reader(tasks=tasks)
    notices = _Notices(submitted)
    job = submitted.state()

    def print_output(*, final: bool = False) -> None:
        for line in output.fresh(job, final=final):
            print_line(line, named=not task, all_to_stderr=all_to_stderr)

    try:
        with _terminable():
            for snapshot in submitted.follow(beat=BEAT, timeout=timeout, known=job):
                job = snapshot.job
                print_output()
                notices.changes(job)
                if submitted.is_over(job, tasks):
                    break
                notices.reasons(job)
    except KeyboardInterrupt as interrupt:
        with contextlib.suppress(SchedulerError):
            print_output(final=True)
        note(f"\nInterrupted. Job {job_id} is still on the scheduler. `proactive-kernel kill {job_id}` kills it,")
        note(f"`proactive-kernel wait {job_id}` waits again.")
        status = EXIT_TERMINATED if isinstance(interrupt, _Terminated) else EXIT_INTERRUPTED
        raise click.exceptions.Exit(status) from None
    except WaitTimeout as error:
        print_output(final=True)
        reasons = "".join(f"\n  {name}: {reason}" for name, reason in notices.all_reasons(job).items())
        hint = f"`proactive-kernel wait {job_id}` waits again, `proactive-kernel kill {job_id}` kills the job."
        raise WaitTimeout(error.message + reasons, hint=hint) from None
    if not job.ended:
        print_output(final=True)
        tell_decision(job)
    return job


def print_line(line: TaskLine, *, named: bool, all_to_stderr: bool = False) -> None:
    """One line of a task, on the stream it was written to."""
    label = f"[{line.task}] " if named and line.task else ""
    click.echo(label + line.line.text, err=line.line.error or all_to_stderr)


def tell_decision(job: Job) -> None:
    """How to decide about a job with an In-Error task."""
    for task in job.tasks:
        if task.status is TaskStatus.IN_ERROR:
            note(f"Task {task.name} is In-Error. Decide:")
            note(f"  proactive-kernel restart {job.id} '{task.name}'   runs it again")
            note(f"  proactive-kernel finish {job.id} '{task.name}'    continues without its result")
            note(f"  proactive-kernel kill {job.id}   ends the job")
            return


class _Notices:
    """Prints notices about the tasks of a job, each one once."""

    def __init__(self, submitted: SubmittedJob) -> None:
        self._submitted = submitted
        self._statuses: dict[str, TaskStatus] = {}
        self._reasons: dict[str, str] = {}
        self._next = time.monotonic() + REASONS_EVERY

    def changes(self, job: Job) -> None:
        """Print notices about tasks that failed since the last call."""
        for task in job.tasks:
            if self._statuses.get(task.name) is not task.status and task.status in NOTICES:
                note(f"Task {task.name} {NOTICES[task.status]}.")
            self._statuses[task.name] = task.status

    def reasons(self, job: Job) -> None:
        """Print every few seconds why tasks wait while none runs."""
        if time.monotonic() < self._next or any(task.status is TaskStatus.RUNNING for task in job.tasks):
            return
        for name, reason in self.all_reasons(job).items():
            if self._reasons.get(name) != reason and not reason.startswith("Waits for "):
                note(f"Task {name} waits: {reason}")
            self._reasons[name] = reason
        self._next = time.monotonic() + REASONS_EVERY

    def all_reasons(self, job: Job) -> Mapping[str, str]:
        """Why tasks wait now."""
        return self._submitted.waiting_reasons(job)


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM end the wait as an interrupt does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def terminate(number: int, frame: FrameType | None) -> None:
        raise _Terminated

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
