"""The statements of ``queries.sql`` by name, and the conditions of a listing."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from proactive_jupyter_kernel.scheduler.store.listing import GROUPS, JobGroup, key_of
from proactive_jupyter_kernel.scheduler.store.query import SORTABLE, JobQuery, TaskQuery
from proactive_jupyter_kernel.workflow.status import JOB_ALIVE, JOB_ENDED, TASK_ALIVE

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
    "in_project": "project = :in_project",
}
#: The failure of a task, from its record, whose text ends with a checksum.
_FAILURE = (
    "json_extract(CASE WHEN json_valid(substr(record, 1, length(record) - 9)) "
    "THEN substr(record, 1, length(record) - 9) ELSE '{}' END, '$.failure.message')"
)
#: Jobs that a search finds: by number, by words, by the error of a task. The second condition of tasks spares most of
#: them the third.
_SEARCH = f"""(job_id = :number OR job_id IN (SELECT job_id FROM jobs WHERE instr(words, :text) > 0)
    OR job_id IN (SELECT job_id FROM tasks
        WHERE status IN ('FAULTY', 'FAILED', 'NOT_RESTARTED', 'IN_ERROR', 'WAITING_ON_ERROR')
        AND instr(lower(record), :escaped) > 0 AND instr(lower({_FAILURE}), :text) > 0))"""
_ISSUES = "faulty + failed + in_error > 0"
_GROUPS = {
    JobGroup.FAILED: f"(status IN ('CANCELED', 'FAILED') OR status = 'FINISHED' AND {_ISSUES})",
    JobGroup.FINISHED: f"status = 'FINISHED' AND NOT {_ISSUES}",
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
        conditions.append(_ISSUES)
    if query.group is not None:
        statuses = sorted(status.value for status, group in GROUPS.items() if group is query.group)
        conditions.append(_GROUPS.get(query.group) or _among("status", statuses, values))
    if query.text:
        conditions.append(_SEARCH)
        text = key_of(query.text)
        number = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else -1
        values |= {"text": text, "escaped": json.dumps(text)[1:-1].lower(), "number": number}
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
        if column == "alive":
            ended = ", ".join(f"'{status.value}'" for status in sorted(JOB_ENDED, key=lambda status: status.value))
            terms.append(f"status {'' if falling else 'NOT '}IN ({ended})")
            continue
        if column not in SORTABLE:
            raise ValueError(f"jobs cannot be sorted by {column!r}")
        terms.append(f"{column} {'DESC' if falling else 'ASC'}")
    return ", ".join(terms) or "job_id DESC"
