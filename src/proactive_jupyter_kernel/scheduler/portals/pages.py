"""The table of all pages, from the tables of the files that have them."""

from __future__ import annotations

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.portals import jobs
from proactive_jupyter_kernel.scheduler.portals.job import actions, again, documents
from proactive_jupyter_kernel.scheduler.portals.job import page as job
from proactive_jupyter_kernel.scheduler.portals.nodes import pages as nodes
from proactive_jupyter_kernel.scheduler.portals.page import Page
from proactive_jupyter_kernel.scheduler.portals.page_request import PageRequest
from proactive_jupyter_kernel.scheduler.portals.submit import pages as submit

__all__ = ["PAGES"]


async def first(request: PageRequest) -> Response:
    """Lead to the jobs."""
    return request.see("/scheduler/")


PAGES = (
    Page("GET", "/", first, "Leads to the jobs."),
    *jobs.PAGES,
    *job.PAGES,
    *documents.PAGES,
    *actions.PAGES,
    *again.PAGES,
    *nodes.PAGES,
    *submit.PAGES,
)
