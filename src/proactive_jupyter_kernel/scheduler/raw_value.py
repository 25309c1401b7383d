"""A value as its JSON text: carried from the task that returned it to those that read it, without being decoded.

The scheduler needs no value itself. It stores the text that a node sends, gives it to the tasks that depend on it, and
decodes it only for a request that asks for another form.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proactive_jupyter_kernel.scheduler.attempt import Wire

__all__ = ["NULL", "RawValue"]


class RawValue:
    """The JSON text of a wire value. Two are equal if their texts are."""

    __slots__ = ("_load", "_text", "size")

    def __init__(self, text: bytes) -> None:
        """`text` is JSON in ASCII."""
        self._text: bytes | None = text
        self._load: Callable[[], bytes] | None = None
        #: The length of the text in bytes; known without loading it.
        self.size = len(text)

    @classmethod
    def of(cls, wire: Wire | RawValue) -> RawValue:
        """The value that `wire` is, encoded unless it is raw already. Takes long for a large value."""
        if isinstance(wire, RawValue):
            return wire
        return NULL if wire is None else cls(json.dumps(wire, separators=(",", ":")).encode("ascii"))

    @classmethod
    def stored(cls, size: int, load: Callable[[], bytes]) -> RawValue:
        """A value of `size` bytes that stays in the store; `load` reads it, in any thread, each time it is wanted."""
        value = cls(b"")
        value.size, value._text, value._load = size, None, load
        return value

    @property
    def text(self) -> bytes:
        """The JSON text. Of a large stored value this reads the store: not for the event loop."""
        if self._text is not None:
            return self._text
        assert self._load is not None
        return self._load()

    @property
    def is_null(self) -> bool:
        """Whether it is the value null; does not load it."""
        return self.size == len(_NULL) and self.text == _NULL

    def decoded(self) -> Wire:
        """The wire value. Not for the event loop where the value may be large."""
        text = self.text
        return json.loads(text) if len(text) < _LARGE else _decoded(text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RawValue) and self.size == other.size and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.size)

    def __repr__(self) -> str:
        if self._text is None or self.size > 100:
            return f"RawValue(<{self.size} bytes>)"
        return f"RawValue({self._text!r})"


#: Bytes of a value that is decoded in parts, if it is a flat list, and of each part.
_LARGE, _PART = 1024 * 1024, 64 * 1024
_NULL = b"null"
#: The value of a task that returned none.
NULL = RawValue(_NULL)


def _decoded(text: bytes) -> Wire:
    """A large value. A long list of numbers is decoded in parts: no other thread runs while JSON is decoded."""
    if text[:1] != b"[" or any(text.find(mark, 1) >= 0 for mark in (b'"', b"[", b"{")):
        return json.loads(text)
    found: list[Wire] = []
    begin, end = 1, len(text) - 1
    while begin < end:
        stop = text.find(b",", min(begin + _PART, end))
        stop = end if stop < 0 else stop
        found += json.loads(b"[" + text[begin:stop] + b"]")
        begin = stop + 1
    return found
