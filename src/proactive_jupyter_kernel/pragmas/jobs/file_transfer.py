"""The files of a job: sent at its submission, fetched when it has ended, with a message for either."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.client.jobs.file_transfer import (
    FetchedFiles,
    SentFiles,
    reads_input_space,
    writes_output_space,
)
from proactive_jupyter_kernel.client.jobs.submitted_job import SubmittedJob
from proactive_jupyter_kernel.client.polling import Polling
from proactive_jupyter_kernel.errors import ProActiveError
from proactive_jupyter_kernel.pragmas.context import Context, NotebookJob
from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall
from proactive_jupyter_kernel.pragmas.draft.draft import Built
from proactive_jupyter_kernel.pragmas.outputs import Notice, Text
from proactive_jupyter_kernel.pragmas.paths import path_of
from proactive_jupyter_kernel.workflow.display.numbers import counted

if TYPE_CHECKING:
    from proactive_jupyter_kernel.client.records import Job
    from proactive_jupyter_kernel.pragmas.frontend import Updatable

__all__ = ["fetch_files", "follow_files", "send_files"]

#: A delay of the files after the end of the job does no harm.
_POLLING = Polling(first=0.05, share=0.2, longest=2.0)
#: How many files are named.
_NAMED = 5


def send_files(
    context: Context, call: BoundCall, built: Built, variables: Mapping[str, str]
) -> tuple[SentFiles | None, Path | None]:
    """Send the files of the input folder that tasks need; what was sent, and the folder for the output files.

    The folders are those of the pragma. Without them it is the notebook's folder, where tasks read the input space or
    write to the output space and the workflow does not say where those are.
    """
    workflow = built.workflow
    reads, writes = reads_input_space(workflow), writes_output_space(workflow)
    source = _folder(context, call, "input_path", default=reads and not workflow.input_space)
    target = _folder(context, call, "output_path", default=writes and not workflow.output_space)
    if call["input_path"] and not reads:
        _warn(context, "input_path has no effect: no task has input_files of the input space.")
    if call["output_path"] and not writes:
        _warn(context, "output_path has no effect: no task has output_files for the output space.")
    source, target = source if reads else None, target if writes else None
    if source is None and target is None:
        return None, None
    sent = context.scheduler.file_transfer.send(workflow, variables=variables, input_path=source, output_path=target)
    if source is not None:
        found = (
            f"{counted(len(sent.files), 'file')} of {source} {'goes' if len(sent.files) == 1 else 'go'} with the job."
        )
        if sent.files:
            context.frontend.show(Text(text=found))
        else:
            _warn(context, f"No file of {source} matches the input_files of the tasks.")
    return sent, target


def _folder(context: Context, call: BoundCall, parameter: str, *, default: bool) -> Path | None:
    if call[parameter]:
        return path_of(context, call, parameter).resolve()
    return context.frontend.folder if default else None


def _warn(context: Context, text: str) -> None:
    context.frontend.show(Notice(text=text, warning=True))


def fetch_files(context: Context, job: Job) -> None:
    """Fetch the output files of a job that has ended, unless that was done before, and say where they are.

    A failure is a warning: the job's results do not depend on it.
    """
    if not job.ended:
        return
    try:
        fetched = context.scheduler.file_transfer.fetch(job.info)
    except (ProActiveError, OSError) as error:
        _warn(context, _failed(job.id, error))
        return
    if fetched is not None:
        context.frontend.show(Text(text=_said(job.id, fetched)))


def follow_files(context: Context, submitted: NotebookJob, folder: Path) -> None:
    """Fetch the output files in the background when the job has ended; a line below the cell says so."""
    display = context.frontend.show_updatable(
        Text(text=f"The output files of job {submitted.id} will be fetched to {folder} when it has ended.")
    )
    name = f"proactive-files-{submitted.id}"
    threading.Thread(target=_follow, args=(submitted, display), name=name, daemon=True).start()


def _follow(submitted: NotebookJob, display: Updatable) -> None:
    try:
        scheduler = submitted.connection.scheduler
        *_, last = SubmittedJob(scheduler, submitted.id, submitted.name).follow(polling=_POLLING)
        # A cell that waited for the job may have fetched them first.
        transfer = scheduler.file_transfer
        fetched = transfer.fetch(last.job.info) or transfer.fetched(submitted.id)
    except (ProActiveError, OSError) as error:
        display.update(Text(text=_failed(submitted.id, error)))
        return
    if fetched is not None:
        display.update(Text(text=_said(submitted.id, fetched)))


def _said(job_id: int, fetched: FetchedFiles) -> str:
    if not fetched.files:
        return f"Job {job_id} wrote no output files."
    listed = ", ".join(file.relative_to(fetched.folder).as_posix() for file in fetched.files[:_NAMED])
    more = f" and {len(fetched.files) - _NAMED} more" if len(fetched.files) > _NAMED else ""
    is_one = len(fetched.files) == 1
    files = counted(len(fetched.files), "output file")
    return f"{files} of job {job_id} {'is' if is_one else 'are'} in {fetched.folder}: {listed}{more}."


def _failed(job_id: int, error: Exception) -> str:
    reason = str(error)
    if isinstance(error, OSError) and error.filename:
        # The file has another name while it is written.
        reason = f"{Path(error.filename).parent}: {error.strerror}."
    return f"The output files of job {job_id} cannot be fetched: {reason} #%wait_job(job_id={job_id}) tries again."
