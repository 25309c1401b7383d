"""The arguments of methods: how many a method takes, and Spring's conversion of each to the type of its parameter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from proactive_jupyter_kernel.workflow.java.deadlines import DeadlineExceeded
from proactive_jupyter_kernel.workflow.java.numbers import parse_double, parse_whole
from proactive_jupyter_kernel.workflow.spel.values import (
    CollectionValue,
    MapValue,
    SpelError,
    State,
    kind_of,
    shown,
    text,
    truth,
    weight,
)

__all__ = ["Method", "invoke", "method"]


@dataclass(frozen=True, slots=True)
class Method:
    """A method: a function of the state, of the owner unless it is static, and of the arguments."""

    function: Callable[..., Any]
    #: A letter of `_CONVERSIONS` for each parameter; optional ones follow ``?``, and ``*`` repeats the last.
    parameters: str = ""


def method(parameters: str, function: Callable[..., Any]) -> Method:
    return Method(function, parameters)


def invoke(state: State, name: str, called: Method, owner: Sequence[Any], arguments: list[Any]) -> Any:
    """The result of a call with converted arguments; `owner` is empty for a static method."""
    state.spend(1 + sum(map(weight, (*owner, *arguments))) // 64)
    converted = _converted(name, called.parameters, arguments)
    try:
        return called.function(state, *owner, *converted)
    except (SpelError, DeadlineExceeded):
        raise
    except (TypeError, AttributeError, ValueError, LookupError, ArithmeticError) as error:
        raise SpelError(f"{name!r} failed with these arguments: {error}") from error


def _converted(name: str, parameters: str, arguments: list[Any]) -> list[Any]:
    repeated = parameters.endswith("*")
    letters = parameters.rstrip("*").replace("?", "")
    least = len(parameters.partition("?")[0].rstrip("*")) - repeated
    if len(arguments) < least or (len(arguments) > len(letters) and not repeated):
        count = f"{least} or more" if repeated else " or ".join(map(str, range(least, len(letters) + 1)))
        raise SpelError(f"{name!r} has {count} arguments, not {len(arguments)}")
    letters += letters[-1:] * (len(arguments) - len(letters))
    return [_CONVERSIONS[letter](name, argument) for letter, argument in zip(letters, arguments, strict=False)]


def _text(name: str, value: Any) -> str:
    if value is None or isinstance(value, CollectionValue | MapValue | dict):
        raise SpelError(f"{name!r} needs a text, not {kind_of(value)}")
    return text(value)


def _whole(name: str, value: Any) -> int:
    if isinstance(value, str):
        try:
            return parse_whole(value.strip(), 64)
        except ValueError:
            pass
    if isinstance(value, float) and value == value and abs(value) < 2**63:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise SpelError(f"{name!r} needs an integer, not {shown(value)}")
    return value


def _number(name: str, value: Any) -> int | float:
    if isinstance(value, str):
        try:
            return parse_double(value)
        except ValueError:
            pass
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpelError(f"{name!r} needs a number, not {shown(value)}")
    return value


def _list(name: str, value: Any) -> CollectionValue:
    if not isinstance(value, CollectionValue):
        raise SpelError(f"{name!r} needs a list, not {kind_of(value)}")
    return value


def _map(name: str, value: Any) -> Any:
    if not isinstance(value, dict | MapValue):
        raise SpelError(f"{name!r} needs a map, not {kind_of(value)}")
    return value.values if isinstance(value, MapValue) else value


_CONVERSIONS: Mapping[str, Callable[[str, Any], Any]] = {
    "s": _text,
    "i": _whole,
    "n": _number,
    "b": lambda name, value: truth(value),
    "l": _list,
    "m": _map,
    "o": lambda name, value: value,
}
