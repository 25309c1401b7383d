"""The operators of Spring expressions, as the table of their precedence: arithmetic, comparison, logic.

Follows the classes ``Op…`` and ``Operator…`` of Spring. Integers overflow as in Java, and divide towards zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from proactive_jupyter_kernel.workflow.java.numbers import power, wrapped
from proactive_jupyter_kernel.workflow.java.regex import compile_java
from proactive_jupyter_kernel.workflow.spel.values import (
    MAX_WEIGHT,
    CollectionValue,
    JavaType,
    Long,
    SpelError,
    State,
    kind_of,
    limited,
    number,
    shown,
    text,
    truth,
    weight,
)

__all__ = ["LEVELS", "PREFIXES", "WORDS", "Level", "integer", "matches", "same"]

Operation = Callable[[State, Any, Any], Any]


def integer(value: int, *operands: Any) -> int:
    """The result of integer arithmetic: a Long if any operand is one, else an Integer, after its overflow."""
    if any(isinstance(operand, Long) for operand in operands):
        return Long(wrapped(value, 64))
    return wrapped(value, 32)


def _arithmetic(whole: Callable[[int, int], int], real: Callable[[float, float], float]) -> Operation:
    def run(state: State, left: Any, right: Any) -> Any:
        left, right = number(left), number(right)
        if isinstance(left, float) or isinstance(right, float):
            return real(float(left), float(right))
        return integer(whole(left, right), left, right)

    return run


def _divide_whole(left: int, right: int) -> int:
    if right == 0:
        raise SpelError("an integer is divided by zero")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _divide_real(left: float, right: float) -> float:
    if right:
        return left / right
    if math.isnan(left) or not left:
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def _remainder_real(left: float, right: float) -> float:
    return math.fmod(left, right) if right and math.isfinite(left) else math.nan


_plus = _arithmetic(lambda left, right: left + right, lambda left, right: left + right)
_times = _arithmetic(lambda left, right: left * right, lambda left, right: left * right)
_minus = _arithmetic(lambda left, right: left - right, lambda left, right: left - right)
_divide = _arithmetic(_divide_whole, _divide_real)
_remainder = _arithmetic(lambda left, right: left - right * _divide_whole(left, right), _remainder_real)


def _add(state: State, left: Any, right: Any) -> Any:
    if not isinstance(left, str) and not isinstance(right, str):
        return _plus(state, left, right)
    state.spend((weight(left) + weight(right)) // 64)
    return limited(text(left) + text(right))


def _multiply(state: State, left: Any, right: Any) -> Any:
    """``'ab' * 3`` repeats a text."""
    if not isinstance(left, str) or isinstance(right, bool) or not isinstance(right, int):
        return _times(state, left, right)
    if len(left) * right > MAX_WEIGHT:
        raise SpelError(f"a text grows beyond {MAX_WEIGHT:,} characters")
    return left * right


def _subtract(state: State, left: Any, right: Any) -> Any:
    """``'d' - 3`` is ``'a'``."""
    if isinstance(left, str) and len(left) == 1 and isinstance(right, int) and not isinstance(right, bool):
        return chr((ord(left) - right) % 0x10000)
    return _minus(state, left, right)


def _power(state: State, left: Any, right: Any) -> Any:
    left, right = number(left), number(right)
    result = power(float(left), float(right))
    if isinstance(left, float) or isinstance(right, float):
        return result
    whole = 0 if math.isnan(result) else int(max(min(result, 2.0**63), -(2.0**63)))
    whole = max(min(whole, 2**63 - 1), -(2**63))
    long = isinstance(left, Long) or isinstance(right, Long) or not -(2**31) <= whole < 2**31
    return Long(whole) if long else whole


def same(state: State, left: Any, right: Any) -> bool:
    """Numbers of different types are equal by value; nothing else of different types is."""
    state.spend(1 + min(weight(left), weight(right)) // 64)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def _ordered(compare: Callable[[int], bool]) -> Operation:
    """Numbers, texts and booleans have an order; null comes first."""

    def run(state: State, left: Any, right: Any) -> bool:
        if left is None or right is None:
            return compare((left is not None) - (right is not None))
        if isinstance(left, str) != isinstance(right, str) or isinstance(left, bool) != isinstance(right, bool):
            raise SpelError(f"{shown(left)} and {shown(right)} have no order: they are {_two_kinds(left, right)}")
        if not isinstance(left, str | bool):
            left, right = number(left), number(right)
            if math.isnan(left) or math.isnan(right):
                return False
        return compare((left > right) - (left < right))

    return run


def _two_kinds(left: Any, right: Any) -> str:
    return f"{kind_of(left)} and {kind_of(right)}"


def matches(state: State, value: Any, pattern: Any) -> bool:
    if value is None or not isinstance(pattern, str):
        raise SpelError("'matches' needs a text and a regular expression")
    return compile_java(pattern).fullmatch(text(value)) is not None


def _between(state: State, value: Any, bounds: Any) -> bool:
    if not isinstance(bounds, CollectionValue) or len(bounds.values) != 2:
        raise SpelError("'between' needs a list of two bounds")
    low, high = bounds.values
    return bool(_COMPARE[">="](state, value, low) and _COMPARE["<="](state, value, high))


def _instance(state: State, value: Any, kind: Any) -> bool:
    from proactive_jupyter_kernel.workflow.spel.types import is_instance

    if not isinstance(kind, JavaType):
        raise SpelError("'instanceof' needs a class, such as T(String)")
    return is_instance(value, kind)


_COMPARE: Mapping[str, Operation] = {
    "==": same,
    "!=": lambda state, left, right: not same(state, left, right),
    "<": _ordered(lambda order: order < 0),
    ">": _ordered(lambda order: order > 0),
    "<=": _ordered(lambda order: order <= 0),
    ">=": _ordered(lambda order: order >= 0),
    "matches": matches,
    "between": _between,
    "instanceof": _instance,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """The binary operators of one precedence."""

    operations: Mapping[str, Operation]
    #: Whether ``a op b op c`` is allowed.
    chained: bool = True
    #: The value of the left side that decides the result, for ``or`` and ``and``; None: both sides are evaluated.
    deciding: bool | None = None


def _second_truth(state: State, left: Any, right: Any) -> bool:
    return truth(right)


#: From the operators that bind weakest to those that bind strongest (``InternalSpelExpressionParser``).
LEVELS: tuple[Level, ...] = (
    Level(operations={"or": _second_truth}, deciding=True),
    Level(operations={"and": _second_truth}, deciding=False),
    Level(operations=_COMPARE, chained=False),
    Level(operations={"+": _add, "-": _subtract}),
    Level(operations={"*": _multiply, "/": _divide, "%": _remainder}),
    Level(operations={"^": _power}, chained=False),
)


def _negative(state: State, value: Any) -> Any:
    value = number(value)
    return -value if isinstance(value, float) else integer(-value, value)


PREFIXES: Mapping[str, Callable[[State, Any], Any]] = {
    "+": lambda state, value: number(value),
    "-": _negative,
    "not": lambda state, value: not truth(value),
}
#: Operators with two spellings, in any case: the spelling in the tables above.
WORDS: Mapping[str, str] = {
    "&&": "and",
    "||": "or",
    "!": "not",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "gt": ">",
    "le": "<=",
    "ge": ">=",
    "div": "/",
    "mod": "%",
    **{word: word for word in ("and", "or", "not", "matches", "between", "instanceof")},
}
