"""Adaptive polling of a scheduler: often right after a change, rarely while nothing happens."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Polling"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """Computes the pause between two requests; all values are seconds or parts of a time.

    The pause grows with the time since the last change, has a lower bound that keeps the cost of polling a long job
    low, and is never shorter than the round trip of a request.
    """

    first: float = 0.002
    longest: float = 0.5
    #: The pause as a part of the time since the last change.
    share: float = 0.15
    #: Its lower bound as a part of the time since the start: a job of a minute is not polled every 2 ms.
    floor_share: float = 0.01
    longest_floor: float = 0.1
    #: The part of the time that may be spent on requests for the whole job: with thousands of tasks they are slow.
    full_share: float = 0.1

    def pause(self, *, since_start: float, since_change: float, round_trip: float = 0.0) -> float:
        """Seconds to wait before the next request."""
        floor = min(since_start * self.floor_share, self.longest_floor)
        wanted = max(self.first, floor, round_trip, since_change * self.share)
        return min(wanted, self.longest)

    def full_is_due(self, *, since_full: float, full_trip: float) -> bool:
        """Whether a changed job may be requested with all its tasks, `since_full` seconds after the last time.

        `full_trip` is how many seconds the last such request took.
        """
        return since_full * self.full_share >= full_trip * (1 - self.full_share)
