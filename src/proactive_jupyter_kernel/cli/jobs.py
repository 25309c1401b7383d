"""`jobs`, `status`, `results`: what there is to know about jobs."""

from __future__ import annotations

import click

from proactive_jupyter_kernel.cli import job_formatting
from proactive_jupyter_kernel.cli.app import EXIT_PROBLEM
from proactive_jupyter_kernel.cli.common import (
    examples,
    job_id_of,
    json_option,
    note,
    print_json,
    scheduler_options,
)
from proactive_jupyter_kernel.cli.wait import timeout_option
from proactive_jupyter_kernel.cli.watch import tell_decision, watch
from proactive_jupyter_kernel.client.scheduler import Scheduler

__all__ = ["jobs", "results", "status"]


@click.command(epilog=examples("proactive-kernel jobs", "proactive-kernel jobs --alive --json"))
@click.option("--limit", "-n", default=50, show_default=True, type=click.IntRange(min=1), help="How many jobs at most.")
@click.option("--alive", is_flag=True, help="Only jobs that have not ended.")
@json_option
@scheduler_options
def jobs(scheduler: Scheduler, limit: int, alive: bool, as_json: bool) -> None:
    """List jobs, the newest first."""
    found = scheduler.jobs(limit=limit, alive_only=alive)
    if as_json:
        print_json(job_formatting.listing_facts(found))
    else:
        job_formatting.show_listing(found)


@click.command(epilog=examples("proactive-kernel status 7", "proactive-kernel status my_job --json"))
@click.argument("job", metavar="ID")
@json_option
@scheduler_options
def status(scheduler: Scheduler, job: str, as_json: bool) -> None:
    """Show the job ID and its tasks. A job's name means the newest job of that name."""
    found = scheduler.job(job_id_of(scheduler, job))
    if as_json:
        print_json(job_formatting.job_facts(scheduler, found))
    else:
        job_formatting.show_job(scheduler, found)
        tell_decision(found)


@click.command(epilog=examples("proactive-kernel results 7", "proactive-kernel results my_job --wait --json"))
@click.argument("job", metavar="ID")
@click.option("--wait", "-w", is_flag=True, help="Wait until the job has ended, printing its output on standard error.")
@timeout_option
@json_option
@scheduler_options
def results(scheduler: Scheduler, job: str, wait: bool, timeout: float | None, as_json: bool) -> None:
    """Show the results of the tasks of the job ID that have ended.

    With --wait, the exit status is 0 only if the job finished without a faulty task.
    """
    job_id = job_id_of(scheduler, job)
    found = watch(scheduler, job_id, all_to_stderr=True, timeout=timeout) if wait else scheduler.job(job_id)
    if as_json:
        print_json(job_formatting.job_facts(scheduler, found))
    else:
        job_formatting.show_results(job_formatting.results_of(scheduler, found))
        if not found.ended:
            note(f"Job {found.id} is {found.status_label}: {found.info.finished} of {found.info.total} tasks ended.")
    if wait and not found.went_well:
        raise click.exceptions.Exit(EXIT_PROBLEM)
