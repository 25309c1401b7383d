"""What the answer of a flow script means (execution semantics, section 4.1; ``FlowScript.java``).

`judge` turns the value that the script set into a decision; `default` is the decision where there is no answer to obey:
the task failed for good or was killed. What a decision does to the graph is in `controls`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from decimal import Decimal
from types import MappingProxyType
from typing import Any, TypeAlias

from proactive_jupyter_kernel.scheduler.attempt import Wire
from proactive_jupyter_kernel.workflow.cron import next_date
from proactive_jupyter_kernel.workflow.model import Branch, FlowAction, Loop, Replicate
from proactive_jupyter_kernel.workflow.values import from_wire, text

__all__ = ["Choose", "Decision", "InvalidFlowResult", "Repeat", "Runs", "Stop", "default", "judge"]


class InvalidFlowResult(ValueError):
    """A flow script set something that means nothing; the text is a message for the task's log."""


@dataclass(frozen=True, slots=True)
class Choose:
    """Branch: take the `target`, or the other way."""

    target: bool


@dataclass(frozen=True, slots=True)
class Repeat:
    """Loop: once more; not before `start_at` (milliseconds since the epoch) where a cron expression says so."""

    start_at: int | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """Loop: no further iteration. `remark` describes an answer that was not understood; that is not an error."""

    remark: str = ""


@dataclass(frozen=True, slots=True)
class Runs:
    """Replicate: so many runs of each child, the original included."""

    count: int


Decision: TypeAlias = Choose | Repeat | Stop | Runs

#: What is done without an answer: the `if` branch, no loop, one run.
_DEFAULTS: Mapping[type[FlowAction], Decision] = MappingProxyType(
    {Branch: Choose(target=True), Loop: Stop(), Replicate: Runs(1)}
)
#: The variable that each kind of flow script must set, and the word for the script.
_VARIABLES: Mapping[type[FlowAction], tuple[str, str]] = MappingProxyType(
    {Branch: ("branch", "branch"), Loop: ("loop", "loop"), Replicate: ("runs", "replicate")}
)


def default(action: FlowAction) -> Decision:
    """The decision where no script decides."""
    return _DEFAULTS[type(action)]


def judge(
    action: FlowAction, task: str, answer: Wire, decided: bool, *, now: int, most_runs: int, zone: tzinfo = UTC
) -> Decision:
    """The decision that the script's answer stands for; `InvalidFlowResult` where it stands for none.

    `task` is the task's name, for messages; `decided` is whether the script set its variable at all; `now` is the
    moment after which a cron expression counts, in `zone`; `most_runs` the highest number of runs that is obeyed.
    """
    variable, kind = _VARIABLES[type(action)]
    script = f"the {kind} script of task '{task}' ({action.script.language or action.script.url})"
    if not decided or answer is None:
        raise InvalidFlowResult(f"{script} did not set '{variable}'; it must set it to {_EXPECTED[type(action)]}")
    value: Any = answer
    try:
        value = from_wire(answer)
        return _JUDGES[type(action)](value, now, most_runs, zone)
    except ValueError as error:
        shown = f"{variable} = {_shown(value)}"
        reason = f" ({error})" if str(error) else ""
        raise InvalidFlowResult(f"{script} set {shown}{reason}; it must set it to {_EXPECTED[type(action)]}") from error


def _shown(value: Any) -> str:
    """A value for a message, at most 100 characters long."""
    shown = repr(value) if isinstance(value, str) else text(value)
    return shown if len(shown) <= 100 else shown[:100] + "…"


def _judge_branch(value: Any, now: int, most_runs: int, zone: tzinfo) -> Decision:
    """Only text counts: ``if`` or ``else``, in any case."""
    words = {"if": Choose(target=True), "else": Choose(target=False)}
    if not isinstance(value, str) or value.lower() not in words:
        raise ValueError
    return words[value.lower()]


def _judge_loop(value: Any, now: int, most_runs: int, zone: tzinfo) -> Decision:
    """``true``, ``false``, in any case; else a cron expression; else no loop, and no error."""
    words: dict[str, Decision] = {"true": Repeat(), "false": Stop()}
    said = text(value)
    if said.lower() in words:
        return words[said.lower()]
    try:
        moment = next_date(said, now, zone)
    except ValueError:
        moment = None
    if moment is None:
        return Stop(remark=f"loop = {said!r} is neither true, false nor a cron expression with a next date: no loop")
    return Repeat(start_at=moment)


def _judge_replicate(value: Any, now: int, most_runs: int, zone: tzinfo) -> Decision:
    """A number, also as text, that is rounded down; not a truth value."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise ValueError
    number = float(value) if isinstance(value, str) else value
    if not math.isfinite(number):
        raise ValueError
    count = math.floor(number)
    if count < 0:
        raise ValueError
    if count > most_runs:
        raise ValueError(f"more than the {most_runs:,} runs that this scheduler allows")
    return Runs(count)


_JUDGES: Mapping[type[FlowAction], Callable[[Any, int, int, tzinfo], Decision]] = MappingProxyType(
    {Branch: _judge_branch, Loop: _judge_loop, Replicate: _judge_replicate}
)
_EXPECTED: Mapping[type[FlowAction], str] = MappingProxyType(
    {
        Branch: "the text 'if' or 'else'",
        Loop: "true, false or a cron expression",
        Replicate: "an integer, 0 or more",
    }
)
