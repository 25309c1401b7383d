"""Cron expressions as ProActive's servers read them (the grammar of cron4j): loops and ``PA:CRON`` variables use them.

Five fields: minute, hour, day of the month, month, day of the week. A field is a list of ``*``, numbers, names
(``jan`` … ``dec``, ``sun`` … ``sat``) and ranges, each with an optional step: ``*/5``, ``8-17/3``, ``mon-fri``. A range
may wrap around (``22-4``), ``L`` is the last day of the month, 7 is Sunday. ``|`` separates several expressions.
Unlike in Unix cron, all five fields must match. Dates are in the time zone that the caller names.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType

__all__ = ["CronExpression", "next_date", "parse"]

_LAST_DAY = 32
#: February 29th falls on a given day of the week at least once in 40 years (2100 is not a leap year).
_MOST_DAYS = 40 * 366 + 1
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True)
class _Field:
    """One of the five fields: its name, its bounds and its names for numbers."""

    name: str
    lowest: int
    highest: int
    words: Mapping[str, int] = field(default_factory=dict)


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31, MappingProxyType({"l": _LAST_DAY})),
    _Field("month", 1, 12, MappingProxyType({name: number for number, name in enumerate(_MONTHS, 1)})),
    _Field("day of the week", 0, 7, MappingProxyType({name: number for number, name in enumerate(_DAYS)})),
)


@dataclass(frozen=True, slots=True)
class CronExpression:
    """One expression: the numbers that each field accepts."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def accepts_day(self, day: datetime) -> bool:
        """Whether the expression matches at some minute of this day."""
        last = day.day == calendar.monthrange(day.year, day.month)[1]
        return (
            day.month in self.months
            and (day.day in self.days or (last and _LAST_DAY in self.days))
            and day.isoweekday() % 7 in self.weekdays
        )

    def moments(self, day: datetime) -> Iterator[datetime]:
        """The minutes of a day that match, in order; `day` is its midnight."""
        if self.accepts_day(day):
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    yield day.replace(hour=hour, minute=minute)


def parse(text: str) -> tuple[CronExpression, ...]:
    """The expressions of a text. Raises ValueError, which names the field and the problem, for an invalid text."""
    return tuple(_expression(part) for part in text.split("|"))


def next_date(text: str, after: int, zone: tzinfo) -> int | None:
    """The first matching minute after the time `after`, both in milliseconds since the epoch, of clocks in the zone.

    None where no date ever matches (February 30th); ValueError where the text is not a cron expression.
    """
    patterns = parse(text)
    start = datetime.fromtimestamp(after / 1_000, zone)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    for number in range(_MOST_DAYS):
        day = midnight + timedelta(days=number)
        found = [
            moment
            for pattern in patterns
            for minute in pattern.moments(day)
            if (moment := _moment_after(minute, after)) is not None
        ]
        if found:
            return min(found)
    return None


def _moment_after(minute: datetime, after: int) -> int | None:
    """The minute in milliseconds since the epoch, if it is later; it occurs twice when the clock is set back."""
    for fold in (0, 1):
        moment = round(minute.replace(fold=fold).timestamp() * 1_000)
        if moment > after:
            return moment
    return None


def _expression(text: str) -> CronExpression:
    """minute hour day month weekday"""
    parts = text.split()
    if len(parts) != len(_FIELDS):
        raise ValueError(
            f"{text.strip()!r} has {len(parts)} field{'s' * (len(parts) != 1)}; a cron expression has {len(_FIELDS)}"
        )
    minutes, hours, days, months, weekdays = map(_numbers, parts, _FIELDS)
    return CronExpression(minutes, hours, days, months, frozenset(day % 7 for day in weekdays))


def _numbers(text: str, kind: _Field) -> frozenset[int]:
    """element , element …"""
    return frozenset(number for element in text.split(",") for number in _element(element, kind))


def _element(text: str, kind: _Field) -> list[int]:
    """range or range / step"""
    span, slash, step = text.partition("/")
    numbers = _span(span, kind)
    if not slash:
        return numbers
    if not step.isdecimal() or int(step) < 1:
        raise ValueError(f"{step!r} is not a valid step for the {kind.name}")
    return numbers[:: int(step)]


def _span(text: str, kind: _Field) -> list[int]:
    """``*``, a value, or value - value"""
    if text == "*":
        return list(range(kind.lowest, kind.highest + 1))
    first, dash, last = text.partition("-")
    low = _value(first, kind)
    high = _value(last, kind) if dash else low
    if low <= high:
        return list(range(low, high + 1))
    return [*range(low, kind.highest + 1), *range(kind.lowest, high + 1)]


def _value(text: str, kind: _Field) -> int:
    """A number within the bounds of the field, or its name."""
    if text.lower() in kind.words:
        return kind.words[text.lower()]
    if text.isascii() and text.isdecimal() and kind.lowest <= int(text) <= kind.highest:
        return int(text)
    raise ValueError(f"{text!r} is not a valid {kind.name}; the range is {kind.lowest} to {kind.highest}")
