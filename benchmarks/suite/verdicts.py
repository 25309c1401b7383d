"""From measured seconds to figures, and from figures to verdicts. Pure: reads no clock and starts nothing."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from benchmarks.suite.targets import TARGETS, Target

__all__ = ["Figure", "Row", "Run", "Verdict", "figure_of_runs", "passed", "ratio", "rows", "verdict"]


class Verdict(Enum):
    """What a figure says about its target."""

    MOONSHOT = "met, and the moonshot"
    MET = "met"
    MISSED = "MISSED"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One timed run of a job of many tasks."""

    seconds: float
    tasks: int
    #: Milliseconds of bare fork and wait, measured right before and right after.
    bare: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What was measured of one case."""

    value: float
    #: The figure of each run; `value` is their median unless the case says otherwise.
    runs: tuple[float, ...] = ()
    #: The number of tasks or jobs, where a quick run has fewer than the title says.
    size: int | None = None
    #: Further numbers, such as milliseconds a task.
    detail: Mapping[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> Figure:
        return cls(value=data["value"], runs=tuple(data["runs"]), size=data["size"], detail=data["detail"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A target with what was measured."""

    target: Target
    figure: Figure | None
    verdict: Verdict


def milliseconds(run: Run) -> float:
    """Milliseconds a task."""
    return run.seconds * 1000 / run.tasks


def ratio(run: Run) -> float:
    """How many times bare fork and wait a task costs; the machine may have changed between the two measurements."""
    return milliseconds(run) / statistics.mean(run.bare)


def figure_of_runs(runs: Sequence[Run], *, size: int | None = None, **detail: float) -> Figure:
    """The median of the ratios."""
    ratios = tuple(round(ratio(run), 2) for run in runs)
    found = {
        "ms_a_task": round(statistics.median(map(milliseconds, runs)), 3),
        "bare_ms": round(statistics.median(statistics.mean(run.bare) for run in runs), 3),
    }
    return Figure(value=round(statistics.median(ratios), 2), runs=ratios, size=size, detail={**found, **detail})


def verdict(target: Target, figure: Figure | None) -> Verdict:
    """The verdict about one case."""
    if figure is None:
        return Verdict.NOT_MEASURED
    if figure.value > target.bar:
        return Verdict.MISSED
    if target.moonshot is not None and figure.value <= target.moonshot:
        return Verdict.MOONSHOT
    return Verdict.MET


def rows(figures: Mapping[str, Figure]) -> list[Row]:
    """All targets in order, with what was measured of each."""
    return [
        Row(target=target, figure=(found := figures.get(target.case)), verdict=verdict(target, found))
        for target in TARGETS
    ]


def passed(judged: Iterable[Row], *, wanted: Iterable[str] | None = None) -> bool:
    """Whether each wanted case (None: each) was measured and is within its bar."""
    chosen = None if wanted is None else set(wanted)
    return all(
        row.verdict in (Verdict.MET, Verdict.MOONSHOT) for row in judged if chosen is None or row.target.case in chosen
    )
