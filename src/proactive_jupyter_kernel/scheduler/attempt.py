"""An attempt, one run of one task, and its outcome: what the service, the executors and the runtimes hand each other.

Values are in *wire form* (see ``workflow/values.py``): what ``json`` can hold, with bytes, sets and decimals tagged.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from proactive_jupyter_kernel.scheduler.raw_value import NULL, RawValue
from proactive_jupyter_kernel.workflow.model import (
    FileSelector,
    ForkEnvironment,
    NativeCommand,
    Script,
    SelectionScript,
)

__all__ = [
    "COMMON_EXCEPTIONS",
    "DEFAULT_SOURCE",
    "Attempt",
    "Failure",
    "FailureKind",
    "FlowScript",
    "Outcome",
    "ParentResult",
    "Selection",
    "SelectionAnswer",
    "Slot",
    "Wire",
]

#: A value as JSON can hold it.
Wire: TypeAlias = Any


#: The node source that every ProActive server lists. Here it always has nodes.
DEFAULT_SOURCE = "Default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Room for one attempt; shown as a ProActive node."""

    #: Unique, such as ``local-0``.
    name: str
    host: str = "localhost"
    #: The node source.
    source: str = DEFAULT_SOURCE
    #: Access tokens: only tasks with one of these (``NODE_ACCESS_TOKEN``) run on a slot that has any.
    tokens: tuple[str, ...] = ()
    #: Slots of the same site have files in common that others must be sent; empty: all slots have.
    site: str = ""


class FailureKind(enum.Enum):
    """Why an attempt failed; the engine treats some of them differently."""

    #: A script raised, ended with another exit code than 0, or a file transfer failed.
    ERROR = "error"
    #: The process ended before it could report (a crash, os._exit).
    DIED = "died"
    WALLTIME = "walltime"
    #: The service asked for it.
    KILLED = "killed"
    #: The executor or the node was lost; costs no execution.
    LOST = "lost"


#: Exceptions that clients know, too.
COMMON_EXCEPTIONS = frozenset(
    {
        "TaskAbortedException",
        "TaskCouldNotRestartException",
        "TaskCouldNotStartException",
        "TaskPreemptedException",
        "TaskRestartedException",
        "TaskSkippedException",
        "WalltimeExceededException",
    }
)
#: Exceptions that the nodes of a server have, and their package.
_NODE_EXCEPTIONS = {"ForkedJvmProcessException": "task.exceptions", "TaskException": "task.exceptions"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What went wrong in an attempt."""

    kind: FailureKind
    #: The exception's class as ProActive names it, without the package: ``TaskException`` and so on.
    exception: str
    #: One line for people: ``Failed to execute task: …``.
    message: str
    #: The traceback, or empty.
    stack_trace: str = ""

    @property
    def java_class(self) -> str:
        """The full name of the exception's class on a server; the bare name of a class that is only ours."""
        package = "common.exception" if self.exception in COMMON_EXCEPTIONS else _NODE_EXCEPTIONS.get(self.exception)
        return f"org.ow2.proactive.scheduler.{package}.{self.exception}" if package else self.exception

    @property
    def text(self) -> str:
        """As ``TaskResult.toString`` of ProActive says it: a script's failure without the class, others with it."""
        return self.message if self.exception == "TaskException" else f"{self.java_class}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowScript:
    """The script that decides the flow, and which variable it must set."""

    script: Script
    #: ``branch``, ``loop`` or ``runs``.
    variable: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentResult:
    """One entry of ``results``."""

    task_name: str
    task_id: int
    value: RawValue = NULL
    metadata: Mapping[str, str] = field(default_factory=dict)
    #: The parent failed; `value` means nothing.
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """All that an executor needs to run a task once, references resolved."""

    job_id: int
    job_name: str
    task_id: int
    task_name: str
    #: Counts from 1 over all executions of the task, node failures included.
    number: int
    owner: str
    slot: Slot
    main: Script | NativeCommand
    pre: Script | None = None
    post: Script | None = None
    clean: Script | None = None
    flow: FlowScript | None = None
    fork_environment: ForkEnvironment | None = None
    #: Layer 1 of the variables: job, parents, system; wire values.
    inherited: Mapping[str, Wire] = field(default_factory=dict)
    #: Layer 2: the task's own variables.
    scope: Mapping[str, Wire] = field(default_factory=dict)
    generic_information: Mapping[str, str] = field(default_factory=dict)
    results: tuple[ParentResult, ...] = ()
    credentials: Mapping[str, str] = field(default_factory=dict)
    #: ``globalspace``, ``userspace``, ``inputspace``, ``outputspace``, ``cachespace`` -> absolute folder.
    spaces: Mapping[str, str] = field(default_factory=dict)
    input_files: tuple[FileSelector, ...] = ()
    output_files: tuple[FileSelector, ...] = ()
    #: URLs of all nodes of the task, its own first.
    node_urls: tuple[str, ...] = ()
    #: Seconds for the whole attempt; None: no limit.
    walltime: float | None = None
    precious_logs: bool = False
    #: ``url`` and ``key`` with which scripts reach channels and signals; empty: they cannot.
    services: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Names the attempt in logs, folders and cookies: ``12t0-1``."""
        return f"{self.job_id}t{self.task_id}-{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The question whether a task may run on a slot."""

    job_id: int
    task_id: int
    task_name: str
    slot: Slot
    #: References in their texts resolved.
    scripts: tuple[SelectionScript, ...]
    #: What the task would see: job, parents, system, the task's own; wire values.
    variables: Mapping[str, Wire] = field(default_factory=dict)
    generic_information: Mapping[str, str] = field(default_factory=dict)
    #: Of the slot, as ``nodeurl`` shows it; empty: made of host and name.
    node_url: str = ""
    #: As in `Attempt`.
    services: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionAnswer:
    """What the selection scripts of a task say about a slot."""

    selected: bool
    #: Why a script has no answer: it failed, or did not set ``selected``. Such a slot is refused.
    failure: str = ""
    #: The last lines that the scripts wrote.
    output: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an attempt."""

    #: None: all scripts ended well.
    failure: Failure | None = None
    #: As JSON text where the executor has it so, which spares the scheduler the encoding.
    value: Wire | RawValue = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    #: What scripts put into ``variables`` (layer 3).
    variables_set: Mapping[str, Wire] = field(default_factory=dict)
    variables_removed: tuple[str, ...] = ()
    result_map: Mapping[str, Wire] = field(default_factory=dict)
    #: The flow script's answer, unjudged; meaningful only where `flow_decided`.
    flow: Wire = None
    flow_decided: bool = False
    exit_code: int | None = None
    #: The last lines of the clean script, and why it failed; both are only for the scheduler's log.
    clean_output: tuple[str, ...] = ()
    clean_failure: str = ""
    #: Milliseconds of wall time, measured by the executor.
    duration: int = 0
