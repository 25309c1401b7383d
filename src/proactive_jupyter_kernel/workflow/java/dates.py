"""Dates in the formats of Java's ``SimpleDateFormat``, which variable models use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

__all__ = ["parse_date"]

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: Letters for numeric fields.
_NUMBERS = {"y": "year", "M": "month", "d": "day", "H": "hour", "k": "hour24", "h": "hour12", "K": "hour11"}
_NUMBERS |= {"m": "minute", "s": "second", "S": "millisecond", "D": "day of the year"}
_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']", re.DOTALL)
_ZONE = r"(?:GMT|UTC|Z|(?:GMT|UTC)?[+-]\d{1,2}:?\d{2})"


@dataclass(frozen=True, slots=True)
class _Field:
    """A sequence of one letter."""

    letter: str
    width: int

    @property
    def is_number(self) -> bool:
        return self.letter in _NUMBERS and not (self.letter == "M" and self.width > 2)


def parse_date(text: str, layout: str) -> datetime:
    """The time that `text` denotes in `layout`; raises ValueError, with the rest of a sentence, if it is invalid.

    Without a zone in the layout, the time has no zone.
    """
    items = _items(layout)
    pattern = "".join(_pattern(item, items[index + 1 :]) for index, item in enumerate(items))
    match = re.fullmatch(pattern, text, re.IGNORECASE | re.ASCII)
    if not match:
        raise ValueError(f"{text!r} is not a date in the format {layout!r}")
    fields = [item for item in items if isinstance(item, _Field)]
    try:
        return _moment(dict(zip(fields, match.groups(), strict=True)))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is not a date in the format {layout!r}: {error}") from error


def _items(layout: str) -> list[_Field | str]:
    """The layout as fields and fixed texts."""
    items: list[_Field | str] = []
    position = 0
    for match in _TOKEN.finditer(layout):
        if match.start() != position:
            break
        position = match.end()
        if match.group(2):
            items.append(_Field(match.group(2), len(match.group())))
        elif match.group(1) is not None:
            items.append(match.group(1).replace("''", "'") or "'")
        else:
            items.append(match.group())
    if position != len(layout):
        raise ValueError(f"the date format {layout!r} has a quote that is not closed")
    return items


def _pattern(item: _Field | str, following: list[_Field | str]) -> str:
    """The pattern for a part of the layout; adjacent numbers have exactly the written width."""
    if isinstance(item, str):
        return re.escape(item)
    if item.is_number:
        touching = bool(following) and isinstance(following[0], _Field) and following[0].is_number
        return rf"(\d{{{item.width}}})" if touching else r"(\d{1,9})"
    if item.letter == "M":
        return f"({'|'.join(name for month in _MONTHS for name in (month, month[:3]))})"
    if item.letter == "E":
        return f"({'|'.join(name for day in _DAYS for name in (day, day[:3]))})"
    if item.letter == "a":
        return "(am|pm)"
    if item.letter in "zZX":
        return f"({_ZONE})"
    raise ValueError(f"the letter {item.letter!r} of a date format is not supported here")


def _moment(texts: dict[_Field, str]) -> datetime:
    values: dict[str, int] = {}
    afternoon, zone = None, None
    for item, text in texts.items():
        if item.is_number:
            values[_NUMBERS[item.letter]] = _year(item, text) if item.letter == "y" else int(text)
        elif item.letter == "M":
            values["month"] = next(number for number, name in enumerate(_MONTHS, 1) if _same_name(name, text))
        elif item.letter == "a":
            afternoon = text.lower() == "pm"
        elif item.letter in "zZX":
            zone = _zone(text)
    day_of_year = values.pop("day of the year", None)
    moment = datetime(
        values.get("year", 1970),
        values.get("month", 1),
        values.get("day", 1),
        _hour(values, afternoon),
        values.get("minute", 0),
        values.get("second", 0),
        values.get("millisecond", 0) * 1000,
        zone,
    )
    return moment if day_of_year is None else moment.replace(month=1, day=1) + timedelta(days=day_of_year - 1)


def _same_name(name: str, text: str) -> bool:
    return text.lower() in (name.lower(), name[:3].lower())


def _year(item: _Field, text: str) -> int:
    """Two letters mean two digits of this century."""
    return 2000 + int(text) if item.width == 2 and len(text) == 2 else int(text)


def _hour(values: dict[str, int], afternoon: bool | None) -> int:
    if "hour12" in values and not 1 <= values["hour12"] <= 12:
        raise ValueError("hour must be in 1..12")
    hour = values.get("hour", values.get("hour24", 0) % 24)
    for half in ("hour12", "hour11"):
        if half in values:
            hour = values[half] % 12 + (12 if afternoon else 0)
    return hour


def _zone(text: str) -> timezone:
    match = re.search(r"([+-])(\d{1,2}):?(\d{2})$", text)
    if not match:
        return UTC
    shift = timedelta(hours=int(match.group(2)), minutes=int(match.group(3)))
    return timezone(shift if match.group(1) == "+" else -shift)
