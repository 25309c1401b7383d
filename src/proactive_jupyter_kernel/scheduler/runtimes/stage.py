"""A stage: one script of an attempt, the request to its process and the report.

An attempt is a sequence of stages: fork environment, pre, main, post, flow, clean. Each is a separate process and
may be of another language; what they share are the maps ``variables``, ``resultMap`` and ``resultMetadata``, which the
executor carries from one to the next.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind, Wire
from proactive_jupyter_kernel.scheduler.runtimes.bindings import Bindings
from proactive_jupyter_kernel.workflow.model import Script

__all__ = [
    "CannotStart",
    "Launch",
    "Resident",
    "Stage",
    "StageKind",
    "StageReport",
    "failure",
    "killed",
    "lost",
    "walltime_reached",
]


class StageKind(enum.Enum):
    """Which script of a task a stage is."""

    label: str
    prefix: str
    returns: tuple[str, ...]

    def __new__(cls, key: str, label: str, prefix: str, returns: tuple[str, ...]) -> StageKind:
        member = object.__new__(cls)
        member._value_ = key
        #: How tracebacks name the script: ``<task T1>``.
        member.label = label
        #: What a failure's message starts with.
        member.prefix = prefix
        #: The globals that are read after the script has ended; a flow script's is in `Stage.variable`.
        member.returns = returns
        return member

    FORK = ("fork", "fork environment script of", "Failed to execute fork environment script", ("preJavaHomeCmd",))
    PRE = ("pre", "pre script of", "Failed to execute pre script", ())
    MAIN = ("main", "task", "Failed to execute task", ("result",))
    POST = ("post", "post script of", "Failed to execute post script", ("result",))
    FLOW = ("flow", "control flow script of", "Failed to execute control flow script", ())
    CLEAN = ("clean", "clean script of", "Failed to execute clean script", ())
    SELECTION = ("selection", "selection script of", "Failed to execute selection script", ("selected",))


class CannotStart(Exception):
    """A stage cannot be started: its program is missing, its text impossible. The text is a finished message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One script, ready to be prepared by the runtime of its language."""

    kind: StageKind
    task_name: str
    script: Script
    bindings: Bindings
    #: Exists, is empty and belongs to this stage alone: the script's file, the harness' request and report lie here.
    folder: Path = Path()
    #: Where the process starts: the local space, or the fork environment's ``workingDir``.
    working_dir: Path = Path()
    #: The environment of the process but for what the runtime adds; programs are looked up on its PATH.
    environment: Mapping[str, str] = field(default_factory=dict)
    #: What a flow script must set: ``branch``, ``loop`` or ``runs``; empty for the other kinds.
    variable: str = ""
    #: The words of a native command instead of a script's text; empty for scripts.
    command: tuple[str, ...] = ()
    #: True: a command prefix puts the process into a container. Only `folder` and the local space are sure to be
    #: visible there, and programs are those of the container.
    in_container: bool = False
    #: Options of the Java machine, for the languages that run on one.
    jvm_arguments: tuple[str, ...] = ()
    #: How many bytes the report may have.
    limit: int = 64 * 1024 * 1024
    #: Whether a Python process may come from a template, which takes the request without a file.
    forks: bool = False
    #: Where such a process writes its report, instead of a file in `folder`: the path of a file in memory that is empty
    #: until then; empty where there is none.
    report: str = ""

    @property
    def label(self) -> str:
        """How errors name the script: ``<task T1>``, ``<pre script of T1>``."""
        return f"<{self.kind.label} {self.task_name}>"

    @property
    def returns(self) -> tuple[str, ...]:
        """The globals that are read when the script has ended."""
        return (self.variable, *self.kind.returns) if self.variable else self.kind.returns


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """A process that runs several scripts, one after the other: see ``harness/jvm/proactive/Warm.java``."""

    #: What it is started with, but for the folder of its first script, `rehearsal`.
    arguments: tuple[str, ...]
    #: A script that does nothing, but has the language load what it needs.
    rehearsal: str
    #: Whether this script may be followed by another one; otherwise the process ends with it.
    keep: bool
    #: When what the process loads was changed last: a process that was started before then is of no use.
    stamps: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How a stage's process is started."""

    #: The program: a path; where the stage runs in a container, names to try in turn inside the container.
    programs: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    #: Added to the stage's environment.
    environment: Mapping[str, str] = field(default_factory=dict)
    #: What stands in the output for something better to read: the script's path -> ``<task T1>``.
    masks: Mapping[str, str] = field(default_factory=dict)
    #: What the stage's process is told where a template of the program, a Python interpreter, forks for it: the
    #: request, or the folder that it lies in. Empty: the program is executed.
    request: str = ""
    #: True: what the process writes to standard output is the result, as bytes.
    captures: bool = False
    #: Slow packages that the script imports first; a template that has imported them may fork for it.
    packages: tuple[str, ...] = ()
    #: Where a process that is there already may run the stage instead; None: a new one must.
    resident: Resident | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageReport:
    """What came of a stage."""

    #: None: it ended well.
    failure: Failure | None = None
    exit_code: int | None = None
    #: The globals of `Stage.returns` that the script set.
    values: Mapping[str, Wire] = field(default_factory=dict)
    #: What the script put into ``variables``, and what it removed.
    variables_set: Mapping[str, Wire] = field(default_factory=dict)
    variables_removed: tuple[str, ...] = ()
    #: What the script put into ``resultMap``.
    result_map: Mapping[str, Wire] = field(default_factory=dict)
    #: ``resultMetadata`` as the script left it; None: unchanged.
    metadata: Mapping[str, str] | None = None
    #: What a fork environment script did to ``forkEnvironment``: ``workingDir``, ``systemEnvironment``,
    #: ``preJavaCommand``; the rest is ignored.
    fork_environment: Mapping[str, Wire] = field(default_factory=dict)


_EXCEPTIONS = {
    FailureKind.ERROR: "TaskException",
    FailureKind.DIED: "ForkedJvmProcessException",
    FailureKind.WALLTIME: "WalltimeExceededException",
    FailureKind.KILLED: "TaskAbortedException",
    FailureKind.LOST: "NodeLostException",
}


def failure(kind: FailureKind, message: str, stack_trace: str = "") -> Failure:
    """A failure with the exception class that ProActive gives that kind."""
    return Failure(kind=kind, exception=_EXCEPTIONS[kind], message=message, stack_trace=stack_trace)


def walltime_reached(task_name: str, limit: float) -> Failure:
    """A task ran for longer than `limit` seconds."""
    return failure(FailureKind.WALLTIME, f"Walltime of {round(limit * 1000)} ms reached on task {task_name}")


def killed() -> Failure:
    """A person, or the job's end, has killed the task."""
    return failure(FailureKind.KILLED, "The task has been manually killed.")


def lost() -> Failure:
    """The scheduler went away under the task, which will run again."""
    return failure(FailureKind.LOST, "The scheduler stopped while the task was running")
