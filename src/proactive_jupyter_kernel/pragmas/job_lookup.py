"""Which job a pragma means: by id, by name, or the last one submitted from this notebook."""

from __future__ import annotations

from proactive_jupyter_kernel.errors import UnknownJob
from proactive_jupyter_kernel.pragmas.context import UNNAMED, Context
from proactive_jupyter_kernel.pragmas.registry import Bound

__all__ = ["job_id_of"]


def job_id_of(context: Context, call: Bound) -> int:
    """The job's id; an error where there is none, or where id and name mean different jobs."""
    job_id: int | None = call["job_id"]
    name: str | None = call["job_name"]
    if job_id is not None:
        if name is not None:
            found = context.scheduler.info(job_id).name
            if found != name:
                raise call.fault(f"job {job_id} is called {found!r}, not {name!r}.", parameter="job_name")
        return job_id
    if name is not None:
        return context.scheduler.find(name)
    return _last(context, call)


def _last(context: Context, call: Bound) -> int:
    """The last one submitted from this notebook; after a restart of the kernel, the newest one of its name."""
    here = context.jobs_here()
    if here:
        return here[-1].id
    name = context.job_name
    hint = "Say which: job_id=NUMBER or job_name=NAME. #%list_submitted_jobs() shows your jobs."
    if name == UNNAMED:
        raise call.fault("no job was submitted from this notebook yet.", hint=hint)
    try:
        return context.scheduler.find(name)
    except UnknownJob:
        message = (
            f"no job was submitted from this notebook yet, and {context.connection.name} has none called {name!r}."
        )
        raise call.fault(message, hint=hint) from None
