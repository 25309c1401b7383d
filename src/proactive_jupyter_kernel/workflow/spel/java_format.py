"""``String.format`` of Java: the conversions that texts of messages use, with limits for width and precision."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from proactive_jupyter_kernel.workflow.spel.values import SpelError, shown, text

__all__ = ["java_format"]

_SPECIFIER = re.compile(r"%(?:(\d{1,4})\$)?([-#+ 0,(]*)(\d{1,9})?(?:\.(\d{1,9}))?([a-zA-Z%])")
_MAX_WIDTH = 10_000


def java_format(layout: str, values: Sequence[Any]) -> str:
    """`values` in the layout. Raises SpelError for a wrong layout, or a value of another type."""
    parts: list[str] = []
    position, following = 0, 0
    while (start := layout.find("%", position)) >= 0:
        match = _SPECIFIER.match(layout, start)
        if match is None:
            raise SpelError(f"the format {shown(layout)} has a wrong specifier at character {start + 1}")
        parts.append(layout[position:start])
        position = match.end()
        index, flags, width, precision, letter = match.groups()
        size = int(width or 0)
        if size > _MAX_WIDTH or int(precision or 0) > _MAX_WIDTH:
            raise SpelError(f"the format {shown(layout)} has a width or precision above {_MAX_WIDTH:,}")
        if letter in "n%":
            parts.append("\n" if letter == "n" else "%".rjust(size))
            continue
        number = int(index) - 1 if index else following
        following += not index
        if not 0 <= number < len(values):
            raise SpelError(f"the format {shown(layout)} needs more values than the {len(values)} that it has")
        found = _converted(letter, flags, values[number], precision, size)
        parts.append(found.ljust(size) if "-" in flags else found.rjust(size))
    return "".join([*parts, layout[position:]])


def _converted(letter: str, flags: str, value: Any, precision: str | None, width: int) -> str:
    convert = _CONVERSIONS.get(letter.lower())
    if convert is None or (letter != letter.lower() and letter.lower() in "df"):
        raise SpelError(f"the conversion %{letter} of String.format is not supported here")
    found = convert(value, flags, precision, width)
    return found.upper() if letter.isupper() else found


def _plain(value: Any, flags: str, precision: str | None, width: int) -> str:
    found = text(value)
    return found if precision is None else found[: int(precision)]


def _flag(value: Any, flags: str, precision: str | None, width: int) -> str:
    return _plain(value if isinstance(value, bool) else value is not None, flags, precision, width)


def _whole(value: Any, flags: str, precision: str | None, width: int) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool) or not isinstance(value, int) or precision is not None:
        raise SpelError(f"%d needs an integer, not {shown(value)}")
    return _signed(int(value) < 0, format(abs(int(value)), "," if "," in flags else ""), flags, width)


def _signed(negative: bool, digits: str, flags: str, width: int) -> str:
    before, after = ("(", ")") if negative and "(" in flags else ("-" if negative else "", "")
    if not negative:
        before = "+" if "+" in flags else " " if " " in flags else ""
    if "0" in flags:
        digits = digits.rjust(width - len(before) - len(after), "0")
    return before + digits + after


def _fixed(value: Any, flags: str, precision: str | None, width: int) -> str:
    """``%f``: rounded half up, as in Java."""
    if value is None:
        return "null"
    if not isinstance(value, float):
        raise SpelError(f"%f needs a real number such as 1.0, not {shown(value)}")
    if not math.isfinite(value):
        return text(value)
    places = 6 if precision is None else int(precision)
    rounded = abs(Decimal(repr(value))).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _CONTEXT)
    return _signed(math.copysign(1, value) < 0, format(rounded, ",f" if "," in flags else "f"), flags, width)


def _scientific(value: Any, flags: str, precision: str | None, width: int) -> str:
    if not isinstance(value, float):
        raise SpelError(f"%e needs a real number such as 1.0, not {shown(value)}")
    if not math.isfinite(value):
        return text(value)
    return _signed(
        math.copysign(1, value) < 0, f"{abs(value):.{6 if precision is None else int(precision)}e}", flags, width
    )


def _hexadecimal(value: Any, flags: str, precision: str | None, width: int) -> str:
    from proactive_jupyter_kernel.workflow.spel.values import Long

    if isinstance(value, bool) or not isinstance(value, int):
        raise SpelError(f"%x needs an integer, not {shown(value)}")
    found = format(int(value) % (1 << (64 if isinstance(value, Long) else 32)), "x")
    return found.rjust(width, "0") if "0" in flags else found


def _character(value: Any, flags: str, precision: str | None, width: int) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 0x10FFFF:
        return chr(value)
    if isinstance(value, str) and len(value) == 1:
        return value
    raise SpelError(f"%c needs a character, not {shown(value)}")


_CONTEXT = Context(prec=_MAX_WIDTH + 400)
_CONVERSIONS: Mapping[str, Callable[[Any, str, str | None, int], str]] = {
    "s": _plain,
    "b": _flag,
    "d": _whole,
    "f": _fixed,
    "e": _scientific,
    "x": _hexadecimal,
    "c": _character,
}
