"""What changes nodes: locks work, everything else is refused, for settings say which nodes there are."""

from __future__ import annotations

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.http import forms
from proactive_jupyter_kernel.scheduler.rest.dto.nodes import INFRASTRUCTURES
from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer
from proactive_jupyter_kernel.scheduler.rest.requests.errors import NOT_OFFERED, RestError
from proactive_jupyter_kernel.scheduler.rest.requests.route import Handler, Route
from proactive_jupyter_kernel.scheduler.service.site import node_url

__all__ = ["ROUTES"]

_ILLEGAL = (400, "java.lang.IllegalArgumentException")
_SETTINGS = (
    "The nodes of the embedded scheduler are set up when it starts, by PROACTIVE_KERNEL_SLOTS and "
    "PROACTIVE_KERNEL_NODE_SOURCES."
)


def _lock(locked: bool) -> Handler:
    """Locks or unlocks the nodes of the form; none of them where one is unknown."""

    async def handler(call: Call) -> Response:
        body = await call.body()
        parts = forms.read(call.header("content-type"), body) if body else []
        wanted = [part.content.decode("utf-8", "replace") for part in parts if part.name == "nodeurls"]
        known = {node_url(call.service.site, node.slot): node.slot.name for node in call.service.resources.states}
        if not all(url in known for url in wanted):
            return json_answer(False)
        await call.service.resources.lock([known[url] for url in wanted], locked=locked, user=call.user)
        return json_answer(True)

    return handler


async def release(call: Call) -> Response:
    """A node is free when its task has ended."""
    await _known_node(call)
    raise RestError(*NOT_OFFERED, "A node is released when its task has ended; kill the task to release it now.")


async def remove(call: Call) -> Response:
    """Nodes stay; of an unknown one there is nothing to remove."""
    try:
        await _known_node(call)
    except RestError:
        return json_answer(False)
    raise RestError(*NOT_OFFERED, _SETTINGS)


async def _known_node(call: Call) -> None:
    url = (await call.form()).get("url", "")
    if url not in {node_url(call.service.site, node.slot) for node in call.service.resources.states}:
        raise RestError(*_ILLEGAL, f"There is no node {url}.")


async def remove_source(call: Call) -> Response:
    """Node sources stay."""
    name = (await call.form()).get("name", "")
    if not _is_source(call, name):
        raise RestError(*_ILLEGAL, f"Unknown node source {name}")
    raise RestError(*NOT_OFFERED, _SETTINGS)


async def create_source(call: Call) -> Response:
    """No further changes exist."""
    kind = (await call.form()).get("infrastructureType") or "null"
    if kind not in INFRASTRUCTURES:
        raise RestError(*_ILLEGAL, f"Infrastructure {kind} is unknown")
    raise RestError(*NOT_OFFERED, _SETTINGS)


async def change_source(call: Call) -> Response:
    """They cannot be changed; a server does not answer with an error either."""
    name = (await call.form()).get("nodeSourceName", "")
    message = _SETTINGS if _is_source(call, name) else f"Node source {name} is not defined"
    trace = f"java.lang.IllegalArgumentException: {message}\n"
    return json_answer({"result": False, "errorMessage": message, "stackTrace": trace})


def _is_source(call: Call, name: str) -> bool:
    return any(node.slot.source == name for node in call.service.resources.states)


async def refuse(call: Call) -> Response:
    """The settings say which nodes there are, and what runs on them is a task."""
    raise RestError(*NOT_OFFERED, _SETTINGS)


async def refuse_shutdown(call: Call) -> Response:
    """The nodes and the scheduler are one process."""
    raise RestError(*NOT_OFFERED, "The nodes end with the scheduler: `proactive-kernel scheduler stop`.")


_CHANGES = ("edit", "parameter", "deploy", "undeploy", "redeploy")
_REFUSALS = (
    ("POST", "/rm/node", "Add a node: refused."),
    ("POST", "/rm/nodesource", "Add a node source: refused."),
    ("POST", "/rm/nodesource/pingfrequency", "Set how often nodes are asked whether they are there: refused."),
    ("POST", "/rm/node/token", "Add an access token: refused."),
    ("DELETE", "/rm/node/token", "Remove an access token: refused."),
    ("POST", "/rm/node/tokens", "Set access tokens: refused."),
    ("POST", "/rm/node/script", "Run a script on a node: refused."),
    ("POST", "/rm/nodesource/script", "Run a script on a node source: refused."),
    ("POST", "/rm/host/script", "Run a script on a host: refused."),
)

ROUTES = (
    Route("POST", "/rm/node/lock", _lock(True), "Let nodes start no more tasks."),
    Route("POST", "/rm/node/unlock", _lock(False), "Let nodes start tasks again."),
    Route("POST", "/rm/node/release", release, "Release a node: refused."),
    Route("POST", "/rm/node/remove", remove, "Remove a node: refused."),
    Route("POST", "/rm/nodesource/remove", remove_source, "Remove a node source: refused."),
    Route("POST", "/rm/nodesource/create", create_source, "Create a node source: refused."),
    Route("POST", "/rm/nodesource/create/recovery", create_source, "Create a recoverable node source: refused."),
    *(
        Route("PUT", f"/rm/nodesource/{verb}", change_source, f"{verb.capitalize()} a node source: refused.")
        for verb in _CHANGES
    ),
    Route("GET", "/rm/shutdown", refuse_shutdown, "End the resource manager: refused."),
    *(Route(method, path, refuse, doc) for method, path, doc in _REFUSALS),
)
