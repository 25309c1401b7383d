"""`#%list_nodesources`, `#%list_hosts`, `#%list_tokens`, `#%list_resources`, and the nodes of a submission."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from proactive_jupyter_kernel.client.jobs.node_choice import NodeChoice
from proactive_jupyter_kernel.client.resources import Node
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.errors import SchedulerError, SchedulerUnreachable, UnknownResource
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall, pragma
from proactive_jupyter_kernel.pragmas.outputs import Notice, Table, Text

__all__ = ["node_choice"]

#: Rows of nodes that a table shows.
LISTED = 200


def node_choice(context: Context, call: BoundCall) -> NodeChoice:
    """The nodes that a submission asks for; each name is one that the scheduler has."""
    given = {
        "nodesource": NodeChoice(node_source=call["nodesource"] or ""),
        "host": NodeChoice(host=call["host"] or ""),
        "token": NodeChoice(token=call["token"] or ""),
    }
    for parameter, choice in given.items():
        try:
            if choice:
                choice.check(context.scheduler)
        except UnknownResource as error:
            raise call.fault(error.message, parameter=parameter, hint=error.hint) from None
    return NodeChoice(node_source=given["nodesource"].node_source, host=given["host"].host, token=given["token"].token)


def _lists(
    name: str,
    *,
    summary: str,
    heading: str,
    names: Callable[[Scheduler], Sequence[str]],
    has: Callable[[Node, str], bool],
    caption: str,
    nothing: str,
) -> None:
    """Declare one of the pragmas that list names, each with how many nodes there are of it."""

    def handler(context: Context, call: BoundCall) -> None:
        """Show the names, with the number of nodes where the scheduler tells it."""
        found = names(context.scheduler)
        if not found:
            context.frontend.show(Text(text=f"{nothing} on {context.connection.name}."))
            return
        nodes = _nodes(context.scheduler)
        if nodes is None:
            context.frontend.show(Table(headings=(heading,), rows=[(one,) for one in found], caption=caption))
            return
        rows = []
        for one in found:
            own = [node for node in nodes if node.is_usable and has(node, one)]
            rows.append((one, len(own), sum(node.is_free for node in own)))
        context.frontend.show(Table(headings=(heading, "Nodes", "Free"), rows=rows, caption=caption))

    pragma(name, family="nodes", summary=summary, example=f"#%{name}()")(handler)


def _nodes(scheduler: Scheduler) -> list[Node] | None:
    """None where this server, or the rights of this user, do not show nodes; names do without them."""
    try:
        return scheduler.nodes()
    except SchedulerUnreachable:
        raise
    except SchedulerError:
        return None


_lists(
    "list_nodesources",
    summary="Lists the node sources of the scheduler, with their nodes.",
    heading="Node source",
    names=Scheduler.node_sources,
    has=lambda node, name: node.source == name,
    caption="#%submit_job(nodesource=NAME) runs a job on the nodes of one of them; without it, it runs on any.",
    nothing="There are no node sources",
)
_lists(
    "list_hosts",
    summary="Lists the hosts of the scheduler's nodes.",
    heading="Host",
    names=Scheduler.hosts,
    has=lambda node, name: node.host == name,
    caption="#%submit_job(host=NAME) runs a job on one of them; without it, it runs on any.",
    nothing="There are no hosts",
)
_lists(
    "list_tokens",
    summary="Lists the access tokens of the scheduler's nodes.",
    heading="Token",
    names=Scheduler.tokens,
    has=lambda node, name: name in node.tokens,
    caption="#%submit_job(token=NAME) runs a job on the nodes with this token; without it, on nodes without any.",
    nothing="No node has an access token",
)


@pragma(
    "list_resources",
    family="nodes",
    summary="Lists the nodes of the scheduler: node source, host, state, access tokens, and what runs there.",
    example="#%list_resources()",
)
def list_resources(context: Context, call: BoundCall) -> None:
    """Show every node, and the node sources that have none."""
    scheduler = context.scheduler
    nodes = scheduler.nodes()
    rows = [(node.source, node.host, node.name, node.shown_state, ", ".join(node.tokens), node.usage) for node in nodes]
    sources = {node.source for node in nodes}
    rows += [(name, "", "", "No nodes", "", "") for name in scheduler.node_sources() if name not in sources]
    if not rows:
        context.frontend.show(Text(text=f"There are no nodes on {context.connection.name}."))
        return
    headings = ("Node source", "Host", "Node", "State", "Tokens", "Runs")
    free = sum(node.is_free for node in nodes)
    caption = f"{free} of {len(nodes)} nodes are free." if nodes else ""
    context.frontend.show(Table(headings=headings, rows=rows[:LISTED], caption=caption))
    if len(rows) > LISTED:
        context.frontend.show(Notice(text=f"{len(rows) - LISTED} more nodes are not shown."))
