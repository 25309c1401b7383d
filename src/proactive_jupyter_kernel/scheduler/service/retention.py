"""Removes ended jobs that are beyond the limits of number and age, and gives their space back to the disk.

It looks a moment after the start and after jobs have ended, and once an hour while there is a limit of age; at other
times nothing wakes the scheduler. Jobs are removed a few at a time, as a user would remove them, and running tasks are
never touched.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from proactive_jupyter_kernel.scheduler.store.base import JobRow, Rows, Store
from proactive_jupyter_kernel.scheduler.store.errors import StoreUnavailable
from proactive_jupyter_kernel.scheduler.store.query import JobQuery
from proactive_jupyter_kernel.workflow.status import JOB_ENDED

__all__ = ["Retention"]

_log = logging.getLogger(__name__)

#: Seconds between the end of a job and the look whether others must go.
DELAY = 30.0
#: Seconds between two looks at the age.
_HOUR = 3600.0
#: Jobs that are removed in one transaction.
_AT_ONCE = 20
#: No more jobs are added to them beyond so many tasks.
_TASKS_AT_ONCE = 500
_DAY = 24 * 3600 * 1000


class Retention:
    """For the loop's thread."""

    def __init__(
        self,
        *,
        store: Store,
        read: Callable[[Callable[[Rows], list[int]]], Awaitable[list[int]]],
        remove: Callable[[Iterable[int]], Awaitable[None]],
        kept: int,
        days: float,
        clock: Callable[[], int],
    ) -> None:
        """`read` calls a function with the rows of one moment, beside the loop; `remove` removes jobs.

        `kept` and `days` are the limits, 0 for none; `clock` gives milliseconds since the epoch.
        """
        self._store = store
        self._read = read
        self._remove = remove
        self._kept = kept
        self._days = days
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None
        self._closed = False

    def soon(self) -> None:
        """A job has ended, or the scheduler started: look in a moment."""
        if not self._closed and (self._kept or self._days):
            self._look_in(DELAY)

    async def close(self) -> None:
        """Look no more; a removal that has begun is stored first."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._looking is not None:
            await self._looking

    def _look(self) -> None:
        self._timer = None
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._logged())
        if self._days and not self._closed:
            self._look_in(_HOUR)

    def _look_in(self, seconds: float) -> None:
        """Look then, unless that is to happen earlier anyway."""
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            if self._timer.when() <= loop.time() + seconds:
                return
            self._timer.cancel()
        self._timer = loop.call_later(seconds, self._look)

    async def _logged(self) -> None:
        try:
            await self.apply()
        except StoreUnavailable as error:
            _log.warning("Ended jobs could not be removed: %s", error)
        except Exception:
            _log.exception("the removal of ended jobs failed")

    async def apply(self) -> int:
        """Remove what is beyond the limits; how many jobs that were."""
        removed = 0
        while not self._closed and (surplus := await self._read(self._surplus)):
            await self._remove(surplus)
            removed += len(surplus)
        if removed:
            _log.info(
                "removed %d ended job%s, as the limits ask for: PROACTIVE_KERNEL_JOBS_KEPT=%d "
                "PROACTIVE_KERNEL_JOBS_DAYS=%g",
                removed,
                "" if removed == 1 else "s",
                self._kept,
                self._days,
            )
            while not self._closed and await asyncio.to_thread(self._store.shrink):
                await asyncio.sleep(0.01)
        return removed

    def _surplus(self, rows: Rows) -> list[int]:
        """Some jobs that must go, those that ended first."""
        first = (("finished_at", False),)
        ended = JobQuery(statuses=JOB_ENDED, sort=first, limit=_AT_ONCE)
        surplus: list[int] = []
        if self._kept:
            over = rows.jobs(JobQuery(statuses=JOB_ENDED, limit=0)).total - self._kept
            if over > 0:
                surplus = _some(rows.jobs(ended).rows[:over])
        if self._days and len(surplus) < _AT_ONCE:
            before = self._clock() - int(self._days * _DAY)
            old = rows.jobs(
                JobQuery(statuses=JOB_ENDED, sort=first, limit=_AT_ONCE, finished_before=max(before, 1))
            ).rows
            surplus = list(dict.fromkeys([*surplus, *_some(old)]))
        return surplus


def _some(rows: Iterable[JobRow]) -> list[int]:
    """As many of them as have few tasks together."""
    chosen, tasks = [], 0
    for row in rows:
        chosen.append(row.record.job_id)
        tasks += row.record.total
        if tasks > _TASKS_AT_ONCE:
            break
    return chosen
