"""A job seen again and again until it has ended, and the last lines that its tasks wrote."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from proactive_jupyter_kernel.client import logs
from proactive_jupyter_kernel.client.pace import Pace
from proactive_jupyter_kernel.client.records import Job, LogLine
from proactive_jupyter_kernel.client.scheduler import FULL_EVERY, Scheduler
from proactive_jupyter_kernel.errors import SchedulerError, SchedulerUnreachable

__all__ = ["Sight", "Tail", "follow"]

#: Seconds between two attempts while a scheduler does not answer.
RETRY = 1.0
#: Lines that a tail remembers and shows, and the characters of each.
KEPT_LINES = 200
SHOWN_LINES = 12
SHOWN_WIDTH = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """The job as it was last seen."""

    job: Job
    #: Why nothing newer is known; empty where this is how it stands.
    trouble: str = ""


def follow(
    scheduler: Scheduler,
    job: Job,
    *,
    stop: threading.Event,
    patience: float,
    pace: Pace | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Sight]:
    """Ask for the job, at first every few milliseconds, later seldom; give a sight after each question.

    The last sight is that of the ended job; it is also over when `stop` is set. A scheduler that cannot be reached is
    asked again for `patience` seconds, then the error is raised, as is every other at once.
    """
    pace = pace or Pace()
    start = changed = full_at = clock()
    silent_since: float | None = None
    trip = full_trip = 0.0
    while True:
        yield Sight(job=job)
        if job.ended:
            return
        now = clock()
        if stop.wait(pace.pause(since_start=now - start, since_change=now - changed, round_trip=trip)):
            return
        while True:
            asked = clock()
            try:
                since_full = asked - full_at
                due = pace.full_is_due(since_full=since_full, full_trip=full_trip)
                fresh = _seen(scheduler, job, due=due, full=since_full >= FULL_EVERY)
                break
            except SchedulerUnreachable as error:
                silent_since = asked if silent_since is None else silent_since
                if clock() - silent_since >= patience:
                    raise
                yield Sight(job=job, trouble=error.message)
                if stop.wait(RETRY):
                    return
        silent_since = None
        trip = clock() - asked
        if fresh is not None:
            full_at = clock()
            full_trip = trip
            if fresh != job:
                job, changed = fresh, full_at


def _seen(scheduler: Scheduler, job: Job, *, due: bool, full: bool) -> Job | None:
    """The job as it is now; None where its short form is as it was, or it is not `due` and has not ended, and no `full`
    one is wanted anyhow."""
    if not full:
        info = scheduler.info(job.id)
        if info == job.info or not (due or info.ended):
            return None
    return scheduler.job(job.id)


class Tail:
    """The last lines that the running tasks of one job wrote.

    A scheduler hands out each line once per session, so that all who show the same job share one tail.
    """

    def __init__(self, scheduler: Scheduler, job_id: int) -> None:
        self._scheduler = scheduler
        self._job_id = job_id
        self._lines: deque[LogLine] = deque(maxlen=KEPT_LINES)
        self._lock = threading.Lock()
        self._refused = False

    def lines(self, job: Job) -> list[str]:
        """What running tasks wrote last, each line with its task's name where the job has more than one."""
        running = {f"{job.id}t{task.id}": task.name for task in job.tasks if task.started_at > 0 and not task.ended}
        if not running:
            return []
        with self._lock:
            self._read()
            lines = [line for line in self._lines if line.task in running]
        several = len(job.tasks) > 1
        texts = (f"{running[line.task]}: {line.text}" if several else line.text for line in lines[-SHOWN_LINES:])
        return [text if len(text) <= SHOWN_WIDTH else f"{text[:SHOWN_WIDTH]}…" for text in texts]

    def _read(self) -> None:
        if self._refused:
            return
        try:
            self._lines.extend(logs.parse(self._scheduler.live_log(self._job_id)))
        except SchedulerUnreachable:
            pass  # Whoever follows the job says so.
        except SchedulerError:
            # A server may keep live logs from this user; the complete log comes when the task has ended.
            self._refused = True
