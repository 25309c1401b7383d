"""`portal`: the portals of the scheduler in the browser."""

from __future__ import annotations

import webbrowser

import click

from proactive_jupyter_kernel.cli.common import examples, job_id_of, note, say, scheduler_options
from proactive_jupyter_kernel.client import portals
from proactive_jupyter_kernel.client.scheduler import Scheduler

__all__ = ["portal"]


@click.command(
    epilog=examples(
        "proactive-kernel portal",
        "proactive-kernel portal nodes",
        "proactive-kernel portal 7",
        "proactive-kernel portal my_job --print",
    )
)
@click.argument("page", metavar="[jobs|nodes|submit|JOB]", default="jobs")
@click.option("--print", "print_only", is_flag=True, help="Print the link on standard output and open no browser.")
@scheduler_options
def portal(scheduler: Scheduler, page: str, print_only: bool) -> None:
    """Open a portal in the browser: the list of jobs, the nodes, the form to submit a workflow, or one job.

    JOB is a job's id or name. The link to the embedded scheduler logs in one time and only for a short time.
    A ProActive server asks for a login.
    """
    link = _link(scheduler, page)
    if print_only:
        say(link)
    elif webbrowser.open(link):
        note(f"Opened {_title(page)} in the browser.")
    else:
        say(link)
        note("No browser could be opened. Open the link above in one on this machine.")


def _link(scheduler: Scheduler, page: str) -> str:
    found = portals.PORTALS.get(page.lower())
    if scheduler.is_server:
        path = (found or portals.JOBS).path_on(server=True)
        if found is None:
            job_id_of(scheduler, page)
        return portals.address_of(scheduler.address, path)
    return portals.links(scheduler, found.path if found else portals.job_path(job_id_of(scheduler, page)))[0]


def _title(page: str) -> str:
    found = portals.PORTALS.get(page.lower())
    return f"the {found.title.lower()}" if found else f"job {page}"
