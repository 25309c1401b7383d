"""Values of tasks in this Python: tagged bytes are opened, if that is possible and trusted.

A pickle can run code of its author. It is opened for jobs of this user, and for others only if the caller asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from proactive_jupyter_kernel.errors import UnreadableValue, UntrustedValue
from proactive_jupyter_kernel.workflow.python_tasks import tagged

__all__ = ["UnopenedValue", "opened", "readable"]

_TRUST_HINT = "If you trust the author of the job, use trust=on in a pragma or trust=True in Python."


@dataclass(frozen=True, slots=True, kw_only=True)
class UnopenedValue:
    """Placeholder for a value that cannot be opened here."""

    #: Such as ``sklearn.linear_model.LinearRegression, 512 bytes``.
    what: str
    why: str

    def __repr__(self) -> str:
        return f"<{self.what}>\nNot opened: {self.why}"


def opened(carried: object, where: str, *, trust: bool) -> object:
    """The value with its tagged parts opened; messages call it `where`.

    Raises `UntrustedValue`, or `UnreadableValue` if a required library is missing.
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
