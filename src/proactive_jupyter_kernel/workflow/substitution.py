"""Substitutes references in a text: ``$NAME`` and ``${NAME}``, as ProActive does.

Follows the observable behaviour of ``VariableSubstitutor.java``, including its quirks: adjacent references form one
name, a closing brace is consumed without an opening one, and an unknown reference stays unchanged.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Mapping

__all__ = ["InfiniteReference", "Substitutor", "substitute"]

_NAME = re.compile(r"[A-Za-z0-9._-]+")
#: The start of a reference; everything before it is copied.
_START = re.compile(r"\$(?:(?P<braced>\{)|(?=[A-Za-z0-9._-]))")
#: The maximum depth of references inside the names of references; two is the most in practice.
_MAX_NESTED = 50
#: The maximum depth of values that refer to values.
_MAX_CHAIN = 100
#: Values that repeat each other grow exponentially; this is far above any real value.
_MAX_LENGTH = 4 * 1024 * 1024
#: The same for all values that are inserted into one workflow.
_MAX_TOTAL = 64 * 1024 * 1024


class InfiniteReference(ValueError):
    """Variables refer to each other in a cycle, or too deeply."""


def substitute(text: str, variables: Mapping[str, str]) -> str:
    """`text` with its references to `variables` resolved. Raises InfiniteReference for cycles."""
    return Substitutor(variables)(text) if "$" in text else text


class Substitutor:
    """Resolves texts against one set of variables."""

    def __init__(self, variables: Mapping[str, str], outer: Substitutor | None = None) -> None:
        """`outer` has the variables that these ones hide; both share the limit for all inserted values."""
        #: Every variable can also be referred to by its name in capitals with underscores for dots.
        own = {name.upper().replace(".", "_"): value for name, value in variables.items()}
        own.update(variables)
        self.values: Mapping[str, str] = own if outer is None else ChainMap(own, outer.values)  # type: ignore[arg-type]
        self._resolved: dict[str, str] = {}
        self._inserted: list[int] = [0] if outer is None else outer._inserted

    def __call__(self, text: str) -> str:
        return self._substitute(text, [text]) if "$" in text else text

    def _substitute(self, text: str, trail: list[str]) -> str:
        """`trail`: the initial text, then the names whose values are being resolved."""
        parts: list[str] = []
        position, length = 0, 0
        while (start := _START.search(text, position)) is not None:
            parts.append(text[position : start.start()])
            value, position = self._reference(text, start, trail, 0)
            parts.append(value)
            length += len(value)
            self._inserted[0] += len(value)
            if self._inserted[0] > _MAX_TOTAL:
                raise InfiniteReference(
                    f"The values that are inserted into the workflow grow beyond {_MAX_TOTAL:,} characters."
                )
            if length > _MAX_LENGTH:
                raise InfiniteReference(f"The value of {_short(trail[0])} grows beyond {_MAX_LENGTH:,} characters.")
        parts.append(text[position:])
        return "".join(parts)

    def _reference(self, text: str, start: re.Match[str], trail: list[str], depth: int) -> tuple[str, int]:
        """The value of the reference at `start`, and where the text continues; an unknown reference stays."""
        name: list[str] = []
        position = start.end()
        while True:
            if plain := _NAME.match(text, position):
                name.append(plain.group())
                position = plain.end()
            elif (nested := _START.match(text, position)) and depth < _MAX_NESTED:
                value, position = self._reference(text, nested, trail, depth + 1)
                name.append(value)
            else:
                break
        if not name:
            return text[start.start() : position], position
        if text.startswith("}", position):
            position += 1
        found = self._value("".join(name), trail)
        return (text[start.start() : position] if found is None else found), position

    def _value(self, name: str, trail: list[str]) -> str | None:
        if name in self._resolved:
            return self._resolved[name]
        value = self.values.get(name)
        if value is None or "$" not in value:
            return value
        if name in trail[1:] or len(trail) > _MAX_CHAIN:
            chain = "->".join([*trail[1:], name][-8:])
            raise InfiniteReference(f"Infinite loop in property interpolation of {_short(trail[0])}: {chain}")
        self._resolved[name] = self._substitute(value, [*trail, name])
        return self._resolved[name]


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:79] + "…"
