"""The store on disk: one SQLite file in WAL mode, one writer, and readers that see it as it is at one moment.

How safe it is: a batch is committed before `write` returns, with ``synchronous=NORMAL``. What was committed survives
``kill -9`` of the scheduler, because the pages are with the operating system by then. Only a crash of the whole
machine may lose the last moments, never the consistency of the file. In exchange no commit waits for the disk: the
``fsync`` belongs to the checkpoints, which run in other threads than the scheduler's loop (`checkpoints.py`).
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, TypeVar

from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.store import codec
from proactive_jupyter_kernel.scheduler.store.base import Batch
from proactive_jupyter_kernel.scheduler.store.checkpoints import LOG_BYTES, Checkpoints
from proactive_jupyter_kernel.scheduler.store.columns import (
    extras_columns,
    forgotten_columns,
    job_columns,
    result_columns,
    task_columns,
    usage_columns,
    use_columns,
)
from proactive_jupyter_kernel.scheduler.store.errors import DamagedStore, StoreGone, StoreUnavailable
from proactive_jupyter_kernel.scheduler.store.listing import search_words
from proactive_jupyter_kernel.scheduler.store.logs import LogPart
from proactive_jupyter_kernel.scheduler.store.migrations import migrate
from proactive_jupyter_kernel.scheduler.store.queries import named
from proactive_jupyter_kernel.scheduler.store.rows import SqliteRows
from proactive_jupyter_kernel.scheduler.store.sqlite_errors import translated
from proactive_jupyter_kernel.workflow.model import Workflow
from proactive_jupyter_kernel.workflow.status import JOB_ENDED

__all__ = ["SqliteStore"]

_log = logging.getLogger(__name__)
_Row = TypeVar("_Row")


#: Seconds to wait for another process that has locked the file.
_PATIENCE = 5.0
#: Free pages that are kept for the next jobs, and how many are given back in one go, in a few milliseconds.
_SPARE_PAGES, _PAGES_AT_ONCE = 256, 500


class SqliteStore(SqliteRows):
    """`Store` on disk. Its own rows are read over one connection; readers of many rows take a `snapshot`."""

    def __init__(self, path: Path, *, log_lines: int = 10_000, log_bytes: int = 8 * 1024 * 1024) -> None:
        """Open or create the file; raises `StoreUnavailable` or `EmbeddedSchedulerError` where that cannot be."""
        self._file = path
        self._log_bytes = log_bytes
        self._closed = False
        #: Idle connections for reading.
        self._idle: list[SqliteRows] = []
        self._readers: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._checkpoints = Checkpoints(path, self._connect)
        #: How long the writing connection waits for another one, in seconds.
        self._patience = _PATIENCE
        with self._translated("opened"):
            self._writer = self._connect(new=True)
            # `Checkpoints` decides when the log is copied into the file.
            self._writer.execute("PRAGMA wal_autocheckpoint = 0")
            # After a complete copy the log restarts, truncated to this size; a long one is copied by each write.
            self._writer.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
            migrate(self._writer, path)
        self._file_text = str(path)
        self._opened = _identity(self._file_text)
        super().__init__(self._reading_connection(), path, log_lines=log_lines, log_bytes=log_bytes, load=self._value)

    # --- writing -------------------------------------------------------------------------------------------------

    def check(self) -> None:
        if _identity(self._file_text) != self._opened:
            raise StoreGone(
                f"{self._file} was removed, moved or replaced while the scheduler ran, so nothing can be stored.",
                hint="Move the folder back to continue. Otherwise the scheduler stops within a minute; start it again "
                "with an empty store.",
            )

    def write(self, batch: Batch) -> None:
        self.check()
        with self._translated("written"):
            self._begin(_PATIENCE)
        self._write(batch)
        if self._checkpoints.almost_done:
            self._checkpoints.finish(self._writer)

    def try_write(self, batch: Batch) -> bool:
        self.check()
        if self._checkpoints.almost_done:
            return False
        with self._translated("written"):
            try:
                self._begin(0.0)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                    return False
                raise
        self._write(batch)
        return True

    def _begin(self, patience: float) -> None:
        self._set_patience(patience)
        if self._writer.in_transaction:
            # The disk failed, and then the rollback, too: without this one nothing could ever be written again.
            self._writer.execute("ROLLBACK")
        self._writer.execute("BEGIN IMMEDIATE")

    def _set_patience(self, seconds: float) -> None:
        if seconds != self._patience:
            self._writer.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
            self._patience = seconds

    def _write(self, batch: Batch) -> None:
        with self._translated("written"):
            try:
                self._write_jobs(batch)
                self._each("save_result", result_columns, batch.results)
                self._each("add_core_time", usage_columns, batch.results)
                for part in batch.logs:
                    self._append(part)
                self._each("forget_job", forgotten_columns, batch.forgotten)
                self._write_channels(batch)
                if batch.revision is not None:
                    self._writer.execute(named("save_revision"), {"revision": batch.revision})
                self._writer.execute("COMMIT")
            except BaseException:
                # After an error of the disk SQLite may have rolled back already.
                with contextlib.suppress(sqlite3.Error):
                    if self._writer.in_transaction:
                        self._writer.execute("ROLLBACK")
                raise
        self._checkpoints.written()

    def _write_jobs(self, batch: Batch) -> None:
        for new in batch.submissions:
            columns = job_columns(batch.jobs[new.job_id])
            facts = new.facts
            self._writer.execute(
                named("add_job"),
                {
                    **columns,
                    "project": facts.project,
                    "bucket": facts.bucket,
                    "mode": facts.mode,
                    "parent_id": facts.parent_id,
                    "facts": codec.dumps(facts),
                    "words": search_words(batch.jobs[new.job_id].name, facts),
                },
            )
            workflow = codec.dumps(new.workflow)
            self._writer.execute(
                named("add_submission"),
                {"job_id": new.job_id, "xml": codec.sealed(new.xml), "workflow": workflow},
            )
            self._writer.execute(named("count_job_id"), {"job_id": new.job_id})
        known = {new.job_id for new in batch.submissions}
        changed = [job for job_id, job in batch.jobs.items() if job_id not in known]
        self._each("save_job", job_columns, changed)
        self._each("save_task", task_columns, batch.tasks.values())
        self._each("add_nodes", use_columns, batch.node_uses)
        self._each("save_extras", extras_columns, batch.extras.items())

    def _each(self, statement: str, columns: Callable[[_Row], dict[str, Any]], rows: Collection[_Row]) -> None:
        if rows:
            self._writer.executemany(named(statement), map(columns, rows))

    def _write_channels(self, batch: Batch) -> None:
        for name, entries in batch.channels.items():
            if entries is None:
                self._writer.execute(named("forget_channel"), {"name": name})
            else:
                self._writer.execute(
                    named("save_channel"), {"name": name, "entries": codec.sealed(json.dumps(entries))}
                )

    def _append(self, part: LogPart) -> None:
        key = {"job_id": part.job_id, "task_id": part.task_id}
        end_line, end_byte = self._writer.execute(named("log_end"), key).fetchone() or (0, 0)
        first_line = end_line + part.skipped
        lines = json.dumps([[int(line.error), line.at, line.text] for line in part.lines], separators=(",", ":"))
        end_line, new_end_byte = first_line + sum(line.lines for line in part.lines), end_byte + len(lines)
        self._writer.execute(
            named("add_log"),
            {
                **key,
                "first_line": first_line,
                "end_line": end_line,
                "first_byte": end_byte,
                "end_byte": new_end_byte,
                "attempt": part.lines[0].attempt if part.lines else 1,
                "lines": codec.sealed(lines),
            },
        )
        while True:
            row = self._writer.execute(named("oldest_log"), key).fetchone()
            if row is None or row[0] == first_line:
                return
            oldest, oldest_end, oldest_end_byte = row
            if oldest_end > end_line - self._log_lines and oldest_end_byte > new_end_byte - self._log_bytes:
                return
            self._writer.execute(named("drop_log"), {**key, "first_line": oldest})

    # --- reading -------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[SqliteRows]:
        with self._rows() as rows, rows.transaction():
            yield rows

    def _value(self, job_id: int, task_id: int, attempt: int) -> bytes:
        with self._rows() as rows:
            return rows.value(job_id, task_id, attempt)

    def jobs_to_restore(self) -> Iterator[tuple[JobRecord, Workflow | str, tuple[TaskRecord, ...]]]:
        for row in self.to_restore():
            job = row.record
            ended = job.status in JOB_ENDED
            tasks: tuple[TaskRecord, ...] = ()
            workflow: Workflow | str | None
            try:
                workflow = row.damaged or (None if ended else self.workflow(job.job_id))
                tasks = () if ended else self.tasks(job.job_id, intact=True)
            except DamagedStore as error:
                workflow = error.message
                with contextlib.suppress(DamagedStore):
                    tasks = self.tasks(job.job_id)
            if workflow is not None or ended:
                yield job, workflow or "", tasks

    def skip_job_ids(self, last: int) -> None:
        """Give new jobs ids above this one."""
        with self._translated("written"):
            self._writer.execute(named("count_job_id"), {"job_id": last})

    # --- size ----------------------------------------------------------------------------------------------------

    @property
    def used(self) -> int:
        with self._translated("read"), self._rows() as rows:
            return rows.used

    def shrink(self) -> bool:
        with self._translated("written"), contextlib.closing(self._connect()) as connection:
            pages, free, kept = (
                int(connection.execute(f"PRAGMA {name}").fetchone()[0])
                for name in ("page_count", "freelist_count", "auto_vacuum")
            )
            surplus = free - _SPARE_PAGES
            if not kept and free > pages // 2:
                # From an earlier version, which kept no record of where pages belong. Rewrites all remaining pages.
                connection.executescript("PRAGMA auto_vacuum = INCREMENTAL; VACUUM;")
            elif kept and surplus > 0:
                # `execute` would free one page.
                connection.executescript(f"PRAGMA incremental_vacuum({min(_PAGES_AT_ONCE, surplus)})")
            more = bool(kept) and surplus > _PAGES_AT_ONCE
            if not more:
                # The file is shortened when the log is copied into it.
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return more

    # --- connections ---------------------------------------------------------------------------------------------

    def close(self) -> None:
        with self._lock:
            self._closed = True
        self._checkpoints.close()
        for reader in self._readers:
            reader.close()
        with contextlib.suppress(sqlite3.Error):
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._writer.close()

    @contextlib.contextmanager
    def _rows(self) -> Iterator[SqliteRows]:
        """A connection for exclusive use."""
        with self._lock:
            rows = self._idle.pop() if self._idle else None
        rows = rows or self._new_rows()
        try:
            yield rows
        finally:
            with self._lock:
                self._idle.append(rows)

    def _new_rows(self) -> SqliteRows:
        return SqliteRows(
            self._reading_connection(),
            self._path,
            log_lines=self._log_lines,
            log_bytes=self._log_bytes,
            load=self._value,
        )

    def _reading_connection(self) -> sqlite3.Connection:
        with self._translated("read"):
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
        with self._lock:
            if self._closed:
                connection.close()
                raise StoreUnavailable("The scheduler's store is closed: the scheduler is stopping.")
            self._readers.append(connection)
        return connection

    def _connect(self, *, new: bool = False) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        if new:
            # Has an effect on a file without tables alone: pages of removed jobs can be given back (`shrink`).
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    @contextlib.contextmanager
    def _translated(self, verb: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if verb == "written" and isinstance(error, sqlite3.DataError | sqlite3.IntegrityError):
                raise  # of one row, whatever the disk does: the service finds out which
            raise translated(error, self._file, verb) from error


def _identity(path: str) -> tuple[int, int] | None:
    """The identity of the file at the path; None: there is none, or it is unknown."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
