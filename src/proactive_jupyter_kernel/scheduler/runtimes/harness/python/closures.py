"""Closures of Groovy in Python tasks, where they are one expression: ``{k, x -> x > 0}``.

A ProActive server compiles closures with Groovy, so a Python task writes them so as well. Here they need no Groovy:
comparisons, arithmetic, conditions and constants are read, with Groovy's precedence and Groovy's null.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    #: A part of an expression: the values of the closure's names -> its value.
    Part = Callable[[Mapping[str, Any]], Any]

__all__ = ["closure"]

_CLOSURE = re.compile(r"\s*\{\s*(\w+(?:\s*,\s*\w+)*)\s*->(.*)\}\s*", re.DOTALL)
_TOKEN = re.compile(
    r"""\s*(?: (?P<number>\d+(?:\.\d+)?)(?![\w.])
             | (?P<text>'[^'\\\n]*'|"[^"\\$\n]*")
             | (?P<word>[A-Za-z_]\w*)
             | (?P<operator>&&|\|\||\?:|[=!<>]=|[-+*/%<>!()?:]) )""",
    re.VERBOSE,
)
#: Words of Groovy that are no names.
_WORDS = frozenset(("new", "in", "instanceof", "as", "if", "else", "return", "def", "this", "null", "true", "false"))
_CONSTANTS = {"null": None, "true": True, "false": False}
_MAX_DEPTH = 50


def closure(text: Any) -> Callable[..., Any]:
    """The function that a closure stands for. Raises ValueError for one that is more than an expression."""
    if callable(text):
        raise TypeError("A closure is a text in Groovy, such as '{k, x -> x > 0}', and no function of Python.")
    match = _CLOSURE.fullmatch(str(text))
    found = None
    if match is not None:
        names = [name.strip() for name in match[1].split(",")]
        if not any(name in _WORDS or not name.isidentifier() for name in names):
            found = _Reader(match[2], names).whole()
    if found is None:
        shown = str(text) if len(str(text)) <= 200 else str(text)[:200] + "…"
        raise ValueError(
            f"The closure {shown!r} is not one expression such as '{{k, x -> x > 0}}': a Python task reads "
            "comparisons, arithmetic, &&, ||, !, ?: and constants. Write a task that needs more in Groovy."
        )
    expression = found

    def call(*values: Any) -> Any:
        if len(values) != len(names):
            raise ValueError(
                f"The closure {str(text)!r} names {len(names)} value{'s' * (len(names) != 1)}, and gets {len(values)}"
                + (": write {k, x -> …} for the key and the value." if len(values) == 2 else ".")
            )
        return expression(dict(zip(names, values)))  # noqa: B905  (Python 3.8)

    return call


# --- the grammar --------------------------------------------------------------------------------------------------


class _Unreadable(Exception):
    """More than an expression of this grammar."""


class _Reader:
    """One method for each rule; each gives the part that it has read."""

    def __init__(self, source: str, names: list[str]) -> None:
        self.names = names
        self.depth = 0
        self.tokens: list[tuple[str, str]] = []
        source = source.strip()
        place = 0
        while place < len(source):
            match = _TOKEN.match(source, place)
            if match is None:
                self.tokens.append(("unknown", source[place]))
                break
            self.tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            place = match.end()
        self.tokens.append(("end", ""))
        self.index = 0

    def whole(self) -> Part | None:
        try:
            found = self.condition()
        except _Unreadable:
            return None
        return found if self.tokens[self.index][0] == "end" else None

    def accept(self, *operators: str) -> str:
        kind, text = self.tokens[self.index]
        if kind != "operator" or text not in operators:
            return ""
        self.index += 1
        return text

    def expect(self, operator: str) -> None:
        if not self.accept(operator):
            raise _Unreadable

    def condition(self) -> Part:
        """operation [? condition : condition | ?: condition]"""
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise _Unreadable
        found = self.operation(0)
        if self.accept("?:"):
            found = _either(found, self.condition())
        elif self.accept("?"):
            yes = self.condition()
            self.expect(":")
            found = _chosen(found, yes, self.condition())
        self.depth -= 1
        return found

    def operation(self, level: int) -> Part:
        """operand {operator operand}, with the operators of this level or of those that bind closer"""
        if level == len(_LEVELS):
            return self.operand()
        left = self.operation(level + 1)
        while operator := self.accept(*_LEVELS[level]):
            left = _binary(_LEVELS[level][operator], left, self.operation(level + 1))
        return left

    def operand(self) -> Part:
        """constant | name | (condition) | ! operand | - operand"""
        kind, text = self.tokens[self.index]
        self.index += 1
        if kind == "number":
            number = float(text) if "." in text else int(text)
            return lambda values: number
        if kind == "text":
            return lambda values: text[1:-1]
        if kind == "word" and text in _CONSTANTS:
            constant = _CONSTANTS[text]
            return lambda values: constant
        if kind == "word" and text in self.names:
            return lambda values: values[text]
        if kind != "operator" or text not in ("(", "!", "-"):
            raise _Unreadable
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise _Unreadable
        if text == "(":
            inner = self.condition()
            self.expect(")")
        else:
            inner = _PREFIXES[text](self.operand())
        self.depth -= 1
        return inner


def _either(left: Part, other: Part) -> Part:
    return lambda values: left(values) or other(values)


def _chosen(question: Part, yes: Part, no: Part) -> Part:
    return lambda values: yes(values) if question(values) else no(values)


def _binary(operation: Callable[[Part, Part, Mapping[str, Any]], Any], left: Part, right: Part) -> Part:
    return lambda values: operation(left, right, values)


# --- what operators mean in Groovy --------------------------------------------------------------------------------


def _equal(left: Any, right: Any) -> bool:
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _order(left: Any, right: Any) -> int:
    """Null comes before everything else, so that a key without a value is not greater than 0."""
    if left is None or right is None:
        return (left is not None) - (right is not None)
    return 1 if left > right else -1 if left < right else 0


def _known(operator: str, value: Any) -> Any:
    if value is None:
        raise ValueError(
            f"A closure computes {operator!r} with null: the key has no value yet. Set one first, or write "
            "'{k, x -> (x ?: 0) + 1}'."
        )
    return value


def _plus(left: Any, right: Any) -> Any:
    if isinstance(left, str) or isinstance(right, str):
        return _shown(left) + _shown(right)
    return _known("+", left) + _known("+", right)


def _shown(value: Any) -> str:
    """A value in a text of Groovy."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _divided(left: Any, right: Any) -> Any:
    """A decimal in Groovy: whole where the division has no rest."""
    if isinstance(left, int) and isinstance(right, int) and left % right == 0:
        return left // right
    return left / right


def _rest(left: Any, right: Any) -> Any:
    """With the sign of the dividend, as in Java."""
    if isinstance(left, int) and isinstance(right, int):
        return (abs(left) % abs(right)) * (-1 if left < 0 else 1)
    return math.fmod(left, right)


def _arithmetic(operator: str, function: Callable[[Any, Any], Any]) -> Callable[[Part, Part, Mapping[str, Any]], Any]:
    return lambda left, right, values: function(_known(operator, left(values)), _known(operator, right(values)))


_PREFIXES: dict[str, Callable[[Part], Part]] = {
    "!": lambda operand: lambda values: not operand(values),
    "-": lambda operand: lambda values: -_known("-", operand(values)),
}
#: From the loosest to the closest binding.
_LEVELS: list[dict[str, Callable[[Part, Part, Mapping[str, Any]], Any]]] = [
    {"||": lambda left, right, values: bool(left(values)) or bool(right(values))},
    {"&&": lambda left, right, values: bool(left(values)) and bool(right(values))},
    {
        "==": lambda left, right, values: _equal(left(values), right(values)),
        "!=": lambda left, right, values: not _equal(left(values), right(values)),
    },
    {
        "<": lambda left, right, values: _order(left(values), right(values)) < 0,
        "<=": lambda left, right, values: _order(left(values), right(values)) <= 0,
        ">": lambda left, right, values: _order(left(values), right(values)) > 0,
        ">=": lambda left, right, values: _order(left(values), right(values)) >= 0,
    },
    {
        "+": lambda left, right, values: _plus(left(values), right(values)),
        "-": _arithmetic("-", lambda left, right: left - right),
    },
    {
        "*": _arithmetic("*", lambda left, right: left * right),
        "/": _arithmetic("/", _divided),
        "%": _arithmetic("%", _rest),
    },
]
