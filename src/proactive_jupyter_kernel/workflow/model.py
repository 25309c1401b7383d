"""The model of a workflow: frozen records, as written, with unresolved references such as ``${X}``.

The records mirror the elements of ProActive's workflow XML (the job descriptor schema 3.14); each class names its
element. This file reads no file, resolves no reference and checks no rule: see `formats`, `references` and `checks`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = [
    "Block",
    "Branch",
    "ErrorPolicy",
    "Executable",
    "FileSelector",
    "FlowAction",
    "ForkEnvironment",
    "JavaClass",
    "Loop",
    "NativeCommand",
    "Priority",
    "Reference",
    "Replicate",
    "RestartMode",
    "Script",
    "SelectionScript",
    "Task",
    "TaskVariable",
    "Topology",
    "Variable",
    "Workflow",
]


@dataclass(frozen=True, slots=True)
class Reference:
    """One ``${NAME}`` as the whole value of an attribute whose type is not text."""

    #: The variable's name, without the sign and the braces.
    name: str

    def __str__(self) -> str:
        return f"${{{self.name}}}"


class ErrorPolicy(enum.Enum):
    """What happens when a task's last execution failed (attribute ``onTaskError``)."""

    CANCEL_JOB = "cancelJob"
    SUSPEND_TASK = "suspendTask"
    PAUSE_JOB = "pauseJob"
    CONTINUE = "continueJobExecution"
    #: On a task: the policy of the job. On the job: the same as CONTINUE.
    NONE = "none"


class RestartMode(enum.Enum):
    """Where a failed task is retried (attribute ``restartTaskOnError``)."""

    ANYWHERE = "anywhere"
    ELSEWHERE = "elsewhere"


class Priority(enum.IntEnum):
    """A job's priority; the XML writes the lower-case name. IDLE exists in the model, not in the schema."""

    IDLE = 0
    LOWEST = 1
    LOW = 2
    NORMAL = 3
    HIGH = 4
    HIGHEST = 5


class Block(enum.Enum):
    """The position of a task in a block (attribute ``controlFlow/@block``)."""

    NONE = "none"
    START = "start"
    END = "end"


class Topology(enum.Enum):
    """The required proximity of the nodes of one task (children of ``parallel/topology``)."""

    ARBITRARY = "arbitrary"
    BEST_PROXIMITY = "bestProximity"
    THRESHOLD_PROXIMITY = "thresholdProximity"
    SINGLE_HOST = "singleHost"
    SINGLE_HOST_EXCLUSIVE = "singleHostExclusive"
    MULTIPLE_HOSTS_EXCLUSIVE = "multipleHostsExclusive"
    DIFFERENT_HOSTS_EXCLUSIVE = "differentHostsExclusive"


Flag: TypeAlias = bool | Reference
Count: TypeAlias = int | Reference
#: Whole seconds.
Duration: TypeAlias = int | Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A job's variable (``job/variables/variable``)."""

    name: str
    value: str
    #: Text such as ``PA:INTEGER[1,10]``; empty: any value is valid.
    model: str = ""
    description: str = ""
    group: str = ""
    advanced: bool = False
    hidden: bool = False
    #: Attributes and elements that the file gives with their default value (``model=""``): they are written back.
    explicit: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskVariable(Variable):
    """A task's variable (``task/variables/variable``)."""

    #: True: the value of the job or of a parent, if there is one, overrides `value`.
    inherited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Code and its language (``script``): inline, or behind a URL that is fetched on first use."""

    #: The engine name in the XML (``cpython``, ``bash``); empty only if the extension of a URL implies it.
    language: str
    code: str = ""
    #: The URL of the code; empty for inline code.
    url: str = ""
    #: The binding ``args`` of the script, with unresolved references.
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionScript:
    """A script that accepts or refuses a node (``selection/script``)."""

    script: Script
    #: True: the answer for a node is cached (``type="static"``).
    static: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JavaClass:
    """A Java task (``javaExecutable``): it can be read and written; only a ProActive server runs it."""

    name: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeCommand:
    """A command line without a shell (``nativeExecutable/staticCommand``)."""

    command: str
    arguments: tuple[str, ...] = ()


Executable: TypeAlias = Script | JavaClass | NativeCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """Chooses one of two tasks (``controlFlow/if``)."""

    script: Script
    target: str
    otherwise: str
    #: The task after both branches; empty: none.
    continuation: str = ""
    #: Attributes and elements that the file gives with their default value (``model=""``): they are written back.
    explicit: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """Repeats the tasks from `target` to this task (``controlFlow/loop``)."""

    script: Script
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicate:
    """Runs what depends on this task several times in parallel (``controlFlow/replicate``)."""

    script: Script


FlowAction: TypeAlias = Branch | Loop | Replicate


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSelector:
    """Files that are transferred in or out (``inputFiles/files``, ``outputFiles/files``)."""

    #: One glob, or ``glob:…``/``regex:…``.
    includes: str
    excludes: str = ""
    #: ``transferFromUserSpace``, ``cacheFromGlobalSpace``, ``transferToOutputSpace``, ``none``, or a reference.
    access_mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkEnvironment:
    """How the process of a task is started (``forkEnvironment``)."""

    working_dir: str = ""
    java_home: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    jvm_arguments: tuple[str, ...] = ()
    classpath: tuple[str, ...] = ()
    script: Script | None = None
    #: Attributes and elements that the file gives with their default value (``model=""``): they are written back.
    explicit: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One unit of work (``task``)."""

    name: str
    executable: Executable
    description: str = ""
    variables: tuple[TaskVariable, ...] = ()
    generic_information: Mapping[str, str] = field(default_factory=dict)
    #: Names of the parents; their order is the order of ``results``.
    depends: tuple[str, ...] = ()
    input_files: tuple[FileSelector, ...] = ()
    output_files: tuple[FileSelector, ...] = ()
    nodes: Count = 1
    topology: Topology | None = None
    #: Only with THRESHOLD_PROXIMITY: microseconds.
    threshold: Count = 0
    selection: tuple[SelectionScript, ...] = ()
    fork_environment: ForkEnvironment | None = None
    pre: Script | None = None
    post: Script | None = None
    clean: Script | None = None
    flow: FlowAction | None = None
    block: Block | Reference = Block.NONE
    on_error: ErrorPolicy | Reference | None = None
    restart: RestartMode | Reference | None = None
    retry_delay: Duration | None = None
    #: The maximum number of executions, including the first one; None: that of the job.
    max_executions: Count | None = None
    fork: Flag | None = None
    run_as_me: Flag = False
    walltime: Duration | None = None
    precious_result: Flag = False
    precious_logs: Flag = False
    result_preview_class: str = ""
    #: Leaves of ``metadata`` as (tag, text); the studio stores positions here.
    metadata: tuple[tuple[str, str], ...] = ()
    #: Attributes and elements that the file gives with their default value (``model=""``): they are written back.
    explicit: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A graph of tasks with a name and variables (``job``). A *job* is one submission of it."""

    name: str
    tasks: tuple[Task, ...] = ()
    variables: tuple[Variable, ...] = ()
    description: str = ""
    generic_information: Mapping[str, str] = field(default_factory=dict)
    priority: Priority | Reference = Priority.NORMAL
    on_error: ErrorPolicy | Reference | None = None
    restart: RestartMode | Reference | None = None
    retry_delay: Duration | None = None
    max_executions: Count | None = None
    project: str = ""
    tags: tuple[str, ...] = ()
    input_space: str = ""
    output_space: str = ""
    global_space: str = ""
    user_space: str = ""
    #: The picture made by the studio (``metadata/visualization``), as text.
    visualization: str = ""
    #: Attributes and elements that the file gives with their default value (``model=""``): they are written back.
    explicit: tuple[str, ...] = ()

    def task(self, name: str) -> Task:
        """The task of that name; KeyError if there is none."""
        for task in self.tasks:
            if task.name == name:
                return task
        raise KeyError(name)
