"""The methods and properties of values in Spring expressions, as a table for each kind of value.

Only the names in the tables are available; any other name is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.workflow.java.numbers import to_float, wrapped
from proactive_jupyter_kernel.workflow.java.regex import compile_java
from proactive_jupyter_kernel.workflow.spel import functions, types
from proactive_jupyter_kernel.workflow.spel.conversion import Method, invoke, method
from proactive_jupyter_kernel.workflow.spel.operators import matches, same
from proactive_jupyter_kernel.workflow.spel.values import (
    MAX_WEIGHT,
    CollectionValue,
    JavaType,
    Long,
    Root,
    SpelError,
    State,
    frozen,
    items,
    kind_of,
    limited,
    text,
    weight,
)

__all__ = ["call", "put", "read_property"]


def call(state: State, owner: Any, name: str, arguments: list[Any]) -> Any:
    """``owner.name(arguments)``"""
    if isinstance(owner, Root):
        if name not in functions.FUNCTIONS:
            hint = did_you_mean(name, functions.FUNCTIONS)
            raise SpelError(f"function {name!r} is not supported here. {hint}".strip())
        return invoke(state, name, method("o", functions.FUNCTIONS[name]), (), arguments)
    if isinstance(owner, JavaType):
        return types.call_static(state, owner, name, arguments)
    kind = kind_of(owner)
    if kind in _REFUSED:
        raise SpelError(f"method {name!r} of {kind} is refused by ProActive. {_REFUSED[kind]}")
    known = {**_METHODS[kind], **_ANY}
    if name not in known:
        hint = "Write .length" if kind == "an array" and name in ("size", "length") else did_you_mean(name, known)
        raise SpelError(f"method {name!r} of {kind} is not supported here. {hint}".strip())
    target = owner.values if kind == "a map" and not isinstance(owner, dict) else owner
    return invoke(state, name, known[name], (target,), arguments)


#: Kinds whose classes ProActive does not let expressions call.
_REFUSED = {
    "a constant list": "Use matches, a selection such as {1, 2}.?[#this == 2], or "
    "T(com.google.common.collect.ImmutableList).of(1, 2)",
    "a constant map": "Use an index such as ['key'], or T(com.google.common.collect.ImmutableMap).of('key', 1)",
}


def read_property(state: State, owner: Any, name: str) -> Any:
    """``owner.name``: the length of an array, the parts of an entry, and getters."""
    kind = kind_of(owner)
    found = _PROPERTIES.get(kind, {}).get(name)
    if found is None:
        hint = f". Write {name}() to call the method" if name in _METHODS.get(kind, {}) else ""
        raise SpelError(f"{name!r} is not a property of {kind} that is supported here{hint}")
    return found(owner)


def put(state: State, owner: dict[Any, Any], key: Any, value: Any) -> Any:
    """Store a value in a map of the scope; returns the previous one."""
    key, value = text(key), frozen(state, value)
    if owner is not state.scope.temp:
        value = limited("" if value is None else text(value))
    state.spend(1 + len(owner) // 8)
    if weight(owner) + weight(value) + weight(key) > MAX_WEIGHT:
        raise SpelError(f"a map grows beyond {MAX_WEIGHT:,} characters and items")
    previous = owner.get(key)
    owner[key] = value
    return previous


# --- texts ---


def _substring(state: State, value: str, first: int, last: int | None = None) -> str:
    end = len(value) if last is None else last
    if not 0 <= first <= end <= len(value):
        raise SpelError(f"substring {first} to {end} is out of range")
    return value[first:end]


def _split(state: State, value: str, pattern: str, limit: int = 0) -> CollectionValue:
    return items(state, compile_java(pattern).split(value, limit), "an array")


def _replace(state: State, value: str, old: str, new: str) -> str:
    """The size is checked first: in the worst case the replacement is inserted between all characters."""
    count = value.count(old) if old else len(value) + 1
    if len(value) + count * (len(new) - len(old)) > MAX_WEIGHT:
        raise SpelError(f"a text grows beyond {MAX_WEIGHT:,} characters")
    return value.replace(old, new)


def _repeat(state: State, value: str, count: int) -> str:
    if count < 0 or len(value) * count > MAX_WEIGHT:
        raise SpelError(f"a text cannot be repeated {count} times: at most {MAX_WEIGHT:,} characters")
    return value * count


def _compare(left: Any, right: Any) -> int:
    return int(left > right) - int(left < right)


def _texts_compared(state: State, left: str, right: str) -> int:
    """As in Java: the difference of the first different characters, or of the lengths."""
    for one, other in zip(left, right, strict=False):
        if one != other:
            return ord(one) - ord(other)
    return len(left) - len(right)


#: What ``trim`` removes, and what ``strip`` and ``isBlank`` take for blank.
_BLANKS = "".join(map(chr, range(33)))


def _find(state: State, value: str, part: str, start: int = 0) -> int:
    return value.find(part, max(start, 0))


def _find_last(state: State, value: str, part: str, start: int | None = None) -> int:
    return value.rfind(part) if start is None else value.rfind(part, 0, max(start + len(part), 0))


def _hash(state: State, value: str) -> int:
    result = 0
    for character in value:
        result = wrapped(31 * result + ord(character), 32)
    return result


_TEXT: Mapping[str, Method] = {
    "length": method("", lambda state, value: len(value)),
    "isEmpty": method("", lambda state, value: not value),
    "isBlank": method("", lambda state, value: not value.strip()),
    "startsWith": method("s?i", lambda state, value, start, offset=0: offset >= 0 and value.startswith(start, offset)),
    "endsWith": method("s", lambda state, value, end: value.endswith(end)),
    "contains": method("s", lambda state, value, part: part in value),
    "equalsIgnoreCase": method(
        "o", lambda state, value, other: isinstance(other, str) and value.lower() == other.lower()
    ),
    "contentEquals": method("s", lambda state, value, other: value == other),
    "toLowerCase": method("", lambda state, value: limited(value.lower())),
    "toUpperCase": method("", lambda state, value: limited(value.upper())),
    "trim": method("", lambda state, value: value.strip(_BLANKS)),
    "strip": method("", lambda state, value: value.strip()),
    "stripLeading": method("", lambda state, value: value.lstrip()),
    "stripTrailing": method("", lambda state, value: value.rstrip()),
    "substring": method("i?i", _substring),
    "subSequence": method("ii", _substring),
    "indexOf": method("s?i", _find),
    "lastIndexOf": method("s?i", _find_last),
    "charAt": method("i", lambda state, value, index: _substring(state, value, index, index + 1)),
    "codePointAt": method("i", lambda state, value, index: ord(_substring(state, value, index, index + 1))),
    "concat": method("s", lambda state, value, other: limited(value + other)),
    "replace": method("ss", _replace),
    "replaceAll": method("ss", lambda state, value, pattern, new: compile_java(pattern).replace(value, new)),
    "replaceFirst": method(
        "ss", lambda state, value, pattern, new: compile_java(pattern).replace(value, new, first=True)
    ),
    "matches": method("s", matches),
    "split": method("s?i", _split),
    "repeat": method("i", _repeat),
    "toCharArray": method("", lambda state, value: items(state, value, "an array")),
    "getBytes": method("", lambda state, value: _bytes(state, value)),
    "compareTo": method("s", _texts_compared),
    "compareToIgnoreCase": method(
        "s", lambda state, value, other: _texts_compared(state, value.lower(), other.lower())
    ),
    "hashCode": method("", _hash),
    "intern": method("", lambda state, value: value),
}


def _bytes(state: State, value: str) -> CollectionValue:
    return items(state, (wrapped(byte, 8) for byte in value.encode("utf-8", "replace")), "an array")


# --- collections ---


def _contains(state: State, owner: CollectionValue, element: Any) -> bool:
    return any(same(state, one, element) for one in owner.values)


def _index(state: State, owner: CollectionValue, element: Any) -> int:
    return next((index for index, one in enumerate(owner.values) if same(state, one, element)), -1)


def _last_index(state: State, owner: CollectionValue, element: Any) -> int:
    found = _index(state, CollectionValue(owner.values[::-1], owner.kind, owner.weight), element)
    return found if found < 0 else len(owner.values) - 1 - found


def _get(state: State, owner: CollectionValue, index: int) -> Any:
    if not 0 <= index < len(owner.values):
        raise SpelError(f"index {index} is out of range")
    return owner.values[index]


def _sublist(state: State, owner: CollectionValue, first: int, last: int) -> CollectionValue:
    if not 0 <= first <= last <= len(owner.values):
        raise SpelError(f"sublist {first} to {last} is out of range")
    return items(state, owner.values[first:last])


_COLLECTION: Mapping[str, Method] = {
    "size": method("", lambda state, owner: len(owner.values)),
    "isEmpty": method("", lambda state, owner: not owner.values),
    "contains": method("o", _contains),
    "containsAll": method("l", lambda state, owner, others: all(_contains(state, owner, one) for one in others.values)),
}
_LIST: Mapping[str, Method] = {
    **_COLLECTION,
    "indexOf": method("o", _index),
    "lastIndexOf": method("o", _last_index),
    "get": method("i", _get),
    "subList": method("ii", _sublist),
}


def _has_value(state: State, owner: Mapping[Any, Any], element: Any) -> bool:
    return any(same(state, one, element) for one in owner.values())


def _put(state: State, owner: Any, key: Any, value: Any) -> Any:
    if not any(owner is one for one in (state.scope.temp, state.scope.variables, state.scope.models)):
        raise SpelError("only variables, models, temp and tempMap can be changed; other maps are constant here")
    return put(state, owner, key, value)


def _remove(state: State, owner: Any, key: Any) -> Any:
    if owner is not state.scope.temp:
        raise SpelError("only entries of temp and tempMap can be removed")
    return owner.pop(key, None)


_MAP: Mapping[str, Method] = {
    "size": method("", lambda state, owner: len(owner)),
    "isEmpty": method("", lambda state, owner: not owner),
    "containsKey": method("o", lambda state, owner, key: key in owner),
    "containsValue": method("o", _has_value),
    "get": method("o", lambda state, owner, key: owner.get(key)),
    "getOrDefault": method("oo", lambda state, owner, key, default: owner.get(key, default)),
    "keySet": method("", lambda state, owner: items(state, owner, "a set")),
    "values": method("", lambda state, owner: items(state, owner.values())),
    "put": method("oo", _put),
    "remove": method("o", _remove),
}


# --- numbers and the rest ---


def _as_whole(bits: int) -> Method:
    """``intValue`` and similar methods: a real number is cut and saturates, an integer overflows."""
    kind = Long if bits == 64 else int

    def convert(state: State, value: int | float) -> int:
        if not isinstance(value, float):
            return kind(wrapped(value, bits))
        if math.isnan(value):
            return kind(0)
        least, most = -(2 ** (max(bits, 32) - 1)), 2 ** (max(bits, 32) - 1) - 1
        return kind(wrapped(most if value >= most else least if value <= least else int(value), bits))

    return method("", convert)


_NUMBER: Mapping[str, Method] = {
    "intValue": _as_whole(32),
    "longValue": _as_whole(64),
    "shortValue": _as_whole(16),
    "byteValue": _as_whole(8),
    "doubleValue": method("", lambda state, value: float(value)),
    "floatValue": method("", lambda state, value: to_float(float(value))),
    "compareTo": method("n", lambda state, value, other: _compare(value, other)),
    "isNaN": method("", lambda state, value: value != value),
    "isInfinite": method("", lambda state, value: math.isinf(value)),
}
_METHODS: Mapping[str, Mapping[str, Method]] = {
    "a text": _TEXT,
    "a list": _LIST,
    "a set": _COLLECTION,
    "an array": {},
    "a map": _MAP,
    "a number": _NUMBER,
    "a boolean": {
        "booleanValue": method("", lambda state, value: value),
        "compareTo": method("b", lambda state, value, other: _compare(value, other)),
    },
    "an entry": {
        "getKey": method("", lambda state, value: value.key),
        "getValue": method("", lambda state, value: value.value),
    },
    "null": {},
}
_ANY: Mapping[str, Method] = {
    "equals": method("o", lambda state, value, other: type(value) is type(other) and same(state, value, other)),
    "toString": method("", lambda state, value: text(value)),
}
_PROPERTIES: Mapping[str, Mapping[str, Any]] = {
    "a text": {"empty": lambda value: not value, "blank": lambda value: not value.strip()},
    "an array": {"length": lambda value: len(value.values)},
    "a list": {"empty": lambda value: not value.values},
    "a set": {"empty": lambda value: not value.values},
    "an entry": {"key": lambda value: value.key, "value": lambda value: value.value},
}
