"""Cron expressions in the grammar of cron4j."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

from proactive_jupyter_kernel.scheduler.service.local_zone import LocalZone
from proactive_jupyter_kernel.workflow.cron import next_date, parse


@pytest.fixture(autouse=True)
def _zone(monkeypatch):
    """Central European time, with its summer time."""
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def following(text, after, count=1):
    """The next dates, as text."""
    moment = round(datetime.fromisoformat(after).timestamp() * 1_000)
    dates = []
    for _ in range(count):
        moment = next_date(text, moment, LocalZone())
        dates.append(datetime.fromtimestamp(moment / 1_000).isoformat(" ", "minutes"))
    return dates


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("* * * * *", ["2024-01-31 23:59", "2024-02-01 00:00"]),
        ("*/20 * * * *", ["2024-02-01 00:00", "2024-02-01 00:20"]),
        ("5,50-52/2 8-17/3 * * *", ["2024-02-01 08:05", "2024-02-01 08:50", "2024-02-01 08:52", "2024-02-01 11:05"]),
        ("0 22-1 * * *", ["2024-02-01 00:00", "2024-02-01 01:00", "2024-02-01 22:00"]),
        ("0 0 L * *", ["2024-02-29 00:00", "2024-03-31 00:00"]),
        ("0 0 * jan,DEC *", ["2024-12-01 00:00"]),
        ("0 12 * * mon-fri", ["2024-02-01 12:00", "2024-02-02 12:00", "2024-02-05 12:00"]),
        ("0 12 * * 7", ["2024-02-04 12:00"]),
        ("0 12 * * sat-mon", ["2024-02-03 12:00", "2024-02-04 12:00", "2024-02-05 12:00"]),
        ("0 0 13 * fri", ["2024-09-13 00:00", "2024-12-13 00:00"]),
        ("0 0 29 2 mon", ["2044-02-29 00:00"]),
        ("30 6 * * * | 0 5 * * *", ["2024-02-01 05:00", "2024-02-01 06:30"]),
    ],
)
def test_next_dates(text, dates):
    """Lists, ranges, steps, names, the last day, alternatives; day of month and of week must both match."""
    assert following(text, "2024-01-31T23:58:30", len(dates)) == dates


def test_a_date_that_never_comes():
    """February 30th has no next date."""
    assert next_date("0 0 30 2 *", 0, LocalZone()) is None


def test_the_clock_is_set_forward_and_back():
    """A minute that summer time skips comes an hour later; one that comes twice is found twice, never in the past."""
    assert following("30 2 31 3 *", "2024-03-31T00:00:00") == ["2024-03-31 03:30"]
    assert following("30 2 27 10 *", "2024-10-27T00:00:00", 3) == [
        "2024-10-27 02:30",
        "2024-10-27 02:30",
        "2025-10-27 02:30",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' has 0 fields; a cron expression has 5"),
        ("* * * *", "'* * * *' has 4 fields"),
        ("60 * * * *", "'60' is not a valid minute; the range is 0 to 59"),
        ("* 24 * * *", "'24' is not a valid hour"),
        ("* * 0 * *", "'0' is not a valid day of the month"),
        ("* * * foo *", "'foo' is not a valid month"),
        ("* * * * 8", "'8' is not a valid day of the week"),
        ("*/0 * * * *", "'0' is not a valid step for the minute"),
        ("*/x * * * *", "'x' is not a valid step for the minute"),
        ("1-2-3 * * * *", "'2-3' is not a valid minute"),
        (", * * * *", "'' is not a valid minute"),
        ("* * * * * |", "'' has 0 fields"),
    ],
)
def test_what_is_not_an_expression(text, message):
    """The field and the fault are named."""
    with pytest.raises(ValueError, match="^" + message.replace("*", r"\*")):
        parse(text)
