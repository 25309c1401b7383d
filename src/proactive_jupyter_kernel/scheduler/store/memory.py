"""The store in memory: the twin of `SqliteStore` for tests, with the same promises but the lasting ones."""

from __future__ import annotations

import contextlib
import copy
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from proactive_jupyter_kernel.scheduler.attempt import Wire
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.store.base import Batch, JobRow, ResultRow, Submission, TaskOutline
from proactive_jupyter_kernel.scheduler.store.errors import StoreGone, StoreUnavailable
from proactive_jupyter_kernel.scheduler.store.listing import FAILED_TASK, JobGroup, group_of, key_of, search_words
from proactive_jupyter_kernel.scheduler.store.logs import LogLine, LogPart, LogTail, LogText, last_lines, last_parts
from proactive_jupyter_kernel.scheduler.store.query import SORTABLE, JobQuery, Page, TaskQuery
from proactive_jupyter_kernel.workflow.model import Workflow
from proactive_jupyter_kernel.workflow.status import JOB_ALIVE

__all__ = ["MemoryStore"]


@dataclass(slots=True)
class _Job:
    row: JobRow
    submission: Submission
    tasks: dict[int, TaskRecord] = field(default_factory=dict)
    #: In the order in which they came.
    results: list[ResultRow] = field(default_factory=list)
    logs: dict[int, LogText] = field(default_factory=dict)
    #: All parts of the output in the order in which they came.
    parts: list[LogPart] = field(default_factory=list)


class MemoryStore:
    """`Store` in memory. Set `unavailable` to a reason and every write is refused with it, as by a full disk; set
    `gone`, and it is as if the file had been removed."""

    def __init__(self, *, log_lines: int = 10_000, log_bytes: int = 8 * 1024 * 1024) -> None:
        self._jobs: dict[int, _Job] = {}
        self._last_job_id = 0
        self.revision = 0
        self._channels: dict[str, dict[str, Wire]] = {}
        self._log_lines = log_lines
        self._log_bytes = log_bytes
        self.unavailable = ""
        self.gone = ""

    @property
    def last_job_id(self) -> int:
        return self._last_job_id

    def write(self, batch: Batch) -> None:
        self.check()
        if self.unavailable:
            raise StoreUnavailable(self.unavailable)
        for new in batch.submissions:
            self._jobs[new.job_id] = _Job(JobRow(record=batch.jobs[new.job_id], facts=new.facts), new)
            self._last_job_id = max(self._last_job_id, new.job_id)
        for job_id, record in batch.jobs.items():
            if job_id in self._jobs:
                self._change(job_id, record=record)
        for (job_id, task_id), task in batch.tasks.items():
            if job_id in self._jobs:
                self._jobs[job_id].tasks[task_id] = task
        for use in batch.node_uses:
            if use.job_id in self._jobs:
                row = self._jobs[use.job_id].row
                most = max(row.nodes_in_parallel, row.record.running, use.nodes)
                self._change(use.job_id, nodes=row.nodes + use.nodes, nodes_in_parallel=most)
        for job_id, extras in batch.extras.items():
            if job_id in self._jobs:
                self._change(job_id, extras=extras)
        for result in batch.results:
            if result.job_id in self._jobs:
                self._add_result(result)
        for part in batch.logs:
            if part.job_id in self._jobs:
                self._append(part)
        for job_id in batch.forgotten:
            self._jobs.pop(job_id, None)
        for name, entries in batch.channels.items():
            self._channels.pop(name, None)
            if entries is not None:
                self._channels[name] = dict(entries)
        if batch.revision is not None:
            self.revision = batch.revision

    def try_write(self, batch: Batch) -> bool:
        self.write(batch)
        return True

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[MemoryStore]:
        """The store itself: tests need no isolation."""
        yield self

    def check(self) -> None:
        if self.gone:
            raise StoreGone(self.gone)

    def _change(self, job_id: int, **changes: Any) -> None:
        job = self._jobs[job_id]
        job.row = replace(job.row, **changes)

    def _add_result(self, result: ResultRow) -> None:
        job = self._jobs[result.job_id]
        same = (result.task_id, result.attempt)
        job.results = [row for row in job.results if (row.task_id, row.attempt) != same]
        job.results.append(result)
        row = job.row
        self._change(
            result.job_id,
            core_time=row.core_time + max(result.duration, 0),
            has_result_map=row.has_result_map or bool(result.result_map),
        )

    def _append(self, part: LogPart) -> None:
        self._jobs[part.job_id].parts.append(part)
        logs = self._jobs[part.job_id].logs
        log = logs.get(part.task_id, LogText())
        if part.skipped:
            log = LogText(dropped=log.dropped + sum(line.lines for line in log.lines) + part.skipped)
        logs[part.task_id] = self._trimmed(log, part.lines)

    def _trimmed(self, log: LogText, new: tuple[LogLine, ...]) -> LogText:
        lines = [*log.lines, *new]
        first = len(lines) - len(last_lines(lines, self._log_lines, self._log_bytes))
        dropped = sum(line.lines for line in lines[:first])
        return LogText(lines=tuple(lines[first:]), dropped=log.dropped + dropped)

    def job(self, job_id: int) -> JobRow | None:
        return self._row(self._jobs[job_id]) if job_id in self._jobs else None

    def _row(self, job: _Job) -> JobRow:
        job_id = job.row.record.job_id
        children = sum(other.row.facts.parent_id == job_id for other in list(self._jobs.values()))
        return replace(job.row, children=children)

    def jobs(self, query: JobQuery) -> Page[JobRow]:
        rows = [self._row(job) for job in list(self._jobs.values()) if self._matches(job, query)]
        for column, falling in reversed(query.sort):
            if column not in SORTABLE:
                raise ValueError(f"jobs cannot be sorted by {column!r}")
            rows.sort(key=lambda row: _sort_key(row, column), reverse=falling)
        return Page(len(rows), tuple(_window(rows, query)))

    def _matches(self, job: _Job, query: JobQuery) -> bool:
        return _job_matches(job.row, query) and (not query.text or _found(job, key_of(query.text)))

    def job_groups(self, query: JobQuery) -> dict[JobGroup, int]:
        matching = [job.row.record for job in list(self._jobs.values()) if self._matches(job, query)]
        return dict(Counter(group_of(job.status, _has_issues(job)) for job in matching))

    def projects(self, most: int) -> tuple[str, ...]:
        return tuple(sorted({job.row.facts.project for job in self._jobs.values()} - {""})[:most])

    def owners(self, most: int) -> tuple[str, ...]:
        return tuple(sorted({job.row.record.owner for job in self._jobs.values()})[:most])

    def first_failures(self, job_ids: Iterable[int]) -> dict[int, TaskRecord]:
        failed = {job_id: [task for task in self.tasks(job_id) if task.status in FAILED_TASK] for job_id in job_ids}
        return {job_id: tasks[0] for job_id, tasks in failed.items() if tasks}

    def xml(self, job_id: int) -> str | None:
        job = self._jobs.get(job_id)
        return job.submission.xml if job else None

    def workflow(self, job_id: int) -> Workflow | None:
        job = self._jobs.get(job_id)
        return job.submission.workflow if job else None

    def tasks(self, job_id: int) -> tuple[TaskRecord, ...]:
        job = self._jobs.get(job_id)
        return tuple(job.tasks[task_id] for task_id in sorted(job.tasks)) if job else ()

    def tasks_of(self, job_id: int, task_ids: Iterable[int]) -> tuple[TaskRecord, ...]:
        wanted = frozenset(task_ids)
        return tuple(task for task in self.tasks(job_id) if task.task_id in wanted)

    def task_outlines(self, job_id: int) -> tuple[TaskOutline, ...]:
        return tuple(TaskOutline(task.task_id, task.name, task.status, task.started_at) for task in self.tasks(job_id))

    def task(self, job_id: int, task_id: int) -> TaskRecord | None:
        job = self._jobs.get(job_id)
        return job.tasks.get(task_id) if job else None

    def task_named(self, job_id: int, name: str) -> TaskRecord | None:
        return next((task for task in self.tasks(job_id) if task.name == name), None)

    def find_tasks(self, query: TaskQuery) -> Page[TaskRecord]:
        rows = [
            task
            for job_id in sorted(self._jobs, reverse=True)
            for task in self.tasks(job_id)
            if _task_matches(task, self._jobs[job_id].row.record.owner, query)
        ]
        return Page(len(rows), tuple(_window(rows, query)))

    def results(self, job_id: int, task_ids: Iterable[int] | None = None) -> dict[int, ResultRow]:
        job = self._jobs.get(job_id)
        wanted = None if task_ids is None else list(task_ids)
        latest: dict[int, ResultRow] = {}
        for row in list(job.results) if job else ():
            before = latest.pop(row.task_id, None)
            latest[row.task_id] = before if before and before.attempt > row.attempt else row
        if wanted is None:
            return latest
        return {task_id: latest[task_id] for task_id in wanted if task_id in latest}

    def log(self, job_id: int, task_id: int) -> LogText:
        job = self._jobs.get(job_id)
        return job.logs.get(task_id, LogText()) if job else LogText()

    def log_tail(
        self, job_id: int, *, task_id: int | None = None, after: int = 0, lines: int, size: int = 2**62
    ) -> LogTail:
        job = self._jobs.get(job_id)
        parts = [
            (position, part)
            for position, part in enumerate(job.parts if job else (), 1)
            if position > after and task_id in (None, part.task_id)
        ]
        sizes = [
            (sum(line.lines for line in part.lines), sum(len(line.text) for line in part.lines)) for _, part in parts
        ]
        chosen = last_parts(sizes[::-1], lines, size)
        return LogTail(
            lines=tuple((part.task_id, line) for _, part in parts[len(parts) - chosen :] for line in part.lines),
            position=parts[-1][0] if parts else after,
            cut=len(parts) > chosen,
        )

    def jobs_to_restore(self) -> Iterator[tuple[JobRecord, Workflow | str, tuple[TaskRecord, ...]]]:
        for job_id, job in sorted(copy.copy(self._jobs).items()):
            record = job.row.record
            if record.status in JOB_ALIVE:
                yield record, job.submission.workflow, self.tasks(job_id)
            elif record.remove_at is not None:
                yield record, "", ()

    def channels(self) -> dict[str, dict[str, Wire]]:
        return {name: dict(entries) for name, entries in self._channels.items()}

    @property
    def used(self) -> int:
        return 0

    def shrink(self) -> bool:
        return False

    def close(self) -> None:
        """Does nothing: there is no file to close."""


def _window(rows: list[Any], query: JobQuery | TaskQuery) -> list[Any]:
    end = None if query.limit is None else query.offset + query.limit
    return rows[query.offset : end]


def _sort_key(row: JobRow, column: str) -> Any:
    if column == "alive":
        return row.record.status in JOB_ALIVE
    value = getattr(row.record, column)
    if column == "status":
        return value.value
    # SQLite puts null before every number.
    return (value is not None, value) if column == "start_at" else value


def _between(value: int | None, after: int | None, before: int | None) -> bool:
    if after is None and before is None:
        return True
    return value is not None and (after is None or value > after) and (before is None or value < before)


def _job_matches(row: JobRow, query: JobQuery) -> bool:
    job, facts = row.record, row.facts
    ended_in_time = query.finished_before is None or 0 <= job.finished_at < query.finished_before
    return (
        (query.statuses is None or job.status in query.statuses)
        and query.job_id in (None, job.job_id)
        and query.owner in ("", job.owner)
        and job.name.startswith(query.name)
        and facts.project.startswith(query.project)
        and facts.bucket.startswith(query.bucket)
        and facts.mode.startswith(query.mode)
        and query.parent_id in (None, facts.parent_id)
        and (query.children or facts.parent_id is None)
        and (not query.with_issues or _has_issues(job))
        and query.in_project in ("", facts.project)
        and query.group in (None, group_of(job.status, _has_issues(job)))
        and _between(job.submitted_at, query.submitted_after, query.submitted_before)
        and _between(job.start_at, query.start_at_after, query.start_at_before)
        and ended_in_time
    )


def _has_issues(job: JobRecord) -> bool:
    return job.faulty + job.failed + job.in_error > 0


def _found(job: _Job, text: str) -> bool:
    """Whether a search for this finds the job."""
    if text == str(job.row.record.job_id) or text in search_words(job.row.record.name, job.row.facts):
        return True
    failed = [task for task in job.tasks.values() if task.status in FAILED_TASK and task.failure]
    return any(text in key_of(task.failure.message) for task in failed if task.failure)


def _task_matches(task: TaskRecord, owner: str, query: TaskQuery) -> bool:
    return (
        (query.statuses is None or task.status in query.statuses)
        and query.tag in ("", task.tag)
        and query.owner in ("", owner)
        and (query.started_from is None or task.started_at >= query.started_from)
        and (query.started_to is None or 0 <= task.started_at <= query.started_to)
    )
