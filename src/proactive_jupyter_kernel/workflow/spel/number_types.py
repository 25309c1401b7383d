"""The classes of numbers that Spring expressions can use, and ``Math``; a class is a row of `types`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from proactive_jupyter_kernel.workflow.java.numbers import parse_whole, power
from proactive_jupyter_kernel.workflow.spel.conversion import Method, method
from proactive_jupyter_kernel.workflow.spel.operators import integer
from proactive_jupyter_kernel.workflow.spel.values import Long, SpelError, State, text

__all__ = ["MATH", "ClassRow", "is_whole", "real_class", "whole_class"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRow:
    """A class: its static methods, constants and constructor, and which values are its instances."""

    methods: Mapping[str, Method] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    new: Method | None = None
    instance: Callable[[Any], bool] = lambda value: False


def is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def whole_class(bits: int, suffix: str, kind: type[int], instance: Callable[[Any], bool]) -> ClassRow:
    def parse(state: State, value: Any, radix: int = 10) -> int:
        if is_whole(value):
            return kind(value)
        try:
            return kind(parse_whole(value, bits) if radix == 10 else _in_radix(value, radix, bits))
        except (ValueError, TypeError, AttributeError) as error:
            raise SpelError(str(error) if isinstance(value, str) else "null is not an integer") from error

    return ClassRow(
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


def real_class(suffix: str, parse: Callable[[str], float], largest: float, least: float) -> ClassRow:
    def read(state: State, value: Any) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if not isinstance(value, str):
            raise SpelError("null is not a number")
        try:
            return parse(value)
        except ValueError as error:
            raise SpelError(str(error)) from error

    return ClassRow(
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
    if not math.isfinite(value):
        return Long(_limit(value))
    # The sum with 0.5 would be rounded itself: 0.49999999999999994 is nearer to 0.
    whole = math.floor(value)
    return Long(max(min(whole + (value - whole >= 0.5), 2**63 - 1), -(2**63)))


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


MATH = ClassRow(
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
        "pow": method("nn", lambda state, base, exponent: power(float(base), float(exponent))),
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
