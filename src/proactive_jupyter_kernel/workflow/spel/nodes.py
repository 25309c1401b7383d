"""The nodes of a parsed Spring expression. Each is a function of a `State`; some are also targets of assignments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.workflow.spel import functions, methods, types
from proactive_jupyter_kernel.workflow.spel.operators import Level
from proactive_jupyter_kernel.workflow.spel.selections import Projection, Selection
from proactive_jupyter_kernel.workflow.spel.values import (
    ROOT,
    CollectionValue,
    Evaluator,
    JavaType,
    MapValue,
    Root,
    SpelError,
    State,
    frozen,
    items,
    kind_of,
    limited,
    pairs,
    shown,
    text,
    truth,
)

__all__ = [
    "ROOT_NAMES",
    "THIS",
    "Call",
    "Chain",
    "Index",
    "Literal",
    "Primary",
    "Projection",
    "Property",
    "RootCall",
    "RootProperty",
    "Selection",
    "Step",
    "Variable",
    "array",
    "assignment",
    "conditional",
    "construction",
    "inline_list",
    "inline_map",
    "prefixed",
]

_ASSIGNABLE = "only valid, variables['…'], models['…'] and temp['…'] can be assigned to"
ROOT_NAMES = functions.PROPERTIES


class Step(Protocol):
    """What follows an operand: a property, a call, an index, a selection or a projection."""

    def apply(self, state: State, owner: Any) -> Any:
        """The value for an owner."""


class Literal:
    """A constant."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, state: State) -> Any:
        state.spend()
        return self.value


class Chain:
    """Operands of one level of operators, from left to right."""

    def __init__(self, level: Level, first: Evaluator) -> None:
        self.level = level
        self.first = first
        self.rest: list[tuple[str, Evaluator]] = []

    def add(self, operator: str, operand: Evaluator) -> None:
        self.rest.append((operator, operand))

    def __call__(self, state: State) -> Any:
        deciding = self.level.deciding
        value = self.first(state)
        if deciding is not None:
            value = truth(value)
        for operator, operand in self.rest:
            state.spend()
            if deciding is not None and value is deciding:
                return value
            value = self.level.operations[operator](state, value, operand(state))
        return value


class Primary:
    """An operand with what follows it."""

    def __init__(self, start: Evaluator, steps: list[Step]) -> None:
        self.start = start
        self.steps = steps

    def __call__(self, state: State) -> Any:
        return self._until(state, len(self.steps))

    def _until(self, state: State, end: int) -> Any:
        value = self.start(state)
        for step in self.steps[:end]:
            state.spend()
            value = step.apply(state, value)
        return value

    def assign(self, state: State, value: Any) -> None:
        last = self.steps[-1] if self.steps else None
        if not isinstance(last, Index | Property):
            raise SpelError(_ASSIGNABLE)
        _store(state, self._until(state, len(self.steps) - 1), last.key(state), value)


def _store(state: State, owner: Any, key: Any, value: Any) -> None:
    scope = state.scope
    if owner is scope.temp:
        methods.put(state, owner, key, value)
    elif owner is scope.variables or owner is scope.models:
        owner[text(key)] = limited("" if value is None else text(value))
    elif isinstance(owner, Root) and key == "valid":
        scope.valid = value
    else:
        raise SpelError(_ASSIGNABLE)


class RootProperty:
    """A plain name: a property of ``#this``, which is the root object outside of selections and projections."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, state: State) -> Any:
        state.spend()
        return _property(state, state.this, self.name)

    def assign(self, state: State, value: Any) -> None:
        _store(state, state.this, self.name, value)


class RootCall:
    """``name(arguments)``: a function of ProActive's root object, or a method of ``#this``."""

    def __init__(self, name: str, arguments: list[Evaluator]) -> None:
        self.name = name
        self.arguments = arguments

    def __call__(self, state: State) -> Any:
        state.spend()
        return methods.call(state, state.this, self.name, [argument(state) for argument in self.arguments])


class Variable:
    """``#value``, ``#this``, ``#root``, and variables that the expression sets itself."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, state: State) -> Any:
        state.spend()
        if self.name in _SPECIAL:
            return _SPECIAL[self.name](state)
        if self.name not in state.named:
            raise SpelError(f"#{self.name} is not known; use #value for the value")
        return state.named[self.name]

    def assign(self, state: State, value: Any) -> None:
        if self.name in _SPECIAL:
            raise SpelError(_ASSIGNABLE)
        state.named[self.name] = frozen(state, value)


_SPECIAL: dict[str, Evaluator] = {
    "value": lambda state: state.scope.value,
    "this": lambda state: state.this,
    "root": lambda state: ROOT,
}
THIS = Variable("this")


class Property:
    """``.name``"""

    def __init__(self, name: str, safe: bool) -> None:
        self.name = name
        self.safe = safe

    def key(self, state: State) -> Any:
        return self.name

    def apply(self, state: State, owner: Any) -> Any:
        if owner is None:
            if self.safe:
                return None
            raise SpelError(f"property {self.name!r} is read from null; write ?.{self.name} to get null")
        return _property(state, owner, self.name)


def _property(state: State, owner: Any, name: str) -> Any:
    if isinstance(owner, Root):
        if name not in functions.PROPERTIES:
            known = (*functions.PROPERTIES, *functions.FUNCTIONS)
            raise SpelError(f"{name!r} is not known. {did_you_mean(name, known)}".strip())
        return functions.PROPERTIES[name](state.scope)
    if isinstance(owner, dict):
        return owner.get(name)
    if isinstance(owner, MapValue):
        return owner.values.get(name)
    if isinstance(owner, JavaType):
        return types.constant(owner, name)
    return methods.read_property(state, owner, name)


class Call:
    """``.name(arguments)``"""

    def __init__(self, name: str, arguments: list[Evaluator], safe: bool) -> None:
        self.name = name
        self.arguments = arguments
        self.safe = safe

    def apply(self, state: State, owner: Any) -> Any:
        if owner is None:
            if self.safe:
                return None
            raise SpelError(f"method {self.name!r} is called on null")
        return methods.call(state, owner, self.name, [argument(state) for argument in self.arguments])


class Index:
    """``[index]``; `bare` is the index if it is a plain name, which is a key in a map."""

    def __init__(self, index: Evaluator, bare: str) -> None:
        self.index = index
        self.bare = bare

    def key(self, state: State) -> Any:
        return self.bare or self.index(state)

    def apply(self, state: State, owner: Any) -> Any:
        if isinstance(owner, dict | MapValue):
            return (owner.values if isinstance(owner, MapValue) else owner).get(_hashable(self.key(state)))
        key = self.index(state)
        if isinstance(owner, CollectionValue | str):
            return _at(owner, key)
        if owner is None:
            raise SpelError(f"index {shown(key)} is read from null")
        return _property(state, owner, text(key))


def _hashable(key: Any) -> Any:
    return None if isinstance(key, dict) else key


def _at(owner: CollectionValue | str, key: Any) -> Any:
    if isinstance(key, str) and key.isascii() and key.isdecimal() and len(key) < 10:
        key = int(key)
    if isinstance(key, bool) or not isinstance(key, int):
        raise SpelError(f"{shown(key)} is not a property of {kind_of(owner)} that is supported here")
    values = owner.values if isinstance(owner, CollectionValue) else owner
    if not 0 <= key < len(values):
        raise SpelError(f"index {key} is out of range")
    return values[key]


# --- what is made of nodes ---


def assignment(target: Evaluator, value: Evaluator) -> Evaluator:
    if not isinstance(target, Primary | RootProperty | Variable):
        raise SpelError(_ASSIGNABLE)

    def run(state: State) -> Any:
        result = value(state)
        target.assign(state, result)
        return result

    return run


def conditional(steps: list[tuple[Evaluator, Evaluator | None]], last: Evaluator) -> Evaluator:
    """``condition ? yes : …`` and ``value ?: …`` (no `yes`), one after the other; `last` is what remains."""

    def run(state: State) -> Any:
        for left, yes in steps:
            state.spend()
            value = left(state)
            if yes is None:
                if value is not None and value != "":
                    return value
            elif truth(value):
                return yes(state)
        return last(state)

    return run


def prefixed(prefixes: list[Callable[[State, Any], Any]], operand: Evaluator) -> Evaluator:
    def run(state: State) -> Any:
        value = operand(state)
        for prefix in reversed(prefixes):
            state.spend()
            value = prefix(state, value)
        return value

    return run


def inline_list(elements: list[Evaluator]) -> Evaluator:
    """A list of literals alone is constant, as in Spring."""
    kind = "a constant list" if all(map(_is_constant, elements)) else "a list"
    return _Inline(lambda state: items(state, (element(state) for element in elements), kind), kind)


def inline_map(entries: list[tuple[Evaluator, Evaluator]]) -> Evaluator:
    kind = "a constant map" if all(_is_constant(key) and _is_constant(value) for key, value in entries) else "a map"
    return _Inline(lambda state: pairs(state, ((key(state), value(state)) for key, value in entries), kind), kind)


class _Inline:
    def __init__(self, run: Evaluator, kind: str) -> None:
        self.run = run
        self.is_constant = kind.startswith("a constant")

    def __call__(self, state: State) -> Any:
        return self.run(state)


def _is_constant(node: Evaluator) -> bool:
    return isinstance(node, Literal) or (isinstance(node, _Inline) and node.is_constant)


def construction(kind: JavaType, arguments: list[Evaluator]) -> Evaluator:
    """``new kind(arguments)``"""
    return lambda state: types.construct(state, kind, [argument(state) for argument in arguments])


def array(kind: str, size: Evaluator | None, values: list[Evaluator] | None) -> Evaluator:
    """``new kind[size]`` or ``new kind[]{values}``"""
    default = types.array_default(kind)

    def run(state: State) -> Any:
        if values is not None:
            return items(state, (value(state) for value in values), "an array")
        length = size(state) if size is not None else 0
        if isinstance(length, bool) or not isinstance(length, int) or not 0 <= length <= 100_000:
            raise SpelError(f"{shown(length)} is not the size of an array (0 to 100,000)")
        return items(state, [default] * length, "an array")

    return run
