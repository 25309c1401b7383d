"""The values of Spring expressions, and the scope and the limits of an evaluation.

Java's types have these counterparts: ``Integer`` is an int, ``Long`` is `Long`, ``Double`` and ``Float`` are floats,
lists, sets and arrays are `CollectionValue`, maps are `MapValue` (or the dictionaries of the scope). All but the
dictionaries are immutable and know their weight, so that nothing can contain itself or grow without limit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from proactive_jupyter_kernel.workflow.java.deadlines import seconds_left
from proactive_jupyter_kernel.workflow.values import text as plain_text

__all__ = [
    "MAX_STEPS",
    "MAX_WEIGHT",
    "CollectionValue",
    "Entry",
    "Evaluator",
    "JavaType",
    "Long",
    "MapValue",
    "Root",
    "Scope",
    "SpelError",
    "State",
    "items",
    "kind_of",
    "limited",
    "number",
    "pairs",
    "text",
    "truth",
    "weight",
]

#: Characters and items of one value, with everything in it.
MAX_WEIGHT = 1_000_000
#: Steps of one evaluation. Large values cost more than one.
MAX_STEPS = 500_000
_STEPS_BETWEEN_CLOCKS = 2_000


class SpelError(ValueError):
    """An expression cannot be parsed or evaluated; the message is the rest of a sentence."""


@dataclass(slots=True)
class Scope:
    """The variables that an expression can read and change."""

    value: str
    variables: dict[str, str]
    models: dict[str, str] = field(default_factory=dict)
    #: The groups that variables have; None: not known, and any group passes. Likewise the names of variables.
    groups: Collection[str] | None = None
    names: Collection[str] | None = None
    #: Names of variables and groups that the expression hid (True) or showed (False).
    hidden: dict[str, bool] = field(default_factory=dict)
    hidden_groups: dict[str, bool] = field(default_factory=dict)
    #: Intermediate values: ``temp['x']``, ``tempMap``.
    temp: dict[str, Any] = field(default_factory=dict)
    #: The value assigned to ``valid``; None: none.
    valid: Any = None


class State:
    """One evaluation: the scope, what ``#this`` is, variables such as ``#x``, and the steps that are left."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.this: Any = ROOT
        self.named: dict[str, Any] = {}
        self.steps = MAX_STEPS
        self._next_clock = self.steps - _STEPS_BETWEEN_CLOCKS

    def spend(self, steps: int = 1) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise SpelError(f"the expression takes more than {MAX_STEPS:,} steps; shorten its lists and texts")
        if self.steps < self._next_clock:
            self._next_clock = self.steps - _STEPS_BETWEEN_CLOCKS
            seconds_left()


#: A parsed expression: computes its value in a state.
Evaluator: TypeAlias = Callable[[State], Any]


class Root:
    """ProActive's root object, whose properties are ``variables``, ``models``, ``valid`` …"""


ROOT = Root()


class Long(int):
    """A ``Long``; a plain int is an ``Integer``."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class CollectionValue:
    """A list, a set or an array."""

    values: tuple[Any, ...]
    #: A row of `KINDS`.
    kind: str
    weight: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CollectionValue) and self.values == other.values

    def __hash__(self) -> int:
        return hash(self.values)


@dataclass(frozen=True, slots=True, eq=False)
class MapValue:
    """A map."""

    values: Mapping[Any, Any]
    kind: str
    weight: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MapValue) and self.values == other.values

    def __hash__(self) -> int:
        return hash(tuple(self.values))


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a map, which selections and projections see."""

    key: Any
    value: Any


@dataclass(frozen=True, slots=True)
class JavaType:
    """``T(name)``, by its full name."""

    name: str


#: What messages call a value of a kind. Methods of `a constant list` and `a constant map` are not available.
KINDS = ("a list", "a constant list", "a set", "an array", "a map", "a constant map")


def weight(value: Any) -> int:
    """Characters and items in a value."""
    if isinstance(value, str):
        return 1 + len(value)
    if isinstance(value, CollectionValue | MapValue):
        return value.weight
    if isinstance(value, dict):
        return 1 + sum(weight(key) + weight(item) for key, item in value.items())
    if isinstance(value, Entry):
        return 1 + weight(value.key) + weight(value.value)
    return 1


def items(state: State, values: Iterable[Any], kind: str = "a list") -> CollectionValue:
    """A new list, set or array; maps of the scope are copied into it."""
    found: list[Any] = []
    total = 1
    for value in values:
        found.append(frozen(state, value))
        total += weight(found[-1])
        if total > MAX_WEIGHT:
            raise SpelError(f"{kind} grows beyond {MAX_WEIGHT:,} characters and items")
        state.spend()
    if kind == "a set":
        found = list(dict.fromkeys(found))
    return CollectionValue(tuple(found), kind, total)


def pairs(state: State, entries: Iterable[tuple[Any, Any]], kind: str = "a map") -> MapValue:
    """A new map; later entries replace earlier ones."""
    found: dict[Any, Any] = {}
    total = 1
    for key, value in entries:
        key = frozen(state, key)
        found[key] = frozen(state, value)
        total += weight(key) + weight(found[key])
        if total > MAX_WEIGHT:
            raise SpelError(f"{kind} grows beyond {MAX_WEIGHT:,} characters and items")
        state.spend()
    return MapValue(found, kind, total)


def frozen(state: State, value: Any) -> Any:
    """A value that can be stored in another: maps of the scope are copied."""
    return pairs(state, value.items()) if isinstance(value, dict) else value


#: Type -> what messages call its values.
_NAMES: tuple[tuple[type, str], ...] = (
    (str, "a text"),
    (bool, "a boolean"),
    (int, "a number"),
    (float, "a number"),
    (dict, "a map"),
    (Entry, "an entry"),
    (JavaType, "a class"),
    (Root, "the root object"),
)


def kind_of(value: Any) -> str:
    """What messages call a value: ``a text``."""
    if isinstance(value, CollectionValue | MapValue):
        return value.kind
    return next((name for kind, name in _NAMES if isinstance(value, kind)), "null")


def text(value: Any) -> str:
    """The value as Java's ``toString()`` prints it."""
    if isinstance(value, CollectionValue):
        return limited("[" + ", ".join(map(text, value.values)) + "]")
    if isinstance(value, MapValue | dict):
        entries = (value.values if isinstance(value, MapValue) else value).items()
        return limited("{" + ", ".join(f"{text(key)}={text(item)}" for key, item in entries) + "}")
    if isinstance(value, Entry):
        return limited(f"{text(value.key)}={text(value.value)}")
    if isinstance(value, JavaType):
        return f"class {value.name}"
    if isinstance(value, Root):
        return "the root object"
    return str(int(value)) if isinstance(value, Long) else plain_text(value)


def number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpelError(f"{shown(value)} is not a number")
    return value


_TRUTH = {**dict.fromkeys(("true", "on", "yes", "1"), True), **dict.fromkeys(("false", "off", "no", "0"), False)}


def truth(value: Any) -> bool:
    """Spring converts texts such as ``'true'``, but no numbers."""
    if isinstance(value, str) and value.strip().lower() in _TRUTH:
        return _TRUTH[value.strip().lower()]
    if not isinstance(value, bool):
        raise SpelError(f"{shown(value)} is neither true nor false")
    return value


def shown(value: Any) -> str:
    """A value in a message."""
    found = text(value)
    return repr(found) if len(found) <= 80 else repr(found[:79] + "…")


def limited(value: str) -> str:
    if len(value) > MAX_WEIGHT:
        raise SpelError(f"a text grows beyond {MAX_WEIGHT:,} characters")
    return value
