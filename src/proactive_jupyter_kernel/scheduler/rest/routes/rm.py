"""``/rm``: the nodes, as far as clients ask about them (``RMRestInterface.java``).

The slots of the executor are the nodes. What would add or remove some is in `rm_changes`, their load in `rm_load`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.rest.dto import nodes as dto
from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer, text_answer
from proactive_jupyter_kernel.scheduler.rest.requests.errors import RestError
from proactive_jupyter_kernel.scheduler.rest.requests.route import TEXT, Handler, Route
from proactive_jupyter_kernel.scheduler.service.nodes import NodeRecord
from proactive_jupyter_kernel.scheduler.service.service import Service
from proactive_jupyter_kernel.scheduler.service.site import node_url

__all__ = ["ROUTES"]

_BAD_PATTERN = "java.util.regex.PatternSyntaxException"


def _model(kind: str) -> Handler:
    """A variable model that lists names."""

    async def handler(call: Call) -> Response:
        # Models need the interpreter of expressions: it is loaded on the first request, not with the daemon.
        from proactive_jupyter_kernel.scheduler.service.lookups import resource_model

        slots = [state.slot for state in call.service.resources.states]
        try:
            text = resource_model(slots, kind, name=call.text("name"), no_empty=call.flag("noEmpty", False))
        except ValueError as error:
            raise RestError(400, _BAD_PATTERN, str(error)) from None
        return text_answer(call, text)

    return handler


async def is_active(call: Call) -> Response:
    """There is always a resource manager."""
    return json_answer(True)


async def url(call: Call) -> Response:
    """Where it is."""
    return text_answer(call, call.service.site.url)


async def state(call: Call) -> Response:
    """How many nodes there are and which are free."""
    site, nodes = call.service.site, call.service.resources.states
    everyone = [node_url(site, node.slot) for node in nodes]
    free = [node_url(site, node.slot) for node in nodes if node.holder is None]
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
    busy = sum(node.holder is not None for node in call.service.resources.states)
    total = len(call.service.resources.states)
    absent = ("deploying", "config", "down", "lost", "toBeRemoved", "needed")
    counts = {"free": total - busy, "busy": busy, "available": total, **dict.fromkeys(absent, 0)}
    return json_answer({f"{kind}NodesCount": count for kind, count in counts.items()})


# --- monitoring ------------------------------------------------------------------------------------------------------


async def monitoring(call: Call) -> Response:
    """What changed since the number in the header ``clientCounter``; everything for a number that was never given."""
    given = call.header("clientCounter") or "-1"
    if not given.removeprefix("-").isdecimal() or len(given) > 19:
        raise RestError(400, "java.lang.NumberFormatException", f'For input string: "{given[:40]}"')
    service, since = call.service, int(given)
    records = service.resources.look()
    if since > service.resources.counter:
        since = -1
    # A client without a counter gets no nodes that are gone.
    changed = [record for record in records if record.counter > since and not (record.removed and since < 0)]
    sources = _sources(service, records)
    return json_answer(
        {
            "latestCounter": str(service.resources.counter),
            "nodeSource": [source for source in sources if int(source["counter"]) > since],
            "nodesEvents": _events(service, changed),
        }
    )


async def full_monitoring(call: Call) -> Response:
    """All node sources and nodes."""
    records = [record for record in call.service.resources.look() if not record.removed]
    return json_answer({"nodeSource": _sources(call.service, records), "nodesEvents": _events(call.service, records)})


def _events(service: Service, records: Iterable[NodeRecord]) -> list[dict[str, Any]]:
    return [
        dto.node_event(record, service.site, None if record.removed else service.resources.task_on(record.now))
        for record in records
    ]


def _sources(service: Service, records: Iterable[NodeRecord]) -> list[dict[str, Any]]:
    """Each node source, in the order of its first node."""
    found: dict[str, list[NodeRecord]] = {}
    for record in records:
        if not record.removed:
            found.setdefault(record.now.slot.source, []).append(record)
    return [
        dto.source_event(
            name,
            service.site,
            own[0].now.slot.tokens,
            len(own),
            own[0].at,
            min(record.first_counter for record in own),
        )
        for name, own in found.items()
    ]


async def node_sources(call: Call) -> Response:
    """All node sources."""
    return json_answer(_sources(call.service, call.service.resources.look()))


async def configuration(call: Call) -> Response:
    """How a node source is set up."""
    name = call.text("nodeSourceName")
    nodes = sum(node.slot.source == name for node in call.service.resources.states)
    if not nodes:
        raise RestError(500, "java.lang.IllegalStateException", f"Node source {name} is not defined")
    return json_answer(dto.configuration(name, nodes))


async def topology(call: Call) -> Response:
    """The hosts. Distances among one have nothing to say."""
    hosts = sorted({node.slot.host for node in call.service.resources.states})
    return json_answer({"distances": {host: {} for host in hosts}, "hosts": {host: host for host in hosts}})


async def infrastructures(call: Call) -> Response:
    """What node sources can be made of."""
    return json_answer(list(dto.INFRASTRUCTURES.values()))


async def infrastructure_mapping(call: Call) -> Response:
    """The policies that go with each of these."""
    return json_answer({name: list(dto.POLICIES) for name in dto.INFRASTRUCTURES})


async def policies(call: Call) -> Response:
    """When nodes of a node source come and go."""
    return json_answer(list(dto.POLICIES.values()))


async def search(call: Call) -> Response:
    """The addresses of all nodes; none has a tag to search for."""
    if call.text("tags"):
        return json_answer([])
    return json_answer([node_url(call.service.site, node.slot) for node in call.service.resources.states])


async def is_available(call: Call) -> Response:
    """Whether there is a node of this address."""
    wanted = call.text("nodeurl")
    return json_answer(any(node_url(call.service.site, node.slot) == wanted for node in call.service.resources.states))


async def no_tags(call: Call) -> Response:
    """Nodes have no tags."""
    return json_answer([])


async def history(call: Call) -> Response:
    """No history of the nodes is kept."""
    return json_answer({})


ROUTES = (
    Route(
        "GET", "/rm/model/nodesources", _model("nodesources"), "Names of the node sources.", session=False, gives=TEXT
    ),
    Route("GET", "/rm/model/hosts", _model("hosts"), "Names of the hosts.", session=False, gives=TEXT),
    Route("GET", "/rm/model/tokens", _model("tokens"), "Access tokens of the nodes.", session=False, gives=TEXT),
    Route("GET", "/rm/isactive", is_active, "Whether there is a resource manager."),
    Route("GET", "/rm/url", url, "Where it is.", session=False, gives=TEXT),
    Route("GET", "/rm/state", state, "Free and other nodes."),
    Route("GET", "/rm/statistics", statistics, "Nodes by state."),
    Route("GET", "/rm/monitoring", monitoring, "Changes of nodes and node sources since a counter."),
    Route("GET", "/rm/monitoring/full", full_monitoring, "All nodes and node sources."),
    Route("GET", "/rm/topology", topology, "Hosts."),
    Route("GET", "/rm/nodesource", node_sources, "Node sources."),
    Route("GET", "/rm/nodesource/configuration", configuration, "How a node source is set up."),
    Route("GET", "/rm/infrastructures", infrastructures, "Kinds of infrastructures."),
    Route("GET", "/rm/infrastructures/mapping", infrastructure_mapping, "Policies of each infrastructure."),
    Route("GET", "/rm/policies", policies, "Kinds of policies."),
    Route("GET", "/rm/node/isavailable", is_available, "Whether there is a node."),
    Route("GET", "/rm/nodes/search", search, "Addresses of nodes."),
    Route("GET", "/rm/node/tags", no_tags, "Tags of a node: none."),
    Route("GET", "/rm/node/tags/search", no_tags, "Tags of all nodes: none."),
    Route("GET", "/rm/nodes/history", history, "What ran on nodes: not kept."),
)
