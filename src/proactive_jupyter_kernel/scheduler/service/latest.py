"""The results of attempts that ended well last, so that the tasks that depend on them need not read the store.

They are what the store has, or will have before anybody is started who reads them.
"""

from __future__ import annotations

from collections.abc import Sequence

from proactive_jupyter_kernel.scheduler.engine.records import TaskRecord
from proactive_jupyter_kernel.scheduler.service.results import TaskResult, result_of
from proactive_jupyter_kernel.scheduler.store.base import ResultRow

__all__ = ["LatestResults"]

#: How many are kept, and the most bytes that one may take.
_MOST, _LARGEST = 256, 16 * 1024


class LatestResults:
    """The latest results by job and task. Used in the thread of the loop."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, int], ResultRow] = {}

    def note(self, row: ResultRow) -> None:
        """Remember the result of an attempt that has ended."""
        key = (row.job_id, row.task_id)
        self._rows.pop(key, None)
        if row.failure is None and row.value.size + sum(map(len, row.metadata.values())) <= _LARGEST:
            # Variables and the map of results may be large, and no task asks for them here.
            self._rows[key] = ResultRow(
                job_id=row.job_id,
                task_id=row.task_id,
                attempt=row.attempt,
                finished_at=row.finished_at,
                value=row.value,
                metadata=row.metadata,
            )
            if len(self._rows) > _MOST:
                del self._rows[next(iter(self._rows))]

    def of(self, tasks: Sequence[TaskRecord]) -> list[TaskResult] | None:
        """The results of these tasks as other tasks see them; None if the result of one of them is not known here."""
        found = []
        for task in tasks:
            row = self._rows.get((task.job_id, task.task_id))
            if row is None or row.attempt != task.attempts:
                return None
            found.append(result_of(task, row))
        return found
