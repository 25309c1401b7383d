"""Writes values as R source: what the R harness reads instead of JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping

from proactive_jupyter_kernel.scheduler.attempt import Wire
from proactive_jupyter_kernel.workflow.values import TAG

__all__ = ["Writer", "text"]

#: R's parser takes some 50 levels of brackets; deeper values are put together from parts.
_DEEPEST = 15
_INTEGER_LIMIT = 2**31
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": ""}


def text(value: str) -> str:
    """A text in quotes, in ASCII. R knows no NUL; it is left out."""
    return '"' + "".join(_ESCAPES.get(char) or _escaped(char) for char in value) + '"'


def _escaped(char: str) -> str:
    if char == "\0":
        return ""
    if " " <= char < "\x7f":
        return char
    code = ord(char)
    # Half a surrogate pair is not a character, and an error in R.
    return "\\ufffd" if 0xD800 <= code < 0xE000 else f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"


class Writer:
    """Collects statements; `literal` gives the expression for a wire value."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def literal(self, wire: Wire, depth: int = 0) -> str:
        """An R expression for the value."""
        if wire is None:
            return "NULL"
        if isinstance(wire, bool):
            return "TRUE" if wire else "FALSE"
        if isinstance(wire, int):
            return f"{wire}L" if abs(wire) < _INTEGER_LIMIT else repr(float(wire))
        if isinstance(wire, float):
            return repr(wire)
        if isinstance(wire, str):
            return text(wire)
        expression = self._container(wire, 0 if depth >= _DEEPEST else depth + 1)
        return self._part(expression) if depth >= _DEEPEST else expression

    def named(self, entries: Mapping[str, Wire], depth: int = 0) -> str:
        """A list with these names."""
        return _named(list(entries), [self.literal(item, depth) for item in entries.values()])

    def _part(self, expression: str) -> str:
        name = f".part{len(self.statements)}"
        self.statements.append(f"{name} <- {expression}")
        return name

    def _container(self, wire: Wire, depth: int) -> str:
        if isinstance(wire, list):
            return self._items(wire, depth)
        if TAG not in wire:
            return self.named(wire, depth)
        return self._tagged(wire[TAG], wire.get("value"), wire, depth)

    def _items(self, items: list[Wire], depth: int) -> str:
        parts = [self.literal(item, depth) for item in items]
        if items and _alike(items):
            # I(…) keeps a list of one from being taken for its item on the way back.
            return f"I({parts[0]})" if len(parts) == 1 else f"c({', '.join(parts)})"
        return f"list({', '.join(parts)})"

    def _tagged(self, tag: str, value: Wire, wire: Mapping[str, Wire], depth: int) -> str:
        if tag == "bytes":
            return f'bytes("{_bytes(value).hex()}")'
        if tag in ("float", "decimal"):
            return _real(float(value))
        if tag == "set":
            return self._items(value, depth)
        if tag == "dict":
            keys = [key if isinstance(key, str) else json.dumps(key, ensure_ascii=False) for key, _ in value]
            return _named(keys, [self.literal(item, depth) for _, item in value])
        # An object of another language: its text, and on the way back what it was.
        return f'structure({text(str(value))}, class = "proactive_value", wire = {text(json.dumps(wire))})'


def _bytes(value: str) -> bytes:
    import base64

    return base64.b64decode(value)


def _real(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return repr(value) if math.isfinite(value) else "Inf" if value > 0 else "-Inf"


def _alike(items: list[Wire]) -> bool:
    """Whether a vector can hold them without changing one."""
    kinds = {type(item) for item in items}
    return len(kinds) == 1 and kinds <= {bool, int, float, str} and _one_size(items)


def _one_size(items: list[Wire]) -> bool:
    return not isinstance(items[0], int) or len({abs(item) < _INTEGER_LIMIT for item in items}) == 1


def _named(keys: Iterable[str], items: Iterable[str]) -> str:
    names = ", ".join(text(key) for key in keys)
    return f"structure(list({', '.join(items)}), names = {f'c({names})' if names else 'character(0)'})"
