"""The Java classes of Spring expressions: ``T(class)``, ``new class(…)`` and ``instanceof``, as one table.

A server lets expressions use a few types alone: numbers, texts, ``Math``, Guava's immutable collections.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.workflow.java.numbers import parse_double, parse_float, parse_whole, to_float
from proactive_jupyter_kernel.workflow.spel.conversion import Method, invoke, method
from proactive_jupyter_kernel.workflow.spel.java_format import java_format
from proactive_jupyter_kernel.workflow.spel.operators import integer
from proactive_jupyter_kernel.workflow.spel.values import (
    Items,
    JavaType,
    Long,
    Pairs,
    SpelError,
    State,
    items,
    limited,
    pairs,
    text,
)

__all__ = ["array_default", "call_static", "constant", "construct", "is_instance", "known_type"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Class:
    """A class: its static methods, constants and constructor, and which values are its instances."""

    methods: Mapping[str, Method] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    new: Method | None = None
    instance: Callable[[Any], bool] = lambda value: False


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


# --- numbers ---


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _whole_class(bits: int, suffix: str, kind: type[int], instance: Callable[[Any], bool]) -> _Class:
    def parse(state: State, value: Any, radix: int = 10) -> int:
        if _is_whole(value):
            return kind(value)
        try:
            return kind(parse_whole(value, bits) if radix == 10 else _in_radix(value, radix, bits))
        except (ValueError, TypeError, AttributeError) as error:
            raise SpelError(str(error) if isinstance(value, str) else "null is not an integer") from error

    return _Class(
        methods={
            f"parse{suffix}": method("o?i", parse),
            "valueOf": method("o?i", parse),
            "toString": method("o", lambda state, value: text(value)),
            "compare": method("nn", lambda state, left, right: (left > right) - (left < right)),
            "min": method("nn", lambda state, left, right: kind(min(left, right))),
            "max": method("nn", lambda state, left, right: kind(max(left, right))),
            "signum": method("n", lambda state, value: (value > 0) - (value < 0)),
            "toHexString": method("i", lambda state, value: format(value % (1 << bits), "x")),
            "toBinaryString": method("i", lambda state, value: format(value % (1 << bits), "b")),
        },
        constants={"MAX_VALUE": kind(2 ** (bits - 1) - 1), "MIN_VALUE": kind(-(2 ** (bits - 1)))},
        new=method("o", parse),
        instance=instance,
    )


def _in_radix(value: str, radix: int, bits: int) -> int:
    if not 2 <= radix <= 36 or len(value) > 70:
        raise ValueError(f"{value[:70]!r} is not an integer of base {radix}")
    found = int(value, radix)
    if "_" in value or not -(2 ** (bits - 1)) <= found < 2 ** (bits - 1):
        raise ValueError(f"{value!r} is not an integer of {bits} bits of base {radix}")
    return found


def _real_class(suffix: str, parse: Callable[[str], float], largest: float, least: float) -> _Class:
    def read(state: State, value: Any) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if not isinstance(value, str):
            raise SpelError("null is not a number")
        try:
            return parse(value)
        except ValueError as error:
            raise SpelError(str(error)) from error

    return _Class(
        methods={
            f"parse{suffix}": method("o", read),
            "valueOf": method("o", read),
            "toString": method("o", lambda state, value: text(value)),
            "compare": method("nn", lambda state, left, right: (left > right) - (left < right)),
            "isNaN": method("n", lambda state, value: value != value),
            "isInfinite": method("n", lambda state, value: math.isinf(value)),
            "isFinite": method("n", lambda state, value: math.isfinite(value)),
        },
        constants={
            "MAX_VALUE": largest,
            "MIN_VALUE": least,
            "NaN": math.nan,
            "POSITIVE_INFINITY": math.inf,
            "NEGATIVE_INFINITY": -math.inf,
        },
        new=method("o", read),
        instance=lambda value: isinstance(value, float),
    )


def _round(state: State, value: Any) -> int:
    """``Math.round``: a Long, saturated."""
    if not isinstance(value, float):
        return Long(value)
    if math.isnan(value):
        return Long(0)
    return Long(max(min(math.floor(value + 0.5), 2**63 - 1), -(2**63)) if math.isfinite(value) else _limit(value))


def _limit(value: float) -> int:
    return 2**63 - 1 if value > 0 else -(2**63)


def _real(function: Callable[..., float]) -> Callable[..., float]:
    """A function of Python's math, with Java's results outside of its domain."""

    def run(state: State, *values: Any) -> float:
        try:
            return float(function(*map(float, values)))
        except ValueError:
            return math.nan
        except OverflowError:
            return math.inf

    return run


def _rounded(function: Callable[[float], int]) -> Callable[..., float]:
    return lambda state, value: float(function(value)) if math.isfinite(value) else float(value)


def _chosen(choose: Callable[..., Any]) -> Callable[..., Any]:
    """``Math.min`` and ``max``: the result has the wider of both types."""

    def run(state: State, left: Any, right: Any) -> Any:
        found = choose(left, right)
        return float(found) if isinstance(left, float) or isinstance(right, float) else integer(found, left, right)

    return run


def _floor_mod(state: State, left: int, right: int) -> int:
    if right == 0:
        raise SpelError("an integer is divided by zero")
    return integer(left % right, left, right)


def _floor_div(state: State, left: int, right: int) -> int:
    if right == 0:
        raise SpelError("an integer is divided by zero")
    return integer(left // right, left, right)


_MATH = _Class(
    methods={
        "abs": method("n", lambda state, value: abs(value) if isinstance(value, float) else integer(abs(value), value)),
        "min": method("nn", _chosen(min)),
        "max": method("nn", _chosen(max)),
        "round": method("n", _round),
        "floor": method("n", _rounded(math.floor)),
        "ceil": method("n", _rounded(math.ceil)),
        "rint": method("n", _rounded(round)),
        "sqrt": method("n", _real(math.sqrt)),
        "cbrt": method("n", _real(math.cbrt)),
        "pow": method("nn", _real(math.pow)),
        "exp": method("n", _real(math.exp)),
        "log": method("n", lambda state, value: _log(math.log, value)),
        "log10": method("n", lambda state, value: _log(math.log10, value)),
        "sin": method("n", _real(math.sin)),
        "cos": method("n", _real(math.cos)),
        "tan": method("n", _real(math.tan)),
        "atan": method("n", _real(math.atan)),
        "atan2": method("nn", _real(math.atan2)),
        "hypot": method("nn", _real(math.hypot)),
        "toRadians": method("n", _real(math.radians)),
        "toDegrees": method("n", _real(math.degrees)),
        "signum": method("n", lambda state, value: float((value > 0) - (value < 0))),
        "floorMod": method("ii", _floor_mod),
        "floorDiv": method("ii", _floor_div),
    },
    constants={"PI": math.pi, "E": math.e},
)


def _log(function: Callable[[float], float], value: float) -> float:
    return -math.inf if value == 0 else _real(function)(None, value)


# --- collections ---


def _collection(kind: str) -> Method:
    """``of(a, b, …)``"""
    return method("?o*", lambda state, *values: items(state, values, kind))


def _copied(kind: str) -> Method:
    return method("?o", lambda state, value=None: items(state, _elements(value), kind))


def _elements(value: Any) -> Iterator[Any]:
    if isinstance(value, Items):
        yield from value.values
    elif value is not None and not isinstance(value, int):
        raise SpelError("a collection can be made of a list, a set or an array only")


def _joined(state: State, separator: str, *parts: Any) -> str:
    found = list(_elements(parts[0])) if len(parts) == 1 and isinstance(parts[0], Items) else list(parts)
    return limited(separator.join(map(text, found)))


def _map_of(state: State, *parts: Any) -> Pairs:
    if len(parts) % 2:
        raise SpelError("'of' needs a value for each key")
    keys = parts[::2]
    if len(set(keys)) != len(keys):
        raise SpelError("'of' names a key twice")
    return pairs(state, zip(keys, parts[1::2], strict=True))


def _map_copy(state: State, value: Any = None) -> Pairs:
    if value is not None and not isinstance(value, dict | Pairs):
        raise SpelError("a map can be made of a map only")
    return pairs(state, (value.values if isinstance(value, Pairs) else value or {}).items())


def _collection_class(kind: str, *, static: bool = True, new: bool = False) -> _Class:
    return _Class(
        methods={"of": _collection(kind), "copyOf": _copied(kind)} if static else {},
        new=_copied(kind) if new else None,
        instance=lambda value: isinstance(value, Items) and value.kind.removeprefix("a constant ")[-4:] == kind[-4:],
    )


def _map_class(*, static: bool = True, new: bool = False) -> _Class:
    return _Class(
        methods={"of": method("?o*", _map_of), "copyOf": method("m", _map_copy)} if static else {},
        new=method("?o", _map_copy) if new else None,
        instance=lambda value: isinstance(value, dict | Pairs),
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
_CLASSES: Mapping[str, _Class] = {
    "java.lang.Integer": _whole_class(32, "Int", int, lambda value: _is_whole(value) and not isinstance(value, Long)),
    "java.lang.Long": _whole_class(64, "Long", Long, lambda value: isinstance(value, Long)),
    "java.lang.Short": _whole_class(16, "Short", int, lambda value: False),
    "java.lang.Byte": _whole_class(8, "Byte", int, lambda value: False),
    "java.lang.Double": _real_class("Double", parse_double, math.nextafter(math.inf, 0), 5e-324),
    "java.lang.Float": _real_class("Float", parse_float, to_float(3.4028234663852886e38), 2.0**-149),
    "java.lang.Boolean": _Class(
        methods={
            "parseBoolean": method("o", lambda state, value: isinstance(value, str) and value.lower() == "true"),
            "valueOf": method("o", lambda state, value: value is True or text(value).lower() == "true"),
            "toString": method("b", lambda state, value: text(value)),
        },
        constants={"TRUE": True, "FALSE": False},
        new=method("o", lambda state, value: value is True or text(value).lower() == "true"),
        instance=lambda value: isinstance(value, bool),
    ),
    "java.lang.String": _Class(
        methods={
            "valueOf": method("o", lambda state, value: text(value)),
            "format": method("s?o*", lambda state, layout, *values: limited(java_format(layout, values))),
            "join": method("so*", _joined),
        },
        new=method("?s", lambda state, value="": value),
        instance=lambda value: isinstance(value, str),
    ),
    "java.lang.Character": _Class(
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
    "java.lang.Math": _MATH,
    "java.lang.Number": _Class(instance=lambda value: _is_whole(value) or isinstance(value, float)),
    "java.lang.CharSequence": _Class(instance=lambda value: isinstance(value, str)),
    "java.lang.Object": _Class(instance=lambda value: True),
    f"{_GUAVA}ImmutableList": _collection_class("a list"),
    f"{_GUAVA}ImmutableSet": _collection_class("a set"),
    f"{_GUAVA}ImmutableMap": _map_class(),
    "java.util.List": _collection_class("a list"),
    "java.util.Set": _collection_class("a set"),
    "java.util.Map": _map_class(),
    "java.util.Arrays": _Class(methods={"asList": _collection("a list")}),
    "java.util.ArrayList": _collection_class("a list", static=False, new=True),
    "java.util.HashSet": _collection_class("a set", static=False, new=True),
    "java.util.LinkedHashSet": _collection_class("a set", static=False, new=True),
    "java.util.HashMap": _map_class(static=False, new=True),
    "java.util.LinkedHashMap": _map_class(static=False, new=True),
    **{name: _Class(instance=lambda value: False) for name in _PRIMITIVES},
}
