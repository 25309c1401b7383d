"""Listeners for events: the push channel of REST, and others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeAlias

from proactive_jupyter_kernel.scheduler.engine.commands import Announce

__all__ = ["Listener", "Listeners"]

_log = logging.getLogger(__name__)

#: Called in the loop's thread, after what it is about was stored; must not block.
Listener: TypeAlias = Callable[[Announce], None]


class Listeners:
    """A list of listeners; if one fails, the others still get the event."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def add(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` from now on; call what is returned to end that."""
        self._listeners.append(listener)

        def end() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return end

    def tell(self, announcement: Announce) -> None:
        """Something happened and is stored."""
        for listener in list(self._listeners):
            try:
                listener(announcement)
            except Exception:
                _log.exception("a listener failed at %s", announcement)
