"""The same values and outputs in a Python task of a ProActive server, where maps and results are Java proxies.

The kernel adds this before the code of the task, and a call of `end` after it. ``variables``, ``resultMap`` and
``results`` are wrapped, so that they return and accept Python values: Java's collections are converted, tagged bytes
are opened, and values without an equivalent in Java are tagged.

Runs inside tasks, under Python 3.6 or later; see the package's docstring for what that means.
"""

import contextlib
import os
import sys

from . import rich_outputs, tagged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["Task", "begin"]

#: Deeper lists and dicts are refused; as on the embedded scheduler.
_DEEPEST = 100


def begin(scope: "dict[str, Any]") -> "None":
    """Wrap the bindings of the script; it ends with ``_proactive_task.end()``."""
    _close_input()
    scope["_proactive_task"] = task = Task(scope)
    scope["_proactive_last"] = task.note_last


def _close_input() -> "None":
    """A server starts Python with a pipe without a writer: reading would block, and now meets the end of the file."""
    with contextlib.suppress(OSError):
        empty = os.open(os.devnull, os.O_RDONLY)
        os.dup2(empty, 0)
        os.close(empty)


class Task:
    """One script of a task: its bindings and its outputs."""

    def __init__(self, scope: "dict[str, Any]") -> None:
        self._scope = scope
        self._last: Any = None
        information = scope.get("genericInformation")
        wish = information.get("PYTHON_VALUES") if information is not None else None
        self._plain = str(wish or "").strip().lower() == "plain"
        self._before: dict[str, Any] = {
            name: scope[name] for name in ("variables", "resultMap", "results") if name in scope
        }
        self._maps: dict[str, Variables] = {}
        for name in ("variables", "resultMap"):
            if scope.get(name) is not None:
                scope[name] = self._maps[name] = Variables(name, scope[name], self._plain)
        if scope.get("results") is not None:
            scope["results"] = tuple(Result(one) for one in scope["results"])
        if "result" in scope:
            scope["result"] = _opened_or_not(scope["result"])
        self._outputs = rich_outputs.Outputs(self._put, self._shown_before())
        self._outputs.install(scope)

    def _put(self, key: "str", text: "str") -> "None":
        metadata = self._scope.get("resultMetadata")
        if metadata is not None:
            metadata[key] = text

    def _shown_before(self) -> "int":
        metadata = self._scope.get("resultMetadata")
        return sum(str(key).startswith(rich_outputs.PREFIX) for key in metadata) if metadata is not None else 0

    def note_last(self, value: "Any") -> "None":
        """The value of the script's last expression."""
        self._last = value

    def end(self, is_main: "bool" = True) -> "None":
        """Pass on the changed variables, the result and the figures of the script.

        `is_main` is False for a script before or behind the task's own, which has no result to miss: their metadata
        is that of the task.
        """
        scope, last = self._scope, self._last
        had_result = "result" in scope
        if had_result:
            scope["result"] = carried(scope["result"], "result", self._plain)
        elif last is not None and last is not Ellipsis and not rich_outputs.is_part_of_figure(last):
            # It is not the explicit result: if it cannot travel, it is only displayed.
            with contextlib.suppress(tagged.NotSerializable):
                scope["result"] = carried(last, "result", self._plain)
        for one in self._maps.values():
            one.end()
        if last is not None and last is not Ellipsis:
            self._outputs.last(last, "result" in scope and not had_result)
        elif is_main and "result" not in scope:
            self._put(rich_outputs.NO_RESULT, "true")
        self._outputs.figures(but=last)
        scope.update(self._before)


def _opened_or_not(value: "Any") -> "Any":
    value = converted(value)
    try:
        return tagged.opened(value, "The result")
    except tagged.Unreadable:
        return value  # unchanged: the script may not use it


class Result:
    """One entry of ``results`` with a Python value."""

    def __init__(self, proxy: "Any") -> None:
        self._proxy = proxy

    def value(self) -> "Any":
        """The value of the parent; raises the exception of the server if the parent failed."""
        return tagged.opened(converted(self._proxy.value()), "The result")

    getValue = value

    def __getattr__(self, name: "str") -> "Any":
        return getattr(self._proxy, name)

    def __str__(self) -> "str":
        return str(self._proxy)

    def __repr__(self) -> "str":
        return repr(self._proxy)


class Variables:
    """``variables`` or ``resultMap``: a dict whose missing keys are None, with the methods of a Java map."""

    def __init__(self, name: "str", proxy: "Any", plain: "bool") -> None:
        self._name = name
        self._proxy = proxy
        self._plain = plain
        #: Lists and dicts that were read, with their initial state: those changed in place are set again at the end.
        self._read: dict[Any, tuple[Any, Any]] = {}

    def __getitem__(self, key: "Any") -> "Any":
        if key in self._read:
            return self._read[key][0]
        value = converted(self._proxy.get(key))
        if tagged.holds_tagged(value):
            return tagged.opened(value, f"{self._name}[{key!r}]")
        if isinstance(value, (list, dict, set)):
            self._read[key] = value, converted(value)
        return value

    def get(self, key: "Any", default: "Any" = None) -> "Any":
        """The value, or None: as on a ProActive server, which ignores the default."""
        return self[key]

    def __setitem__(self, key: "Any", value: "Any") -> "None":
        self._proxy[key] = carried(value, f"{self._name}[{key!r}]", self._plain)
        self._read.pop(key, None)
        if isinstance(value, (list, dict, set)):
            self._read[key] = value, None

    def put(self, key: "Any", value: "Any") -> "Any":
        """Set a value and return the old one."""
        old = self[key]
        self[key] = value
        return old

    def __delitem__(self, key: "Any") -> "None":
        self.remove(key)

    def remove(self, key: "Any") -> "Any":
        """Remove a key and return its value."""
        old = self[key]
        self._read.pop(key, None)
        self._proxy.remove(key)
        return old

    def pop(self, key: "Any", *default: "Any") -> "Any":
        return self.remove(key)

    def update(self, *others: "Any", **more: "Any") -> "None":
        for key, value in dict(*others, **more).items():
            self[key] = value

    def putAll(self, other: "Any") -> "None":
        self.update(other)

    def setdefault(self, key: "Any", default: "Any" = None) -> "Any":
        return self[key]

    def getOrDefault(self, key: "Any", default: "Any") -> "Any":
        return self[key] if self._proxy.containsKey(key) else default

    def putIfAbsent(self, key: "Any", value: "Any") -> "Any":
        return self[key] if self._proxy.containsKey(key) else self.put(key, value)

    def clear(self) -> "None":
        for key in list(self):
            self.remove(key)

    def __contains__(self, key: "Any") -> "bool":
        return key in self._proxy

    containsKey = __contains__

    def __iter__(self) -> "Iterator[Any]":
        return iter(list(self._proxy))

    def __len__(self) -> "int":
        return len(self._proxy)

    size = __len__

    def isEmpty(self) -> "bool":
        return not len(self)

    def keys(self) -> "list[Any]":
        return list(self)

    keySet = keys

    def items(self) -> "list[tuple[Any, Any]]":
        return [(key, self[key]) for key in self]

    entrySet = items

    def values(self) -> "list[Any]":
        return [self[key] for key in self]

    def copy(self) -> "dict[Any, Any]":
        return dict(self.items())

    def __repr__(self) -> "str":
        return repr(self.copy())

    def __getattr__(self, name: "str") -> "Any":
        return getattr(self._proxy, name)

    def end(self) -> "None":
        """Set again the values that were changed in place."""
        for key, (value, before) in self._read.items():
            if before is None or value != before:
                self._proxy[key] = carried(value, f"{self._name}[{key!r}]", self._plain)


def converted(value: "Any") -> "Any":
    """Java collections as Python collections, recursively; anything else unchanged."""
    from collections import abc

    if value is None or isinstance(value, (str, bytes, int, float)):
        return value
    if isinstance(value, bytearray):
        return bytes(value)
    if isinstance(value, abc.Mapping):
        return {_key(key): converted(value[key]) for key in value}
    if isinstance(value, abc.Set):
        return {_key(item) for item in value}
    if isinstance(value, abc.Sequence):
        return [converted(item) for item in value]
    return value


def _key(value: "Any") -> "Any":
    value = converted(value)
    return tuple(_key(item) for item in value) if isinstance(value, list) else value


def carried(value: "Any", where: "str", plain: "bool", depth: "int" = 0) -> "Any":
    """The value in the form that a ProActive server accepts. Raises `NotSerializable`, whose message names the path."""
    from collections import UserDict, UserList, UserString, abc, deque

    kind = type(value)
    if depth > _DEEPEST:
        raise tagged.NotSerializable(f"{where} lies more than {_DEEPEST} levels deep, or contains itself.")
    if value is None or kind in (bool, float):
        return value
    if not tagged.takes(value):
        if _is_plain(value):
            return _plain_of(value)
        if isinstance(value, (abc.Mapping, UserDict)):
            return {
                carried(key, where, plain, depth + 1): carried(value[key], f"{where}[{key!r}]", plain, depth + 1)
                for key in value
            }
        if isinstance(value, abc.Set):
            return {carried(item, where, plain, depth + 1) for item in value}
        if isinstance(value, (list, tuple, range, deque, UserList, abc.Iterator, abc.ValuesView)):
            return [carried(item, f"{where}[{index}]", plain, depth + 1) for index, item in enumerate(value)]
        if isinstance(value, UserString):
            return str(value)
        if hasattr(value, "_get_object_id"):
            return value  # an object of Java's
    try:
        found = tagged.encode(value, plain)
    except tagged.NotSerializable as problem:
        raise _refusal(value, where, problem) from None
    return carried(found, where, plain, depth + 1) if isinstance(found, (list, dict)) else found


def _is_plain(value: "Any") -> "bool":
    """Whether it is a text, a number or bytes with an equivalent in Java."""
    if isinstance(value, str):
        return _is_text(value)
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    decimal = sys.modules.get("decimal")
    is_decimal = decimal is not None and isinstance(value, decimal.Decimal)
    return bool(is_decimal and value.is_finite()) or isinstance(value, (float, bytes, bytearray))


def _plain_of(value: "Any") -> "Any":
    """The same value as its base type."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    return bytes(value) if isinstance(value, (bytes, bytearray)) else value


def _is_text(value: "str") -> "bool":
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _refusal(value: "Any", where: "str", problem: "Exception") -> "Exception":
    kind = type(value)
    name = (
        kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else kind.__module__ + "." + kind.__qualname__
    )
    return tagged.NotSerializable(
        f"{where} ({name}) cannot travel between tasks: {problem.args[0]}; pass the data that it is built of, or "
        "write a file and pass its name."
    )
