"""The JSON of jobs, tasks and results, field for field as ``scheduler/dto/*.java`` has it.

Pure: rows come in, what ``json`` can hold goes out. Every field that a ProActive server of version 14 writes is there;
nulls are written, times that have not come are -1.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from proactive_jupyter_kernel.scheduler.attempt import Failure, Wire
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.scheduler.rest.dto.throwable import serialized_exception
from proactive_jupyter_kernel.scheduler.service.results import TaskResult
from proactive_jupyter_kernel.scheduler.service.started import StartedTask
from proactive_jupyter_kernel.scheduler.store.base import JobRow
from proactive_jupyter_kernel.workflow import values
from proactive_jupyter_kernel.workflow.java import serialization
from proactive_jupyter_kernel.workflow.model import Task, Variable
from proactive_jupyter_kernel.workflow.status import JOB_ENDED

__all__ = [
    "failure_text",
    "job_id",
    "job_info",
    "job_result",
    "job_state",
    "page",
    "raw_text",
    "serialized_text",
    "task_info",
    "task_result",
    "task_state",
    "user_job",
    "value_text",
]

Json: TypeAlias = dict[str, Any]

#: Lost nodes that a task survives (``pa.scheduler.task.numberofexecutiononfailure`` is 2 in the engine's records).
_NODE_FAILURES = 2


def job_id(job: JobRecord) -> Json:
    """JobIdData."""
    return {"id": job.job_id, "readableName": job.name}


def _detailed(variable: Variable) -> Json:
    return {
        "name": variable.name,
        "value": variable.value,
        "model": variable.model or None,
        "description": variable.description or None,
        "group": variable.group or None,
        "advanced": variable.advanced,
        "hidden": variable.hidden,
    }


def job_info(row: JobRow) -> Json:
    """JobInfoData. A task in error counts as running, too, and an ended job has no signals, as on a server."""
    job, facts = row.record, row.facts
    alive = job.status not in JOB_ENDED
    return {
        "startTime": job.started_at,
        "inErrorTime": job.in_error_at,
        "finishedTime": job.finished_at,
        "submittedTime": job.submitted_at,
        "removedTime": -1,
        "status": job.status.value,
        "jobId": job_id(job),
        "totalNumberOfTasks": job.total,
        "numberOfPendingTasks": job.pending,
        "numberOfRunningTasks": job.running + (job.in_error if alive else 0),
        "numberOfFinishedTasks": job.finished,
        "numberOfFailedTasks": job.failed,
        "numberOfFaultyTasks": job.faulty,
        "numberOfInErrorTasks": job.in_error,
        "priority": job.priority.name,
        "jobOwner": job.owner,
        "tenant": None,
        "domain": None,
        "projectName": facts.project,
        "description": facts.description,
        "bucketName": facts.bucket,
        "label": "",
        "toBeRemoved": job.remove_at is not None,
        "genericInformation": dict(facts.generic_information),
        "variables": {variable.name: variable.value for variable in facts.variables},
        "detailedVariables": {variable.name: _detailed(variable) for variable in facts.variables},
        "signals": list(row.extras.signals) if alive else [],
        "detailedSignals": _detailed_signals(row) if alive else {},
        "visualizationConnectionStrings": {},
        "visualizationIcons": {},
        "attachedServices": {},
        "externalEndpointUrls": {
            endpoint.name: {"name": endpoint.name, "url": endpoint.url, "iconUri": endpoint.icon or None}
            for endpoint in row.extras.endpoints
        },
        "resultMapPresent": row.has_result_map,
        "preciousTasks": list(job.precious),
        "parentId": facts.parent_id,
        "childrenCount": row.children,
        "cumulatedCoreTime": row.core_time + job.killed_time,
        "numberOfNodes": row.nodes,
        "numberOfNodesInParallel": row.nodes_in_parallel,
        "submissionMode": facts.mode or None,
        "startAt": job.start_at,
    }


def _detailed_signals(row: JobRow) -> Json:
    return {
        signal.name: {variable.name: _detailed(variable) for variable in signal.variables}
        for signal in row.extras.declared
    }


def user_job(row: JobRow) -> Json:
    """UserJobData."""
    return {"jobid": str(row.record.job_id), "jobOwner": row.record.owner, "jobInfo": job_info(row)}


def job_state(row: JobRow, tasks: Iterable[Json]) -> Json:
    """JobStateData; `tasks` are `task_state` of each task."""
    job = row.record
    return {
        "name": job.name,
        "priority": job.priority.name.capitalize(),
        "owner": job.owner,
        "tenant": None,
        "domain": None,
        "jobInfo": job_info(row),
        "projectName": row.facts.project,
        "tasks": {str(task["taskInfo"]["taskId"]["id"]): task for task in tasks},
        "genericInformation": dict(row.facts.generic_information),
        "id": job.job_id,
    }


def task_info(job: JobRecord, task: TaskRecord, seen: StartedTask | None) -> Json:
    """TaskInfoData. `seen` is what the task saw when it started; None before, and when the job has ended."""
    return {
        "jobId": job_id(job),
        "taskId": {"id": task.task_id, "readableName": task.name},
        "startTime": task.started_at,
        "finishedTime": task.finished_at,
        "inErrorTime": task.in_error_at,
        "scheduledTime": task.scheduled_at,
        "executionDuration": task.duration,
        "taskStatus": task.status.value,
        "executionHostName": f"{task.host} ({task.slot})" if task.host else None,
        "numberOfExecutionLeft": task.executions_left,
        "numberOfExecutionOnFailureLeft": task.node_failures_left,
        "visualizationActivated": False,
        "visualizationConnectionString": None,
        "variables": None if seen is None else {name: _text(wire) for name, wire in seen.variables.items()},
        "progress": task.progress,
    }


def task_state(
    job: JobRecord, task: TaskRecord, definition: Task, *, executions: int = 1, seen: StartedTask | None = None
) -> Json:
    """TaskStateData. `executions` is how often the task may run where it does not say so itself, `seen` as for
    `task_info`."""
    nodes = definition.nodes if isinstance(definition.nodes, int) else 1
    most = definition.max_executions
    return {
        "name": task.name,
        "description": definition.description or None,
        "tag": task.tag or None,
        "iterationIndex": task.iteration,
        "replicationIndex": task.replication,
        "maxNumberOfExecution": most if isinstance(most, int) else executions,
        "maxNumberOfExecutionOnFailure": _NODE_FAILURES,
        "taskInfo": task_info(job, task, seen),
        "parallelEnvironment": {"nodesNumber": nodes} if nodes > 1 else None,
        "genericInformation": {} if job.status in JOB_ENDED else _information(task, definition, seen),
        "numberOfNodesNeeded": nodes,
    }


def _information(task: TaskRecord, definition: Task, seen: StartedTask | None) -> dict[str, str]:
    """A task's generic information, with references resolved once it has started.

    The copies of a loop with a cron expression have a start time of their own.
    """
    information = dict(definition.generic_information if seen is None else seen.generic_information)
    if task.start_at is not None and (task.iteration or "START_AT" not in information):
        information["START_AT"] = datetime.fromtimestamp(task.start_at / 1000, UTC).isoformat(timespec="seconds")
    return information


# --- results -----------------------------------------------------------------------------------------------------


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _serialized(wire: Wire) -> str:
    """Base64 of the Java stream; a bytes value inside of others is a byte[] there."""
    return _base64(serialization.dumps(values.from_wire(wire)))


def _text(wire: Wire) -> str:
    return values.text(values.from_wire(wire))


def failure_text(failure: Failure) -> str:
    """A failure as ``…/result/value`` has it: its text and, in place of Java's stack trace, that of the script."""
    return f"{failure.text}\n{failure.stack_trace}" if failure.stack_trace else failure.text


def value_text(outcome: TaskResult) -> str | None:
    """What ``…/result/value`` says: the value's text, or the stack trace; None where there is neither."""
    if outcome.failure is not None:
        return failure_text(outcome.failure)
    if outcome.value.is_null:
        return None
    text = raw_text(outcome.value)
    return values.text(_value(outcome)) if text is None else text


def raw_text(value: RawValue) -> str | None:
    """The text of a value that need not be decoded for it; None of any other."""
    text = value.text
    if text.translate(None, _OF_INTEGERS):
        return None
    # Integers and lists of them read in Java as in JSON, but for a blank.
    return text.replace(b",", b", ").decode("ascii")


#: All that the JSON of integers, and of lists of them, consists of.
_OF_INTEGERS = b"0123456789-,[]"


def _value(outcome: TaskResult) -> Any:
    return values.from_wire(outcome.value.decoded())


def raw_bytes(outcome: TaskResult) -> bytes | None:
    """The bytes of a value that is a byte array; None for any other value."""
    value = _value(outcome) if outcome.failure is None else None
    return value if isinstance(value, bytes) else None


def serialized_value(outcome: TaskResult) -> bytes | None:
    """What ``…/result/serializedvalue`` sends: the Java stream of the value, or the bytes themselves if it is raw."""
    if not outcome.known or outcome.failure is not None:
        return None
    value = _value(outcome)
    return value if isinstance(value, bytes) else serialization.dumps(value)


def serialized_text(outcome: TaskResult) -> str | None:
    """What `serialized_value` sends, in base64."""
    content = serialized_value(outcome)
    return None if content is None else _base64(content)


def task_result(outcome: TaskResult, *, stdout: str = "", stderr: str = "") -> Json:
    """TaskResultData."""
    failure = outcome.failure
    has_value = outcome.known and failure is None
    value = _value(outcome) if has_value else None
    content = value if isinstance(value, bytes) else serialization.dumps(value) if has_value else None
    return {
        "id": {"id": outcome.task.task_id, "readableName": outcome.task.name},
        "serializedValue": None if content is None else _base64(content),
        "value": None if value is None else values.text(value),
        "serializedException": None if failure is None else _base64(serialized_exception(failure)),
        "exceptionMessage": None if failure is None else failure.text,
        "metadata": dict(outcome.metadata),
        "propagatedVariables": {name: _text(wire) for name, wire in outcome.variables.items() if wire is not None},
        "serializedPropagatedVariables": {name: _serialized(wire) for name, wire in outcome.variables.items()},
        "output": {"stdoutLogs": stdout, "stderrLogs": stderr},
        "raw": isinstance(value, bytes),
    }


def job_result(row: JobRow, results: Mapping[str, Json], result_map: Mapping[str, Wire], precious: set[str]) -> Json:
    """JobResultData; `results` are `task_result` by task name, `precious` names those that are."""
    return {
        "id": job_id(row.record),
        "jobInfo": job_info(row),
        "allResults": dict(results),
        "preciousResults": {name: result for name, result in results.items() if name in precious},
        "resultMap": {name: _text(wire) for name, wire in result_map.items()},
        "serializedResultMap": {name: _serialized(wire) for name, wire in result_map.items()},
        "exceptionResults": {
            name: result for name, result in results.items() if result["serializedException"] is not None
        },
    }


def page(total: int, rows: Iterable[Any]) -> Json:
    """RestPage."""
    return {"size": total, "list": list(rows)}
