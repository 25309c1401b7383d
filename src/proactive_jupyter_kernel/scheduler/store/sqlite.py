"""The store on disk: one SQLite file in WAL mode, one writer, readers of their own in other threads.

How safe it is: a batch is committed before `write` returns, with ``synchronous=NORMAL``. What was committed survives
``kill -9`` of the scheduler, because the pages are with the operating system by then. Only a crash of the whole
machine may lose the last moments, never the consistency of the file. In exchange no commit waits for the disk: the
``fsync`` belongs to the checkpoint, which runs in a thread of its own, so that the scheduler's loop does not stop for
it.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from proactive_jupyter_kernel.scheduler.attempt import Wire
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.store import codec
from proactive_jupyter_kernel.scheduler.store.base import (
    Batch,
    JobQuery,
    JobRow,
    LogLine,
    LogPart,
    LogText,
    Page,
    ResultRow,
    StoreUnavailable,
    TaskQuery,
    last_lines,
)
from proactive_jupyter_kernel.scheduler.store.columns import (
    extras_columns,
    forgotten_columns,
    job_columns,
    job_row,
    result_columns,
    task_columns,
    usage_columns,
    use_columns,
    window,
)
from proactive_jupyter_kernel.scheduler.store.migrations import migrate
from proactive_jupyter_kernel.scheduler.store.queries import job_conditions, job_order, named, task_conditions
from proactive_jupyter_kernel.scheduler.store.sqlite_errors import translated
from proactive_jupyter_kernel.workflow.model import Workflow
from proactive_jupyter_kernel.workflow.status import JOB_ENDED

__all__ = ["SqliteStore"]

_log = logging.getLogger(__name__)
_Row = TypeVar("_Row")

#: A checkpoint copies the write-ahead log into the file when the log is larger; SQLite's own default is 1,000 pages.
_CHECKPOINT_BYTES = 4 * 1024 * 1024

_Arguments = ParamSpec("_Arguments")
_Found = TypeVar("_Found")


def _reading(method: Callable[_Arguments, _Found]) -> Callable[_Arguments, _Found]:
    """A method that reads: what SQLite and the codec say of a file that cannot be read becomes `DamagedStore`."""

    @functools.wraps(method)
    def read(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Found:
        try:
            return method(*args, **kwargs)
        except (sqlite3.Error, codec.Damaged) as error:
            raise translated(error, args[0]._path, "read") from error  # type: ignore[attr-defined]

    return read


class SqliteStore:
    """`Store` on disk. `log_lines` and `log_bytes` bound what is kept of each task's output."""

    def __init__(self, path: Path, *, log_lines: int = 10_000, log_bytes: int = 8 * 1024 * 1024) -> None:
        """Open or create the file; raises `StoreUnavailable` or `EmbeddedSchedulerError` where that cannot be."""
        self._path = path
        self._log_lines = log_lines
        self._log_bytes = log_bytes
        self._closed = False
        self._owner = threading.get_ident()
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._checkpoint: threading.Thread | None = None
        with self._translated("opened"):
            self._writer = self._connect()
            # The service decides when to copy the log into the file (`_checkpoint_if_due`).
            self._writer.execute("PRAGMA wal_autocheckpoint = 0")
            # Copied wholly, the log begins anew, no longer than this: else it stays long and each write copies it.
            self._writer.execute(f"PRAGMA journal_size_limit = {_CHECKPOINT_BYTES}")
            migrate(self._writer, path)

    # --- writing -------------------------------------------------------------------------------------------------

    @property
    @_reading
    def last_job_id(self) -> int:
        row = self._writer.execute(named("last_job_id")).fetchone()
        return int(row[0]) if row else 0

    def write(self, batch: Batch) -> None:
        with self._translated("written"):
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                self._write_jobs(batch)
                self._each("save_result", result_columns, batch.results)
                self._each("add_core_time", usage_columns, batch.results)
                for part in batch.logs:
                    self._append(part)
                self._each("forget_job", forgotten_columns, batch.forgotten)
                self._write_channels(batch)
                self._writer.execute("COMMIT")
            except BaseException:
                # After an error of the disk SQLite may have rolled back already.
                with contextlib.suppress(sqlite3.Error):
                    if self._writer.in_transaction:
                        self._writer.execute("ROLLBACK")
                raise
        self._checkpoint_if_due()

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

    @_reading
    def job(self, job_id: int) -> JobRow | None:
        row = self._reader.execute(named("job"), {"job_id": job_id}).fetchone()
        return job_row(row) if row else None

    @_reading
    def jobs(self, query: JobQuery) -> Page[JobRow]:
        conditions, values = job_conditions(query)
        reader = self._reader
        total = reader.execute(named("count_jobs").format(conditions=conditions), values).fetchone()[0]
        rows = reader.execute(
            named("jobs").format(conditions=conditions, order=job_order(query)), values | window(query)
        )
        return Page(total, tuple(map(job_row, rows)))

    @_reading
    def xml(self, job_id: int) -> str | None:
        row = self._reader.execute(named("xml"), {"job_id": job_id}).fetchone()
        return codec.unsealed(row[0]) if row else None

    @_reading
    def workflow(self, job_id: int) -> Workflow | None:
        row = self._reader.execute(named("workflow"), {"job_id": job_id}).fetchone()
        return codec.loads(Workflow, row[0]) if row else None

    @_reading
    def tasks(self, job_id: int) -> tuple[TaskRecord, ...]:
        rows = self._reader.execute(named("tasks"), {"job_id": job_id})
        return tuple(codec.loads(TaskRecord, text) for (text,) in rows)

    @_reading
    def task(self, job_id: int, task_id: int) -> TaskRecord | None:
        row = self._reader.execute(named("task"), {"job_id": job_id, "task_id": task_id}).fetchone()
        return codec.loads(TaskRecord, row[0]) if row else None

    @_reading
    def task_named(self, job_id: int, name: str) -> TaskRecord | None:
        row = self._reader.execute(named("task_named"), {"job_id": job_id, "name": name}).fetchone()
        return codec.loads(TaskRecord, row[0]) if row else None

    @_reading
    def find_tasks(self, query: TaskQuery) -> Page[TaskRecord]:
        conditions, values = task_conditions(query)
        reader = self._reader
        total = reader.execute(named("count_tasks").format(conditions=conditions), values).fetchone()[0]
        rows = reader.execute(named("find_tasks").format(conditions=conditions), values | window(query))
        return Page(total, tuple(codec.loads(TaskRecord, text) for (text,) in rows))

    @_reading
    def results(self, job_id: int, task_ids: Iterable[int] | None = None) -> dict[int, ResultRow]:
        reader = self._reader
        rows: Iterable[tuple[str]] = ()
        if task_ids is None:
            rows = reader.execute(named("results"), {"job_id": job_id})
        else:
            keys = [{"job_id": job_id, "task_id": task_id} for task_id in task_ids]
            rows = itertools.chain.from_iterable(reader.execute(named("result"), key).fetchall() for key in keys)
        latest: dict[int, ResultRow] = {}
        for (text,) in rows:
            result = codec.loads(ResultRow, text)
            before = latest.pop(result.task_id, None)
            latest[result.task_id] = before if before and before.attempt > result.attempt else result
        return latest

    @_reading
    def log(self, job_id: int, task_id: int) -> LogText:
        lines: list[LogLine] = []
        first, end = 0, 0
        for first_line, attempt, text in self._reader.execute(named("log"), {"job_id": job_id, "task_id": task_id}):
            if not lines:
                first = first_line
            if first_line > end and lines:
                # Lines were skipped between two parts: what is before the gap is not the end of the log any more.
                lines, first = [], first_line
            part = [
                LogLine(error=bool(stream), at=at, text=line, attempt=attempt) for stream, at, line in codec.plain(text)
            ]
            lines += part
            end = first_line + sum(line.lines for line in part)
        kept = last_lines(lines, self._log_lines)
        dropped = sum(line.lines for line in lines[: len(lines) - len(kept)])
        return LogText(lines=tuple(kept), dropped=first + dropped)

    def jobs_to_restore(self) -> Iterator[tuple[JobRecord, Workflow, tuple[TaskRecord, ...]]]:
        for job in self._alive():
            workflow = self.workflow(job.job_id)
            if workflow is not None:
                yield job, workflow, () if job.status in JOB_ENDED else self.tasks(job.job_id)

    @_reading
    def _alive(self) -> list[JobRecord]:
        return [codec.loads(JobRecord, text) for (text,) in self._reader.execute(named("jobs_to_restore"))]

    @_reading
    def channels(self) -> dict[str, dict[str, Wire]]:
        return {name: codec.plain(entries) for name, entries in self._reader.execute(named("channels"))}

    # --- connections ---------------------------------------------------------------------------------------------

    def close(self) -> None:
        with self._lock:
            self._closed = True
        if self._checkpoint is not None:
            self._checkpoint.join()
        for reader in self._readers:
            reader.close()
        with contextlib.suppress(sqlite3.Error):
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._writer.close()

    @property
    def _reader(self) -> sqlite3.Connection:
        """The writer's connection in its own thread; a connection of its own in every other one."""
        if threading.get_ident() == self._owner:
            return self._writer
        reader: sqlite3.Connection | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._connect()
            reader.execute("PRAGMA query_only = ON")
            with self._lock:
                if self._closed:
                    reader.close()
                    raise StoreUnavailable("The scheduler's store is closed: the scheduler is stopping.")
                self._readers.append(reader)
            self._local.reader = reader
        return reader

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=2.0, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _checkpoint_if_due(self) -> None:
        if self._checkpoint is not None and self._checkpoint.is_alive():
            return
        with contextlib.suppress(OSError):
            if Path(f"{self._path}-wal").stat().st_size > _CHECKPOINT_BYTES:
                self._checkpoint = threading.Thread(target=self._run_checkpoint, name="checkpoint", daemon=True)
                self._checkpoint.start()

    def _run_checkpoint(self) -> None:
        # PASSIVE: never makes the writer wait; what it cannot copy now the next one will.
        try:
            connection = self._connect()
            try:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            finally:
                connection.close()
        except sqlite3.Error as error:
            _log.warning("The write-ahead log could not be copied into %s: %s", self._path, error)

    @contextlib.contextmanager
    def _translated(self, verb: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise translated(error, self._path, verb) from error
