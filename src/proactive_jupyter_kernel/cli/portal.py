"""`portal`: the portals of the scheduler in the browser."""

from __future__ import annotations

import webbrowser

import click

from proactive_jupyter_kernel.cli.common import examples, job_id_of, note, say, scheduler_options
from proactive_jupyter_kernel.client import jupyter_servers, portals
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.errors import UnknownJob

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
    link, on_a_hub = _link(scheduler, page)
    if print_only:
        say(link)
    elif on_a_hub:
        say(link)
        note("Open it in the browser in which you are logged in to the hub.")
    elif webbrowser.open(link):
        note(f"Opened {_title(page)} in the browser.")
    else:
        say(link)
        note("No browser could be opened. Open the link above in one on this machine.")


def _link(scheduler: Scheduler, page: str) -> tuple[str, bool]:
    """The link, and whether it leads through the Jupyter server of a hub, which logs in by itself."""
    found = portals.PORTALS.get(page.lower())
    path = found.path if found else portals.job_path(_job(scheduler, page))
    if scheduler.is_server:
        return portals.address_of(scheduler.address, (found or portals.JOBS).path_on(server=True)), False
    if hub := jupyter_servers.hub_address(path):
        return hub, True
    return portals.links(scheduler, path)[0], False


def _job(scheduler: Scheduler, named: str) -> int:
    try:
        return job_id_of(scheduler, named)
    except UnknownJob as unknown:
        raise UnknownJob(f"{unknown} A page is one of {', '.join(portals.PORTALS)}, or a job's id or name.") from None


def _title(page: str) -> str:
    found = portals.PORTALS.get(page.lower())
    return f"the {found.title.lower()}" if found else f"job {page}"
