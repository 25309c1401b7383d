"""Dates in the formats of Java's ``SimpleDateFormat``, which variable models use.

As lenient as there: February 30th is March 1st or 2nd, 25:00 is one hour into the next day, and text behind the date
counts for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

__all__ = ["layout_letters", "parse_date", "write_date"]

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
_NUMBERS = {"y": "year", "Y": "year", "M": "month", "L": "month", "d": "day", "D": "day of the year", "u": "day number"}
_NUMBERS |= {"H": "hour", "k": "hour24", "h": "hour12", "K": "hour11", "m": "minute", "s": "second", "S": "millisecond"}
_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']", re.DOTALL)
_DIGITS = re.compile(r"-?[0-9]{1,9}(?![0-9])")
#: Hours from UTC of the zones that people write by name.
_ZONES = {"UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3}
_ZONES |= {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "JST": 9}
_SHIFT = re.compile(r"(?:GMT|UTC)?([+-])([0-9]{1,2}):?([0-9]{2})", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z]+")
_MAX_LAYOUT = 200


@dataclass(frozen=True, slots=True)
class _Field:
    """A sequence of one letter."""

    letter: str
    width: int

    @property
    def is_number(self) -> bool:
        return self.letter in _NUMBERS and not (self.letter in "ML" and self.width > 2)


def parse_date(text: str, layout: str) -> datetime:
    """The time that `text` denotes in `layout`; raises ValueError, with the rest of a sentence, if it is invalid.

    Without a zone in the layout, the time has no zone.
    """
    fields: dict[_Field, str] = {}
    items = _items(layout)
    position = 0
    for index, item in enumerate(items):
        following = items[index + 1] if index + 1 < len(items) else None
        found = _part(text, position, item, following)
        if found is None:
            raise ValueError(f"{_short(text)} is not a date in the format {layout!r}")
        if isinstance(item, _Field):
            fields[item] = text[position : position + found].strip()
        position += found
    try:
        return _moment(fields)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{_short(text)} is not a date in the format {layout!r}: {error}") from error


def layout_letters(layout: str) -> frozenset[str]:
    """The letters that stand for fields; raises ValueError for an invalid layout."""
    return frozenset(item.letter for item in _items(layout) if isinstance(item, _Field))


def write_date(moment: datetime, layout: str) -> str:
    """`moment` in the layout; raises ValueError for a layout with letters that only `parse_date` knows."""
    return "".join(item if isinstance(item, str) else _written(moment, item) for item in _items(layout))


def _written(moment: datetime, item: _Field) -> str:
    if item.letter in "ML" and item.width > 2:
        name = _MONTHS[moment.month - 1]
        return name if item.width > 3 else name[:3]
    if item.letter == "E":
        name = _DAYS[moment.weekday()]
        return name if item.width > 3 else name[:3]
    if item.letter == "a":
        return "PM" if moment.hour >= 12 else "AM"
    if item.letter in "yY" and item.width == 2:
        return f"{moment.year % 100:02}"
    read = _READ.get(item.letter)
    if read is None:
        raise ValueError(f"the letter {item.letter!r} of a date format cannot be written here")
    return str(read(moment)).zfill(item.width)


#: Letter -> the number that it shows.
_READ: Mapping[str, Callable[[datetime], int]] = {
    "y": lambda moment: moment.year,
    "M": lambda moment: moment.month,
    "L": lambda moment: moment.month,
    "d": lambda moment: moment.day,
    "H": lambda moment: moment.hour,
    "k": lambda moment: moment.hour or 24,
    "h": lambda moment: moment.hour % 12 or 12,
    "K": lambda moment: moment.hour % 12,
    "m": lambda moment: moment.minute,
    "s": lambda moment: moment.second,
    "S": lambda moment: moment.microsecond // 1000,
}


def _short(text: str) -> str:
    return repr(text) if len(text) <= 100 else repr(text[:99] + "…")


def _items(layout: str) -> list[_Field | str]:
    """The layout as fields and fixed texts."""
    if len(layout) > _MAX_LAYOUT:
        raise ValueError(f"the date format has {len(layout):,} characters; at most {_MAX_LAYOUT} are read")
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


def _part(text: str, position: int, item: _Field | str, following: _Field | str | None) -> int | None:
    """How many characters of the text, from `position` on, are this part of the layout; None: they are not."""
    if isinstance(item, str):
        return len(item) if text.startswith(item, position) else None
    start = position
    while text[start : start + 1] in (" ", "\t"):
        start += 1
    length = _field_length(text, start, item, isinstance(following, _Field) and following.is_number)
    return None if length is None else start - position + length


def _field_length(text: str, start: int, item: _Field, touching: bool) -> int | None:
    """Adjacent numbers have exactly the written width."""
    if item.is_number and touching:
        digits = text[start : start + item.width]
        return item.width if len(digits) == item.width and digits.isascii() and digits.isdecimal() else None
    if item.is_number:
        match = _DIGITS.match(text, start)
        return len(match.group()) if match else None
    if item.letter in "zZX":
        match = _SHIFT.match(text, start) or _WORD.match(text, start)
        known = match is not None and (match.re is _SHIFT or match.group().upper() in _ZONES)
        return len(match.group()) if match and known else None
    names = _NAMES.get(item.letter)
    if names is None:
        raise ValueError(f"the letter {item.letter!r} of a date format is not supported here")
    found = [name for name in names if text[start : start + len(name)].lower() == name.lower()]
    return max(map(len, found), default=None)


#: Letters for names, with all of them.
_NAMES = {
    **{letter: [name for month in _MONTHS for name in (month, month[:3])] for letter in "ML"},
    "E": [name for day in _DAYS for name in (day, day[:3])],
    "a": ["am", "pm"],
    "G": ["AD", "BC"],
}


def _moment(texts: dict[_Field, str]) -> datetime:
    values: dict[str, int] = {}
    afternoon, zone = False, None
    for item, text in texts.items():
        if item.is_number:
            values[_NUMBERS[item.letter]] = _year(item, text) if item.letter in "yY" else int(text)
        elif item.letter in "ML":
            values["month"] = next(number for number, name in enumerate(_MONTHS, 1) if _same_name(name, text))
        elif item.letter == "a":
            afternoon = text.lower() == "pm"
        elif item.letter in "zZX":
            zone = _zone(text)
    years, month = divmod(values.get("month", 1) - 1, 12)
    day = values.get("day", 1)
    if "day of the year" in values:
        years, month, day = 0, 0, values["day of the year"]
    return datetime(values.get("year", 1970) + years, month + 1, 1, tzinfo=zone) + timedelta(
        days=day - 1,
        hours=_hour(values, afternoon),
        minutes=values.get("minute", 0),
        seconds=values.get("second", 0),
        milliseconds=values.get("millisecond", 0),
    )


def _same_name(name: str, text: str) -> bool:
    return text.lower() in (name.lower(), name[:3].lower())


def _year(item: _Field, text: str) -> int:
    """Two letters mean two digits of this century."""
    return 2000 + int(text) if item.width == 2 and len(text) == 2 else int(text)


def _hour(values: dict[str, int], afternoon: bool) -> int:
    """24 o'clock and 12 o'clock in their fields mean 0."""
    for half, most in (("hour12", 12), ("hour11", -1)):
        if half in values:
            return (0 if values[half] == most else values[half]) + (12 if afternoon else 0)
    hour = values.get("hour24", 0)
    return values.get("hour", 0 if hour == 24 else hour)


def _zone(text: str) -> timezone:
    match = _SHIFT.fullmatch(text)
    if not match:
        return timezone(timedelta(hours=_ZONES[text.upper()])) if _ZONES[text.upper()] else UTC
    shift = timedelta(hours=int(match.group(2)), minutes=int(match.group(3)))
    return timezone(shift if match.group(1) == "+" else -shift)
