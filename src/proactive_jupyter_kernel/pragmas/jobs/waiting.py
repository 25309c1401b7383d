"""Waiting for jobs: what an interrupt says, and how a failed job ends the cell."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.jobs.file_transfer import fetch_files
from proactive_jupyter_kernel.pragmas.jobs.job_errors import job_failed

if TYPE_CHECKING:
    from proactive_jupyter_kernel.client.records import Job

__all__ = ["settle", "wait_for"]


def wait_for(
    context: Context,
    job_id: int,
    *,
    tasks: Collection[str] | None = None,
    timeout: float | None = None,
    draw: bool = True,
    output: bool = True,
) -> Job:
    """Wait as `Live.wait` does; a card of a job that has already ended is not added.

    Then the output files of an ended job are fetched. An interrupt ends the wait, not the job: `KeyboardInterrupt` with
    a sentence about the job.
    """
    job = context.scheduler.job(job_id)

    def translate(task: str, text: str) -> str:
        return context.translate(job_id, task, text)

    try:
        job = context.live.wait(
            job_id, tasks=tasks, timeout=timeout, draw=draw and not job.ended, output=output, translate=translate
        )
        fetch_files(context, job)
        return job
    except KeyboardInterrupt:
        message = f"Interrupted. Job {job_id} ({job.name!r}) is still running. #%kill_job(job_id={job_id}) kills it."
        raise KeyboardInterrupt(message) from None


def settle(context: Context, job: Job) -> None:
    """Raise `JobFailed` for a job that did not end well."""
    if not job.went_well:
        raise job_failed(context, context.scheduler, job)
