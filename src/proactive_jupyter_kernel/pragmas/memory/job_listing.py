"""The ids and names of jobs on the scheduler, for completion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from proactive_jupyter_kernel.pragmas.memory.background_listing import BackgroundListing

if TYPE_CHECKING:
    from proactive_jupyter_kernel.client.connection import Connection
    from proactive_jupyter_kernel.client.scheduler import Scheduler

__all__ = ["JobListing"]

_Jobs: TypeAlias = tuple[tuple[int, str], ...]

#: How many jobs are offered.
LISTED = 50


class JobListing(BackgroundListing[_Jobs]):
    """The newest jobs of the user."""

    def __init__(self, connection: Callable[[], Connection | None]) -> None:
        super().__init__(connection, _newest, ())

    def jobs(self) -> Sequence[tuple[int, str]]:
        """Ids and names, the newest first, as they were when the scheduler last answered."""
        return self.listed()


def _newest(scheduler: Scheduler) -> _Jobs:
    return tuple((info.id, info.name) for info in scheduler.jobs(limit=LISTED, mine=True))
