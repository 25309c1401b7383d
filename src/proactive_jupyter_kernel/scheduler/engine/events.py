"""Everything that may happen to the machine. Every event carries the time, in milliseconds since the epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from proactive_jupyter_kernel.scheduler.attempt import Failure, Slot, Wire
from proactive_jupyter_kernel.workflow.model import Priority, Workflow

__all__ = [
    "AttemptEnded",
    "ClockSet",
    "Event",
    "FinishInErrorTask",
    "JobBroken",
    "JobEvent",
    "JobSubmitted",
    "KillJob",
    "KillTask",
    "LockSlots",
    "PauseJob",
    "PreemptTask",
    "ProgressMade",
    "RemoveJob",
    "RestartAllInErrorTasks",
    "RestartInErrorTask",
    "RestartTask",
    "ResumeJob",
    "SchedulerCommand",
    "ScriptsRead",
    "SelectionEnded",
    "SetPriority",
    "SetStartAt",
    "SlotsChanged",
    "TaskEvent",
    "TimePassed",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    #: Milliseconds since the epoch.
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvent(_Event):
    job_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEvent(JobEvent):
    task_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSubmitted(JobEvent):
    """A workflow was accepted: checked, references resolved as far as known at submission."""

    workflow: Workflow
    owner: str
    #: Names of the tasks whose scripts are read from links: they hold no slot before `ScriptsRead`, or before this
    #: time in milliseconds since the epoch.
    reading: frozenset[str] = frozenset()
    reading_until: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptsRead(JobEvent):
    """The scripts that `JobSubmitted.reading` waits for are there, or cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnded(TaskEvent):
    """An attempt that `StartAttempt` asked for is over.

    `number` identifies it; stale and duplicate reports are ignored.
    """

    number: int
    failure: Failure | None = None
    #: What goes to the children: layer 1 overridden by layer 3 (execution semantics, section 7.2), wire values.
    variables: Mapping[str, Wire] = field(default_factory=dict)
    flow: Wire = None
    flow_decided: bool = False
    duration: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionEnded(TaskEvent):
    """The selection scripts of a task were run for a slot."""

    slot: str
    selected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressMade(TaskEvent):
    """A running task reports its progress, 0 to 100."""

    number: int
    progress: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotsChanged(_Event):
    """These are all the slots there are now."""

    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockSlots(_Event):
    """A person locks slots, which start no task until they are unlocked; what runs there runs to its end."""

    names: tuple[str, ...]
    #: False: unlock them.
    locked: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed(_Event):
    """Nothing but the clock moved; sent when `Machine.next_wakeup` is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSet(_Event):
    """Somebody set the clock, or the machine slept: delays last as long as they were meant to, dates are dates."""

    #: Milliseconds by which the clock is ahead of where it would be; negative: it was set back.
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobBroken(JobEvent):
    """An action outside the machine failed for this job only and cannot be repeated, such as storing its changes.

    The job ends as FAILED, with the message. Code that catches an exception of one job sends this event.
    """

    message: str
    #: The task that the fault is about, if one is known.
    task_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KillJob(JobEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseJob(JobEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeJob(JobEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveJob(JobEvent):
    """Forget the job, its results and logs; kills it first if it is alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPriority(JobEvent):
    priority: Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStartAt(JobEvent):
    #: Milliseconds since the epoch.
    start_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartAllInErrorTasks(JobEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class KillTask(TaskEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartTask(TaskEvent):
    """End the running attempt and try again; it costs an execution."""

    #: Milliseconds until it may start again; the REST API always asks for 5 s.
    delay: int = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PreemptTask(TaskEvent):
    """End the running attempt and try again; it costs no execution."""

    #: Milliseconds until it may start again; the REST API always asks for 5 s.
    delay: int = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartInErrorTask(TaskEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishInErrorTask(TaskEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerCommand(_Event):
    """Change the whole scheduler: ``start``, ``stop``, ``pause``, ``freeze``, ``resume``, ``shutdown``, ``kill``."""

    verb: str


Event: TypeAlias = (
    JobSubmitted
    | ScriptsRead
    | AttemptEnded
    | SelectionEnded
    | ProgressMade
    | SlotsChanged
    | LockSlots
    | TimePassed
    | ClockSet
    | JobBroken
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
