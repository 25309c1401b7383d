"""The binding ``synchronizationapi`` of a Python script, loaded when it is first used.

It has the methods of ProActive's Java client. A change reads the channel, computes, and writes if no other task wrote
in the meantime. Tasks share plain values: None, booleans, numbers, texts, bytes, lists, sets and maps.
"""

from __future__ import annotations

import sys
import time

from .closures import closure
from .scheduler_requests import LONG_POLL, SchedulerRequests

TYPE_CHECKING = False  # importing `typing` would take longer than a small task
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from proactive_jupyter_kernel.workflow import values
else:
    values = sys.modules["_proactive_values"]

__all__ = ["Synchronization"]


class Synchronization:
    """Channels of keys and values that all tasks share."""

    def __init__(self, services: Mapping[str, str]) -> None:
        self._scheduler = SchedulerRequests(services)

    def _read(self, channel: Any, operation: str = "read", **more: Any) -> tuple[int, dict[str, Any]]:
        answer = self._scheduler.call(f"channels/{operation}", channel=str(channel), **more)
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
        answer = self._scheduler.call(
            "channels/change", channel=str(channel), revision=revision, put=put, removed=removed
        )
        return bool(answer["done"])

    def createChannel(self, channel: Any, persistent: bool) -> None:
        """Create a channel, empty, also if there was one of that name."""
        self.deleteChannel(channel)
        self.createChannelIfAbsent(channel, persistent)

    def createChannelIfAbsent(self, channel: Any, persistent: bool) -> bool:
        """Create a channel if there is none of that name; whether it was created."""
        answer = self._scheduler.call("channels/create", channel=str(channel), persistent=bool(persistent))
        return bool(answer["done"])

    def deleteChannel(self, channel: Any) -> bool:
        """Remove a channel with all its entries; whether there was one."""
        return bool(self._scheduler.call("channels/delete", channel=str(channel))["done"])

    def channelExists(self, channel: Any) -> bool:
        return str(channel) in self._scheduler.call("channels/names")["names"]

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

    def remove(self, channel: Any, key: Any, *value: Any) -> Any:
        """Remove a key and return its value; ``remove(channel, key, value)`` only that value, and says whether."""
        if not value:
            return self._change(channel, lambda found: found.pop(str(key), None))
        (expected,) = value

        def change(found: dict[str, Any]) -> bool:
            same = str(key) in found and found[str(key)] == expected
            if same:
                del found[str(key)]
            return same

        return self._change(channel, change)

    def replace(self, channel: Any, key: Any, *values: Any) -> Any:
        """Set a value where there is one, and return the one that was there; ``replace(channel, key, before, value)``
        sets it only in place of `before`, and says whether."""
        if len(values) == 1:
            return self._change(
                channel, lambda found: _set(found, key, values[0], found[str(key)]) if str(key) in found else None
            )
        if len(values) != 2:
            raise TypeError("replace(channel, key, value) or replace(channel, key, before, value)")

        def change(found: dict[str, Any]) -> bool:
            same = str(key) in found and found[str(key)] == values[0]
            return bool(_set(found, key, values[1], True)) if same else False

        return self._change(channel, change)

    def replaceAll(self, channel: Any, function: str) -> None:
        """Set every value to what a closure of key and value gives."""
        call = closure(function)
        self._change(channel, lambda found: found.update({key: call(key, value) for key, value in found.items()}))

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
        timeout, (predicate,) = _wait_arguments("waitUntil(channel, key, [milliseconds,] predicate)", how, 1)
        self._await(channel, str(key), timeout, predicate, None)
        return True

    def waitUntilThen(self, channel: Any, key: Any, *how: Any) -> Any:
        """``waitUntilThen(channel, key, [milliseconds,] predicate, then)``: wait, and at the same moment set what
        the second closure makes of the value; the value before."""
        usage = "waitUntilThen(channel, key, [milliseconds,] predicate, then)"
        timeout, (predicate, then) = _wait_arguments(usage, how, 2)
        return self._await(channel, str(key), timeout, predicate, then)

    def _await(self, channel: Any, key: str, timeout: float | None, predicate: str, then: str | None) -> Any:
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
            left = LONG_POLL if end is None else end - time.monotonic()
            if left <= 0:
                raise TimeoutError(
                    f"The key {key!r} of the channel {str(channel)!r} was not what {predicate} asks for within "
                    f"{timeout} ms"
                )
            revision, entries = self._read(channel, "wait", revision=revision, seconds=min(left, LONG_POLL))


def _wait_arguments(usage: str, how: tuple[Any, ...], closures: int) -> tuple[float | None, tuple[Any, ...]]:
    """The milliseconds to wait at most, if any, and the closures."""
    timeout = how[0] if len(how) == closures + 1 else None
    is_number = isinstance(timeout, (int, float)) and not isinstance(timeout, bool)
    if len(how) - closures not in (0, 1) or (len(how) > closures and not is_number):
        raise TypeError(f"{usage}, with closures such as '{{k, x -> x > 0}}'")
    return timeout, how[-closures:]


def _set(entries: dict[str, Any], key: Any, value: Any, answer: Any) -> Any:
    """Set a value, or remove the key for None, as a map of Java does; gives `answer`."""
    if value is None:
        entries.pop(str(key), None)
    else:
        entries[str(key)] = value
    return answer
