"""`submit`: a workflow file becomes a job."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import click

from proactive_jupyter_kernel.cli import job_formatting
from proactive_jupyter_kernel.cli.common import (
    assignments,
    examples,
    json_option,
    note,
    print_json,
    say,
    scheduler_options,
)
from proactive_jupyter_kernel.cli.wait import conclude, timeout_option
from proactive_jupyter_kernel.cli.watch import watch
from proactive_jupyter_kernel.client.jobs import SubmittedJob, workflow_source
from proactive_jupyter_kernel.client.jobs.node_choice import NodeChoice
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.errors import (
    InvalidWorkflow,
    ProActiveError,
    SubmissionRefused,
    UnreadableWorkflow,
    WorkflowError,
)
from proactive_jupyter_kernel.workflow.model import Workflow

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
@click.option("--wait", "-w", is_flag=True, help="Print the output as it arrives, until the job has ended.")
@timeout_option
@click.option(
    "--input-path", type=_FOLDER, metavar="FOLDER", help="Send the files of this folder that the tasks need as input."
)
@click.option(
    "--output-path",
    type=_FOLDER,
    metavar="FOLDER",
    help="Where the files of the output space go when the job has ended: with --wait, or by `wait ID`, `fetch ID`.",
)
@click.option("--node-source", default="", metavar="NAME", help="Run it on the nodes of this node source.")
@click.option("--host", default="", metavar="NAME", help="Run it on this host.")
@click.option("--token", default="", metavar="NAME", help="Run it on nodes with this access token.")
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
    node_source: str,
    host: str,
    token: str,
    as_json: bool,
) -> None:
    """Submit the workflow in FILE (ProActive's XML; - for standard input).

    With --wait, the exit status is 0 only if the job finished without a faulty task. A workflow that is refused gets
    no id: every problem is on standard error, and the exit status is 2.
    """
    _refuse_other_formats(file)
    xml = workflow_source.with_scripts(file.read(), _folder(file), _note)
    given = assignments(variables)
    for name in _not_mentioned(xml, given):
        note(f"Note: The workflow does not mention the variable {name}; it is added for this submission.")
    source = scheduler.on_nodes(xml, NodeChoice(node_source=node_source, host=host, token=token), _note)
    try:
        ref = _submitted(scheduler, source, given, input_path, output_path)
    except SubmissionRefused as refusal:
        raise SubmissionRefused(_every_problem(refusal, xml, given), hint=refusal.hint) from refusal
    if as_json:
        note(f"Job {ref.id} {ref.name!r} submitted.")
    else:
        say(f"Job {ref.id} {ref.name!r} submitted.")
    if wait:
        conclude(scheduler, watch(scheduler, ref.id, all_to_stderr=as_json, timeout=timeout), as_json=as_json)
        return
    if output_path:
        note(f"`proactive-kernel wait {ref.id}` or `fetch {ref.id}` writes the output files to {output_path}.")
    if as_json:
        print_json(job_formatting.job_facts(scheduler, ref.state()))


#: Extension -> what to do with such a file instead.
_OTHER_FORMATS = {
    ".ipynb": "`proactive-kernel run {file}` runs the notebook; "
    "`proactive-kernel export {file} --to xml` writes its workflow, which can be submitted.",
    **dict.fromkeys(
        (".json", ".dot", ".gv"),
        "Write it as XML first: `proactive-kernel export {file} --to xml`, and submit that file.",
    ),
}


def _refuse_other_formats(file: BinaryIO) -> None:
    """The error for a notebook or another format says how to submit it, not that it is not XML."""
    name = str(getattr(file, "name", ""))
    if hint := _OTHER_FORMATS.get(Path(name).suffix.lower()):
        raise UnreadableWorkflow(f"{name} is not ProActive's XML.", hint=hint.format(file=name))


def _folder(file: BinaryIO) -> Path | None:
    """Where the file lies; None for standard input."""
    name = getattr(file, "name", None)
    return Path(name).parent if isinstance(name, str) and name != "<stdin>" else None


def _submitted(
    scheduler: Scheduler,
    source: Workflow | bytes,
    variables: Mapping[str, str],
    input_path: Path | None,
    output_path: Path | None,
) -> SubmittedJob:
    """Submit the workflow, with the files it needs."""
    if not input_path and not output_path:
        return scheduler.submit(source, variables=variables, notice=_note)
    sent = scheduler.file_transfer.send(
        workflow_source.parsed(source, _note),
        variables=variables,
        input_path=input_path and input_path.resolve(),
        output_path=output_path and output_path.resolve(),
    )
    if input_path:
        note(f"{len(sent.files)} file{'' if len(sent.files) == 1 else 's'} of {input_path} sent.")
    return scheduler.submit_sent(sent, variables=variables, notice=_note)


def _note(text: str) -> None:
    note(f"Note: {text}")


def _not_mentioned(xml: bytes, names: Iterable[str]) -> list[str]:
    """The names that occur nowhere in the workflow; a script may read a variable that the workflow does not declare."""
    try:
        text = xml.decode("utf-8")
    except UnicodeDecodeError:
        return []
    return [name for name in names if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)]


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
