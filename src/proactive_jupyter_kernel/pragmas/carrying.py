"""Files that go with a job: sent when it is submitted, brought back when it has ended, and what is said of that."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.client.carrying import Brought, reads_input_space, writes_output_space
from proactive_jupyter_kernel.client.pace import Pace
from proactive_jupyter_kernel.errors import ProActiveError
from proactive_jupyter_kernel.pragmas.context import Context, SubmittedJob
from proactive_jupyter_kernel.pragmas.draft import Built
from proactive_jupyter_kernel.pragmas.outputs import Notice, Text
from proactive_jupyter_kernel.pragmas.registry import Bound

if TYPE_CHECKING:
    from proactive_jupyter_kernel.client.records import Job
    from proactive_jupyter_kernel.pragmas.frontend import Updatable

__all__ = ["bring_files", "follow_files", "send_files"]

#: Files are wanted when the job has ended, not to the moment.
_PACE = Pace(first=0.05, share=0.2, longest=2.0)
#: Files that are named one by one.
_NAMED = 5


def send_files(context: Context, call: Bound, built: Built, variables: Mapping[str, str]) -> tuple[Built, Path | None]:
    """Send what the tasks want of the input folder; the workflow that finds it, and where its output files will come.

    The folders are those of the pragma. Without them it is the notebook's folder, where tasks read the input space or
    write to the output space and the workflow does not say where those are.
    """
    workflow = built.workflow
    reads, writes = reads_input_space(workflow), writes_output_space(workflow)
    source = _folder(context, call["input_path"], default=reads and not workflow.input_space)
    target = _folder(context, call["output_path"], default=writes and not workflow.output_space)
    if call["input_path"] and not reads:
        _warn(context, "input_path is of no use: no task has input_files of the input space.")
    if call["output_path"] and not writes:
        _warn(context, "output_path is of no use: no task has output_files for the output space.")
    source, target = source if reads else None, target if writes else None
    if source is None and target is None:
        return built, None
    sent = context.scheduler.carrier.send(workflow, variables=variables, input_path=source, output_path=target)
    if source is not None:
        found = f"{_counted(len(sent.files))} of {source} {'goes' if len(sent.files) == 1 else 'go'} with the job."
        if sent.files:
            context.frontend.show(Text(text=found))
        else:
            _warn(context, f"No file of {source} matches what the tasks want as input_files.")
    return replace(built, workflow=sent.workflow), target


def _folder(context: Context, path: str | None, *, default: bool) -> Path | None:
    if path:
        return (context.frontend.folder / Path(path).expanduser()).resolve()
    return context.frontend.folder if default else None


def _warn(context: Context, text: str) -> None:
    context.frontend.show(Notice(text=text, warning=True))


def bring_files(context: Context, job: Job) -> None:
    """Bring the output files of a job that has ended, if it has any that are not here yet, and say where they are.

    What goes wrong is a warning: the job's results do not depend on it.
    """
    if not job.ended:
        return
    try:
        brought = context.scheduler.carrier.bring(job.info)
    except (ProActiveError, OSError) as error:
        _warn(context, _failed(job.id, error))
        return
    if brought is not None:
        context.frontend.show(Text(text=_said(job.id, brought)))


def follow_files(context: Context, submitted: SubmittedJob, folder: Path) -> None:
    """Bring the output files in the background when the job has ended; a line below the cell says so."""
    display = context.frontend.show_updatable(
        Text(text=f"Output files of job {submitted.id} will come to {folder} when it has ended.")
    )
    name = f"proactive-files-{submitted.id}"
    threading.Thread(target=_follow, args=(submitted, display), name=name, daemon=True).start()


def _follow(submitted: SubmittedJob, display: Updatable) -> None:
    try:
        scheduler = submitted.connection.scheduler
        *_, job = scheduler.follow(submitted.id, pace=_PACE)
        # Whoever waited for the job may have been faster.
        brought = scheduler.carrier.bring(job.info) or scheduler.carrier.brought(submitted.id)
    except (ProActiveError, OSError) as error:
        display.update(Text(text=_failed(submitted.id, error)))
        return
    if brought is not None:
        display.update(Text(text=_said(submitted.id, brought)))


def _said(job_id: int, brought: Brought) -> str:
    if not brought.files:
        return f"Job {job_id} made no output files."
    listed = ", ".join(file.relative_to(brought.folder).as_posix() for file in brought.files[:_NAMED])
    more = f" and {len(brought.files) - _NAMED} more" if len(brought.files) > _NAMED else ""
    is_one = len(brought.files) == 1
    files = _counted(len(brought.files), "output file")
    return f"{files} of job {job_id} {'is' if is_one else 'are'} in {brought.folder}: {listed}{more}."


def _failed(job_id: int, error: Exception) -> str:
    return f"The output files of job {job_id} could not be brought: {error} #%wait_job(job_id={job_id}) tries again."


def _counted(number: int, noun: str = "file") -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
