"""Small pieces of markup that all pages share: marks, bars, times. The policy forbids ``style`` attributes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from markupsafe import Markup, escape

from proactive_jupyter_kernel.workflow.display.marks import TONES, Mark
from proactive_jupyter_kernel.workflow.display.records import Segment
from proactive_jupyter_kernel.workflow.display.times import clock_time, duration
from proactive_jupyter_kernel.workflow.display.tokens import MARKS

__all__ = ["GLOBALS", "bar", "day_time", "icon", "moment"]


#: The width of the smallest piece of a bar, in percent: one task of very many is seen.
_LEAST = 0.8


def icon(mark: Mark, label: str = "") -> Markup:
    """The outline of a mark in its tone. `label` is for those who do not see it; empty: the word stands beside it."""
    named = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    path = f'<path fill-rule="evenodd" d="{MARKS[mark.value]}"/>'
    return Markup(f'<svg class="i t-{TONES[mark]}" viewBox="0 0 16 16" {named}>{path}</svg>')


def bar(segments: Sequence[Segment]) -> Markup:
    """A bar of pieces; the words beside it say the same."""
    pieces = "".join(
        f'<rect class="f-{escape(piece.tone)}" x="{piece.start:g}" width="{max(piece.width, _LEAST):g}" height="6"/>'
        for piece in segments
    )
    return Markup(f'<svg class="b" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">{pieces}</svg>')


def day_time(milliseconds: int, now: int) -> str:
    """``today 22:05:12``, ``yesterday 17:30:00``, ``3 November 09:12:40``, ``3 November 2025``; in local time."""
    when, today = datetime.fromtimestamp(milliseconds / 1000), datetime.fromtimestamp(now / 1000).date()
    clock = clock_time(milliseconds)
    if when.date() == today:
        return f"today {clock}"
    if when.date() == today - timedelta(days=1):
        return f"yesterday {clock}"
    day = f"{when.day} {when:%B}"
    return f"{day} {clock}" if when.year == today.year else f"{day} {when.year}"


def moment(milliseconds: int, now: int) -> Markup:
    """A time as a ``<time>``: the words, and the exact time for machines and for the pointer."""
    exact = datetime.fromtimestamp(milliseconds / 1000).astimezone().isoformat(timespec="seconds")
    return Markup(f'<time datetime="{exact}" title="{exact}">{day_time(milliseconds, now)}</time>')


#: What every template has.
GLOBALS = {
    "Mark": Mark,
    "TONES": TONES,
    "bar": bar,
    "duration": duration,
    "icon": icon,
    "moment": moment,
}
