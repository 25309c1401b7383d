"""`#%show_scheduling_portal`, `#%show_resource_manager`, `#%show_workflow_automation`: the portals in the notebook."""

from __future__ import annotations

import time

from proactive_jupyter_kernel.client import portals
from proactive_jupyter_kernel.client.config import EMBEDDED, LOCAL_NAMES
from proactive_jupyter_kernel.client.portals import Portal
from proactive_jupyter_kernel.errors import SetupError
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall, Parameter, pragma
from proactive_jupyter_kernel.pragmas.declarations.values import Extent, Plain
from proactive_jupyter_kernel.pragmas.outputs import Frame


def check_host(call: BoundCall) -> None:
    """Refuse an invalid host before any pragma of the cell runs."""
    if call["host"] and call["host"].strip().lower() not in LOCAL_NAMES:
        _root(call)


def _root(call: BoundCall) -> str:
    try:
        return portals.root_of(call["host"])
    except SetupError as error:
        raise call.fault(error.message, parameter="host", hint=error.hint) from None


def _shows(name: str, portal: Portal, *, summary: str, aliases: tuple[str, ...] = ()) -> None:
    """Declare one of the pragmas that show a portal."""

    def handler(context: Context, call: BoundCall) -> None:
        """Show the portal in a frame, and what it is beside it."""
        context.frontend.show(_frame(context, call, portal))

    pragma(
        name,
        Parameter(
            name="host",
            nameless=True,
            kind=Plain("a host or an address"),
            doc="Another server: its host, which is reached by https, or its address; `local` means the embedded "
            "scheduler. Without it: the scheduler that the notebook is connected to.",
        ),
        Parameter(name="height", kind=Extent(), default="750", doc="The height of the frame."),
        Parameter(
            name="width",
            kind=Extent(),
            default="1200",
            doc="The width of the frame; it is never wider than the notebook.",
        ),
        family="portals",
        summary=summary,
        example=f"#%{name}(height=600)",
        aliases=aliases,
        check=check_host,
    )(handler)


_shows(
    "show_scheduling_portal",
    portals.JOBS,
    summary="Shows the portal with the jobs of the scheduler: states, pictures, logs, results, actions.",
)
_shows(
    "show_resource_manager",
    portals.NODES,
    summary="Shows the portal with the nodes of the scheduler and what runs on them.",
)
_shows(
    "show_workflow_automation",
    portals.SUBMIT,
    summary="Shows the portal that submits workflow files.",
    aliases=("show_workflow_execution",),
)


def _frame(context: Context, call: BoundCall, portal: Portal) -> Frame:
    given, command = call["host"], ""
    if given and given.strip().lower() not in LOCAL_NAMES:
        root = _root(call)
        page = source = portals.address_of(root, portal.path_on(server=True))
        scheduler = root
    else:
        # Speaking to a scheduler takes a while to load.
        from proactive_jupyter_kernel.client.connection import Connection
        from proactive_jupyter_kernel.pragmas.jobs import portal_pages

        connection = context.connection
        if given and not connection.embedded:
            connection = Connection(EMBEDDED)
        page = portal_pages.portal_page(connection, portal)
        source = portal_pages.frame_source(context, connection, portal)
        scheduler = connection.name
        if connection.embedded and not portal_pages.is_proxied(connection):
            command = f"proactive-kernel portal {portal.name}"
    return Frame(
        title=portal.title,
        scheduler=scheduler,
        page=page,
        source=source,
        width=call["width"],
        height=call["height"],
        shown=time.strftime("%d %b %Y, %H:%M"),
        pragma=f"#%{call.pragma.name}({f'host={given}' if given else ''})",
        command=command,
    )
