"""``/task``: what the scripts of running tasks ask for, with the key of their task instead of a session.

No part of ProActive's REST API: on a ProActive server the Java clients ``synchronizationapi`` and ``signalapi`` speak
a protocol of their own. Here the harness of a language makes them of these few requests.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.access.task_keys import checked
from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer
from proactive_jupyter_kernel.scheduler.rest.requests.errors import RestError
from proactive_jupyter_kernel.scheduler.rest.requests.route import Handler, Route
from proactive_jupyter_kernel.scheduler.service.channels import Channel
from proactive_jupyter_kernel.workflow.model import Variable

__all__ = ["ROUTES"]

#: How long a request may wait at most, in seconds; harnesses ask again.
_LONGEST_WAIT = 60.0


def _for_tasks(operation: Callable[[Call, int, dict[str, Any]], Awaitable[Any]]) -> Handler:
    """A handler that gets the job of the key and the JSON object of the body."""

    async def handler(call: Call) -> Response:
        place = checked(call.service.site.secret, call.header("task-key"))
        if place is None or await call.read(lambda ask: ask.ended(place[0])):
            raise RestError(
                403, "java.lang.SecurityException", "This request needs the key of a task that is running here."
            )
        call.trusted = True
        body = await call.json()
        if not isinstance(body, dict):
            raise ValueError("The body must be a JSON object.")
        return json_answer(await operation(call, place[0], body))

    return handler


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name!r} must be a text, not {value!r}.")
    return value


def _seconds(body: dict[str, Any]) -> float:
    value = body.get("seconds", 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise ValueError(f"'seconds' must be a number of seconds, not {value!r}.")
    return min(float(value), _LONGEST_WAIT)


def _view(channel: Channel) -> dict[str, Any]:
    return {"revision": channel.revision, "entries": channel.entries}


async def _create(call: Call, job_id: int, body: dict[str, Any]) -> Any:
    persistent = body.get("persistent") is True
    return {"done": await call.service.channels.create(_text(body, "channel"), persistent=persistent)}


async def _delete(call: Call, job_id: int, body: dict[str, Any]) -> Any:
    return {"done": await call.service.channels.delete(_text(body, "channel"))}


async def _names(call: Call, job_id: int, body: dict[str, Any]) -> Any:
    return {"names": call.service.channels.names()}


async def _read(call: Call, job_id: int, body: dict[str, Any]) -> Any:
    return _view(call.service.channels.read(_text(body, "channel")))


async def _change(call: Call, job_id: int, body: dict[str, Any]) -> Any:
    put, removed = body.get("put", {}), body.get("removed", [])
    if not isinstance(put, dict) or not isinstance(removed, list) or not all(isinstance(key, str) for key in removed):
        raise ValueError("'put' must be an object of keys and values, 'removed' a list of keys.")
    return {"done": await call.service.channels.change(_text(body, "channel"), body.get("revision"), put, removed)}


async def _wait(call: Call, job_id: int, body: dict[str, Any]) -> Any:
    return _view(await call.service.channels.wait(_text(body, "channel"), body.get("revision"), _seconds(body)))


#: Operation -> what it does, and in one sentence.
_CHANNELS: dict[str, tuple[Callable[[Call, int, dict[str, Any]], Awaitable[Any]], str]] = {
    "create": (_create, "Create a channel of keys and values if there is none of that name."),
    "delete": (_delete, "Remove a channel."),
    "names": (_names, "The names of all channels."),
    "read": (_read, "The entries of a channel, and its revision."),
    "change": (_change, "Change entries if the channel has still the revision that the task knows."),
    "wait": (_wait, "The entries as soon as the channel has another revision, or when the time is over."),
}


def _state(call: Call, job_id: int) -> dict[str, Any]:
    attached = call.service.attachments
    shown, sent = attached.signals(job_id)
    received = {name: {each.name: each.value for each in signal.variables} for name, signal in sent.items()}
    return {"revision": attached.revision, "signals": list(shown), "received": received}


async def _signals(call: Call, job_id: int, body: dict[str, Any]) -> Any:
    return _state(call, job_id)


async def _await_signals(call: Call, job_id: int, body: dict[str, Any]) -> Any:
    await call.service.attachments.wait(body.get("revision"), _seconds(body))
    return _state(call, job_id)


async def _ready(call: Call, job_id: int, body: dict[str, Any]) -> Any:
    variables = body.get("variables", [])
    if not isinstance(variables, list):
        raise ValueError("'variables' must be a list of objects.")
    await call.service.attachments.ready_for_signal(job_id, _text(body, "name"), tuple(map(_variable, variables)))
    return _state(call, job_id)


async def _send(call: Call, job_id: int, body: dict[str, Any]) -> Any:
    values = body.get("values", {})
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise ValueError("'values' must be an object of texts.")
    await call.service.attachments.send_signal(job_id, _text(body, "name"), values)
    return _state(call, job_id)


async def _remove(call: Call, job_id: int, body: dict[str, Any]) -> Any:
    names = body.get("names", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("'names' must be a list of texts.")
    for name in names:
        await call.service.attachments.remove_signal(job_id, name.removeprefix("ready_"))
    return _state(call, job_id)


def _variable(each: Any) -> Variable:
    """A variable that a signal asks its sender for."""
    if not isinstance(each, dict):
        raise ValueError(f"A variable of a signal is an object with a name, not {each!r}.")
    texts = {key: _text(each, key) for key in ("name", "value", "model", "description", "group") if key in each}
    return Variable(
        name=_text(each, "name"),
        value=texts.get("value", ""),
        model=texts.get("model", ""),
        description=texts.get("description", ""),
        group=texts.get("group", ""),
        advanced=each.get("advanced") is True,
        hidden=each.get("hidden") is True,
    )


_SIGNALS: dict[str, tuple[Callable[[Call, int, dict[str, Any]], Awaitable[Any]], str]] = {
    "state": (_signals, "The signals of the task's job, and the values of those that were sent."),
    "wait": (_await_signals, "The same as soon as anything has changed, or when the time is over."),
    "ready": (_ready, "Declare that the job waits for a signal, with the variables of its sender."),
    "send": (_send, "Send a signal that the job waits for."),
    "remove": (_remove, "Forget signals, sent or not."),
}

ROUTES = tuple(
    Route("POST", f"/task/{kind}/{name}", _for_tasks(operation), doc, session=False)
    for kind, operations in (("channels", _CHANNELS), ("signals", _SIGNALS))
    for name, (operation, doc) in operations.items()
)
