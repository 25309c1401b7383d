"""``/scheduler/``: the list of jobs."""

from __future__ import annotations

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.portals.page import Page
from proactive_jupyter_kernel.scheduler.portals.visit import Visit
from proactive_jupyter_kernel.scheduler.store.base import JobQuery

__all__ = ["PAGES"]

_PAGE_SIZE = 25


async def show(visit: Visit) -> Response:
    """A page of jobs, newest first."""
    found = await visit.read(lambda ask: ask.jobs(JobQuery(limit=_PAGE_SIZE)))
    return visit.render("jobs.html", jobs=found.rows, total=found.total)


PAGES = (Page("GET", "/scheduler/", show, "The list of jobs."),)
