"""``/rm``: the nodes, as far as clients ask about them (``RMRestInterface.java``).

The slots of the executor are the nodes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.assemble import node_url
from proactive_jupyter_kernel.scheduler.attempt import Slot
from proactive_jupyter_kernel.scheduler.rest.http.call import Call, json_answer, text_answer
from proactive_jupyter_kernel.scheduler.rest.http.errors import RestError
from proactive_jupyter_kernel.scheduler.rest.http.routing import Handler, Route

__all__ = ["ROUTES"]

#: The node source that every ProActive server has.
_DEFAULT_SOURCE = "Default"


def _sources(slots: Iterable[Slot]) -> list[str]:
    return [_DEFAULT_SOURCE, *sorted({slot.source for slot in slots})]


def _hosts(slots: Iterable[Slot]) -> list[str]:
    return sorted({slot.host for slot in slots})


def _tokens(slots: Iterable[Slot]) -> list[str]:
    return sorted({token for slot in slots for token in slot.tokens})


def _model(names: Callable[[Iterable[Slot]], list[str]]) -> Handler:
    """A variable model that lists names; an empty item before them stands for no choice."""

    async def handler(call: Call) -> Response:
        try:
            wanted = re.compile(call.text("name") or ".*")
        except re.error as error:
            raise RestError(400, "java.util.regex.PatternSyntaxException", f"{error}: {call.text('name')}") from None
        found = [name for name in names(slot for slot, _ in call.service.nodes) if wanted.fullmatch(name)]
        if found and not call.flag("noEmpty", False):
            found = ["", *found]
        return text_answer(call, f"PA:LIST({','.join(found)})")

    return handler


async def is_active(call: Call) -> Response:
    """There is always a resource manager."""
    return json_answer(True)


async def state(call: Call) -> Response:
    """How many nodes there are and which are free."""
    site = call.service.site
    everyone = [node_url(site, slot) for slot, _ in call.service.nodes]
    free = [node_url(site, slot) for slot, busy in call.service.nodes if not busy]
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
    busy = sum(busy for _, busy in call.service.nodes)
    total = len(call.service.nodes)
    absent = ("deploying", "config", "down", "lost", "toBeRemoved", "needed")
    counts = {"free": total - busy, "busy": busy, "available": total, **dict.fromkeys(absent, 0)}
    return json_answer({f"{kind}NodesCount": count for kind, count in counts.items()})


ROUTES = (
    Route("GET", "/rm/model/nodesources", _model(_sources), "Names of the node sources.", session=False),
    Route("GET", "/rm/model/hosts", _model(_hosts), "Names of the hosts.", session=False),
    Route("GET", "/rm/model/tokens", _model(_tokens), "Access tokens of the nodes.", session=False),
    Route("GET", "/rm/isactive", is_active, "Whether there is a resource manager."),
    Route("GET", "/rm/state", state, "Free and other nodes."),
    Route("GET", "/rm/statistics", statistics, "Nodes by state."),
)
