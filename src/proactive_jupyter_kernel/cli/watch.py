"""Waiting for a job at a terminal: its output as it comes, what happens to it, and how to leave."""

from __future__ import annotations

import click

from proactive_jupyter_kernel.cli.app import EXIT_INTERRUPTED
from proactive_jupyter_kernel.cli.common import note
from proactive_jupyter_kernel.client.jobs import TaskLine
from proactive_jupyter_kernel.client.records import Job
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["print_line", "watch"]

#: Seconds between two looks at the output of a job to which nothing else happens.
BEAT = 0.25

#: What is worth a notice when a task comes there.
TOLD = {
    TaskStatus.FAULTY: "failed",
    TaskStatus.FAILED: "failed: its node was lost",
    TaskStatus.IN_ERROR: "failed and waits for a decision",
    TaskStatus.WAITING_ON_ERROR: "failed and will be tried again",
    TaskStatus.WAITING_ON_FAILURE: "lost its node and will be tried again",
    TaskStatus.ABORTED: "was killed",
}


def watch(
    scheduler: Scheduler, job_id: int, *, all_to_stderr: bool = False, task: str = "", timeout: float | None = None
) -> Job:
    """The job when it has ended; until then its output is printed, of one task alone if it is named.

    An interrupt ends the waiting, not the job, and says so (`click.exceptions.Exit` with status 130). Raises
    `WaitTimeout` after `timeout` seconds.
    """
    submitted = scheduler.get_job(job_id)
    output = submitted.output_reader()
    before: dict[str, TaskStatus] = {}
    try:
        for snapshot in submitted.follow(beat=BEAT, timeout=timeout):
            job = snapshot.job
            for line in output.fresh(job):
                if task in ("", line.task):
                    print_line(line, named=not task, all_to_stderr=all_to_stderr)
            _tell_changes(job, before)
            if task and _is_over(job, task):
                break
    except KeyboardInterrupt:
        note(f"\nInterrupted. Job {job_id} goes on; `proactive-kernel kill {job_id}` kills it,")
        note(f"`proactive-kernel logs {job_id} --follow` goes on watching.")
        raise click.exceptions.Exit(EXIT_INTERRUPTED) from None
    return job


def print_line(line: TaskLine, *, named: bool, all_to_stderr: bool = False) -> None:
    """One line of a task, on the stream it was written to."""
    label = f"[{line.task}] " if named and line.task else ""
    click.echo(label + line.line.text, err=line.line.error or all_to_stderr)


def _tell_changes(job: Job, before: dict[str, TaskStatus]) -> None:
    for task in job.tasks:
        if before.get(task.name) is not task.status and task.status in TOLD:
            note(f"Task {task.name} {TOLD[task.status]}.")
        before[task.name] = task.status


def _is_over(job: Job, name: str) -> bool:
    """Whether the one task that is watched has ended."""
    task = job.task(name)
    return task is not None and task.ended
