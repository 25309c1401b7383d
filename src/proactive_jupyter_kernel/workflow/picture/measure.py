"""The width of a text in the widest of the usual fonts, since the font of the reader is not known. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

__all__ = ["cells", "clean", "cut", "cut_cells", "width"]

#: Hundredths of an em -> characters, as in DejaVu Sans, the widest usual font.
_WIDTHS = {
    character: hundredths / 100
    for hundredths, characters in {
        28: "'ijl",
        30: "IJ",
        32: " ,.·",
        34: "/:;\\|",
        36: "f-",
        40: "()[]t!",
        42: "r",
        46: '"',
        50: "*_`",
        53: "sz?",
        56: "cL",
        59: "Fkvxy",
        61: "PTYaoe",
        64: "ESbdghnpqu$0123456789{}",
        66: "K",
        69: "ABRVXZ",
        71: "C",
        73: "U",
        76: "HN",
        79: "DGOQ&",
        84: "w#+<=>^~×",
        87: "M",
        100: "m%W@…",
    }.items()
    for character in characters
}
_WIDE = 1.03
#: Characters that XML 1.0 cannot contain, not even escaped.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """The text without characters that XML cannot contain."""
    return _ILLEGAL.sub("\ufffd", text)


def width(text: str, size: float) -> float:
    """The width of a text in pixels, at a font size in pixels."""
    return sum(map(_em, text)) * size


def _em(character: str) -> float:
    known = _WIDTHS.get(character)
    if known is not None:
        return known
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return _WIDE
    return 0.78 if character.isupper() else 0.66


def cut(text: str, room: float, size: float) -> str:
    """The text if it fits, else its start and end around a ``…``: names differ at their ends."""
    if width(text, size) <= room:
        return text
    return _cut(text, lambda shown: width(shown, size) <= room)


def cells(text: str) -> int:
    """The width of a text in the cells of a terminal."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def cut_cells(text: str, room: int) -> str:
    """As `cut`, in the cells of a terminal."""
    return text if cells(text) <= room else _cut(text, lambda shown: cells(shown) <= room)


def _cut(text: str, fits: Callable[[str], bool]) -> str:
    shortest, longest = 1, len(text) - 1
    while shortest < longest:
        kept = (shortest + longest + 1) // 2
        if fits(_ends(text, kept)):
            shortest = kept
        else:
            longest = kept - 1
    return _ends(text, shortest)


def _ends(text: str, kept: int) -> str:
    first = (kept + 1) // 2
    return f"{text[:first]}…{text[len(text) - (kept - first) :]}"
