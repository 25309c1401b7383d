"""The text of a value, without opening what is tagged in it."""

from __future__ import annotations

from proactive_jupyter_kernel.workflow import values
from proactive_jupyter_kernel.workflow.python_tasks import tagged

__all__ = ["summary"]

#: For longer bytes only their number is shown.
_LONGEST_BYTES = 120


def summary(carried: object) -> str:
    """A value as a text, without opening it: tagged parts are described."""
    if tagged.holds_tagged(carried):
        return repr(_described(carried))
    if isinstance(carried, bytes) and len(carried) > _LONGEST_BYTES:
        return f"{len(carried):,} bytes"
    return repr(carried)


def _described(carried: object) -> object:
    match carried:
        case bytes():
            return _Described(carried) if tagged.is_tagged(carried) else carried
        case dict():
            return {key: _described(item) for key, item in carried.items()}
        case list():
            return [_described(item) for item in carried]
    return carried


class _Described:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def __repr__(self) -> str:
        return values.text(self._data)
