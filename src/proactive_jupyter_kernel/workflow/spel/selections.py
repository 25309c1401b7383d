"""Selections and projections of Spring expressions: ``.?[condition]``, ``.^[…]``, ``.$[…]``, ``.![expression]``."""

from __future__ import annotations

from typing import Any

from proactive_jupyter_kernel.workflow.spel.values import (
    CollectionValue,
    Entry,
    Evaluator,
    MapValue,
    SpelError,
    State,
    items,
    kind_of,
    pairs,
    shown,
)

__all__ = ["Projection", "Selection"]


def _elements(owner: Any, what: str) -> tuple[Any, ...]:
    if isinstance(owner, CollectionValue):
        return owner.values
    if isinstance(owner, dict | MapValue):
        return tuple(Entry(*pair) for pair in (owner.values if isinstance(owner, MapValue) else owner).items())
    raise SpelError(f"{what} needs a list or a map, not {kind_of(owner)}")


def _with_this(state: State, element: Any, inner: Evaluator) -> Any:
    outer, state.this = state.this, element
    try:
        return inner(state)
    finally:
        state.this = outer


class Selection:
    """``?[condition]``: all elements, ``^[…]``: the first one, ``$[…]``: the last one."""

    def __init__(self, condition: Evaluator, which: str, safe: bool) -> None:
        self.condition = condition
        self.which = which
        self.safe = safe

    def apply(self, state: State, owner: Any) -> Any:
        if owner is None and self.safe:
            return None
        elements = _elements(owner, "a selection")
        found = []
        for element in reversed(elements) if self.which == "$" else elements:
            state.spend()
            chosen = _with_this(state, element, self.condition)
            if not isinstance(chosen, bool):
                raise SpelError(f"the condition of a selection gives {shown(chosen)}, neither true nor false")
            if chosen:
                found.append(element)
                if self.which != "?":
                    break
        if isinstance(owner, dict | MapValue):
            if self.which != "?" and not found:
                return None
            return pairs(state, ((entry.key, entry.value) for entry in found))
        if self.which != "?":
            return found[0] if found else None
        return items(state, found, owner.kind if owner.kind == "an array" else "a list")


class Projection:
    """``![expression]``: the value for each element."""

    def __init__(self, inner: Evaluator, safe: bool) -> None:
        self.inner = inner
        self.safe = safe

    def apply(self, state: State, owner: Any) -> Any:
        if owner is None and self.safe:
            return None
        elements = _elements(owner, "a projection")
        is_array = isinstance(owner, CollectionValue) and owner.kind == "an array"
        found = (_with_this(state, element, self.inner) for element in elements)
        return items(state, found, "an array" if is_array else "a list")
