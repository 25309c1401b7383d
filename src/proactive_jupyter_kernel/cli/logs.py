"""`logs`: what the tasks of a job wrote."""

from __future__ import annotations

from typing import Any

import click

from proactive_jupyter_kernel.cli.common import examples, job_id_of, json_option, print_json, scheduler_options
from proactive_jupyter_kernel.cli.watch import print_line, watch
from proactive_jupyter_kernel.client.jobs import TaskLine
from proactive_jupyter_kernel.client.records import Job
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.errors import UnknownTask, did_you_mean

__all__ = ["logs"]


@click.command(
    epilog=examples(
        "proactive-kernel logs 7",
        "proactive-kernel logs 7 'T#1*2' 2>/dev/null",
        "proactive-kernel logs my_job --follow",
    )
)
@click.argument("job", metavar="ID")
@click.argument("task", default="")
@click.option("--follow", "-f", is_flag=True, help="Print the output as it arrives, until the job has ended.")
@json_option
@scheduler_options
def logs(scheduler: Scheduler, job: str, task: str, follow: bool, as_json: bool) -> None:
    """Show the output of the tasks of the job ID, or only of TASK, each stream separately.

    Without TASK every line starts with the name of its task.
    """
    if follow and as_json:
        raise click.UsageError("--follow and --json exclude each other: JSON is a single document, printed at the end.")
    found = scheduler.job(job_id_of(scheduler, job))
    if task and not follow and found.task(task) is None:
        hint = did_you_mean(task, [known.name for known in found.tasks])
        raise UnknownTask(f"Job {found.id} has no task {task!r}.", hint=hint)
    if follow:
        watch(scheduler, found.id, task=task)
    elif as_json:
        print_json(_facts(scheduler, found, task))
    else:
        _show(scheduler, found, task)


def _show(scheduler: Scheduler, job: Job, only: str) -> None:
    # By the time of ending: a job's log reads as it was written.
    for task in sorted(job.tasks, key=lambda task: (not task.ended, task.finished_at, task.id)):
        if only in ("", task.name):
            for line in scheduler.task_log(job.id, task.name):
                print_line(TaskLine(task=task.name, line=line), named=not only)


def _facts(scheduler: Scheduler, job: Job, only: str) -> dict[str, Any]:
    return {
        "id": job.id,
        "name": job.name,
        "tasks": [
            {
                "name": task.name,
                "lines": [
                    {"text": line.text, "error": line.error, "time": line.time}
                    for line in scheduler.task_log(job.id, task.name)
                ],
            }
            for task in job.tasks
            if only in ("", task.name)
        ],
    }
