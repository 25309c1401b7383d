"""`kill`, `pause`, `resume`: one request each."""

from __future__ import annotations

from collections.abc import Callable

import click

from proactive_jupyter_kernel.cli.app import EXIT_PROBLEM
from proactive_jupyter_kernel.cli.common import (
    examples,
    job_id_of,
    json_option,
    note,
    print_json,
    say,
    scheduler_options,
)
from proactive_jupyter_kernel.client.scheduler import Scheduler

__all__ = ["kill", "pause", "resume"]


def _action(name: str, done: str, purpose: str, act: Callable[[Scheduler, int], bool]) -> click.Command:
    """The command of one action; `done` completes "Job 7 …" """

    @click.argument("job", metavar="ID")
    @json_option
    @scheduler_options
    def command(scheduler: Scheduler, job: str, as_json: bool) -> None:
        job_id = job_id_of(scheduler, job)
        acted = act(scheduler, job_id)
        info = scheduler.info(job_id)
        if as_json:
            print_json({"id": job_id, "name": info.name, "status": info.status.value, "done": acted})
        if not acted:
            note(f"Nothing to {name}: job {job_id} {info.name!r} is {info.status.label}.")
            raise click.exceptions.Exit(EXIT_PROBLEM)
        if not as_json:
            say(f"Job {job_id} {info.name!r} {done}.")

    return click.command(
        name,
        help=f"{purpose} A job's name means the newest job of that name. Exit status 1 if there was nothing to do.",
        epilog=examples(f"proactive-kernel {name} 7"),
    )(command)


kill = _action("kill", "killed", "Kill the job ID: running tasks are ended, waiting ones not started.", Scheduler.kill)
pause = _action("pause", "paused", "Start no more tasks of the job ID; running ones go on.", Scheduler.pause)
resume = _action("resume", "goes on", "Go on with the paused job ID.", Scheduler.resume)
