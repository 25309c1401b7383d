"""The pages of portals as a notebook's browser reaches them: plain addresses, and links that log in for one frame.

A ProActive server has its own pages, with a login of their own. The embedded scheduler is reached at its own address,
or through jupyter-server-proxy where the browser is on another machine (`client/jupyter_servers.py`). Nothing that is
saved with a notebook opens a session: a frame's link is used up when the frame appears, and a run without a person,
in which none appears, gets none.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.client import jupyter_servers, portals
from proactive_jupyter_kernel.client.portals import JOBS, Portal

if TYPE_CHECKING:
    from proactive_jupyter_kernel.client.connection import Connection
    from proactive_jupyter_kernel.pragmas.context import Context

#: Seconds within which the frame of a new output appears: JupyterLab loads it when its cell is scrolled into view. A
#: notebook that is saved before that holds the link, which must soon be good for nothing.
_FRAME_SECONDS = 300.0

__all__ = ["frame_source", "is_proxied", "job_page", "portal_page"]


def portal_page(connection: Connection, portal: Portal) -> str:
    """The plain address of a portal, or its path below the Jupyter server."""
    server = connection.is_server
    if connection.embedded and not is_proxied(connection):
        # One that was stopped is started by a request, and then has another port.
        connection.scheduler.ask("scheduler", "version", doing="tell its version")
    return _address(connection, portal.path_on(server=server))


def job_page(connection: Connection, job_id: int) -> str:
    """The plain address of a job's page; of a ProActive server that of its portal.

    For who has just asked the scheduler something: no request is made.
    """
    return _address(connection, JOBS.path if connection.is_server else portals.job_path(job_id))


def frame_source(context: Context, connection: Connection, portal: Portal) -> str:
    """What a frame loads: the plain address, or a link that logs in one time where that is needed."""
    page = portal_page(connection, portal)
    if connection.is_server or is_proxied(connection) or context.frontend.headless:
        return page
    origins = jupyter_servers.frame_origins(context.frontend.namespace, servers=jupyter_servers.running_servers())
    return portals.links(connection.scheduler, portal.path, origins=origins, seconds=_FRAME_SECONDS)[0]


def is_proxied(connection: Connection) -> bool:
    """Whether the portals of this scheduler are reached through jupyter-server-proxy."""
    return connection.embedded and bool(_proxy_path())


def _proxy_path() -> str:
    installed = importlib.util.find_spec("jupyter_server_proxy") is not None
    return jupyter_servers.proxy_path(servers=jupyter_servers.running_servers(), is_installed=installed)


def _address(connection: Connection, path: str) -> str:
    if connection.embedded and (base := _proxy_path()):
        return base + path
    return portals.address_of(connection.scheduler.address, path)
