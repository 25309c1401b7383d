"""How often a scheduler is asked whether something changed: soon after a change, seldom when nothing happens."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Pace"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds between two questions, from how long nothing happened.

    The pause is a part of the time since the last change, so that what took a while is noticed that part later, never
    below what keeps the asking itself cheap over a long job, and never shorter than an answer takes.
    """

    first: float = 0.002
    longest: float = 0.5
    #: The pause as a part of the time since the last change.
    share: float = 0.15
    #: Its lower bound as a part of the time since the start: a job of a minute is not asked about every 2 ms.
    floor_share: float = 0.01
    longest_floor: float = 0.1
    #: The part of the time that may go into asking for the job in full: of thousands of tasks that takes a while.
    full_share: float = 0.1

    def pause(self, *, since_start: float, since_change: float, round_trip: float = 0.0) -> float:
        """Seconds to wait before the next question; all arguments are seconds."""
        floor = min(since_start * self.floor_share, self.longest_floor)
        wanted = max(self.first, floor, round_trip, since_change * self.share)
        return min(wanted, self.longest)

    def full_is_due(self, *, since_full: float, full_trip: float) -> bool:
        """Whether a job that has changed may be asked for in full, `since_full` seconds after the last time.

        `full_trip` is how many seconds the last full answer took, for the scheduler and for us.
        """
        return since_full * self.full_share >= full_trip * (1 - self.full_share)
