"""Bounded connections: a client that only opens them, or sends half a request, cannot lock others out.

uvicorn ends a connection that idles between two requests. This adds what it leaves open: the head of a request must
arrive within a time, and when there are many connections, the one that has idled longest makes room for a new one. The
time for bodies is in ``http/bodies.py``, which reads them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["AcceptFailures", "BoundedProtocol", "most_connections"]

_log = logging.getLogger(__name__)

#: Seconds in which the head of a request must arrive, from the connection's start or the head's first byte.
HEAD_SECONDS = 20.0
#: More connections than these are never open at the same time; fewer where the system gives fewer file handles.
MOST = 512
#: Seconds between two messages that there is no file handle for a connection.
_TOLD_EVERY = 60.0
#: How asyncio names the attempt to take connections again.
_RESTARTED = "_start_serving"


def most_connections() -> int:
    """Half of the file handles of this process, at least 16 and at most `MOST`: the rest is for tasks and files."""
    try:
        import resource
    except ImportError:  # Windows
        return MOST
    handles = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST if handles == resource.RLIM_INFINITY else min(MOST, max(16, handles // 2))


class BoundedProtocol(H11Protocol):
    """One connection."""

    most = MOST

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_timer: asyncio.TimerHandle | None = None
        #: Whether another protocol has taken over the connection: no more request heads come.
        self._upgraded = False
        #: When it was opened or its last request was answered, by the loop's clock.
        self.idle_since = self.loop.time()

    @property
    def is_busy(self) -> bool:
        """Whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self._make_room(self.connections)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.is_busy or self._upgraded:
            self._head_arrived()
        elif not self.transport.is_closing():
            self._await_head()

    def on_response_complete(self) -> None:
        self.idle_since = self.loop.time()
        super().on_response_complete()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._upgraded = True
        self._head_arrived()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_arrived()
        super().connection_lost(exc)

    def _make_room(self, connections: Iterable[Any]) -> None:
        """Close the connection that has idled longest; this one, if all others are busy."""
        idle = [each for each in connections if isinstance(each, BoundedProtocol) and not each.is_busy]
        min(idle, key=lambda each: each.idle_since, default=self).transport.abort()

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _head_arrived(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        self._head_timer = None
        if not self.is_busy:
            self.transport.abort()


class AcceptFailures:
    """What the loop does with exceptions of callbacks: one a minute of new connections without a file handle.

    asyncio reports one for each place in the queue of connections, thousands a second, which would leave nothing else
    in the scheduler's log.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._silent_until = float("-inf")

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        message = str(context.get("message"))
        if message.startswith("socket.accept()"):
            if self._clock() >= self._silent_until:
                self._silent_until = self._clock() + _TOLD_EVERY
                _log.warning("no room for another connection, so new ones wait: %s", context.get("exception"))
        elif not (_RESTARTED in message and isinstance(context.get("exception"), ValueError)):
            # Otherwise the port was closed before asyncio tried again.
            loop.default_exception_handler(context)
