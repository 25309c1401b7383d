"""Reads the SQLite file of the store: one object for each connection."""

from __future__ import annotations

import contextlib
import functools
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from proactive_jupyter_kernel.scheduler.attempt import Wire
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.store import codec
from proactive_jupyter_kernel.scheduler.store.base import JobFacts, JobRow, ResultRow, TaskOutline
from proactive_jupyter_kernel.scheduler.store.columns import checked, job_row, result_row, window
from proactive_jupyter_kernel.scheduler.store.damaged import damaged_job, damaged_task
from proactive_jupyter_kernel.scheduler.store.errors import StoreUnavailable
from proactive_jupyter_kernel.scheduler.store.listing import JobGroup, group_of
from proactive_jupyter_kernel.scheduler.store.logs import LogLine, LogTail, LogText, last_lines, last_parts
from proactive_jupyter_kernel.scheduler.store.queries import job_conditions, job_order, named, task_conditions
from proactive_jupyter_kernel.scheduler.store.query import JobQuery, Page, TaskQuery
from proactive_jupyter_kernel.scheduler.store.sqlite_errors import translated
from proactive_jupyter_kernel.workflow.model import Workflow
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

__all__ = ["SqliteRows"]

#: A value of at most so many bytes is read with its row. A larger one is read when somebody wants it, each time, so
#: that a task with a thousand large parents does not need them all in memory at once.
_INLINE = 16 * 1024

_STATUSES = {status.value: status for status in TaskStatus}
_JOB_STATUSES = {status.value: status for status in JobStatus}

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


class SqliteRows:
    """`Rows` of one connection, which one thread at a time may use."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path,
        *,
        log_lines: int,
        log_bytes: int = 2**62,
        load: Callable[[int, int, int], bytes],
    ) -> None:
        """`load` reads the value of an execution later, in any thread: ids of job and task, number of the attempt."""
        self._connection = connection
        self._path = path
        self._log_lines = log_lines
        self._log_bytes = log_bytes
        self._load = load

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is read inside is of one moment: that of the first reading."""
        try:
            self._connection.execute("BEGIN")
            yield
        except sqlite3.Error as error:
            raise translated(error, self._path, "read") from error
        finally:
            if self._connection.in_transaction:
                # Nothing was written. A COMMIT fails where a page of the file cannot be read, and leaves it open.
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")

    @property
    @_reading
    def revision(self) -> int:
        row = self._connection.execute(named("revision")).fetchone()
        return int(row[0]) if row else 0

    @property
    @_reading
    def last_job_id(self) -> int:
        row = self._connection.execute(named("last_job_id")).fetchone()
        return int(row[0]) if row else 0

    @_reading
    def job(self, job_id: int) -> JobRow | None:
        row = self._connection.execute(named("job"), {"job_id": job_id}).fetchone()
        return self._job(row) if row else None

    def _job(self, row: tuple[Any, ...]) -> JobRow:
        """A job of the columns of its query, or what can be read of it."""
        *content, job_id = row
        try:
            return job_row(content)
        except codec.Damaged as error:
            return damaged_job(self._connection.execute(named("job_columns"), {"job_id": job_id}).fetchone(), error)

    def _task(self, row: tuple[str, int, int], *, intact: bool = False) -> TaskRecord:
        """A task of the columns of its query, or what can be read of it; `intact`: nothing less than all."""
        text, job_id, task_id = row
        try:
            return codec.loads(TaskRecord, text)
        except codec.Damaged as error:
            if intact:
                raise
            key = {"job_id": job_id, "task_id": task_id}
            return damaged_task(self._connection.execute(named("task_columns"), key).fetchone(), error)

    @_reading
    def jobs(self, query: JobQuery) -> Page[JobRow]:
        conditions, values = job_conditions(query)
        total = self._connection.execute(named("count_jobs").format(conditions=conditions), values).fetchone()[0]
        paged = "jobs_of_page" if query.sort[:1] == (("alive", True),) else "jobs"
        rows = self._connection.execute(
            named(paged).format(conditions=conditions, order=job_order(query)), values | window(query)
        )
        return Page(total, tuple(map(self._job, rows)))

    @_reading
    def job_groups(self, query: JobQuery) -> dict[JobGroup, int]:
        conditions, values = job_conditions(query)
        found: dict[JobGroup, int] = {}
        for name, issues, count in self._connection.execute(named("job_groups").format(conditions=conditions), values):
            group = group_of(_JOB_STATUSES[name], bool(issues))
            found[group] = found.get(group, 0) + count
        return found

    @_reading
    def projects(self, most: int) -> tuple[str, ...]:
        return tuple(name for (name,) in self._connection.execute(named("projects"), {"limit": most}))

    @_reading
    def owners(self, most: int) -> tuple[str, ...]:
        return tuple(name for (name,) in self._connection.execute(named("owners"), {"limit": most}))

    @_reading
    def first_failures(self, job_ids: Iterable[int]) -> dict[int, TaskRecord]:
        found = {
            job_id: self._connection.execute(named("first_failure"), {"job_id": job_id}).fetchone()
            for job_id in job_ids
        }
        return {job_id: self._task(row) for job_id, row in found.items() if row}

    @_reading
    def xml(self, job_id: int) -> str | None:
        row = self._connection.execute(named("xml"), {"job_id": job_id}).fetchone()
        return codec.unsealed(row[0]) if row else None

    @_reading
    def workflow(self, job_id: int) -> Workflow | None:
        row = self._connection.execute(named("workflow"), {"job_id": job_id}).fetchone()
        return codec.loads(Workflow, row[0]) if row else None

    @_reading
    def tasks(self, job_id: int, *, intact: bool = False) -> tuple[TaskRecord, ...]:
        """A job's tasks by id. `intact`: refuse to show a damaged one as far as it can be read."""
        rows = self._connection.execute(named("tasks"), {"job_id": job_id})
        return tuple(self._task(row, intact=intact) for row in rows)

    @_reading
    def tasks_of(self, job_id: int, task_ids: Iterable[int]) -> tuple[TaskRecord, ...]:
        wanted = {"job_id": job_id, "task_ids": json.dumps(list(task_ids))}
        return tuple(map(self._task, self._connection.execute(named("tasks_of"), wanted)))

    @_reading
    def task_outlines(self, job_id: int) -> tuple[TaskOutline, ...]:
        rows = self._connection.execute(named("task_outlines"), {"job_id": job_id})
        return tuple(
            TaskOutline(task_id, name, _STATUSES[status], started_at) for task_id, name, status, started_at in rows
        )

    @_reading
    def task(self, job_id: int, task_id: int) -> TaskRecord | None:
        row = self._connection.execute(named("task"), {"job_id": job_id, "task_id": task_id}).fetchone()
        return self._task(row) if row else None

    @_reading
    def task_named(self, job_id: int, name: str) -> TaskRecord | None:
        row = self._connection.execute(named("task_named"), {"job_id": job_id, "name": name}).fetchone()
        return self._task(row) if row else None

    @_reading
    def find_tasks(self, query: TaskQuery) -> Page[TaskRecord]:
        conditions, values = task_conditions(query)
        count = named("count_tasks" if "jobs." in conditions else "count_tasks_alone")
        total = self._connection.execute(count.format(conditions=conditions), values).fetchone()[0]
        rows = self._connection.execute(named("find_tasks").format(conditions=conditions), values | window(query))
        return Page(total, tuple(map(self._task, rows)))

    @_reading
    def results(self, job_id: int, task_ids: Iterable[int] | None = None) -> dict[int, ResultRow]:
        rows: Iterable[tuple[Any, ...]] = ()
        if task_ids is None:
            rows = self._connection.execute(named("results"), {"job_id": job_id, "most": _INLINE})
        else:
            wanted = {"job_id": job_id, "task_ids": json.dumps(list(task_ids)), "most": _INLINE}
            rows = self._connection.execute(named("results_of"), wanted)
        latest: dict[int, ResultRow] = {}
        for row in rows:
            result = result_row(row, self._load)
            before = latest.pop(result.task_id, None)
            latest[result.task_id] = before if before and before.attempt > result.attempt else result
        return latest

    @_reading
    def log(self, job_id: int, task_id: int) -> LogText:
        lines: list[LogLine] = []
        first, end = 0, 0
        for first_line, attempt, text in self._connection.execute(named("log"), {"job_id": job_id, "task_id": task_id}):
            if not lines:
                first = first_line
            if first_line > end and lines:
                # Lines were skipped between two parts: what is before the gap is no longer the end of the log.
                lines, first = [], first_line
            part = [
                LogLine(error=bool(stream), at=at, text=line, attempt=attempt) for stream, at, line in codec.plain(text)
            ]
            lines += part
            end = first_line + sum(line.lines for line in part)
        kept = last_lines(lines, self._log_lines, self._log_bytes)
        dropped = sum(line.lines for line in lines[: len(lines) - len(kept)])
        return LogText(lines=tuple(kept), dropped=first + dropped)

    @_reading
    def log_tail(
        self, job_id: int, *, task_id: int | None = None, after: int = 0, lines: int, size: int = 2**62
    ) -> LogTail:
        # Each part has a line or more.
        wanted = {"job_id": job_id, "task_id": task_id, "after": after, "parts": lines + 1}
        parts = self._connection.execute(named("log_tail"), wanted).fetchall()
        chosen = last_parts([(count, length) for _, count, length in parts], lines, size)
        found: list[tuple[int, LogLine]] = []
        for position, _, _ in reversed(parts[:chosen]):
            writer, attempt, text = self._connection.execute(named("log_part"), {"position": position}).fetchone()
            found += [
                (writer, LogLine(error=bool(stream), at=at, text=line, attempt=attempt))
                for stream, at, line in codec.plain(text)
            ]
        return LogTail(lines=tuple(found), position=parts[0][0] if parts else after, cut=len(parts) > chosen)

    @_reading
    def value(self, job_id: int, task_id: int, attempt: int) -> bytes:
        """The JSON text of what an execution returned."""
        key = {"job_id": job_id, "task_id": task_id, "attempt": attempt}
        row = self._connection.execute(named("value"), key).fetchone()
        if row is None:
            raise StoreUnavailable(f"The result of task {job_id}t{task_id} cannot be read: job {job_id} was removed.")
        return checked(*row)

    @property
    def used(self) -> int:
        """How many bytes jobs, results and logs take."""
        pages, free, size = (
            int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size

    @_reading
    def to_restore(self) -> list[JobRow]:
        """Jobs that have not ended, and those that are to be removed some time; without what only lists show."""
        found = []
        for text, job_id in self._connection.execute(named("jobs_to_restore")).fetchall():
            try:
                found.append(JobRow(record=codec.loads(JobRecord, text), facts=JobFacts()))
            except codec.Damaged as error:
                columns = self._connection.execute(named("job_columns"), {"job_id": job_id}).fetchone()
                found.append(damaged_job(columns, error))
        return found

    @_reading
    def channels(self) -> dict[str, dict[str, Wire]]:
        """The channels of tasks that outlive the scheduler's process, by name."""
        return {name: codec.plain(entries) for name, entries in self._connection.execute(named("channels"))}
