"""``/rm/node/mbeans`` and the like: the load of the machine, and of the scheduler itself.

All nodes are on this machine. `ProactiveNodeMBeanClient` of the official Python SDK reads the first two.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import traceback
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.rest.dto.nodes import jmx_url
from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer, text_answer
from proactive_jupyter_kernel.scheduler.rest.requests.errors import RestError
from proactive_jupyter_kernel.scheduler.rest.requests.route import TEXT, Route
from proactive_jupyter_kernel.scheduler.service.host_load import UnknownMBean

__all__ = ["ROUTES"]

_UNKNOWN = "javax.management.InstanceNotFoundException"
#: What `ProactiveNodeMBeanClient` asks where its user names no node: on a server one of the nodes; here all are alike.
_SDK_DEFAULT = "service:jmx:ro:///jndi/pamr://4097/rmnode"


def _check_node(call: Call) -> None:
    """Refuse addresses that no node has: the load of this machine says nothing about others."""
    address = call.text("nodejmxurl")
    if not address.startswith("service:jmx:"):
        raise RestError(404, "java.net.MalformedURLException", "Service URL must start with service:jmx:")
    known = {jmx_url(call.service.site, node.slot.host) for node in call.service.resources.states}
    if address not in known and address != _SDK_DEFAULT:
        raise RestError(
            404,
            "java.io.IOException",
            f"No node has the address {address!r}. Those of nodes (proactiveJMXUrl of /rm/monitoring): "
            f"{', '.join(sorted(known))}.",
        )


def _chosen(attributes: Mapping[str, Any], wanted: list[str]) -> list[dict[str, Any]]:
    """As lists of name and value; without wishes all."""
    names = [name for name in wanted if name in attributes] if wanted else list(attributes)
    return [{"name": name, "value": attributes[name]} for name in names]


def _wanted(call: Call) -> list[str]:
    """The attributes, in one parameter with commas or in several."""
    texts = [value for name, value in call.pairs if name in ("attrs", "attr")]
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]


async def mbeans(call: Call) -> Response:
    """Attributes of the MBeans of a name, which may hold ``*``."""
    _check_node(call)
    found = await _read(call)
    return json_answer({name: _chosen(attributes, _wanted(call)) for name, attributes in found.items()})


async def mbean(call: Call) -> Response:
    """Attributes of one MBean."""
    _check_node(call)
    attributes = next(iter((await _read(call)).values()))
    return json_answer(_chosen(attributes, _wanted(call)))


async def _read(call: Call) -> dict[str, Mapping[str, Any]]:
    name = call.text("objectname")
    try:
        return await asyncio.to_thread(call.service.resources.load.read, name)
    except UnknownMBean:
        raise RestError(500, _UNKNOWN, name) from None


async def history(call: Call) -> Response:
    """Samples of attributes of an MBean; the values are JSON inside of JSON, as from a server."""
    _check_node(call)
    name, letter = call.text("objectname"), call.text("range")
    kind, load = name.partition("Type=")[2], call.service.resources.load
    samples = {}
    try:
        for attribute in _wanted(call):
            samples[f"{attribute}{kind}"] = await asyncio.to_thread(load.history, name, attribute, letter)
    except UnknownMBean:
        raise RestError(500, _UNKNOWN, name) from None
    return json_answer({name: json.dumps(samples)})


async def info(call: Call) -> Response:
    """Attributes of the resource manager's own MBean, which counts nodes."""
    if call.params["name"] != "ProActiveResourceManager:name=RuntimeData":
        raise RestError(500, _UNKNOWN, call.params["name"])
    nodes = call.service.resources.states
    busy = sum(node.holder is not None for node in nodes)
    counts = {
        "Status": call.service.status.value,
        "AvailableNodesCount": len(nodes),
        "FreeNodesCount": len(nodes) - busy,
        "BusyNodesCount": busy,
        "DownNodesCount": 0,
    }
    return json_answer(_chosen(counts, _wanted(call)))


async def no_statistics(call: Call) -> Response:
    """No history of the number of nodes is kept."""
    raise RestError(
        400, "java.lang.IllegalArgumentException", "The embedded scheduler keeps no history of the number of its nodes."
    )


async def thread_dump(call: Call) -> Response:
    """What the threads of the scheduler do; its nodes have none of their own."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    parts = [
        f'"{names.get(number, "?")}" Id={number}\n{"".join(traceback.format_stack(frame))}'
        for number, frame in sys._current_frames().items()
    ]
    return text_answer(call, "\n".join(parts))


ROUTES = (
    Route("GET", "/rm/node/mbeans", mbeans, "Load of a node's machine."),
    Route("GET", "/rm/node/mbeans/history", history, "Load of a node's machine over time."),
    Route("GET", "/rm/node/mbean", mbean, "Load of a node's machine, of one MBean."),
    Route("GET", "/rm/node/mbean/history", history, "Load of a node's machine over time, of one MBean."),
    Route("GET", "/rm/info/{name}", info, "Attributes of an MBean of the resource manager."),
    Route("GET", "/rm/stathistory", no_statistics, "Numbers of nodes over time: not kept."),
    Route("GET", "/rm/threaddump", thread_dump, "Threads of the scheduler.", gives=TEXT),
    Route("GET", "/rm/node/threaddump", thread_dump, "Threads of the scheduler, which runs the nodes.", gives=TEXT),
)
