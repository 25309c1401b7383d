"""The ids and names of jobs on the scheduler, for completion: at once from memory, refreshed in the background."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.errors import ProActiveError

if TYPE_CHECKING:
    from proactive_jupyter_kernel.client.connection import Connection

__all__ = ["JobListing"]

#: Seconds for which a listing is good enough.
FRESH = 5.0
#: How many jobs are offered.
LISTED = 50


class JobListing:
    """Keeps the newest jobs of the user. Completion must never wait for a server, nor start or log in to one."""

    def __init__(
        self, connection: Callable[[], Connection | None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`connection` gives the one in use; None while the notebook has not needed a scheduler."""
        self._connection = connection
        self._clock = clock
        self._lock = threading.Lock()
        self._jobs: tuple[tuple[int, str], ...] = ()
        self._of: Connection | None = None
        self._asked = -FRESH
        self._thread: threading.Thread | None = None

    def jobs(self) -> Sequence[tuple[int, str]]:
        """Ids and names, the newest first, as they were when the scheduler last answered."""
        connection = self._connection()
        with self._lock:
            if connection is not self._of:
                self._jobs, self._of, self._asked = (), connection, -FRESH
            stale = self._clock() - self._asked >= FRESH
            if connection is not None and stale and (self._thread is None or not self._thread.is_alive()):
                self._asked = self._clock()
                self._thread = threading.Thread(target=self._refresh, args=(connection,), daemon=True)
                self._thread.start()
            return self._jobs

    def wait(self, timeout: float) -> None:
        """Wait for a refresh that is under way."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def _refresh(self, connection: Connection) -> None:
        try:
            found = tuple((info.id, info.name) for info in connection.scheduler.jobs(limit=LISTED, mine=True))
        except ProActiveError:
            return  # What the server says is of interest when a pragma asks it.
        with self._lock:
            if connection is self._of:
                self._jobs = found
