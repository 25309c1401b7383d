"""Nodes and node sources as ``/rm`` writes them (``RMNodeEvent``, ``RMNodeSourceEvent``, plugin descriptors)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from proactive_jupyter_kernel.scheduler.attempt import DEFAULT_SOURCE
from proactive_jupyter_kernel.scheduler.engine.records import TaskRecord
from proactive_jupyter_kernel.scheduler.service.nodes import NodeRecord
from proactive_jupyter_kernel.scheduler.service.site import Site, node_url

__all__ = ["INFRASTRUCTURES", "POLICIES", "configuration", "jmx_url", "node_event", "source_event"]

_LOCAL = "org.ow2.proactive.resourcemanager.nodesource.infrastructure.LocalInfrastructure"
_DEFAULT = "org.ow2.proactive.resourcemanager.nodesource.infrastructure.DefaultInfrastructureManager"
_STATIC = "org.ow2.proactive.resourcemanager.nodesource.policy.StaticPolicy"


def jmx_url(site: Site, host: str) -> str:
    """The name under which the load of a host is asked for, as the address of a JMX connector looks."""
    return f"service:jmx:rmi:///jndi/rmi://{host}{site.url.removeprefix('http://127.0.0.1')}/rmnode"


def node_event(record: NodeRecord, site: Site, task: TaskRecord | None) -> dict[str, Any]:
    """A node with the last thing that happened to it. `task`: what runs on it."""
    state = record.now
    slot = state.slot
    url = node_url(site, slot)
    jmx = jmx_url(site, slot.host)
    usage = {} if task is None else {"JOB_ID": str(task.job_id), "TASK_ID": str(task.task_id), "TASK_NAME": task.name}
    description = f"Node {slot.name} of the node source {slot.source}, on {slot.host}"
    return {
        "nodeUrl": url,
        "nodeSource": slot.source,
        "hostName": slot.host,
        "nodeState": _state(state.holder),
        "previousNodeState": None if record.before is None else _state(record.before.holder),
        "nodeProvider": site.user,
        "nodeOwner": None if state.holder is None else site.user,
        "description": description,
        "nodeInfo": description,
        "defaultJMXUrl": jmx,
        "proactiveJMXUrl": jmx,
        "lockTime": record.locked_at,
        "nodeLocker": record.locked_by or None,
        "locked": state.locked,
        "usageInfo": usage,
        "tokens": list(slot.tokens),
        "tenant": None,
        "key": url,
        "padname": "",
        "vnName": "",
        "vmname": slot.host,
        "eventType": "NODE_REMOVED" if record.removed else _EVENTS[record.before is None],
        **_told(record.at, site, record.counter, record.first_counter),
    }


_EVENTS = {True: "NODE_ADDED", False: "NODE_STATE_CHANGED"}


def _state(holder: object) -> str:
    return "FREE" if holder is None else "BUSY"


def source_event(name: str, site: Site, tokens: Iterable[str], nodes: int, at: int, counter: int) -> dict[str, Any]:
    """A node source."""
    setting = "SLOTS" if name == DEFAULT_SOURCE else "NODE_SOURCES"
    description = f"{nodes} nodes on this machine, set up by PROACTIVE_KERNEL_{setting}"
    return {
        "nodeSourceName": name,
        "sourceName": name,
        "nodeSourceDescription": description,
        "sourceDescription": description,
        "nodeSourceAdmin": site.user,
        "nodeSourceStatus": "DEPLOYED",
        "infrastructureType": _LOCAL,
        "policyType": _STATIC,
        "accessTokens": list(tokens),
        "additionalInformation": {},
        "tenant": None,
        "key": name,
        "eventType": None,
        **_told(at, site, counter, counter),
    }


def _told(at: int, site: Site, counter: int, first: int) -> dict[str, Any]:
    """Counters are texts: JavaScript has no exact number for all of them."""
    return {
        "rmurl": site.url,
        "timeStamp": at,
        "timeStampFormatted": datetime.fromtimestamp(at / 1000).strftime("%Y-%m-%d %H:%M:%S"),
        "counter": str(counter),
        "firstCounter": str(first),
    }


# --- plugins ---------------------------------------------------------------------------------------------------------


def _field(name: str, value: str, description: str, *, important: bool = False) -> dict[str, Any]:
    meta = {"type": "NONE", "description": description, "dynamic": False, "important": important, "sectionSelector": 1}
    return {"name": name, "value": value, "meta": meta}


def _plugin(name: str, description: str, *fields: dict[str, Any], **meta: str) -> dict[str, Any]:
    return {
        "pluginName": name,
        "pluginDescription": description,
        "configurableFields": list(fields),
        "sectionDescriptions": {"1": "Main parameters"},
        "defaultValues": {},
        "meta": dict(meta),
    }


def _infrastructure(nodes: int) -> dict[str, Any]:
    return _plugin(
        _LOCAL,
        "Nodes on this machine; each runs one task at a time.",
        _field("nodeTimeout", "0", "Nodes are there as long as the scheduler"),
        _field(
            "numberOfNodes",
            str(nodes),
            "PROACTIVE_KERNEL_SLOTS, or a number in PROACTIVE_KERNEL_NODE_SOURCES",
            important=True,
        ),
        elastic="false",
    )


INFRASTRUCTURES: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        _LOCAL: _infrastructure(1),
        _DEFAULT: _plugin(_DEFAULT, "Nodes that are added by hand; none can be, here.", elastic="false"),
    }
)
_USERS = (
    _field("userAccessType", "ALL", "Who may use the nodes: the one user of the scheduler"),
    _field("providerAccessType", "ME", "No user may add nodes"),
)
POLICIES: Mapping[str, dict[str, Any]] = MappingProxyType(
    {_STATIC: _plugin(_STATIC, "All nodes are there as long as the scheduler.", *_USERS)}
)


def configuration(name: str, nodes: int) -> dict[str, Any]:
    """How a node source is set up."""
    return {
        "nodeSourceName": name,
        "nodesRecoverable": False,
        "infrastructurePluginDescriptor": _infrastructure(nodes),
        "policyPluginDescriptor": POLICIES[_STATIC],
    }
