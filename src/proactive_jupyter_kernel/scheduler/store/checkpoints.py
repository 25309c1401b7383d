"""Copies the write-ahead log of the SQLite file into the file, beside the writer, so that neither grows without bound.

SQLite restarts the log when all of it has been copied and no write is in progress. Copying waits for the disk, and the
writer continues during that time. Therefore it has two steps: a thread copies the bulk; then the writer, in its own
thread, copies the few pages that were added since. While a reader holds an old page the log cannot restart: it is
copied again when it has grown by as much again, not with every batch.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

__all__ = ["LOG_BYTES", "Checkpoints"]

_log = logging.getLogger(__name__)

#: The log is copied when it is larger; SQLite's own default is 1,000 pages.
LOG_BYTES = 4 * 1024 * 1024


class Checkpoints:
    """The checkpoints of one file. Its methods are for the thread that writes."""

    def __init__(self, path: Path, connect: Callable[[], sqlite3.Connection]) -> None:
        self._path = path
        self._log_path = f"{path}-wal"
        self._connect = connect
        self._thread: threading.Thread | None = None
        self._size = 0
        #: The log is copied when it is larger than this.
        self._next = LOG_BYTES
        #: Whether the bulk has been copied, so that the writer should copy the rest.
        self.almost_done = False
        #: How often the thread was started.
        self.started = 0

    def written(self) -> None:
        """After a batch: copy most of the write-ahead log into the file if the log is too long."""
        if self.almost_done or (self._thread is not None and self._thread.is_alive()):
            return
        with contextlib.suppress(OSError):
            size = os.stat(self._log_path).st_size
            if size < self._size:
                self._next = LOG_BYTES  # it restarted
            self._size = size
            if size > self._next:
                self._next = size + LOG_BYTES
                self.started += 1
                self._thread = threading.Thread(target=self._copy, name="checkpoint", daemon=True)
                self._thread.start()

    def finish(self, writer: sqlite3.Connection) -> None:
        """Copy the rest, written while most of the log was copied. May take some milliseconds."""
        self.almost_done = False
        try:
            writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as error:
            self._failed(error)

    def close(self) -> None:
        """Wait for the thread."""
        if self._thread is not None:
            self._thread.join()

    def _copy(self) -> None:
        # PASSIVE: never makes the writer wait.
        try:
            connection = self._connect()
            try:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            finally:
                connection.close()
        except sqlite3.Error as error:
            self._failed(error)
        else:
            self.almost_done = True

    def _failed(self, error: sqlite3.Error) -> None:
        _log.warning("The write-ahead log could not be copied into %s: %s", self._path, error)
