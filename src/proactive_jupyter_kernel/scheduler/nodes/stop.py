"""Whether what a node runs has to end: because somebody wants it, or because its time is up."""

from __future__ import annotations

from proactive_jupyter_kernel.scheduler.attempt import FailureKind
from proactive_jupyter_kernel.scheduler.nodes.loop import Loop, Timer

__all__ = ["Stop", "Stopped"]


class Stop:
    """Whether what runs has to end, and why."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._timer: Timer | None = None
        self._also: Stop | None = None
        self.kind: FailureKind | None = None

    def __bool__(self) -> bool:
        return self.kind is not None

    def set(self, kind: FailureKind) -> None:
        """End it; the first reason counts."""
        if self.kind is None:
            self.kind = kind
        if self._also is not None:
            self._also.set(kind)

    def also(self, other: Stop) -> None:
        """Also end `other` when this ends."""
        self._also = other
        if self.kind is not None:
            other.set(self.kind)

    def after(self, seconds: float | None) -> None:
        """End it after so many seconds, for WALLTIME; None: no limit."""
        if seconds is not None:
            self._timer = self._loop.call_later(seconds, lambda: self.set(FailureKind.WALLTIME))

    def forget(self) -> None:
        """Cancel the time limit."""
        if self._timer is not None:
            self._timer.cancel()

    def asked(self) -> bool:
        """Whether it was asked to end: runs one turn of the loop, without waiting, for code that runs none."""
        self._loop.turn(0.0)
        return self.kind is not None


class Stopped(Exception):
    """The run was told to end."""
