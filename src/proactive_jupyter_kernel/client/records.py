"""Jobs, tasks and results of a scheduler as frozen records, and the conversion from its JSON.

The JSON is that of ``org.ow2.proactive_grid_cloud_portal.scheduler.dto``. Fields that a server leaves out or sets to
null have defaults here; unknown fields are ignored, since servers of other versions have other fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from proactive_jupyter_kernel.errors import SchedulerError
from proactive_jupyter_kernel.workflow.status import JOB_ENDED, TASK_ENDED, JobStatus, TaskStatus

__all__ = [
    "Job",
    "JobInfo",
    "JobRef",
    "JobResult",
    "LogLine",
    "TaskResult",
    "TaskState",
    "Validation",
    "info_of",
    "job_of",
    "ref_of",
    "task_of",
    "validation_of",
]

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
        """Whether it will not run any more."""
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


def ref_of(data: Any) -> JobRef:
    """``JobIdData``."""
    record = _object(data, "a job id")
    return JobRef(id=_int(record, "id"), name=_text(record, "readableName"))


def info_of(data: Any, *, job_id: int = UNSET) -> JobInfo:
    """``JobInfoData``; `job_id` where the answer itself may leave it out."""
    record = _object(data, "a job")
    ref = record.get("jobId")
    ref = ref if isinstance(ref, dict) else {}
    return JobInfo(
        id=_int(ref, "id", job_id),
        name=str(ref.get("readableName") or ""),
        status=_job_status(record),
        unknown_status=_unknown(JobStatus, record.get("status")),
        owner=_text(record, "jobOwner"),
        priority=_text(record, "priority") or "NORMAL",
        project=_text(record, "projectName"),
        submitted_at=_int(record, "submittedTime"),
        started_at=_int(record, "startTime"),
        in_error_at=_int(record, "inErrorTime"),
        finished_at=_int(record, "finishedTime"),
        total=_int(record, "totalNumberOfTasks", 0),
        pending=_int(record, "numberOfPendingTasks", 0),
        running=_int(record, "numberOfRunningTasks", 0),
        finished=_int(record, "numberOfFinishedTasks", 0),
        failed=_int(record, "numberOfFailedTasks", 0),
        faulty=_int(record, "numberOfFaultyTasks", 0),
        in_error=_int(record, "numberOfInErrorTasks", 0),
        variables=text_map(record.get("variables")),
        generic_information=text_map(record.get("genericInformation")),
        start_at=_int(record, "startAt"),
    )


def task_of(data: Any) -> TaskState:
    """``TaskStateData``."""
    record = _object(data, "a task")
    info = _object(record.get("taskInfo"), "a task")
    ref = _object(info.get("taskId"), "a task id")
    return TaskState(
        id=_int(ref, "id"),
        name=_text(ref, "readableName") or _text(record, "name"),
        status=_task_status(info),
        unknown_status=_unknown(TaskStatus, info.get("taskStatus")),
        iteration=_int(record, "iterationIndex", 0),
        replication=_int(record, "replicationIndex", 0),
        tag=_text(record, "tag"),
        description=_text(record, "description"),
        submitted_at=_int(info, "scheduledTime"),
        started_at=_int(info, "startTime"),
        finished_at=_int(info, "finishedTime"),
        duration=_int(info, "executionDuration"),
        host=_text(info, "executionHostName"),
        progress=_int(info, "progress", 0),
        executions_left=_int(info, "numberOfExecutionLeft", 1),
        max_executions=_int(record, "maxNumberOfExecution", 1),
        nodes=_int(record, "numberOfNodesNeeded", 1),
        generic_information=text_map(record.get("genericInformation")),
    )


def job_of(data: Any) -> Job:
    """``JobStateData``."""
    record = _object(data, "a job")
    info = info_of(record.get("jobInfo"), job_id=_int(record, "id"))
    tasks = [task_of(task) for task in (record.get("tasks") or {}).values()]
    return Job(info=info, tasks=tuple(sorted(tasks, key=lambda task: task.id)))


def validation_of(data: Any) -> Validation:
    """``JobValidationData``."""
    record = _object(data, "a validation")
    return Validation(
        valid=record.get("valid") is True,
        message=_text(record, "errorMessage"),
        task=_text(record, "taskName"),
        variables=text_map(record.get("updatedVariables")),
    )


def text_map(data: Any) -> dict[str, str]:
    """A map of texts; servers send null for an empty one."""
    found = data if isinstance(data, dict) else {}
    return {str(key): "" if value is None else str(value) for key, value in found.items()}


def list_of(data: Any, what: str) -> Sequence[Any]:
    """A list, or the list of a page (``RestPage``)."""
    found = data.get("list") if isinstance(data, dict) else data
    if not isinstance(found, list):
        raise SchedulerError(f"The scheduler's answer is not {what}: {str(data)[:200]}")
    return found


def _object(data: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise SchedulerError(f"The scheduler's answer is not {what}: {str(data)[:200]}")
    return data


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    return "" if value is None else str(value)


def _int(record: Mapping[str, Any], key: str, default: int = UNSET) -> int:
    value = record.get(key)
    return default if value is None or not _is_number(value) else int(value)


def _is_number(value: Any) -> bool:
    return (isinstance(value, (int, float)) and value == value and abs(value) < 2**63) or (
        isinstance(value, str) and _NUMBER.fullmatch(value) is not None
    )


def _job_status(record: Mapping[str, Any]) -> JobStatus:
    """The status, or for one that only newer servers have, the nearest that its times allow."""
    constant = str(record.get("status"))
    if constant in _JOB_CONSTANTS:
        return _JOB_CONSTANTS[constant]
    if _int(record, "finishedTime") > 0:
        return JobStatus.FINISHED
    return JobStatus.RUNNING if _int(record, "startTime") > 0 else JobStatus.PENDING


def _task_status(info: Mapping[str, Any]) -> TaskStatus:
    """As `_job_status`; a task that ended in an unknown way is not taken for a success."""
    constant = str(info.get("taskStatus"))
    if constant in _TASK_CONSTANTS:
        return _TASK_CONSTANTS[constant]
    if _int(info, "finishedTime") > 0:
        return TaskStatus.FAULTY
    return TaskStatus.RUNNING if _int(info, "startTime") > 0 else TaskStatus.PENDING


def _unknown(kind: type[JobStatus] | type[TaskStatus], constant: Any) -> str:
    known = any(status.value == constant for status in kind)
    return "" if known else str(constant or "unknown")


def label_of(status: JobStatus | TaskStatus, unknown: str) -> str:
    """A status for users; one that this kernel does not know in the words of the server."""
    return unknown.replace("_", " ").capitalize() if unknown else status.label


_JOB_CONSTANTS: dict[object, JobStatus] = {status.value: status for status in JobStatus}
_TASK_CONSTANTS: dict[object, TaskStatus] = {status.value: status for status in TaskStatus}
_NUMBER = re.compile(r"-?[0-9]{1,18}")
