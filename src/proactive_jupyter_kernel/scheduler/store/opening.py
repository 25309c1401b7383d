"""Opens the store of a data folder; a file that cannot be used is set aside, never overwritten.

A file that is not a store, or too damaged to work with, is renamed together with its write-ahead
log, and an empty store takes its place. A store of a newer version stays where it is: the scheduler refuses to start.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from proactive_jupyter_kernel.scheduler.store.errors import DamagedStore
from proactive_jupyter_kernel.scheduler.store.migrations import VERSION, refuse_newer
from proactive_jupyter_kernel.scheduler.store.queries import named
from proactive_jupyter_kernel.scheduler.store.rows import SqliteRows
from proactive_jupyter_kernel.scheduler.store.sqlite import SqliteStore

__all__ = ["Opened", "examine", "open_store"]

_log = logging.getLogger(__name__)

_MAGIC = b"SQLite format 3\0"
#: Where the header of a database has the size of a page, the count of pages and when that was valid; see its format.
_HEADER = 100
_PAGE_SIZE, _CHANGES, _PAGES, _VALID_FOR = slice(16, 18), slice(24, 28), slice(28, 32), slice(92, 96)
#: Tables that every version has.
_TABLES = {"counters", "jobs", "submissions", "tasks", "results", "log_parts"}
#: What belongs to a database file.
_PARTS = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A store, and what the user should know about how it was opened."""

    store: SqliteStore
    notices: tuple[str, ...] = ()


def open_store(path: Path, *, log_lines: int, log_bytes: int) -> Opened:
    """The store of the file; an empty one if the file had to be set aside, with a notice that says so.

    Raises `EmbeddedSchedulerError` for a store of a newer version and `StoreUnavailable` for a disk that fails.
    """
    try:
        examine(path)
        return Opened(store=SqliteStore(path, log_lines=log_lines, log_bytes=log_bytes))
    except DamagedStore as error:
        last_job_id = _last_job_id(path)
        aside = _set_aside(path)
        notice = (
            f"{error.message} It was set aside as {aside}, and the scheduler started with an empty store. Jobs, "
            "results and logs in that file are out of reach; `sqlite3 FILE .recover` may get rows of it back. To use a "
            f"backup, stop the scheduler and put it at {path}."
        )
        _log.error("%s", notice)
        store = SqliteStore(path, log_lines=log_lines, log_bytes=log_bytes)
        # Notebooks still know the ids of those jobs.
        store.skip_job_ids(last_job_id)
        return Opened(store=store, notices=(notice,))


def examine(path: Path) -> None:
    """Look at the file without changing it; raises `DamagedStore` if it is not a store of the scheduler."""
    if path.is_dir():
        raise DamagedStore(f"{path} is a folder.")
    wal = path.with_name(path.name + "-wal")
    size = path.stat().st_size if path.exists() else 0
    logged = wal.stat().st_size if wal.exists() else 0
    if not size:
        if logged:
            raise DamagedStore(f"{path} is gone, and only its write-ahead log is left.")
        return
    with path.open("rb") as file:
        header = file.read(_HEADER)
    if not header.startswith(_MAGIC) or len(header) < _HEADER:
        raise DamagedStore(f"{path} is not a database of the embedded scheduler.")
    page, pages = int.from_bytes(header[_PAGE_SIZE], "big"), int.from_bytes(header[_PAGES], "big")
    whole = pages * (65536 if page == 1 else page)
    if header[_CHANGES] == header[_VALID_FOR] and size < whole and not logged:
        raise DamagedStore(f"{path} is damaged: it was cut to {size:,} of its {whole:,} bytes.")
    try:
        with contextlib.closing(_reading(path)) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if version == VERSION and tables >= _TABLES:
                # What a start needs; what cannot be read of one job hinders that job alone.
                rows = SqliteRows(connection, path, log_lines=1, load=lambda *key: b"")
                _ = rows.last_job_id, rows.channels(), rows.to_restore()
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            # Locked, or a disk that fails: opening it for writing tells.
            return
        raise DamagedStore(f"{path} is damaged: {error}.") from error
    refuse_newer(path, version)
    if not tables >= _TABLES and (version or tables):
        raise DamagedStore(f"{path} is a database of another program.")
    if tables and not version:
        raise DamagedStore(
            f"{path} does not say which version of the scheduler wrote it, as a copy by `sqlite3 FILE .dump`. If it "
            f"was this one, run `sqlite3 FILE 'PRAGMA user_version = {VERSION}'` on it and put it back."
        )


def _reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path.resolve().as_uri() + "?mode=ro", uri=True, timeout=2.0)


def _last_job_id(path: Path) -> int:
    """The highest job id of a damaged store, if it can be read; else 0."""
    with (
        contextlib.suppress(sqlite3.Error, OSError, TypeError, ValueError),
        contextlib.closing(_reading(path)) as found,
    ):
        return int(found.execute(named("last_job_id")).fetchone()[0])
    return 0


def _set_aside(path: Path) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    suffixes = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
    names = (f"{path.name}.damaged-{stamp}{suffix}" for suffix in suffixes)
    target = next(
        place for place in map(path.with_name, names) if not any(os.path.lexists(f"{place}{part}") for part in _PARTS)
    )
    # The database first: without its write-ahead log it would pass for an older, whole one.
    for part in _PARTS:
        if os.path.lexists(f"{path}{part}"):
            os.rename(f"{path}{part}", f"{target}{part}")
    return target
