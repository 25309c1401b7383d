"""The Java classes of Spring expressions: ``T(class)``, ``new class(…)`` and ``instanceof``, as one table.

A server lets expressions use a few types alone: numbers, texts, ``Math``, Guava's immutable collections.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.workflow.java.numbers import parse_double, parse_float, to_float
from proactive_jupyter_kernel.workflow.spel.conversion import Method, invoke, method
from proactive_jupyter_kernel.workflow.spel.java_format import java_format
from proactive_jupyter_kernel.workflow.spel.number_types import MATH, ClassRow, is_whole, real_class, whole_class
from proactive_jupyter_kernel.workflow.spel.values import (
    CollectionValue,
    JavaType,
    Long,
    MapValue,
    SpelError,
    State,
    items,
    limited,
    pairs,
    text,
)

__all__ = ["array_default", "call_static", "constant", "construct", "is_instance", "known_type"]


def known_type(name: str) -> JavaType:
    """The class of this name; ``java.lang.`` may be omitted. Raises SpelError if it is not available."""
    full = f"java.lang.{name}" if "." not in name and name not in _PRIMITIVES else name
    if full not in _CLASSES:
        plain = {known.rpartition(".")[2]: known for known in _CLASSES}
        shown = ", ".join(one for one in plain if one not in _PRIMITIVES)
        hint = f"write {plain[name]}" if name in plain else f"supported are {shown}"
        raise SpelError(f"class {name!r} is not supported here; {hint}")
    return JavaType(full)


def constant(kind: JavaType, name: str) -> Any:
    """``T(kind).name``"""
    found = _CLASSES[kind.name]
    if name in found.constants:
        return found.constants[name]
    if name in found.methods:
        raise SpelError(f"T({_short(kind)}).{name} is a method and needs its arguments")
    raise _unknown(kind, name)


def call_static(state: State, kind: JavaType, name: str, arguments: list[Any]) -> Any:
    """``T(kind).name(arguments)``"""
    found = _CLASSES[kind.name]
    if name in found.methods:
        return invoke(state, name, found.methods[name], (), arguments)
    if name in found.constants:
        raise SpelError(f"T({_short(kind)}).{name} is not a method")
    raise _unknown(kind, name)


def construct(state: State, kind: JavaType, arguments: list[Any]) -> Any:
    """``new kind(arguments)``"""
    new = _CLASSES[kind.name].new
    if new is None:
        raise SpelError(f"new {_short(kind)}() is not supported here")
    return invoke(state, _short(kind), new, (), arguments)


def is_instance(value: Any, kind: JavaType) -> bool:
    """``value instanceof T(kind)``"""
    return value is not None and _CLASSES[kind.name].instance(value)


def array_default(kind: str) -> Any:
    """What the elements of ``new kind[n]`` are."""
    if kind in _PRIMITIVES:
        return _PRIMITIVES[kind]
    known_type(kind)
    return None


def _short(kind: JavaType) -> str:
    return kind.name.removeprefix("java.lang.")


def _unknown(kind: JavaType, name: str) -> SpelError:
    found = _CLASSES[kind.name]
    known = (*found.methods, *found.constants)
    return SpelError(f"T({_short(kind)}).{name} is not supported here. {did_you_mean(name, known)}".strip())


# --- collections ---


def _collection(kind: str) -> Method:
    """``of(a, b, …)``"""
    return method("?o*", lambda state, *values: items(state, values, kind))


def _copied(kind: str) -> Method:
    return method("?o", lambda state, value=None: items(state, _elements(value), kind))


def _elements(value: Any) -> Iterator[Any]:
    if isinstance(value, CollectionValue):
        yield from value.values
    elif value is not None and not isinstance(value, int):
        raise SpelError("a collection can be made of a list, a set or an array only")


def _joined(state: State, separator: str, *parts: Any) -> str:
    found = list(_elements(parts[0])) if len(parts) == 1 and isinstance(parts[0], CollectionValue) else list(parts)
    return limited(separator.join(map(text, found)))


def _map_of(state: State, *parts: Any) -> MapValue:
    if len(parts) % 2:
        raise SpelError("'of' needs a value for each key")
    keys = parts[::2]
    if len(set(keys)) != len(keys):
        raise SpelError("'of' names a key twice")
    return pairs(state, zip(keys, parts[1::2], strict=True))


def _map_copy(state: State, value: Any = None) -> MapValue:
    if value is not None and not isinstance(value, dict | MapValue):
        raise SpelError("a map can be made of a map only")
    return pairs(state, (value.values if isinstance(value, MapValue) else value or {}).items())


def _collection_class(kind: str, *, static: bool = True, new: bool = False) -> ClassRow:
    return ClassRow(
        methods={"of": _collection(kind), "copyOf": _copied(kind)} if static else {},
        new=_copied(kind) if new else None,
        instance=lambda value: (
            isinstance(value, CollectionValue) and value.kind.removeprefix("a constant ")[-4:] == kind[-4:]
        ),
    )


def _map_class(*, static: bool = True, new: bool = False) -> ClassRow:
    return ClassRow(
        methods={"of": method("?o*", _map_of), "copyOf": method("m", _map_copy)} if static else {},
        new=method("?o", _map_copy) if new else None,
        instance=lambda value: isinstance(value, dict | MapValue),
    )


def _character(test: Callable[[str], bool]) -> Method:
    return method("s", lambda state, value: len(value) == 1 and test(value))


_GUAVA = "com.google.common.collect."
_PRIMITIVES: Mapping[str, Any] = {
    **dict.fromkeys(("int", "short", "byte"), 0),
    "long": Long(0),
    **dict.fromkeys(("double", "float"), 0.0),
    "boolean": False,
    "char": "\0",
}
_CLASSES: Mapping[str, ClassRow] = {
    "java.lang.Integer": whole_class(32, "Int", int, lambda value: is_whole(value) and not isinstance(value, Long)),
    "java.lang.Long": whole_class(64, "Long", Long, lambda value: isinstance(value, Long)),
    "java.lang.Short": whole_class(16, "Short", int, lambda value: False),
    "java.lang.Byte": whole_class(8, "Byte", int, lambda value: False),
    "java.lang.Double": real_class("Double", parse_double, math.nextafter(math.inf, 0), 5e-324),
    "java.lang.Float": real_class("Float", parse_float, to_float(3.4028234663852886e38), 2.0**-149),
    "java.lang.Boolean": ClassRow(
        methods={
            "parseBoolean": method("o", lambda state, value: isinstance(value, str) and value.lower() == "true"),
            "valueOf": method("o", lambda state, value: value is True or text(value).lower() == "true"),
            "toString": method("b", lambda state, value: text(value)),
        },
        constants={"TRUE": True, "FALSE": False},
        new=method("o", lambda state, value: value is True or text(value).lower() == "true"),
        instance=lambda value: isinstance(value, bool),
    ),
    "java.lang.String": ClassRow(
        methods={
            "valueOf": method("o", lambda state, value: text(value)),
            "format": method("s?o*", lambda state, layout, *values: limited(java_format(layout, values))),
            "join": method("so*", _joined),
        },
        new=method("?s", lambda state, value="": value),
        instance=lambda value: isinstance(value, str),
    ),
    "java.lang.Character": ClassRow(
        methods={
            "isDigit": _character(str.isdecimal),
            "isLetter": _character(str.isalpha),
            "isLetterOrDigit": _character(str.isalnum),
            "isUpperCase": _character(str.isupper),
            "isLowerCase": _character(str.islower),
            "isWhitespace": _character(str.isspace),
            "toString": method("s", lambda state, value: value),
        }
    ),
    "java.lang.Math": MATH,
    "java.lang.Number": ClassRow(instance=lambda value: is_whole(value) or isinstance(value, float)),
    "java.lang.CharSequence": ClassRow(instance=lambda value: isinstance(value, str)),
    "java.lang.Object": ClassRow(instance=lambda value: True),
    f"{_GUAVA}ImmutableList": _collection_class("a list"),
    f"{_GUAVA}ImmutableSet": _collection_class("a set"),
    f"{_GUAVA}ImmutableMap": _map_class(),
    "java.util.List": _collection_class("a list"),
    "java.util.Set": _collection_class("a set"),
    "java.util.Map": _map_class(),
    "java.util.Arrays": ClassRow(methods={"asList": _collection("a list")}),
    "java.util.ArrayList": _collection_class("a list", static=False, new=True),
    "java.util.HashSet": _collection_class("a set", static=False, new=True),
    "java.util.LinkedHashSet": _collection_class("a set", static=False, new=True),
    "java.util.HashMap": _map_class(static=False, new=True),
    "java.util.LinkedHashMap": _map_class(static=False, new=True),
    **{name: ClassRow(instance=lambda value: False) for name in _PRIMITIVES},
}
