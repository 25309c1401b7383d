"""Lines of a task's output as people read them."""

from __future__ import annotations

import re

__all__ = ["shortened", "shown_text"]

#: What a terminal would obey and a page would show: sequences for colours and the like, other control characters.
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|[\x00-\x08\x0b-\x1f\x7f]")


def shown_text(line: str) -> str:
    """The line as a terminal leaves it: what a carriage return wrote over is gone, as in bars of progress."""
    if line.isprintable():
        return line
    return _CONTROL.sub("", line.rstrip("\r").rpartition("\r")[2])


def shortened(text: str, most: int) -> str:
    """The text, or its first characters and how many are left out."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most:,} more characters)"
