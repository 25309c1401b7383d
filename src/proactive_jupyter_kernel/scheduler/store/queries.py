"""The statements of ``queries.sql`` by name, and the conditions of a listing."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources
from typing import Any

from proactive_jupyter_kernel.scheduler.store.base import SORTABLE, JobQuery, TaskQuery
from proactive_jupyter_kernel.workflow.status import JOB_ALIVE, TASK_ALIVE

__all__ = ["job_conditions", "job_order", "named", "parse", "task_conditions"]

_MARK = "-- name:"


def parse(text: str) -> Mapping[str, str]:
    """Statements by name; each begins with a line ``-- name: NAME`` and may have comments under it."""
    statements: dict[str, str] = {}
    for block in text.split(_MARK)[1:]:
        name, _, body = block.partition("\n")
        lines = [line for line in body.splitlines() if line.strip() and not line.startswith("--")]
        statements[name.strip()] = "\n".join(lines)
    return statements


@functools.cache
def _statements() -> Mapping[str, str]:
    return parse((resources.files(__package__) / "queries.sql").read_text(encoding="utf-8"))


def named(name: str) -> str:
    """The statement of that name; KeyError if ``queries.sql`` has none."""
    return _statements()[name]


#: Field of `JobQuery` -> condition; used where the field has a value.
_JOB_CONDITIONS = {
    "job_id": "job_id = :job_id",
    # The sign keeps its index from rows, which another index has in their order; it serves the count.
    "owner": "+owner = :owner",
    "name": "substr(name, 1, length(:name)) = :name",
    "project": "substr(project, 1, length(:project)) = :project",
    "bucket": "substr(bucket, 1, length(:bucket)) = :bucket",
    "mode": "substr(mode, 1, length(:mode)) = :mode",
    "parent_id": "parent_id = :parent_id",
    "submitted_after": "submitted_at > :submitted_after",
    "submitted_before": "submitted_at < :submitted_before",
    "start_at_after": "start_at > :start_at_after",
    "start_at_before": "start_at < :start_at_before",
    "finished_before": "finished_at BETWEEN 0 AND :finished_before - 1",
}
_TASK_CONDITIONS = {
    # As the index has it.
    "tag": "tasks.tag = :tag AND tasks.tag != ''",
    "owner": "jobs.owner = :owner",
    "started_from": "tasks.started_at >= :started_from",
    "started_to": "tasks.started_at BETWEEN 0 AND :started_to",
}


def _conditions(table: Mapping[str, str], query: JobQuery | TaskQuery) -> tuple[list[str], dict[str, Any]]:
    values = {name: getattr(query, name) for name in table}
    given = {name: value for name, value in values.items() if value not in (None, "")}
    return [table[name] for name in given], given


def _among(column: str, words: list[str], values: dict[str, Any]) -> str:
    names = [f"{column.replace('.', '_')}_{number}" for number in range(len(words))]
    values.update(zip(names, words, strict=True))
    return f"{column} IN ({', '.join(':' + name for name in names)})"


def job_conditions(query: JobQuery) -> tuple[str, dict[str, Any]]:
    """The text for ``{conditions}`` and its values."""
    conditions, values = _conditions(_JOB_CONDITIONS, query)
    if query.statuses is not None:
        conditions.append(_among("status", sorted(status.value for status in query.statuses), values))
    if not query.children:
        conditions.append("parent_id IS NULL")
    if query.with_issues:
        conditions.append("faulty + failed + in_error > 0")
    return " AND ".join(conditions) or "1", values


def task_conditions(query: TaskQuery) -> tuple[str, dict[str, Any]]:
    """The text for ``{conditions}`` and its values."""
    conditions, values = _conditions(_TASK_CONDITIONS, query)
    if query.statuses is not None:
        conditions.append(_among("tasks.status", sorted(status.value for status in query.statuses), values))
        if query.statuses <= TASK_ALIVE:
            # Only these jobs have such tasks, and they are few.
            conditions.append(_among("jobs.status", sorted(status.value for status in JOB_ALIVE), values))
    return " AND ".join(conditions) or "1", values


def job_order(query: JobQuery) -> str:
    """The text for ``{order}``; ValueError for a column by which jobs are not sorted."""
    terms = []
    for column, falling in query.sort:
        if column not in SORTABLE:
            raise ValueError(f"jobs cannot be sorted by {column!r}")
        terms.append(f"{column} {'DESC' if falling else 'ASC'}")
    return ", ".join(terms) or "job_id DESC"
