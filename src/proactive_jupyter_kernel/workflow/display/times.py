"""Durations and clock times as people read them."""

from __future__ import annotations

from datetime import datetime, tzinfo

__all__ = ["clock_time", "duration"]


def duration(milliseconds: int) -> str:
    """A duration in a unit that fits: ``38 ms``, ``1.2 s``, ``12 s``, ``2 min 14 s``, ``1 h 04 min``, ``3 d 2 h``."""
    milliseconds = max(milliseconds, 0)
    if milliseconds < 995:
        return f"{_two_digits(milliseconds)} ms"
    if milliseconds < 9_950:
        return f"{milliseconds / 1000:.1f} s"
    seconds = round(milliseconds / 1000)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02} s"
    if seconds < 48 * 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02} min"
    return f"{seconds // 86_400} d {seconds % 86_400 // 3600} h"


def _two_digits(milliseconds: int) -> int:
    """Three digits of milliseconds are noise; ten of them are not."""
    return milliseconds if milliseconds < 100 else round(milliseconds, -1)


def clock_time(milliseconds: int, zone: tzinfo | None = None) -> str:
    """The time of day, ``22:05:12``."""
    return datetime.fromtimestamp(milliseconds / 1000, zone).strftime("%H:%M:%S")
