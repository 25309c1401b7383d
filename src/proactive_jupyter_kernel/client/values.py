"""Values of tasks in this Python: tagged bytes become what the task had, as far as that is possible and trusted.

A pickle can run code of whoever wrote it. It is opened for jobs that this user submitted, and for others where the
caller says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from proactive_jupyter_kernel.errors import UnreadableValue, UntrustedValue
from proactive_jupyter_kernel.workflow import values
from proactive_jupyter_kernel.workflow.python_tasks import tagged

__all__ = ["UnopenedValue", "opened", "readable", "summary"]

#: Longer bytes are counted instead of shown.
_LONGEST_BYTES = 120
_TRUST_HINT = "If you trust the author of the job, say so: trust=on in a pragma, trust=True in Python."


@dataclass(frozen=True, slots=True, kw_only=True)
class UnopenedValue:
    """Stands for a value that cannot be opened here."""

    #: Such as ``sklearn.linear_model.LinearRegression, 512 bytes``.
    what: str
    why: str

    def __repr__(self) -> str:
        return f"<{self.what}>\nNot opened: {self.why}"


def opened(carried: object, where: str, *, trust: bool) -> object:
    """The value, its tagged parts opened; `where` is what messages call it.

    Raises `UntrustedValue`, or `UnreadableValue` where this Python lacks what the value needs.
    """
    try:
        return tagged.opened(carried, where, trust)
    except tagged.Untrusted as error:
        raise UntrustedValue(str(error), hint=_TRUST_HINT) from None
    except tagged.Unreadable as error:
        raise UnreadableValue(str(error)) from None


def readable(carried: object, where: str, *, trust: bool) -> object:
    """As `opened`, with an `UnopenedValue` in the place of each part that cannot be opened."""

    def instead(data: bytes, error: tagged.Unreadable) -> UnopenedValue:
        hint = f" {_TRUST_HINT}" if isinstance(error, tagged.Untrusted) else ""
        try:
            what = tagged.describe(data)
        except tagged.Unreadable:
            what = f"{len(data):,} bytes"
        return UnopenedValue(what=what, why=f"{error}{hint}")

    return tagged.opened(carried, where, trust, instead)


def summary(carried: object) -> str:
    """A value as a text, without opening anything: what is tagged is described."""
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
