"""The columns of the tables: from the records of the store to the parameters of statements, and back."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.raw_value import NULL, RawValue
from proactive_jupyter_kernel.scheduler.store import codec
from proactive_jupyter_kernel.scheduler.store.base import JobExtras, JobFacts, JobRow, NodeUse, ResultRow
from proactive_jupyter_kernel.scheduler.store.query import JobQuery, TaskQuery

__all__ = [
    "checked",
    "extras_columns",
    "forgotten_columns",
    "job_columns",
    "job_row",
    "result_columns",
    "result_row",
    "task_columns",
    "usage_columns",
    "use_columns",
    "window",
]


def window(query: JobQuery | TaskQuery) -> dict[str, int]:
    """The part of a listing that a query asks for."""
    return {"limit": -1 if query.limit is None else query.limit, "offset": query.offset}


#: What SQLite keeps as an integer.
_LEAST, _MOST = -(2**63), 2**63 - 1


def _text(text: str) -> str:
    """The text as a column can hold it. Columns are searched; the record beside them has the text itself."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _moment(milliseconds: int | None) -> int | None:
    """A time as a column can hold it."""
    return None if milliseconds is None else max(_LEAST, min(_MOST, milliseconds))


def job_columns(job: JobRecord) -> dict[str, Any]:
    """The columns of a job."""
    return {
        "job_id": job.job_id,
        "name": _text(job.name),
        "owner": _text(job.owner),
        "status": job.status.value,
        "priority": int(job.priority),
        "submitted_at": job.submitted_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "in_error_at": job.in_error_at,
        "start_at": _moment(job.start_at),
        "remove_at": _moment(job.remove_at),
        "total": job.total,
        "pending": job.pending,
        "running": job.running,
        "finished": job.finished,
        "failed": job.failed,
        "faulty": job.faulty,
        "in_error": job.in_error,
        "record": codec.dumps(job),
    }


def task_columns(task: TaskRecord) -> dict[str, Any]:
    """The columns of a task."""
    return {
        "job_id": task.job_id,
        "task_id": task.task_id,
        "name": _text(task.name),
        "tag": _text(task.tag),
        "status": task.status.value,
        "started_at": task.started_at,
        "record": codec.dumps(task),
    }


def result_columns(result: ResultRow) -> dict[str, Any]:
    """The columns of a result."""
    return {
        "job_id": result.job_id,
        "task_id": result.task_id,
        "attempt": result.attempt,
        "finished_at": result.finished_at,
        "record": codec.dumps(result),
        "value": None if result.value is NULL else (text := result.value.text),
        "checksum": None if result.value is NULL else codec.checksum(text),
    }


def result_row(row: tuple[Any, ...], load: Callable[[int, int, int], bytes]) -> ResultRow:
    """A result of the columns that the queries of results give; `load` reads a value that is too large for them."""
    record, size, value, checksum = row
    content = codec.plain(record)
    try:
        result = codec.from_json(ResultRow, content)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise codec.Damaged(f"it is not a result: {error}") from error
    if size is None:
        # Stored before values had a column, or null.
        raw = RawValue.of(content.get("value"))
    elif value is None:
        raw = RawValue.stored(size, functools.partial(load, result.job_id, result.task_id, result.attempt))
    else:
        raw = RawValue(checked(value, checksum))
    return result if raw is NULL else replace(result, value=raw)


def checked(value: bytes, checksum: int) -> bytes:
    """The text of a value; raises `codec.Damaged` where it is not what was stored."""
    if codec.checksum(value) != checksum:
        raise codec.Damaged("its checksum differs")
    return value


def forgotten_columns(job_id: int) -> dict[str, Any]:
    """The columns by which a job is removed."""
    return {"job_id": job_id}


def use_columns(use: NodeUse) -> dict[str, Any]:
    """The columns of the nodes that a job uses."""
    return {"job_id": use.job_id, "nodes": use.nodes}


def extras_columns(attached: tuple[int, JobExtras]) -> dict[str, Any]:
    """The columns of what is attached to a job."""
    job_id, extras = attached
    return {"job_id": job_id, "extras": codec.dumps(extras)}


def usage_columns(result: ResultRow) -> dict[str, Any]:
    """The columns of what a result adds to its job."""
    return {
        "job_id": result.job_id,
        "duration": max(result.duration, 0),
        "has_result_map": int(bool(result.result_map)),
    }


def job_row(row: Sequence[Any]) -> JobRow:
    """A job of the columns that the queries of jobs give."""
    record, facts, core_time, nodes, nodes_in_parallel, has_result_map, extras, children = row
    return JobRow(
        record=codec.loads(JobRecord, record),
        facts=codec.loads(JobFacts, facts),
        core_time=core_time,
        nodes=nodes,
        nodes_in_parallel=nodes_in_parallel,
        has_result_map=bool(has_result_map),
        extras=codec.loads(JobExtras, extras),
        children=children,
    )
