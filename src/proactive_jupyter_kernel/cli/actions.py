"""`kill`, `pause`, `resume`, `restart`, `finish`, `priority`, `signal`: one request each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from proactive_jupyter_kernel.cli.app import EXIT_PROBLEM
from proactive_jupyter_kernel.cli.common import (
    assignments,
    examples,
    job_id_of,
    json_option,
    note,
    print_json,
    say,
    scheduler_options,
)
from proactive_jupyter_kernel.client.jobs import SubmittedJob
from proactive_jupyter_kernel.client.scheduler import Scheduler

__all__ = ["finish", "kill", "pause", "priority", "restart", "resume", "signal"]

PRIORITIES = ("idle", "lowest", "low", "normal", "high", "highest")


def _action(name: str, done: str, purpose: str, act: Callable[[SubmittedJob], bool]) -> click.Command:
    """The command of one action on a job."""

    @click.argument("job", metavar="ID")
    @json_option
    @scheduler_options
    def command(scheduler: Scheduler, job: str, as_json: bool) -> None:
        submitted = scheduler.get_job(job_id_of(scheduler, job))
        acted = act(submitted)
        info = scheduler.info(submitted.id)
        if as_json:
            print_json({"id": info.id, "name": info.name, "status": info.status.value, "done": acted})
        if not acted:
            note(f"Nothing to {name}: job {info.id} {info.name!r} is {info.status_label}.")
            raise click.exceptions.Exit(EXIT_PROBLEM)
        if not as_json:
            say(f"{done} job {info.id} {info.name!r}.")

    return click.command(
        name,
        help=f"{purpose} A job's name means the newest job of that name. Exit status 1 if there was nothing to do.",
        epilog=examples(f"proactive-kernel {name} 7"),
    )(command)


def _task_action(name: str, done: str, purpose: str, act: Callable[[SubmittedJob, str], bool]) -> click.Command:
    """The command of one action on a task."""

    @click.argument("job", metavar="ID")
    @click.argument("task", metavar="TASK")
    @json_option
    @scheduler_options
    def command(scheduler: Scheduler, job: str, task: str, as_json: bool) -> None:
        submitted = scheduler.get_job(job_id_of(scheduler, job))
        acted = act(submitted, task)
        state = submitted.state().task(task)
        status = state.status if state else None
        if as_json:
            print_json({"id": submitted.id, "task": task, "status": status and status.value, "done": acted})
        if not acted:
            note(f"Nothing to {name}: task {task} of job {submitted.id} is {status.label if status else 'unknown'}.")
            raise click.exceptions.Exit(EXIT_PROBLEM)
        if not as_json:
            say(f"{done} task {task} of job {submitted.id} {submitted.name!r}.")

    return click.command(
        name,
        help=f"{purpose} Exit status 1 if there was nothing to do.",
        epilog=examples(f"proactive-kernel {name} 7 train"),
    )(command)


@click.command(epilog=examples("proactive-kernel priority 7 high"))
@click.argument("job", metavar="ID")
@click.argument("priority", type=click.Choice(PRIORITIES, case_sensitive=False))
@scheduler_options
def priority(scheduler: Scheduler, job: str, priority: str) -> None:
    """Change the priority of the job ID, which decides whose tasks start first."""
    submitted = scheduler.get_job(job_id_of(scheduler, job))
    submitted.set_priority(priority)
    say(f"The priority of job {submitted.id} {submitted.name!r} is {priority.lower()}.")


@click.command(epilog=examples("proactive-kernel signal 7 go", "proactive-kernel signal 7 approve --var RATE=0.1"))
@click.argument("job", metavar="ID")
@click.argument("name", metavar="NAME")
@click.option("--var", "-v", "values", multiple=True, metavar="K=V", help="Set a variable of the signal; repeatable.")
@scheduler_options
def signal(scheduler: Scheduler, job: str, name: str, values: Sequence[str]) -> None:
    """Send the signal NAME to the job ID, one of whose tasks waits for it."""
    submitted = scheduler.get_job(job_id_of(scheduler, job))
    submitted.send_signal(name, assignments(values))
    say(f"Job {submitted.id} {submitted.name!r} received the signal {name!r}.")


kill = _action(
    "kill", "Killed", "Kill the job ID: its running tasks are ended, others do not start.", SubmittedJob.kill
)
pause = _action("pause", "Paused", "Start no more tasks of the job ID; running tasks continue.", SubmittedJob.pause)
resume = _action("resume", "Resumed", "Resume the paused job ID.", SubmittedJob.resume)
restart = _task_action(
    "restart",
    "Restarted",
    "Run TASK of the job ID again: one that is In-Error, or a running one from its start.",
    SubmittedJob.restart_task,
)
finish = _task_action(
    "finish",
    "Finished",
    "End TASK of the job ID, which is In-Error, so that the tasks after it run.",
    SubmittedJob.finish_task,
)
