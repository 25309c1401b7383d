"""Everything that may happen to the machine. Every event carries the time, in milliseconds since the epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from proactive_jupyter_kernel.scheduler.attempt import Failure, Slot, Wire
from proactive_jupyter_kernel.workflow.model import Priority, Workflow

__all__ = [
    "AttemptEnded",
    "Event",
    "FinishInErrorTask",
    "JobSubmitted",
    "KillJob",
    "KillTask",
    "PauseJob",
    "PreemptTask",
    "ProgressMade",
    "RemoveJob",
    "RestartAllInErrorTasks",
    "RestartInErrorTask",
    "RestartTask",
    "ResumeJob",
    "SchedulerCommand",
    "SelectionEnded",
    "SetPriority",
    "SetStartAt",
    "SlotsChanged",
    "TimePassed",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    #: Milliseconds since the epoch.
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _JobEvent(_Event):
    job_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _TaskEvent(_JobEvent):
    task_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSubmitted(_JobEvent):
    """A workflow was accepted: checked, references resolved as far as known at submission."""

    workflow: Workflow
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnded(_TaskEvent):
    """An attempt that `StartAttempt` asked for is over; late and double news are ignored by `number`."""

    number: int
    failure: Failure | None = None
    #: What goes to the children: layer 1 overridden by layer 3 (execution semantics, section 7.2), wire values.
    variables: Mapping[str, Wire] = field(default_factory=dict)
    flow: Wire = None
    flow_decided: bool = False
    duration: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionEnded(_TaskEvent):
    """The selection scripts of a task were run for a slot."""

    slot: str
    selected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressMade(_TaskEvent):
    """A running task reports its progress, 0 to 100."""

    number: int
    progress: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotsChanged(_Event):
    """These are all the slots there are now."""

    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed(_Event):
    """Nothing but the clock moved; sent when `Machine.next_wakeup` is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KillJob(_JobEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseJob(_JobEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeJob(_JobEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveJob(_JobEvent):
    """Forget the job, its results and logs; kills it first if it is alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPriority(_JobEvent):
    priority: Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStartAt(_JobEvent):
    #: Milliseconds since the epoch.
    start_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartAllInErrorTasks(_JobEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class KillTask(_TaskEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartTask(_TaskEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class PreemptTask(_TaskEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartInErrorTask(_TaskEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishInErrorTask(_TaskEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerCommand(_Event):
    """The whole scheduler is told to ``start``, ``stop``, ``pause``, ``freeze``, ``resume``, ``shutdown``, ``kill``."""

    verb: str


Event: TypeAlias = (
    JobSubmitted
    | AttemptEnded
    | SelectionEnded
    | ProgressMade
    | SlotsChanged
    | TimePassed
    | KillJob
    | PauseJob
    | ResumeJob
    | RemoveJob
    | SetPriority
    | SetStartAt
    | RestartAllInErrorTasks
    | KillTask
    | RestartTask
    | PreemptTask
    | RestartInErrorTask
    | FinishInErrorTask
    | SchedulerCommand
)
