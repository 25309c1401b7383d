"""The names in a Spring expression: properties, methods, functions and static methods, as tables.

Only the names in the tables are available; any other name is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.workflow.java.regex import compile_java
from proactive_jupyter_kernel.workflow.spel.values import (
    Assignable,
    Evaluator,
    Scope,
    SpelError,
    limited,
    matches,
    number,
    truth,
)
from proactive_jupyter_kernel.workflow.values import text

__all__ = ["call", "function", "item", "root_property", "static", "variable"]

_Method = Callable[..., Any]
_MAX_GROWTH = 10_000_000


def variable(name: str) -> Evaluator:
    """``#value``, the value that is checked, and the variables of Spring."""
    if name not in ("value", "this", "root"):
        raise SpelError(f"#{name} is not known; use #value for the value")
    return lambda scope: scope.value


def root_property(name: str) -> Evaluator:
    """A plain name: one of the maps of the scope, or ``valid``."""
    if name == "valid":
        return Assignable(lambda scope: scope.valid, _set_valid)
    if name not in _MAPS:
        raise SpelError(f"{name!r} is not known. {did_you_mean(name, (*_MAPS, 'valid', *_FUNCTIONS))}".strip())
    return _MAPS[name]


def _set_valid(scope: Scope, value: Any) -> None:
    scope.valid = value


_MAPS: Mapping[str, Evaluator] = {
    "variables": lambda scope: scope.variables,
    "models": lambda scope: scope.models,
    "temp": lambda scope: scope.temp,
    "tempMap": lambda scope: scope.temp,
}


def item(owner: Evaluator, index: Evaluator) -> Evaluator:
    """``owner[index]``, and ``owner.name`` of a map."""

    def read(scope: Scope) -> Any:
        container, key = owner(scope), index(scope)
        if isinstance(container, dict):
            return container.get(key)
        if isinstance(container, list | str) and isinstance(key, int) and not isinstance(key, bool):
            if not 0 <= key < len(container):
                raise SpelError(f"index {key} is out of range")
            return container[key]
        raise SpelError(f"{text(key)!r} is not a property of {_kind(container)} that is supported here")

    def write(scope: Scope, value: Any) -> None:
        container, key = owner(scope), index(scope)
        if container is scope.temp:
            scope.temp[str(key)] = value
        elif container is scope.variables or container is scope.models:
            container[str(key)] = limited("" if value is None else text(value))
        else:
            raise SpelError("only valid, variables['…'], models['…'] and temp['…'] can be assigned to")

    return Assignable(read, write)


def call(owner: Evaluator, name: str, arguments: list[Evaluator], safe: bool) -> Evaluator:
    """``owner.name(arguments)``; `safe` (``?.``) gives null for null."""

    def run(scope: Scope) -> Any:
        target = owner(scope)
        if target is None:
            if safe:
                return None
            raise SpelError(f"method {name!r} is called on null")
        kind = _kind(target)
        method = _METHODS[kind].get(name) or _ANY.get(name)
        if method is None:
            known = (*_METHODS[kind], *_ANY)
            raise SpelError(f"method {name!r} of {kind} is not supported here. {did_you_mean(name, known)}".strip())
        return _apply(method, name, (target, *(argument(scope) for argument in arguments)))

    return run


def function(name: str, arguments: list[Evaluator]) -> Evaluator:
    """``name(arguments)``: the functions of ProActive's root object."""
    if name not in _FUNCTIONS:
        raise SpelError(f"function {name!r} is not supported here. {did_you_mean(name, _FUNCTIONS)}".strip())
    chosen = _FUNCTIONS[name]
    return lambda scope: _apply(chosen, name, (scope, *(argument(scope) for argument in arguments)))


def static(kind: str, name: str, arguments: list[Evaluator] | None) -> Evaluator:
    """``T(kind).name(arguments)``, or a constant, which has no arguments."""
    table = _STATIC.get(kind.removeprefix("java.lang."))
    if table is None:
        raise SpelError(f"class {kind!r} is not supported here; supported are {', '.join(_STATIC)}")
    if name not in table:
        raise SpelError(f"T({kind}).{name} is not supported here. {did_you_mean(name, table)}".strip())
    chosen = table[name]
    if arguments is None:
        if callable(chosen):
            raise SpelError(f"T({kind}).{name} is a method and needs its arguments")
        return lambda scope: chosen
    if not callable(chosen):
        raise SpelError(f"T({kind}).{name} is not a method")
    return lambda scope: _apply(chosen, name, tuple(argument(scope) for argument in arguments))


def _apply(method: _Method, name: str, arguments: tuple[Any, ...]) -> Any:
    try:
        return method(*arguments)
    except SpelError:
        raise
    except (TypeError, AttributeError, ValueError, LookupError, ArithmeticError) as error:
        raise SpelError(f"{name!r} failed with these arguments: {error}") from error


def _kind(value: Any) -> str:
    for kind, name in ((str, "a text"), (list, "a list"), (dict, "a map"), (bool, "a boolean")):
        if isinstance(value, kind):
            return name
    return "a number" if isinstance(value, int | float) else "null"


def _parse_whole(bits: int) -> Callable[[str], int]:
    """``Integer.parseInt`` and similar functions."""

    def parse(value: str) -> int:
        if not compile_java(r"[+-]?\d{1,30}").fullmatch(value):
            raise SpelError(f"{value!r} is not an integer")
        if not -(2 ** (bits - 1)) <= int(value) < 2 ** (bits - 1):
            raise SpelError(f"{value!r} needs more than {bits} bits")
        return int(value)

    return parse


def _parse_real(value: str) -> float:
    try:
        return float(value.strip().rstrip("fFdD") if value.strip() not in ("Infinity", "-Infinity") else value)
    except ValueError as error:
        raise SpelError(f"{value!r} is not a number") from error


def _substring(value: str, first: int, last: int | None = None) -> str:
    end = len(value) if last is None else last
    if not 0 <= first <= end <= len(value):
        raise SpelError(f"substring {first} to {end} is out of range")
    return value[first:end]


def _split(value: str, pattern: str) -> list[str]:
    """As in Java: trailing empty texts are removed."""
    parts = compile_java(pattern).split(value)
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return parts


def _replace(value: str, old: str, new: str) -> str:
    _check_growth(value, new)
    return limited(value.replace(old, new))


def _replace_all(value: str, pattern: str, replacement: str) -> str:
    _check_growth(value, replacement)
    return limited(compile_java(pattern).sub(lambda match: replacement, value))


def _check_growth(value: str, replacement: str) -> None:
    """Checks the size in advance: in the worst case the replacement is inserted between all characters."""
    if (len(value) + 1) * len(replacement) > _MAX_GROWTH:
        raise SpelError("the texts are too long for a replacement")


def _compare(left: str, right: str) -> int:
    return (left > right) - (left < right)


def _round(value: Any) -> int:
    return math.floor(number(value) + 0.5)


_METHODS: Mapping[str, Mapping[str, _Method]] = {
    "a text": {
        "length": lambda value: len(value),
        "isEmpty": lambda value: not value,
        "isBlank": lambda value: not value.strip(),
        "startsWith": lambda value, start: value.startswith(start),
        "endsWith": lambda value, end: value.endswith(end),
        "contains": lambda value, part: part in value,
        "equalsIgnoreCase": lambda value, other: isinstance(other, str) and value.lower() == other.lower(),
        "toLowerCase": lambda value: value.lower(),
        "toUpperCase": lambda value: value.upper(),
        "trim": lambda value: value.strip(),
        "strip": lambda value: value.strip(),
        "substring": _substring,
        "indexOf": lambda value, part: value.find(part),
        "lastIndexOf": lambda value, part: value.rfind(part),
        "charAt": lambda value, index: _substring(value, index, index + 1),
        "concat": lambda value, other: limited(value + other),
        "replace": _replace,
        "replaceAll": _replace_all,
        "matches": matches,
        "split": _split,
        "compareTo": _compare,
    },
    "a list": {
        "size": lambda value: len(value),
        "isEmpty": lambda value: not value,
        "contains": lambda value, element: element in value,
        "indexOf": lambda value, element: value.index(element) if element in value else -1,
        "get": lambda value, index: value[index],
    },
    "a map": {
        "size": lambda value: len(value),
        "isEmpty": lambda value: not value,
        "containsKey": lambda value, key: key in value,
        "containsValue": lambda value, element: element in value.values(),
        "get": lambda value, key: value.get(key),
        "getOrDefault": lambda value, key, default: value.get(key, default),
    },
    "a number": {
        "intValue": lambda value: int(value),
        "longValue": lambda value: int(value),
        "doubleValue": lambda value: float(value),
    },
    "a boolean": {"booleanValue": lambda value: value},
    "null": {},
}
_ANY: Mapping[str, _Method] = {
    "equals": lambda value, other: type(value) is type(other) and value == other,
    "toString": lambda value: text(value),
}


def _hide(hidden: bool, group: bool) -> _Method:
    def run(scope: Scope, name: str) -> bool:
        (scope.hidden_groups if group else scope.hidden)[name] = hidden
        return True

    return run


_FUNCTIONS: Mapping[str, _Method] = {
    "hideVar": _hide(True, False),
    "showVar": _hide(False, False),
    "hideGroup": _hide(True, True),
    "showGroup": _hide(False, True),
}
_STATIC: Mapping[str, Mapping[str, Any]] = {
    "Integer": {
        "parseInt": _parse_whole(32),
        "valueOf": _parse_whole(32),
        "MAX_VALUE": 2**31 - 1,
        "MIN_VALUE": -(2**31),
    },
    "Long": {
        "parseLong": _parse_whole(64),
        "valueOf": _parse_whole(64),
        "MAX_VALUE": 2**63 - 1,
        "MIN_VALUE": -(2**63),
    },
    "Double": {"parseDouble": _parse_real, "valueOf": _parse_real},
    "Float": {"parseFloat": _parse_real, "valueOf": _parse_real},
    "Boolean": {
        "parseBoolean": lambda value: value is not None and value.lower() == "true",
        "valueOf": lambda value: truth(value) if isinstance(value, bool) else value.lower() == "true",
    },
    "String": {"valueOf": lambda value: text(value)},
    "Math": {
        "abs": lambda value: abs(number(value)),
        "min": lambda left, right: min(number(left), number(right)),
        "max": lambda left, right: max(number(left), number(right)),
        "round": _round,
        "floor": lambda value: float(math.floor(number(value))),
        "ceil": lambda value: float(math.ceil(number(value))),
        "sqrt": lambda value: math.sqrt(number(value)),
    },
}
