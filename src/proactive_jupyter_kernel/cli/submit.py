"""`submit`: a workflow file becomes a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import click

from proactive_jupyter_kernel.cli import facts
from proactive_jupyter_kernel.cli.app import EXIT_PROBLEM
from proactive_jupyter_kernel.cli.common import examples, json_option, note, print_json, say, scheduler_options
from proactive_jupyter_kernel.cli.watch import watch
from proactive_jupyter_kernel.client.jobs import SubmittedJob, workflow_source
from proactive_jupyter_kernel.client.records import Job
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.errors import (
    InvalidWorkflow,
    ProActiveError,
    SubmissionRefused,
    UnreadableWorkflow,
    WorkflowError,
)
from proactive_jupyter_kernel.workflow.status import JobStatus

__all__ = ["submit"]

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(
    epilog=examples(
        "proactive-kernel submit workflow.xml",
        "proactive-kernel submit workflow.xml --var DAYS=3 --var CITY='New York' --wait",
        "proactive-kernel submit workflow.xml --wait --input-path data --output-path results",
        "proactive-kernel submit - --json < workflow.xml",
        "PROACTIVE_PASSWORD=… proactive-kernel submit workflow.xml --url https://host:8443 --login me",
    )
)
@click.argument("file", type=click.File("rb"))
@click.option("--var", "-v", "variables", multiple=True, metavar="K=V", help="Set a variable of the job; repeatable.")
@click.option("--wait", "-w", is_flag=True, help="Print the output as it comes, and end when the job does.")
@click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="Wait no longer; the job goes on.")
@click.option(
    "--input-path", type=_FOLDER, metavar="FOLDER", help="Send the files here that the tasks want of the input space."
)
@click.option(
    "--output-path",
    type=_FOLDER,
    metavar="FOLDER",
    help="Bring what the tasks put into the output space here; with --wait.",
)
@json_option
@scheduler_options
def submit(
    scheduler: Scheduler,
    file: BinaryIO,
    variables: Sequence[str],
    wait: bool,
    timeout: float | None,
    input_path: Path | None,
    output_path: Path | None,
    as_json: bool,
) -> None:
    """Submit the workflow in FILE (ProActive's XML; - for standard input).

    With --wait, the exit status is 0 only if the job finished without a faulty task. A workflow that is refused gets
    no id: every problem is on standard error, and the exit status is 2.
    """
    if output_path and not wait:
        raise click.UsageError("--output-path needs --wait: the files come when the job has ended.")
    xml = workflow_source.with_scripts(file.read(), _folder(file), note)
    given = _pairs(variables)
    try:
        ref = _submitted(scheduler, xml, given, input_path, output_path)
    except SubmissionRefused as refusal:
        raise SubmissionRefused(_every_problem(refusal, xml, given), hint=refusal.hint) from refusal
    if as_json:
        note(f"Job {ref.id} {ref.name!r} submitted.")
    else:
        say(f"Job {ref.id} {ref.name!r} submitted.")
    job = watch(scheduler, ref.id, all_to_stderr=as_json, timeout=timeout) if wait else scheduler.job(ref.id)
    if input_path or output_path:
        _fetch_files(scheduler, job)
    if as_json:
        print_json(facts.job_facts(scheduler, job))
    elif wait:
        facts.show_results(facts.results_of(scheduler, job))
        note(f"Job {job.id} {_ending(job.status, faulty=job.info.faulty)}.")
    if wait and not job.went_well:
        raise click.exceptions.Exit(EXIT_PROBLEM)


def _folder(file: BinaryIO) -> Path | None:
    """Where the file lies; None for standard input."""
    name = getattr(file, "name", None)
    return Path(name).parent if isinstance(name, str) and name != "<stdin>" else None


def _submitted(
    scheduler: Scheduler, xml: bytes, variables: Mapping[str, str], input_path: Path | None, output_path: Path | None
) -> SubmittedJob:
    """Submit the workflow, with the files it needs."""
    if not input_path and not output_path:
        return scheduler.submit(xml, variables=variables)
    sent = scheduler.file_transfer.send(
        workflow_source.parsed(xml, note),
        variables=variables,
        input_path=input_path and input_path.resolve(),
        output_path=output_path and output_path.resolve(),
    )
    if input_path:
        note(f"{len(sent.files)} file{'' if len(sent.files) == 1 else 's'} of {input_path} sent.")
    return scheduler.submit_sent(sent, variables=variables)


def _fetch_files(scheduler: Scheduler, job: Job) -> None:
    if not job.ended:
        return
    fetched = scheduler.file_transfer.fetch(job.info)
    if fetched is not None:
        names = "".join(f"\n  {path.relative_to(fetched.folder).as_posix()}" for path in fetched.files)
        note(f"{len(fetched.files)} output file{'' if len(fetched.files) == 1 else 's'} in {fetched.folder}{names}")


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{text!r} is not of the form NAME=VALUE.", param_hint="--var")
        pairs[name] = value
    return pairs


def _ending(status: JobStatus, *, faulty: int) -> str:
    if status is JobStatus.FINISHED and faulty:
        return f"finished with {faulty} faulty task{'s' if faulty > 1 else ''}"
    return status.label.lower() if status is JobStatus.FINISHED else f"ended: {status.meaning}"


def _every_problem(refusal: ProActiveError, xml: bytes, variables: Mapping[str, str]) -> str:
    """The scheduler's reason, and every problem that our own checks find: a server stops at the first."""
    try:
        _check(xml, variables)
    except InvalidWorkflow as invalid:
        missing = [str(problem) for problem in invalid.problems if str(problem) not in refusal.message]
        return "\n".join([refusal.message, *(f"  - {problem}" for problem in missing)])
    except UnreadableWorkflow as unreadable:
        return refusal.message if unreadable.message in refusal.message else f"{refusal.message}\n{unreadable.message}"
    except WorkflowError:
        return refusal.message
    return refusal.message


def _check(xml: bytes, variables: Mapping[str, str]) -> None:
    """Raise what is wrong with a workflow as far as it can be seen from here."""
    from proactive_jupyter_kernel.workflow import checks, references
    from proactive_jupyter_kernel.workflow.formats import xml as xml_format

    loaded = xml_format.loads(xml)
    resolved = references.resolve(loaded.workflow, variables=variables)
    problems = checks.errors(resolved)
    if problems:
        raise InvalidWorkflow(resolved.name, problems)
