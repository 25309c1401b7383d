"""The connection of a notebook or a command: a scheduler that is created on first use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from proactive_jupyter_kernel.client.config import EMBEDDED, Settings
from proactive_jupyter_kernel.client.scheduler import Scheduler

__all__ = ["Connection"]


class Connection:
    """Settings, and the scheduler for them; safe to use from several threads.

    The constructor makes no request: the first call of a method of `scheduler` starts the embedded scheduler, or logs
    in to a server. An expired session is renewed once, silently; an embedded scheduler that died is started again.
    """

    def __init__(
        self,
        settings: Settings = EMBEDDED,
        *,
        data_dir: Path | None = None,
        make: Callable[[], Scheduler] | None = None,
    ) -> None:
        """`data_dir` is the embedded scheduler's, None: the usual one; `make` gives another scheduler (for tests)."""
        self.settings = settings
        self._data_dir = data_dir
        self._make = make or self._scheduler_of_settings
        self._scheduler: Scheduler | None = None
        self._lock = threading.Lock()

    @property
    def scheduler(self) -> Scheduler:
        """The scheduler; `NotConnected` where login or password is still missing."""
        with self._lock:
            if self._scheduler is None:
                self._scheduler = self._make()
            return self._scheduler

    @property
    def embedded(self) -> bool:
        """Whether it is the embedded scheduler."""
        return self.settings.embedded

    @property
    def is_server(self) -> bool:
        """Whether it is a ProActive server; false for an embedded scheduler, also if it is named by its address."""
        return not self.embedded and self.scheduler.is_server

    @property
    def name(self) -> str:
        """The name of the scheduler in messages."""
        return self.settings.name

    @property
    def is_there(self) -> bool:
        """Whether a request can be answered without starting a scheduler for it."""
        if not self.embedded or self._scheduler is None:
            return True
        from proactive_jupyter_kernel.client.address_file import address_file, data_dir

        return address_file(self._data_dir or data_dir()).exists()

    def close(self) -> None:
        """Log out and close connections; the next use connects again."""
        with self._lock:
            scheduler, self._scheduler = self._scheduler, None
        if scheduler is not None:
            scheduler.close()

    def _scheduler_of_settings(self) -> Scheduler:
        return Scheduler.from_settings(self.settings, data_dir=self._data_dir)
