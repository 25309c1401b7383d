"""Jobs, tasks and results of a scheduler as frozen records; `json_records` and `results` read them from its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from proactive_jupyter_kernel.workflow.status import JOB_ENDED, TASK_ENDED, JobStatus, TaskStatus

__all__ = ["UNSET", "Job", "JobInfo", "JobRef", "JobResult", "LogLine", "TaskResult", "TaskState", "Validation"]

#: The value of the scheduler for a time that is not set.
UNSET = -1

#: The statuses of tasks that failed themselves.
BAD_TASK = frozenset({TaskStatus.FAULTY, TaskStatus.FAILED, TaskStatus.NOT_RESTARTED, TaskStatus.ABORTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRef:
    """A submitted job: its id and name."""

    id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobInfo:
    """A summary of a job (``JobInfoData``). Times are milliseconds since the epoch, -1 if not set."""

    id: int
    name: str
    status: JobStatus
    owner: str = ""
    priority: str = "NORMAL"
    project: str = ""
    submitted_at: int = UNSET
    started_at: int = UNSET
    in_error_at: int = UNSET
    finished_at: int = UNSET
    total: int = 0
    pending: int = 0
    running: int = 0
    finished: int = 0
    #: Tasks lost with their node.
    failed: int = 0
    faulty: int = 0
    in_error: int = 0
    variables: Mapping[str, str] = field(default_factory=dict)
    generic_information: Mapping[str, str] = field(default_factory=dict)
    #: Not started before this time; -1: at once.
    start_at: int = UNSET
    #: The status as the server calls it, if this kernel does not know it; then `status` is the nearest known one.
    unknown_status: str = ""

    @property
    def status_label(self) -> str:
        """The status for users."""
        return label_of(self.status, self.unknown_status)

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in JOB_ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskState:
    """A task of a job (``TaskStateData``), or an instance created by a loop or replication."""

    id: int
    #: Full name, as ``T#1*2``.
    name: str
    status: TaskStatus
    iteration: int = 0
    replication: int = 0
    #: ``LOOP-…`` or ``REPLICATE-…`` on instances.
    tag: str = ""
    description: str = ""
    submitted_at: int = UNSET
    started_at: int = UNSET
    finished_at: int = UNSET
    #: Milliseconds of the last execution.
    duration: int = UNSET
    #: Host and node of the last start, as the scheduler writes them.
    host: str = ""
    progress: int = 0
    executions_left: int = 1
    max_executions: int = 1
    #: How many nodes it needs at once.
    nodes: int = 1
    #: That of the task, not of the job; servers clear it when the job ends.
    generic_information: Mapping[str, str] = field(default_factory=dict)
    #: As `JobInfo.unknown_status`.
    unknown_status: str = ""

    @property
    def status_label(self) -> str:
        """The status for users."""
        return label_of(self.status, self.unknown_status)

    @property
    def ended(self) -> bool:
        """Whether it will not run again."""
        return self.status in TASK_ENDED

    @property
    def went_wrong(self) -> bool:
        """Whether it ended without success."""
        return self.status in BAD_TASK

    @property
    def base_name(self) -> str:
        """The name in the workflow: without the ``#iteration`` and ``*replication`` of an instance."""
        name = self.name
        if self.replication:
            name = name.removesuffix(f"*{self.replication}")
        return name.removesuffix(f"#{self.iteration}") if self.iteration else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job and its tasks, in the order of their ids."""

    info: JobInfo
    tasks: tuple[TaskState, ...] = ()

    @property
    def id(self) -> int:
        return self.info.id

    @property
    def name(self) -> str:
        return self.info.name

    @property
    def status(self) -> JobStatus:
        return self.info.status

    @property
    def status_label(self) -> str:
        """The status for users."""
        return self.info.status_label

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.info.ended

    @property
    def went_well(self) -> bool:
        """Whether it finished and no task of it is faulty."""
        known = self.status is JobStatus.FINISHED and not self.info.unknown_status
        return known and not any(task.went_wrong for task in self.tasks)

    def task(self, name: str) -> TaskState | None:
        """The task of that full name."""
        return next((task for task in self.tasks if task.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """The result of a task (``TaskResultData``)."""

    id: int
    name: str
    #: The result as sent by the scheduler: tagged bytes for a value that only Python has. None if there is none.
    carried: object = None
    #: Whether pickles in it are opened.
    trusted: bool = False
    #: Whether there is a result at all: a finished task may well have the value None.
    has_value: bool = False
    #: The result as text (Java's ``toString``); a fallback if `value` cannot be decoded.
    text: str = ""
    failed: bool = False
    #: A short description of its failure; empty if it did not fail.
    failure: str = ""
    #: The traceback of a failure, if it was requested and the scheduler has one.
    trace: str = ""
    stdout: str = ""
    stderr: str = ""
    #: ``content.type``, ``file.name``, ``file.extension`` and what else the task put there.
    metadata: Mapping[str, str] = field(default_factory=dict)
    #: The rich outputs of the task; `client.rich_outputs.outputs_of` reads them.
    outputs: tuple[str, ...] = ()
    #: The number, from 1, of the one of `outputs` that is also the result; 0: none.
    output_of_result: int = 0
    #: The variables that the task exported, as text.
    variables: Mapping[str, str] = field(default_factory=dict)
    #: The same as Java's serialization streams, in base64.
    serialized_variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def carried_variables(self) -> dict[str, object]:
        """The variables that the task handed on as the scheduler carries them, decoded now."""
        from proactive_jupyter_kernel.client import results

        return results.variables_of(self)

    @property
    def value(self) -> object:
        """The result as a Python value, opened now; None if there is none or the task failed.

        Raises `UnreadableValue`, such as `UntrustedValue` for a model in a result that is not `trusted`.
        """
        from proactive_jupyter_kernel.client import values

        return values.opened(self.carried, f"The result of {self.name}", trust=self.trusted)

    @property
    def readable_value(self) -> object:
        """As `value`, with a `client.values.UnopenedValue` for each part that cannot be opened."""
        from proactive_jupyter_kernel.client import values

        return values.readable(self.carried, f"The result of {self.name}", trust=self.trusted)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """The results of a job that has ended (``JobResultData``), for the tasks that have one."""

    id: int
    name: str
    tasks: Mapping[str, TaskResult] = field(default_factory=dict)
    #: Names of the tasks whose result is precious.
    precious: tuple[str, ...] = ()
    #: The entries that tasks set in ``resultMap``, as sent by the scheduler.
    carried_map: Mapping[str, object] = field(default_factory=dict)
    #: Whether a pickle in that is opened.
    trusted: bool = False

    @property
    def result_map(self) -> dict[str, object]:
        """The entries of ``resultMap`` as Python values, opened now; raises as `TaskResult.value` does."""
        from proactive_jupyter_kernel.client import values

        return {
            name: values.opened(value, f"resultMap[{name!r}]", trust=self.trusted)
            for name, value in self.carried_map.items()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line that a task wrote, without the scheduler's prefix and without its line end."""

    text: str
    #: True: it was written to standard error.
    error: bool = False
    #: ``HH:mm:ss`` in the scheduler's time zone; empty where the scheduler gave none.
    time: str = ""
    #: ``<job>t<task>``; empty where the scheduler gave none.
    task: str = ""
    host: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """The result of the checks of the scheduler (``JobValidationData``)."""

    valid: bool
    message: str = ""
    #: The invalid task, if one is named.
    task: str = ""
    #: Resolved variables; the keys of those of a task are ``task:variable``.
    variables: Mapping[str, str] = field(default_factory=dict)


def label_of(status: JobStatus | TaskStatus, unknown: str) -> str:
    """A status for users; one that this kernel does not know in the words of the server."""
    return unknown.replace("_", " ").capitalize() if unknown else status.label
