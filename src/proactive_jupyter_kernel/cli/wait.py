"""`wait` and `fetch`: the end of a job that was submitted before, and its output files."""

from __future__ import annotations

from pathlib import Path

import click

from proactive_jupyter_kernel.cli import job_formatting
from proactive_jupyter_kernel.cli.app import EXIT_PROBLEM
from proactive_jupyter_kernel.cli.common import examples, job_id_of, json_option, note, print_json, scheduler_options
from proactive_jupyter_kernel.cli.watch import watch
from proactive_jupyter_kernel.client.jobs.file_transfer import FetchedFiles
from proactive_jupyter_kernel.client.records import Job
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.workflow.status import JobStatus

__all__ = ["conclude", "fetch", "output_path_option", "timeout_option", "wait"]

_FOLDER = click.Path(file_okay=False, path_type=Path)

timeout_option = click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Stop waiting after this time; the job continues.",
)
output_path_option = click.option(
    "--output-path",
    type=_FOLDER,
    metavar="FOLDER",
    help="Write the output files here, not to the folder named at the submission.",
)


@click.command(
    epilog=examples("proactive-kernel wait 7", "proactive-kernel wait my_job --timeout 600 --output-path results")
)
@click.argument("job", metavar="ID")
@timeout_option
@output_path_option
@json_option
@scheduler_options
def wait(scheduler: Scheduler, job: str, timeout: float | None, output_path: Path | None, as_json: bool) -> None:
    """Wait for the job ID: print its output as it arrives, then its results, and fetch its output files.

    The exit status is 0 only if the job finished without a faulty task. The wait ends, with status 1, if a task is
    In-Error and only a decision lets the job continue.
    """
    ended = watch(scheduler, job_id_of(scheduler, job), all_to_stderr=as_json, timeout=timeout)
    conclude(scheduler, ended, as_json=as_json, output_path=output_path)


@click.command(epilog=examples("proactive-kernel fetch 7", "proactive-kernel fetch 7 --output-path results"))
@click.argument("job", metavar="ID")
@output_path_option
@json_option
@scheduler_options
def fetch(scheduler: Scheduler, job: str, output_path: Path | None, as_json: bool) -> None:
    """Fetch the output files of the job ID, which has ended.

    They go to the folder that was named when the job was submitted from this machine. Exit status 1 if there is nothing
    to fetch.
    """
    submitted = scheduler.get_job(job_id_of(scheduler, job))
    state = submitted.state()
    if not state.ended:
        note(f"Job {state.id} is {state.status_label}: its output files can be fetched when it has ended.")
        raise click.exceptions.Exit(EXIT_PROBLEM)
    fetched = submitted.fetch_files(output_path)
    if fetched is None:
        note(f"There are no output files of job {state.id} to fetch.")
        if output_path is None:
            note("If it was submitted on another machine, --output-path says where to write them.")
        raise click.exceptions.Exit(EXIT_PROBLEM)
    if as_json:
        print_json({"id": state.id, "folder": str(fetched.folder), "files": _names(fetched)})
    else:
        _tell(fetched)


def conclude(scheduler: Scheduler, job: Job, *, as_json: bool, output_path: Path | None = None) -> None:
    """What a wait ends with: files, results, how the job ended, and the exit status."""
    if job.ended:
        fetched = scheduler.get_job(job.id).fetch_files(output_path)
        if fetched is not None:
            _tell(fetched)
    if as_json:
        print_json(job_formatting.job_facts(scheduler, job))
    else:
        job_formatting.show_results(job_formatting.results_of(scheduler, job))
        note(f"Job {job.id} {_ending(job)}.")
    if not job.went_well:
        raise click.exceptions.Exit(EXIT_PROBLEM)


def _tell(fetched: FetchedFiles) -> None:
    count = len(fetched.files)
    note(f"{count} output file{'' if count == 1 else 's'} in {fetched.folder}")
    for name in _names(fetched):
        note(f"  {name}")


def _names(fetched: FetchedFiles) -> list[str]:
    return [path.relative_to(fetched.folder).as_posix() for path in fetched.files]


def _ending(job: Job) -> str:
    faulty = job.info.faulty
    if job.status is JobStatus.FINISHED and faulty:
        return f"finished with {faulty} faulty task{'s' if faulty > 1 else ''}"
    if not job.ended:
        return f"is {job.status_label}"
    return job.status_label.lower() if job.status is JobStatus.FINISHED else f"ended: {job.status.meaning}"
