"""The history of busy slots."""

from __future__ import annotations

from proactive_jupyter_kernel.scheduler.monitoring.slot_use import MINUTES, BusyMinute, SlotUse


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_minute_has_the_average_and_the_highest_number_of_busy_slots() -> None:
    """Time counts, not how often something was noted."""
    clock = Clock(6_000.0)
    use = SlotUse(clock)
    for at, busy in ((6_000.0, 2), (6_030.0, 4), (6_060.0, 1), (6_075.0, 0)):
        clock.now = at
        use.note(busy)
    clock.now = 6_090.0

    assert use.minutes() == [
        BusyMinute(start=6_000, average=3.0, most=4),
        BusyMinute(start=6_060, average=0.5, most=4),
    ]


def test_history_is_bounded() -> None:
    """After any time there are 60 minutes, and a number that stays the same fills all of them."""
    clock = Clock(0.0)
    use = SlotUse(clock)
    use.note(3)
    clock.now = 1_000_000.0

    minutes = use.minutes()

    assert (len(minutes), {minute.average for minute in minutes}, {minute.most for minute in minutes}) == (
        MINUTES,
        {3.0},
        {3},
    )


def test_old_minutes_are_forgotten() -> None:
    """What was more than an hour ago does not count for the minute that takes its place."""
    clock = Clock(0.0)
    use = SlotUse(clock)
    use.note(5)
    clock.now = 30.0
    use.note(0)
    clock.now = 3_610.0

    assert [minute.average for minute in use.minutes()] == [0.0] * MINUTES


def test_clock_that_is_set_back_starts_again() -> None:
    """No average is negative or larger than the number of slots."""
    clock = Clock(6_000.0)
    use = SlotUse(clock)
    use.note(2)
    clock.now = 3_000.0
    use.note(1)
    clock.now = 3_030.0

    assert use.minutes() == [BusyMinute(start=3_000, average=1.0, most=2)]
