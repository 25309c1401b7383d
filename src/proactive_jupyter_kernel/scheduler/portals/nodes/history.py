"""The busy slots of the last hour, in bars and words. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from proactive_jupyter_kernel.scheduler.monitoring.slot_use import MINUTES
from proactive_jupyter_kernel.scheduler.portals.nodes.facts import NodesFacts
from proactive_jupyter_kernel.workflow.display.times import clock_time

__all__ = ["History", "history_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One minute of the history, in a picture of 100 units in height."""

    x: float
    height: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The busy slots of the last hour."""

    bars: tuple[Bar, ...]
    #: For those who do not see the bars.
    text: str
    #: Below the bars: the first minute, the one in the middle, the last one.
    labels: tuple[str, str, str]


def history_of(facts: NodesFacts, slots: int) -> History:
    """The bars of the minutes, and the words for them; `slots` are those that there are now."""
    minutes = list(facts.minutes)
    scale = max([slots, 1, *(minute.most for minute in minutes)])
    offset = MINUTES - len(minutes)
    bars = tuple(
        Bar(
            x=offset + index,
            # A minute in which something ran, however short, can be seen.
            height=round(max(100 * minute.average / scale, 2.0 if minute.most else 0.0), 1),
            title=f"{_minute(facts, minute.start)}: {_average(minute.average)} of {slots:,} busy"
            f", at most {minute.most:,}",
        )
        for index, minute in enumerate(minutes)
    )
    last = minutes[-1].start if minutes else facts.now // 1000
    busy = sum(not node.record.removed and node.record.now.holder is not None for node in facts.nodes)
    most = max((minute.most for minute in minutes), default=0)
    return History(
        bars=bars,
        text=f"Busy slots in the last hour: {most:,} at most, {busy:,} of {slots:,} now",
        labels=(
            _minute(facts, last - 59 * 60),
            _minute(facts, last - 29 * 60),
            f"{_minute(facts, last)}, {busy:,} of {slots:,}",
        ),
    )


def _average(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") if value < 100 else f"{value:,.0f}"


def _minute(facts: NodesFacts, seconds: int) -> str:
    return clock_time(seconds * 1000, facts.zone)[:5]
