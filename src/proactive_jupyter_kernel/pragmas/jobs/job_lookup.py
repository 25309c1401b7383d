"""Which job a pragma means: by id, by name, or the last one submitted from this notebook.

A name means this notebook's job of that name first. A job of another notebook is used only to show it, and a notice
says so; to act on it, its id must be given.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.errors import UnknownJob
from proactive_jupyter_kernel.pragmas.context import UNNAMED, Context
from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall
from proactive_jupyter_kernel.pragmas.outputs import Notice

if TYPE_CHECKING:
    from proactive_jupyter_kernel.client.records import JobInfo

__all__ = ["job_id_of"]


def job_id_of(context: Context, call: BoundCall, *, acts: bool = False) -> int:
    """The job's id; an error where there is none, or where id and name mean different jobs.

    `acts` says that the pragma changes the job.
    """
    job_id: int | None = call["job_id"]
    name: str | None = call["job_name"]
    if job_id is not None:
        if name is not None:
            found = context.scheduler.info(job_id).name
            if found != name:
                raise call.fault(f"job {job_id} is called {found!r}, not {name!r}.", parameter="job_name")
        return job_id
    here = [job.id for job in context.jobs_here() if name is None or job.name == name]
    if here:
        return here[-1]
    found_id = context.scheduler.find(name) if name is not None else _of_this_name(context, call)
    return _foreign(context, call, context.scheduler.info(found_id), acts=acts)


def _of_this_name(context: Context, call: BoundCall) -> int:
    """Where no job was submitted from this notebook, as after a restart: the newest job of the notebook's name."""
    name = context.job_name
    hint = "Say which: job_id=NUMBER or job_name=NAME. #%list_submitted_jobs() shows your jobs."
    if name == UNNAMED:
        raise call.fault("no job was submitted from this notebook yet.", hint=hint)
    try:
        return context.scheduler.find(name)
    except UnknownJob:
        where = context.connection.name
        message = f"no job was submitted from this notebook yet, and {where} has none called {name!r}."
        raise call.fault(message, hint=hint) from None


def _foreign(context: Context, call: BoundCall, job: JobInfo, *, acts: bool) -> int:
    """A job that this notebook did not submit: named in a notice, or refused."""
    when = datetime.fromtimestamp(job.submitted_at / 1000).strftime("%Y-%m-%d %H:%M:%S")
    origin = f"submitted by {job.owner} at {when}" if job.owner else f"submitted at {when}"
    if acts:
        raise call.fault(
            f"job {job.id} ({job.name!r}) was not submitted from this notebook: it was {origin}.",
            hint=f"Give its id if you mean it: job_id={job.id}.",
        )
    text = f"Job {job.id} ({job.name!r}) was not submitted from this notebook: it was {origin}."
    context.frontend.show(Notice(text=text))
    return job.id
