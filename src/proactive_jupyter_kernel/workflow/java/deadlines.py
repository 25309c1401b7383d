"""A deadline for what a workflow computes while it is checked: its regular expressions and Spring expressions.

This is the one file of the package `workflow` that reads a clock: that of the computing time of a thread, because a
busy machine must not change an answer. Everything in the `with` block of a deadline shares it, so that a thousand slow
expressions take no longer than one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["DeadlineExceeded", "deadline", "seconds_left"]

#: Seconds of computing time outside of any `deadline`.
_ALONE = 2.0
_END: ContextVar[float | None] = ContextVar("_END", default=None)


class DeadlineExceeded(ValueError):
    """The time for a check is over; the message is the rest of a sentence."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Everything in the `with` block shares this time; inside of another deadline, the earlier one is valid."""
    end, outer = time.thread_time() + seconds, _END.get()
    token = _END.set(end if outer is None else min(end, outer))
    try:
        yield
    finally:
        _END.reset(token)


def seconds_left() -> float:
    """The time that is left, more than zero. Raises DeadlineExceeded if there is none."""
    end = _END.get()
    if end is None:
        return _ALONE
    left = end - time.thread_time()
    if left <= 0:
        raise DeadlineExceeded("the time for the check of all variables is over")
    return left
