"""The scheduler at a glance: what ``proactive-kernel scheduler status`` shows and ``/metrics`` reports.

Numbers and why nodes are missing, never the name of a job, task or user: it is answered without a login. All of it is
in memory, but for the size of the store's files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from proactive_jupyter_kernel.scheduler.engine.machine import Machine
from proactive_jupyter_kernel.scheduler.monitoring import disk
from proactive_jupyter_kernel.scheduler.monitoring.measures import Measures

__all__ = ["Overview", "overview_of"]

#: The database, its write-ahead log and the index of that.
_STORE_FILES = ("scheduler.db", "scheduler.db-wal", "scheduler.db-shm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The scheduler at one moment."""

    #: ``STARTED``, ``FROZEN``, ...
    status: str
    uptime_seconds: float
    #: Jobs that have not ended, by status.
    jobs_alive: Mapping[str, int]
    #: Tasks of these jobs that have not started, that run, and that are in error.
    tasks_pending: int
    tasks_running: int
    tasks_in_error: int
    #: node source -> how many nodes it has, how many of them are free, and how many are locked.
    nodes: Mapping[str, Mapping[str, int]]
    #: In the last minute.
    jobs_submitted_per_minute: int
    tasks_ended_per_minute: int
    store_bytes: int
    #: Of the disk with the data folder; -1 where the system does not tell.
    disk_free_bytes: int
    #: Whether that is so little that it is warned of.
    disk_low: bool
    subscribers: int
    #: Why nodes are missing that there should be, in sentences.
    troubles: Sequence[str] = ()


def overview_of(
    machine: Machine,
    measures: Measures,
    *,
    status: str,
    home: str,
    clock: Callable[[], int],
    troubles: Sequence[str] = (),
) -> Overview:
    """The state of the machine, with the counters of `measures`."""
    space = disk.space_of(Path(home))
    jobs = machine.jobs()
    return Overview(
        status=status,
        uptime_seconds=round(max(0, clock() - measures.started_at) / 1000, 1),
        jobs_alive=dict(Counter(job.status.value for job in jobs)),
        tasks_pending=sum(job.total - job.running - job.in_error - job.finished for job in jobs),
        tasks_running=sum(job.running for job in jobs),
        tasks_in_error=sum(job.in_error for job in jobs),
        nodes=_nodes(machine),
        jobs_submitted_per_minute=measures.job_rate.last_minute,
        tasks_ended_per_minute=measures.attempt_rate.last_minute,
        store_bytes=_size(Path(home, name) for name in _STORE_FILES),
        disk_free_bytes=-1 if space is None else space.free,
        disk_low=space is not None and space.is_low,
        subscribers=measures.subscribers,
        troubles=tuple(troubles),
    )


def _nodes(machine: Machine) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for state in machine.slots:
        counts = found.setdefault(state.slot.source, {"total": 0, "free": 0, "locked": 0})
        counts["total"] += 1
        counts["free"] += state.holder is None and not state.locked
        counts["locked"] += state.locked
    return found


def _size(paths: Iterable[Path]) -> int:
    total = 0
    for path in paths:
        try:
            total += path.stat().st_size
        except OSError:
            continue
    return total
