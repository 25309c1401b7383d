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

    def __init__(self, announce_tasks: Callable[[bool], None] = lambda wanted: None) -> None:
        """`announce_tasks` is called with whether any listener wants events of tasks."""
        self._announce_tasks = announce_tasks
        self._listeners: list[Listener] = []
        self._for_tasks: list[Listener] = []
        announce_tasks(False)

    def add(self, listener: Listener, *, tasks: bool = False) -> Callable[[], None]:
        """Call `listener` for every event; the returned function removes the listener.

        With `tasks`, events of tasks are announced, and those of jobs have the records of their tasks. They are
        created only while a listener asks for them.
        """
        self._listeners.append(listener)
        if tasks:
            self._for_tasks.append(listener)
            self._announce_tasks(True)

        def end() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)
            if listener in self._for_tasks:
                self._for_tasks.remove(listener)
                self._announce_tasks(bool(self._for_tasks))

        return end

    def tell(self, announcement: Announce) -> None:
        """Give an event to all listeners; what it is about is stored."""
        for listener in list(self._listeners):
            try:
                listener(announcement)
            except Exception:
                _log.exception("a listener failed at %s", announcement)
