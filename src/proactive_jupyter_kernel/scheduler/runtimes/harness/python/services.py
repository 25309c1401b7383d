"""The bindings ``synchronizationapi`` and ``signalapi`` of a Python script, loaded when it first uses one of them.

They have the methods of ProActive's Java clients. A change reads the channel, computes, and writes if nobody else
wrote in the meantime. Tasks share plain values: None, booleans, numbers, texts, bytes, lists, sets and maps.
"""

from __future__ import annotations

import http.client
import json
import re
import sys
import time
import urllib.parse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from proactive_jupyter_kernel.workflow import values
else:
    values = sys.modules["_proactive_values"]

__all__ = ["InvalidChannel", "SignalApi", "SignalRefused", "Synchronization", "closure"]

#: The scheduler answers a request that waits after this time in seconds, if nothing has happened.
_PATIENCE = 20
_TIMEOUT = _PATIENCE + 40


class InvalidChannel(LookupError):
    """There is no channel of that name."""


class SignalRefused(RuntimeError):
    """The job does not take that signal."""


# Tracebacks name them without a module: the one that they have is none of the script's business.
InvalidChannel.__module__ = SignalRefused.__module__ = "builtins"
_REFUSALS = {"InvalidChannelException": InvalidChannel, "SignalApiRestException": SignalRefused}


class Services:
    """Requests of a running task to its scheduler."""

    def __init__(self, services: Mapping[str, str]) -> None:
        self._url = urllib.parse.urlsplit(services["url"])
        self._key = services["key"]

    def call(self, operation: str, **body: Any) -> Any:
        """The answer to a JSON body."""
        connection = http.client.HTTPConnection(self._url.hostname or "", self._url.port, timeout=_TIMEOUT)
        try:
            headers = {"Content-Type": "application/json", "task-key": self._key}
            connection.request("POST", f"{self._url.path}/{operation}", json.dumps(body), headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ConnectionError(
                f"The scheduler does not answer at {self._url.geturl()} ({error}). A task in a container needs the "
                "network of its host for synchronizationapi and signalapi."
            ) from None
        finally:
            connection.close()
        if response.status >= 400:
            kind = str(answer.get("exceptionClass", "")).rpartition(".")[2]
            raise _REFUSALS.get(kind, RuntimeError)(answer.get("errorMessage", ""))
        return answer


# --- closures ----------------------------------------------------------------------------------------------------

_CLOSURE = re.compile(r"\s*\{\s*([\w\s,]*?)\s*->(.*)\}\s*", re.DOTALL)
_TOKEN = re.compile(r"""'[^'\\$]*'|"[^"\\$]*"|\d+(?:\.\d+)?|\w+|&&|\|\||[=!<>]=|[-+*/%<>!()]|\s+""")
_WORDS = {"true": "True", "false": "False", "null": "None", "&&": " and ", "||": " or ", "!": " not "}


def closure(text: str) -> Callable[..., Any]:
    """The function that a closure of Groovy stands for, where it is one expression: ``{k, x -> x > 0}``.

    A ProActive server compiles closures with Groovy, so a Python task writes them so as well. Here they need no Groovy;
    comparisons, arithmetic, ``&&``, ``||``, ``!`` and constants are read. Raises ValueError for more.
    """
    match = _CLOSURE.fullmatch(str(text))
    if match is not None:
        names = [name.strip() for name in match[1].split(",")]
        source = "".join(_python(match[2].strip(), names))
        if source and all(name.isidentifier() for name in names):
            try:
                return eval(f"lambda {', '.join(names)}: ({source})", {"__builtins__": {}})  # type: ignore[no-any-return]
            except SyntaxError:
                pass
    raise ValueError(
        f"The closure {text!r} is not one expression such as '{{k, x -> x > 0}}': a Python task reads comparisons, "
        "arithmetic, &&, || and !. Write a task that needs more in Groovy."
    )


def _python(expression: str, names: Iterable[str]) -> Iterator[str]:
    """The expression token by token; nothing of one that holds anything but constants, operators and the names."""
    place = 0
    found: list[str] = []
    last = ""  # the last token that is no space
    while place < len(expression):
        match = _TOKEN.match(expression, place)
        if match is None:
            return
        token, place = match[0], match.end()
        if token.isidentifier() and token not in _WORDS and token not in names:
            return
        if token == "(" and re.search(r"[\w'\")]$", last):
            return  # a call
        last = token.strip() or last
        found.append(_WORDS.get(token, token))
    yield from found


# --- channels ----------------------------------------------------------------------------------------------------


class Synchronization:
    """Channels of keys and values that all tasks share."""

    def __init__(self, services: Mapping[str, str]) -> None:
        self._services = Services(services)

    def _read(self, channel: Any, operation: str = "read", **more: Any) -> tuple[int, dict[str, Any]]:
        answer = self._services.call(f"channels/{operation}", channel=str(channel), **more)
        return answer["revision"], {key: values.from_wire(wire) for key, wire in answer["entries"].items()}

    def _change(self, channel: Any, change: Callable[[dict[str, Any]], Any]) -> Any:
        while True:
            revision, before = self._read(channel)
            entries = dict(before)
            result = change(entries)
            if self._written(channel, revision, before, entries):
                return result

    def _written(self, channel: Any, revision: int, before: Mapping[str, Any], entries: Mapping[str, Any]) -> bool:
        wires = {key: values.to_wire(value) for key, value in entries.items()}
        put = {key: wire for key, wire in wires.items() if key not in before or values.to_wire(before[key]) != wire}
        removed = [key for key in before if key not in entries]
        if not put and not removed:
            return True
        answer = self._services.call(
            "channels/change", channel=str(channel), revision=revision, put=put, removed=removed
        )
        return bool(answer["done"])

    def createChannel(self, channel: Any, persistent: bool) -> None:
        """Create a channel, empty, also if there was one of that name."""
        self.deleteChannel(channel)
        self.createChannelIfAbsent(channel, persistent)

    def createChannelIfAbsent(self, channel: Any, persistent: bool) -> bool:
        """Create a channel if there is none of that name; whether it was created."""
        answer = self._services.call("channels/create", channel=str(channel), persistent=bool(persistent))
        return bool(answer["done"])

    def deleteChannel(self, channel: Any) -> bool:
        """Remove a channel with all its entries; whether there was one."""
        return bool(self._services.call("channels/delete", channel=str(channel))["done"])

    def channelExists(self, channel: Any) -> bool:
        return str(channel) in self._services.call("channels/names")["names"]

    def size(self, channel: Any) -> int:
        return len(self._read(channel)[1])

    def isEmpty(self, channel: Any) -> bool:
        return not self._read(channel)[1]

    def containsKey(self, channel: Any, key: Any) -> bool:
        return str(key) in self._read(channel)[1]

    def containsValue(self, channel: Any, value: Any) -> bool:
        return value in self._read(channel)[1].values()

    def get(self, channel: Any, key: Any) -> Any:
        return self._read(channel)[1].get(str(key))

    def getOrDefault(self, channel: Any, key: Any, default: Any) -> Any:
        return self._read(channel)[1].get(str(key), default)

    def keySet(self, channel: Any) -> set[str]:
        return set(self._read(channel)[1])

    def values(self, channel: Any) -> list[Any]:
        return list(self._read(channel)[1].values())

    def entrySet(self, channel: Any) -> list[tuple[str, Any]]:
        return list(self._read(channel)[1].items())

    def put(self, channel: Any, key: Any, value: Any) -> Any:
        """Set a value and return the old one."""

        def change(entries: dict[str, Any]) -> Any:
            old = entries.get(str(key))
            entries[str(key)] = value
            return old

        return self._change(channel, change)

    def putAll(self, channel: Any, entries: Mapping[Any, Any]) -> None:
        added = {str(key): value for key, value in entries.items()}
        self._change(channel, lambda found: found.update(added))

    def putIfAbsent(self, channel: Any, key: Any, value: Any) -> Any:
        """Set a value where there is none; return the one that was there."""
        return self._change(
            channel, lambda found: found[str(key)] if str(key) in found else _set(found, key, value, None)
        )

    def remove(self, channel: Any, key: Any) -> Any:
        """Remove a key and return its value."""
        return self._change(channel, lambda found: found.pop(str(key), None))

    def replace(self, channel: Any, key: Any, value: Any) -> Any:
        """Set a value where there is one; return the one that was there."""
        return self._change(
            channel, lambda found: _set(found, key, value, found[str(key)]) if str(key) in found else None
        )

    def clear(self, channel: Any) -> None:
        self._change(channel, lambda found: found.clear())

    def compute(self, channel: Any, key: Any, function: str) -> Any:
        """Set what a closure of key and value gives; return it."""
        call = closure(function)

        def change(found: dict[str, Any]) -> Any:
            value = call(str(key), found.get(str(key)))
            return _set(found, key, value, value)

        return self._change(channel, change)

    def computeIfPresent(self, channel: Any, key: Any, function: str) -> Any:
        call = closure(function)

        def change(found: dict[str, Any]) -> Any:
            if found.get(str(key)) is None:
                return None
            value = call(str(key), found[str(key)])
            return _set(found, key, value, value)

        return self._change(channel, change)

    def computeIfAbsent(self, channel: Any, key: Any, function: str) -> Any:
        call = closure(function)

        def change(found: dict[str, Any]) -> Any:
            if found.get(str(key)) is not None:
                return found[str(key)]
            value = call(str(key))
            return _set(found, key, value, value)

        return self._change(channel, change)

    def merge(self, channel: Any, key: Any, value: Any, function: str) -> Any:
        """Set a value, or what a closure of the old and the new value gives."""
        call = closure(function)

        def change(found: dict[str, Any]) -> Any:
            before = found.get(str(key))
            merged = value if before is None else call(before, value)
            return _set(found, key, merged, merged)

        return self._change(channel, change)

    def waitUntil(self, channel: Any, key: Any, *how: Any) -> bool:
        """``waitUntil(channel, key, [milliseconds,] predicate)``: wait until the closure is true."""
        timeout, predicate = how if len(how) == 2 else (None, *how)
        self._await(channel, str(key), timeout, predicate, None)
        return True

    def waitUntilThen(self, channel: Any, key: Any, *how: Any) -> Any:
        """``waitUntilThen(channel, key, [milliseconds,] predicate, then)``: wait, and at the same moment set what
        the second closure makes of the value; the value before."""
        timeout, predicate, then = how if len(how) == 3 else (None, *how)
        return self._await(channel, str(key), timeout, predicate, then)

    def _await(self, channel: Any, key: str, timeout: int | None, predicate: str, then: str | None) -> Any:
        condition, function = closure(predicate), None if then is None else closure(then)
        end = None if timeout is None else time.monotonic() + timeout / 1000
        revision, entries = self._read(channel)
        while True:
            value = entries.get(key)
            if condition(key, value):
                changed = dict(entries)
                if function is None:
                    return value
                _set(changed, key, function(key, value), None)
                if self._written(channel, revision, entries, changed):
                    return value
                revision, entries = self._read(channel)
                continue
            left = _PATIENCE if end is None else end - time.monotonic()
            if left <= 0:
                raise TimeoutError(
                    f"The key {key!r} of the channel {str(channel)!r} was not what {predicate} asks for within "
                    f"{timeout} ms"
                )
            revision, entries = self._read(channel, "wait", revision=revision, seconds=min(left, _PATIENCE))


def _set(entries: dict[str, Any], key: Any, value: Any, answer: Any) -> Any:
    """Set a value, or remove the key for None, as a map of Java does; gives `answer`."""
    if value is None:
        entries.pop(str(key), None)
    else:
        entries[str(key)] = value
    return answer


# --- signals -----------------------------------------------------------------------------------------------------


class SignalApi:
    """Signals of the task's own job."""

    def __init__(self, services: Mapping[str, str]) -> None:
        self._services = Services(services)

    def readyForSignal(self, name: Any, variables: Iterable[Mapping[str, Any]] = ()) -> bool:
        """Say that the job takes the signal from now on; the sender gives values for the variables, if any.

        A variable is a dict with ``name`` and, as wanted, ``value model description group advanced hidden``.
        """
        self._services.call("signals/ready", name=str(name), variables=[dict(each) for each in variables])
        return True

    def waitFor(self, name: Any) -> dict[str, str]:
        """Wait for the signal; the values that came with it."""
        return self.waitForAny([name])[1]

    def waitForAny(self, names: Iterable[Any]) -> tuple[str, dict[str, str]]:
        """Wait for any of the signals; the first that came, and its values."""
        wanted = [str(name) for name in names]
        state = self._services.call("signals/state")
        while True:
            for name in wanted:
                if name in state["received"]:
                    return name, state["received"][name]
            state = self._services.call("signals/wait", revision=state["revision"], seconds=_PATIENCE)

    def isReceived(self, name: Any) -> bool:
        return str(name) in self._services.call("signals/state")["received"]

    def checkForSignals(self, names: Iterable[Any]) -> dict[str, dict[str, str]]:
        """Those of the signals that were received, each with its values."""
        received = self._services.call("signals/state")["received"]
        return {str(name): received[str(name)] for name in names if str(name) in received}

    def getJobSignals(self) -> set[str]:
        """All signals of the job: received ones by their names, others with ``ready_`` in front."""
        return set(self._services.call("signals/state")["signals"])

    def sendSignal(self, name: Any, values: Mapping[str, Any] | None = None) -> bool:
        """Send a signal to the job, with values for its variables."""
        texts = {str(key): str(value) for key, value in (values or {}).items()}
        self._services.call("signals/send", name=str(name), values=texts)
        return True

    def sendManySignals(self, names: Iterable[Any]) -> None:
        for name in names:
            self.sendSignal(name)

    def removeSignal(self, name: Any) -> None:
        self.removeManySignals([name])

    def removeManySignals(self, names: Iterable[Any]) -> None:
        self._services.call("signals/remove", names=[str(name) for name in names])

    def clearJobSignals(self) -> None:
        self.removeManySignals(self.getJobSignals())
