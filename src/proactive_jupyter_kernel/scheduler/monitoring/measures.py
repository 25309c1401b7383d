"""Counters of what one run of the scheduler has done: for ``/metrics``, ``/status`` and debugging.

The only place with such counters. The code that acts adds to an attribute: no lock, no call, so that
counting costs nothing on the path of a task. Everything is written from the loop's thread.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from proactive_jupyter_kernel.scheduler.monitoring.slot_use import SlotUse

__all__ = ["Measures", "Rate"]

#: How far back a `Rate` looks.
_WINDOW = 60


class Rate:
    """How often something happened in the last minute, without a timer."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts = [0] * _WINDOW
        #: The second that each count is of.
        self._seconds = [-1] * _WINDOW

    def add(self) -> None:
        """It happened."""
        now = int(self._clock())
        index = now % _WINDOW
        if self._seconds[index] != now:
            self._seconds[index] = now
            self._counts[index] = 0
        self._counts[index] += 1

    @property
    def last_minute(self) -> int:
        """How often it happened in the last 60 seconds."""
        oldest = int(self._clock()) - _WINDOW
        return sum(count for count, second in zip(self._counts, self._seconds, strict=True) if second > oldest)


@dataclass(slots=True, kw_only=True)
class Measures:
    """What has happened since the start. A new counter is a field here and a row in ``rest/routes/metrics.py``."""

    #: Milliseconds since the epoch.
    started_at: int
    jobs_submitted: int = 0
    #: Workflows that the checks or a limit refused, or that could not be stored.
    jobs_refused: int = 0
    #: By status: ``FINISHED``, ``CANCELED``, ...
    jobs_ended: Counter[str] = field(default_factory=Counter)
    attempts_started: int = 0
    #: ``success``, or the kind of failure: ``error``, ``lost``, ...; attempts that were killed are not among them.
    attempts_ended: Counter[str] = field(default_factory=Counter)
    attempts_killed: int = 0
    #: How long the attempts took that ended, together.
    attempt_seconds: float = 0.0
    #: Transactions of the store.
    batches: int = 0
    batch_seconds: float = 0.0
    batches_failed: int = 0
    #: By HTTP status.
    requests: Counter[int] = field(default_factory=Counter)
    request_seconds: float = 0.0
    #: Open sockets of the push channel.
    subscribers: int = 0
    #: Those that were closed because they did not read.
    subscribers_dropped: int = 0
    frames_sent: int = 0
    frame_bytes: int = 0
    #: Attempts that ended, and jobs that were submitted.
    attempt_rate: Rate = field(default_factory=Rate)
    job_rate: Rate = field(default_factory=Rate)
    #: How many slots were busy in the last hour.
    slot_use: SlotUse = field(default_factory=SlotUse)
