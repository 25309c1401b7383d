"""Tests of durations and clock times."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest

from proactive_jupyter_kernel.workflow.display.times import clock_time, duration


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0 ms"),
        (38, "38 ms"),
        (412, "410 ms"),
        (994, "990 ms"),
        (996, "1.0 s"),
        (1_230, "1.2 s"),
        (9_960, "10 s"),
        (59_400, "59 s"),
        (59_600, "1 min 00 s"),
        (134_000, "2 min 14 s"),
        (3_840_000, "1 h 04 min"),
        (180_000_000, "2 d 2 h"),
        (-5, "0 ms"),
    ],
)
def test_durations_have_a_unit_that_fits(milliseconds: int, text: str) -> None:
    """Never 0.0 s."""
    assert duration(milliseconds) == text


def test_clock_time() -> None:
    """Times of day are those of the zone."""
    assert clock_time(1_764_108_300_000, timezone(timedelta(hours=1))) == "23:05:00"
