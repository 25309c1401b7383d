"""``/rm/``: what the nodes do, which tasks wait for them, and their locks."""

from __future__ import annotations

import asyncio
import os
import platform

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.http.errors import HttpError
from proactive_jupyter_kernel.scheduler.portals.nodes.facts import HostFacts, NodeFacts, NodesFacts
from proactive_jupyter_kernel.scheduler.portals.nodes.view import nodes_view
from proactive_jupyter_kernel.scheduler.portals.page import Page
from proactive_jupyter_kernel.scheduler.portals.page_request import PageRequest
from proactive_jupyter_kernel.scheduler.service.service import Service
from proactive_jupyter_kernel.workflow.display.numbers import counted

__all__ = ["PAGES"]

#: What the verb of a form does.
_LOCKS = {"lock": True, "unlock": False}


async def show(request: PageRequest) -> Response:
    """The nodes now. All of it is in memory."""
    host = await asyncio.to_thread(_host, request.service)
    return request.render("nodes.html", view=nodes_view(_facts(request, host)))


def _host(service: Service) -> HostFacts:
    """The load of this machine. The first reading of the processor takes a fifth of a second."""
    from proactive_jupyter_kernel.scheduler.service.host_load import CPU, MEMORY

    load = service.resources.load
    memory = load.read(MEMORY)[MEMORY]
    return HostFacts(
        name=platform.node() or "localhost",
        system=platform.system(),
        cores=os.cpu_count() or 1,
        cpu=load.read(CPU)[CPU]["Combined"],
        memory=memory["Total"],
        memory_used=memory["ActualUsed"],
    )


def _facts(request: PageRequest, host: HostFacts) -> NodesFacts:
    service = request.service
    waiting, whole = service.resources.waiting()
    return NodesFacts(
        nodes=[
            NodeFacts(record=record, holder=None if record.removed else service.resources.holder(record.now))
            for record in service.resources.look()
        ],
        minutes=service.measures.slot_use.minutes(),
        waiting=waiting,
        all_waiting=whole,
        host=host,
        status=service.status.value,
        now=request.now,
    )


async def lock(request: PageRequest) -> Response:
    """Lock or unlock the slots of a host and node source: those that are locked start no more tasks."""
    form = await request.form()
    source, host, verb = (form.get(name, "") for name in ("source", "host", "verb"))
    names = [
        state.slot.name
        for state in request.service.resources.states
        if (state.slot.source, state.slot.host) == (source, host)
    ]
    if verb not in _LOCKS:
        raise ValueError("The form must say whether to lock or to unlock.")
    if not names:
        raise HttpError(404, f"The node source {source[:80]!r} no longer has a node on {host[:80]!r}.")
    await request.service.resources.lock(names, locked=_LOCKS[verb], user=request.user)
    done = "Locked" if _LOCKS[verb] else "Unlocked"
    after = " Tasks that run there run to their end; no more start." if _LOCKS[verb] else ""
    return request.back("/rm/", f"{done} {counted(len(names), 'slot')} of {source} on {host}.{after}")


PAGES = (
    Page("GET", "/rm/", show, "The nodes: what each runs, its load, locks, and the tasks that wait for a node."),
    Page("POST", "/rm/lock", lock, "Locks or unlocks the nodes of a host."),
)
