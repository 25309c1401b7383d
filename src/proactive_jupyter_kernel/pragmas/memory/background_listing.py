"""What a scheduler lists, for completion: at once from memory, refreshed in the background."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from proactive_jupyter_kernel.errors import ProActiveError

if TYPE_CHECKING:
    from proactive_jupyter_kernel.client.connection import Connection
    from proactive_jupyter_kernel.client.scheduler import Scheduler

__all__ = ["BackgroundListing"]

_Listed = TypeVar("_Listed")

#: Seconds for which a listing is good enough.
FRESH = 5.0


class BackgroundListing(Generic[_Listed]):
    """Keeps what a scheduler listed last. Completion must never wait for a server, nor start or log in to one."""

    def __init__(
        self,
        connection: Callable[[], Connection | None],
        fetch: Callable[[Scheduler], _Listed],
        empty: _Listed,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`connection` gives the one in use; None while the notebook has not needed a scheduler."""
        self._connection = connection
        self._fetch = fetch
        self._empty = empty
        self._clock = clock
        self._lock = threading.Lock()
        self._listed = empty
        self._of: Connection | None = None
        self._asked = -FRESH
        self._thread: threading.Thread | None = None

    def listed(self) -> _Listed:
        """The listing as it was when the scheduler last answered."""
        connection = self._connection()
        with self._lock:
            if connection is not self._of:
                self._listed, self._of, self._asked = self._empty, connection, -FRESH
            stale = self._clock() - self._asked >= FRESH
            if connection is not None and stale and (self._thread is None or not self._thread.is_alive()):
                self._asked = self._clock()
                self._thread = threading.Thread(target=self._refresh, args=(connection,), daemon=True)
                self._thread.start()
            return self._listed

    def wait(self, timeout: float) -> None:
        """Wait for a refresh that is under way."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def _refresh(self, connection: Connection) -> None:
        try:
            found = self._fetch(connection.scheduler)
        except ProActiveError:
            return  # What the server says is of interest when a pragma asks it.
        with self._lock:
            if connection is self._of:
                self._listed = found
