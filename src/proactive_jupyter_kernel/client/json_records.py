"""Converts jobs and tasks in the JSON of the scheduler to records.

The JSON is that of ``org.ow2.proactive_grid_cloud_portal.scheduler.dto``. Fields that a server leaves out or sets to
null get the defaults of the records; unknown fields are ignored, since servers of other versions have other fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from proactive_jupyter_kernel.client.records import UNSET, Job, JobInfo, JobRef, TaskState, Validation
from proactive_jupyter_kernel.errors import SchedulerError
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

__all__ = ["info_of", "job_of", "list_of", "ref_of", "task_of", "text_map", "validation_of"]


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


_JOB_CONSTANTS: dict[object, JobStatus] = {status.value: status for status in JobStatus}
_TASK_CONSTANTS: dict[object, TaskStatus] = {status.value: status for status in TaskStatus}
_NUMBER = re.compile(r"-?[0-9]{1,18}")
