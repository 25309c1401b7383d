"""``/rm``: the nodes, as far as clients ask about them (``RMRestInterface.java``).

The slots of the executor are the nodes.
"""

from __future__ import annotations

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.assemble import node_url
from proactive_jupyter_kernel.scheduler.rest.http.call import Call, json_answer, text_answer
from proactive_jupyter_kernel.scheduler.rest.http.errors import RestError
from proactive_jupyter_kernel.scheduler.rest.http.routing import TEXT, Handler, Route
from proactive_jupyter_kernel.scheduler.service.lookups import resource_model

__all__ = ["ROUTES"]

_BAD_PATTERN = "java.util.regex.PatternSyntaxException"


def _model(kind: str) -> Handler:
    """A variable model that lists names."""

    async def handler(call: Call) -> Response:
        slots = [state.slot for state in call.service.nodes]
        try:
            text = resource_model(slots, kind, name=call.text("name"), no_empty=call.flag("noEmpty", False))
        except ValueError as error:
            raise RestError(400, _BAD_PATTERN, str(error)) from None
        return text_answer(call, text)

    return handler


async def is_active(call: Call) -> Response:
    """There is always a resource manager."""
    return json_answer(True)


async def state(call: Call) -> Response:
    """How many nodes there are and which are free."""
    site = call.service.site
    everyone = [node_url(site, node.slot) for node in call.service.nodes]
    free = [node_url(site, node.slot) for node in call.service.nodes if node.holder is None]
    return json_answer(
        {
            "freeNodesNumber": len(free),
            "freeNodes": free,
            "totalAliveNodesNumber": len(everyone),
            "aliveNodes": everyone,
            "totalNodesNumber": len(everyone),
            "allNodes": everyone,
            "maxNumberOfNodes": None,
            "rmNodeUrls": {"freeNodesUrls": free, "aliveNodesUrls": everyone, "allNodesUrls": everyone},
        }
    )


async def statistics(call: Call) -> Response:
    """How many nodes are in which state."""
    busy = sum(node.holder is not None for node in call.service.nodes)
    total = len(call.service.nodes)
    absent = ("deploying", "config", "down", "lost", "toBeRemoved", "needed")
    counts = {"free": total - busy, "busy": busy, "available": total, **dict.fromkeys(absent, 0)}
    return json_answer({f"{kind}NodesCount": count for kind, count in counts.items()})


ROUTES = (
    Route(
        "GET", "/rm/model/nodesources", _model("nodesources"), "Names of the node sources.", session=False, gives=TEXT
    ),
    Route("GET", "/rm/model/hosts", _model("hosts"), "Names of the hosts.", session=False, gives=TEXT),
    Route("GET", "/rm/model/tokens", _model("tokens"), "Access tokens of the nodes.", session=False, gives=TEXT),
    Route("GET", "/rm/isactive", is_active, "Whether there is a resource manager."),
    Route("GET", "/rm/state", state, "Free and other nodes."),
    Route("GET", "/rm/statistics", statistics, "Nodes by state."),
)
