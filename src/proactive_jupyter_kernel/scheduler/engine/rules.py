"""What the workflow asks of each task's executions: limits, delays, policies, places, times; job and task combined.

Generic information of the task overrides the job's of the same key (execution semantics, section 16).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from proactive_jupyter_kernel.workflow.model import (
    ErrorPolicy,
    Reference,
    RestartMode,
    SelectionScript,
    Task,
    Topology,
    Workflow,
)

__all__ = ["Rules", "growing_delay", "plain", "removal_delay", "rules_of", "rules_of_all", "start_time"]

_Value = TypeVar("_Value")

#: Generic information that names a node source; the second is the deprecated key.
_SOURCE_KEYS = ("NODE_SOURCE", "NODESOURCENAME")
_UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000}
_DELAY_PART = re.compile(r"([0-9]{1,12})\s*([dhms])")
#: Characters of a delay; longer texts are none.
_LONGEST_DELAY = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules of one task of the workflow; its copies share them."""

    #: What follows the last failing execution; never NONE.
    policy: ErrorPolicy
    #: All executions, the first included.
    max_executions: int
    #: Milliseconds between two executions; None: `growing_delay`.
    retry_delay: int | None
    #: A failing slot is not used for the next execution where there is another.
    elsewhere: bool
    nodes: int
    topology: Topology | None
    #: Node source, references unresolved; empty: any.
    source: str
    #: Node access token, references unresolved; empty: none.
    token: str
    #: Not eligible before, in milliseconds since the epoch; None: at once.
    start_at: int | None
    selection: tuple[SelectionScript, ...]

    @property
    def static_selection(self) -> bool:
        """Whether the scripts' answer for a slot never changes."""
        return all(script.static for script in self.selection)

    def delay(self, executions_left: int) -> int:
        """Milliseconds until the next execution, when so many are left."""
        if self.retry_delay is not None:
            return self.retry_delay
        return growing_delay(max(1, self.max_executions - executions_left))


def plain(value: _Value | Reference) -> _Value:
    """The value itself; ValueError where a reference is left, which a submission must have resolved."""
    if isinstance(value, Reference):
        raise ValueError(f"the workflow still holds the reference {value}; resolve it before it is submitted")
    return value


def rules_of(workflow: Workflow, task: Task) -> Rules:
    """The rules of a task: its own attributes, else the job's, else ProActive's defaults."""
    information = {**workflow.generic_information, **task.generic_information}
    delay = _first(plain(task.retry_delay), plain(workflow.retry_delay))
    executions = _first(plain(task.max_executions), plain(workflow.max_executions))
    return Rules(
        policy=_policy(workflow, task),
        max_executions=max(1, 1 if executions is None else executions),
        retry_delay=None if delay is None else delay * 1_000,
        elsewhere=_first(plain(task.restart), plain(workflow.restart)) is RestartMode.ELSEWHERE,
        nodes=max(1, plain(task.nodes)),
        topology=task.topology,
        source=next((information[key] for key in _SOURCE_KEYS if information.get(key)), ""),
        token=information.get("NODE_ACCESS_TOKEN", ""),
        start_at=start_time(task.generic_information),
        selection=task.selection,
    )


def rules_of_all(workflow: Workflow) -> dict[str, Rules]:
    """The rules of all tasks by name. Those of tasks that differ in nothing that counts are one record."""
    known: dict[tuple[object, ...], Rules] = {}
    found: dict[str, Rules] = {}
    for task in workflow.tasks:
        if task.generic_information or task.selection:
            found[task.name] = rules_of(workflow, task)
            continue
        key = _what_counts(task)
        rules = known.get(key)
        if rules is None:
            rules = known[key] = rules_of(workflow, task)
        found[task.name] = rules
    return found


#: What `rules_of` reads of a task beside its generic information and its selection scripts.
_what_counts = operator.attrgetter("on_error", "restart", "retry_delay", "max_executions", "nodes", "topology")


def _first(own: _Value | None, general: _Value | None) -> _Value | None:
    """The task's own value, or the general one if it has none."""
    return general if own is None else own


def _policy(workflow: Workflow, task: Task) -> ErrorPolicy:
    """The task's error policy, or that of the workflow, or ``continueJobExecution``."""
    for chosen in (plain(task.on_error), plain(workflow.on_error)):
        if chosen is not None and chosen is not ErrorPolicy.NONE:
            return chosen
    return ErrorPolicy.CONTINUE


def growing_delay(failures: int) -> int:
    """ProActive's delay in milliseconds after so many failures: 2, 4, 7, 11, … 56 s, then always 60 s."""
    return min(60, 1 + failures * (failures + 1) // 2) * 1_000


def start_time(information: Mapping[str, str]) -> int | None:
    """``START_AT`` in milliseconds since the epoch; None where it is missing or not ISO 8601 with a zone."""
    try:
        moment = datetime.fromisoformat(information.get("START_AT", "").strip())
        return None if moment.tzinfo is None else round(moment.timestamp() * 1_000)
    except (ValueError, OverflowError):
        return None


def removal_delay(information: Mapping[str, str], *, with_errors: bool) -> int | None:
    """Milliseconds from a job's end until it is forgotten (``REMOVE_DELAY``, ``3d 12h``); None: it is kept."""
    delay = _milliseconds(information.get("REMOVE_DELAY_ON_ERROR", "")) if with_errors else None
    return _milliseconds(information.get("REMOVE_DELAY", "")) if delay is None else delay


def _milliseconds(text: str) -> int | None:
    """The milliseconds of a text such as ``3d 12h``; None if it is not of that form."""
    parts = _DELAY_PART.findall(text) if len(text) <= _LONGEST_DELAY else []
    if not parts or _DELAY_PART.sub("", text).strip():
        return None
    return sum(int(count) * _UNITS[unit] for count, unit in parts)
