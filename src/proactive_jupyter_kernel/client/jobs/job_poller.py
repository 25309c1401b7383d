"""Polls one job until it has ended: the only such loop of the notebook, the pragmas and the command line."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from proactive_jupyter_kernel.client.api import SchedulerApi
from proactive_jupyter_kernel.client.polling import Polling
from proactive_jupyter_kernel.client.records import Job
from proactive_jupyter_kernel.errors import SchedulerUnreachable, WaitTimeout

__all__ = ["JobPoller", "Snapshot"]

#: Seconds between two attempts while a scheduler does not answer.
RETRY = 1.0
#: Seconds after which a job is requested with all its tasks although its counters are unchanged: the progress of a
#: task is in no counter.
FULL_EVERY = 2.0
#: Where the scheduler holds answers back until the job ends (`SchedulerApi.holds_answers`): the shortest time in
#: seconds, for only other changes wait for it; the longest one of a request in a thread that may be stopped; and the
#: one that finds out.
SHORTEST_HOLD, LONGEST_UNSTOPPABLE, TRIAL = 0.02, 0.1, 0.001
#: A job of so few tasks is requested with all of them each time.
FEW = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A job at one moment."""

    job: Job
    #: When the scheduler said so, in milliseconds since the epoch.
    seen_at: int
    #: Why nothing newer is known; empty where this is the present state.
    trouble: str = ""


@dataclass(slots=True, kw_only=True)
class JobPoller:
    """Iterating gives a snapshot at once, then one at each change, until the job has ended.

    Leaving the iteration has no effect on the job. Errors of the scheduler are raised.
    """

    scheduler: SchedulerApi
    job_id: int
    #: The iteration ends without another snapshot when this is set.
    stop: threading.Event | None = None
    #: Seconds for which a scheduler that cannot be reached is asked again, before the error is raised.
    patience: float = 0.0
    polling: Polling = field(default_factory=Polling)
    #: Seconds after which `WaitTimeout` is raised.
    timeout: float | None = None
    #: Seconds after which an unchanged job is given again, for a consumer that has something else to update as well.
    beat: float | None = None
    #: The last known state; without it the scheduler is asked first.
    known: Job | None = None
    #: False: the first snapshot may come a little later, with one request less for a short job.
    at_once: bool = True
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def __iter__(self) -> Iterator[Snapshot]:
        start = self.clock()
        job = self.known or self._first(start)
        changed = full_at = shown = self.clock()
        round_trip = full_trip = changed - start
        seen_at = _now()
        yield Snapshot(job=job, seen_at=seen_at)
        while not job.ended:
            now = self.clock()
            self._check_time(job, now - start)
            pause = self.polling.pause(since_start=now - start, since_change=now - changed, round_trip=round_trip)
            held = self._held(pause, now - start)
            if not held and self._pause(pause, now - start):
                return
            silent_since = asked = self.clock()
            while True:
                try:
                    fresh = self._request(job, since_full=asked - full_at, full_trip=full_trip, wait=held)
                    break
                except SchedulerUnreachable as error:
                    if self.clock() - silent_since >= self.patience:
                        raise
                    yield Snapshot(job=job, seen_at=seen_at, trouble=error.message)
                    self._check_time(job, self.clock() - start)
                    if self._pause(RETRY, self.clock() - start):
                        return
                    asked = self.clock()
            now = self.clock()
            seen_at = _now()
            # How much of the time an answer was held back is not known.
            round_trip = round_trip if held else now - asked
            is_changed = fresh is not None and fresh != job
            if fresh is not None:
                full_at, full_trip = now, full_trip if held else round_trip
                changed = now if is_changed else changed
                job = fresh
            if is_changed or asked > silent_since or (self.beat is not None and now - shown >= self.beat):
                shown = now
                yield Snapshot(job=job, seen_at=seen_at)

    def _first(self, start: float) -> Job:
        """The job as it is now; a scheduler that cannot be reached is asked again."""
        while True:
            try:
                return self.scheduler.job(self.job_id, wait=self._first_wait())
            except SchedulerUnreachable:
                elapsed = self.clock() - start
                if elapsed >= min(self.patience, self.timeout if self.timeout is not None else self.patience):
                    raise
                if self._pause(RETRY, elapsed):
                    raise

    def _first_wait(self) -> float:
        if self.scheduler.holds_answers is None:
            return TRIAL
        return 0.0 if self.at_once else self._held(SHORTEST_HOLD, 0.0)

    def _held(self, pause: float, elapsed: float) -> float:
        """For how long the scheduler is to hold its answer back until the job ends, in place of a pause; 0.0: not."""
        wait = self._bounded(max(pause, SHORTEST_HOLD), elapsed)
        # A request cannot be stopped: where that may be wanted, it is short.
        can_end = self.stop is None or wait <= LONGEST_UNSTOPPABLE
        return wait if self.scheduler.holds_answers and can_end else 0.0

    def _request(self, job: Job, *, since_full: float, full_trip: float, wait: float = 0.0) -> Job | None:
        """The job as it is now; None where nothing changed, or where it is too early to request it with its tasks."""
        if wait and len(job.tasks) <= FEW:
            return self.scheduler.job(job.id, wait=wait)
        if since_full < FULL_EVERY:
            info = self.scheduler.info(job.id, wait=wait)
            due = info.ended or self.polling.full_is_due(since_full=since_full, full_trip=full_trip)
            if info == job.info or not due:
                return None
        return self.scheduler.job(job.id)

    def _pause(self, seconds: float, elapsed: float) -> bool:
        """Wait, no longer than the timeout or the beat; True where the iteration is to end."""
        seconds = self._bounded(seconds, elapsed)
        if self.stop is not None:
            return self.stop.wait(seconds)
        self.sleep(seconds)
        return False

    def _bounded(self, seconds: float, elapsed: float) -> float:
        bounds = (self.timeout - elapsed if self.timeout is not None else seconds, self.beat or seconds)
        return max(0.0, min(seconds, *bounds))

    def _check_time(self, job: Job, elapsed: float) -> None:
        if self.timeout is not None and elapsed >= self.timeout:
            raise WaitTimeout(
                f"Job {job.id} ({job.name!r}) did not end within {self.timeout:g} s;"
                f" it is {job.status_label} and still on the scheduler."
            )


def _now() -> int:
    return int(time.time() * 1000)
