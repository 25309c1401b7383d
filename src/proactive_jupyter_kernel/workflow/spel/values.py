"""The operations of Spring expressions: scope, numbers, truth values, comparison, logic, assignment."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from proactive_jupyter_kernel.workflow.java.regex import compile_java
from proactive_jupyter_kernel.workflow.values import text

__all__ = [
    "ARITHMETIC",
    "COMPARE",
    "UNARY",
    "Assignable",
    "Evaluator",
    "Scope",
    "SpelError",
    "assignment",
    "between",
    "binary",
    "choice",
    "elvis",
    "limited",
    "logic",
    "matches",
    "number",
    "power",
    "truth",
]

_MAX_TEXT = 1_000_000
_MAX_EXPONENT = 1_000


class SpelError(ValueError):
    """An expression cannot be parsed or evaluated; the message is the rest of a sentence."""


@dataclass(slots=True)
class Scope:
    """The variables that an expression can read and change."""

    value: str
    variables: dict[str, str]
    models: dict[str, str] = field(default_factory=dict)
    #: Names of variables and groups that the expression hid (True) or showed (False).
    hidden: dict[str, bool] = field(default_factory=dict)
    hidden_groups: dict[str, bool] = field(default_factory=dict)
    #: Intermediate values: ``temp['x']``.
    temp: dict[str, Any] = field(default_factory=dict)
    #: The value assigned to ``valid``; None: none.
    valid: Any = None


#: A parsed expression: computes its value in a scope.
Evaluator: TypeAlias = Callable[[Scope], Any]


@dataclass(frozen=True, slots=True)
class Assignable:
    """An expression that is a valid target of an assignment."""

    read: Evaluator
    write: Callable[[Scope, Any], None] | None = None

    def __call__(self, scope: Scope) -> Any:
        return self.read(scope)


def number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpelError(f"{text(value)!r} is not a number")
    return value


def truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise SpelError(f"{text(value)!r} is neither true nor false")
    return value


def limited(value: str) -> str:
    if len(value) > _MAX_TEXT:
        raise SpelError(f"a text grows beyond {_MAX_TEXT:,} characters")
    return value


def binary(left: Evaluator, right: Evaluator, combine: Callable[[Any, Any], Any]) -> Evaluator:
    return lambda scope: combine(left(scope), right(scope))


def logic(left: Evaluator, right: Evaluator, deciding: bool) -> Evaluator:
    def run(scope: Scope) -> bool:
        return deciding if truth(left(scope)) is deciding else truth(right(scope))

    return run


def choice(condition: Evaluator, yes: Evaluator, no: Evaluator) -> Evaluator:
    return lambda scope: yes(scope) if truth(condition(scope)) else no(scope)


def elvis(left: Evaluator, right: Evaluator) -> Evaluator:
    def run(scope: Scope) -> Any:
        value = left(scope)
        return right(scope) if value is None or value == "" else value

    return run


def assignment(place: Evaluator, value: Evaluator) -> Evaluator:
    if not isinstance(place, Assignable) or place.write is None:
        raise SpelError("only valid, variables['…'], models['…'] and temp['…'] can be assigned to")
    write = place.write

    def run(scope: Scope) -> Any:
        result = value(scope)
        write(scope, result)
        return result

    return run


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def run(left: Any, right: Any) -> bool:
        if isinstance(left, str) and isinstance(right, str):
            return compare(left, right)
        return compare(number(left), number(right))

    return run


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, str) or isinstance(right, str):
        return limited(text(left) + text(right))
    return number(left) + number(right)


def _divide(left: Any, right: Any) -> Any:
    """Integers give an integer, rounded towards zero, as in Java."""
    left, right = number(left), number(right)
    if isinstance(left, float) or isinstance(right, float):
        return left / right
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _remainder(left: Any, right: Any) -> Any:
    left, right = number(left), number(right)
    if isinstance(left, float) or isinstance(right, float):
        return math.fmod(left, right)
    return left - right * _divide(left, right)


def power(left: Any, right: Any) -> Any:
    if abs(number(right)) > _MAX_EXPONENT or abs(number(left)) > 10**18:
        raise SpelError("the numbers are too large for a power")
    return left**right


def matches(value: Any, pattern: Any) -> bool:
    if not isinstance(value, str) or not isinstance(pattern, str):
        raise SpelError("'matches' needs two texts")
    return compile_java(pattern).fullmatch(value) is not None


def between(value: Any, bounds: Any) -> bool:
    if not isinstance(bounds, list) or len(bounds) != 2:
        raise SpelError("'between' needs a list of two bounds")
    return bool(COMPARE[">="](value, bounds[0]) and COMPARE["<="](value, bounds[1]))


ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": _add,
    "-": lambda left, right: number(left) - number(right),
    "*": lambda left, right: number(left) * number(right),
    "/": _divide,
    "%": _remainder,
}
COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": _same,
    "!=": lambda left, right: not _same(left, right),
    "<": _ordered(lambda left, right: left < right),
    ">": _ordered(lambda left, right: left > right),
    "<=": _ordered(lambda left, right: left <= right),
    ">=": _ordered(lambda left, right: left >= right),
}
UNARY: Mapping[str, Callable[[Evaluator], Evaluator]] = {
    "+": lambda operand: lambda scope: +number(operand(scope)),
    "-": lambda operand: lambda scope: -number(operand(scope)),
    "!": lambda operand: lambda scope: not truth(operand(scope)),
}
