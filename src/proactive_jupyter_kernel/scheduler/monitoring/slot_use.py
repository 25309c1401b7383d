"""How many slots were busy in each of the last 60 minutes, kept in two lists of fixed length, without a timer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["MINUTES", "BusyMinute", "SlotUse"]

#: How far back it looks.
MINUTES = 60
_MINUTE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BusyMinute:
    """One minute."""

    #: Its first second since the epoch.
    start: int
    #: How many slots were busy, on average and at most.
    average: float
    most: int


class SlotUse:
    """Integrates the number of busy slots over time. `note` costs about a microsecond."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds since the epoch."""
        self._clock = clock
        #: Of each minute: seconds of busy slots, and the highest number.
        self._seconds = [0.0] * MINUTES
        self._most = [0] * MINUTES
        self._busy = 0
        self._first = self._at = clock()

    def note(self, busy: int) -> None:
        """So many slots are busy from now on."""
        self._advance()
        self._busy = busy
        index = int(self._at // _MINUTE) % MINUTES
        if busy > self._most[index]:
            self._most[index] = busy

    def minutes(self) -> list[BusyMinute]:
        """The minutes since the start, 60 at most, the oldest first; the last one is not over."""
        self._advance()
        last = int(self._at // _MINUTE)
        first = max(int(self._first // _MINUTE), last - MINUTES + 1)
        return [self._minute(number) for number in range(first, last + 1)]

    def _minute(self, number: int) -> BusyMinute:
        start = number * _MINUTE
        # The first and the last minute are not whole.
        length = min(self._at, start + _MINUTE) - max(self._first, start)
        index = number % MINUTES
        average = self._seconds[index] / length if length > 0 else float(self._busy)
        return BusyMinute(start=int(start), average=min(average, float(self._most[index])), most=self._most[index])

    def _advance(self) -> None:
        """Add the time since the last call to its minutes. A clock that was set back adds nothing."""
        now = self._clock()
        if now < self._at:
            # The minutes after `now` have not come yet.
            self._restart(now)
            return
        if now - self._at > MINUTES * _MINUTE:
            self._seconds = [0.0] * MINUTES
            self._most = [0] * MINUTES
            self._at = now - MINUTES * _MINUTE
        while self._at < now:
            number = int(self._at // _MINUTE)
            end = min(now, (number + 1) * _MINUTE)
            self._seconds[number % MINUTES] += self._busy * (end - self._at)
            if end // _MINUTE > number:
                self._seconds[(number + 1) % MINUTES] = 0.0
                self._most[(number + 1) % MINUTES] = self._busy
            self._at = end

    def _restart(self, now: float) -> None:
        self._seconds = [0.0] * MINUTES
        self._most = [0] * MINUTES
        self._most[int(now // _MINUTE) % MINUTES] = self._busy
        self._first = self._at = now
