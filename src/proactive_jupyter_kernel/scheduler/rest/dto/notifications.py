"""The data of the push channel's frames, as a server writes them (``EventNotification``).

They differ from the records of REST: a whole job is written as the server's own object, its tasks under ``7t0``, and
the records of jobs have ``owner``. Scripts, spaces and files of tasks are null there, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.rest.dto import records
from proactive_jupyter_kernel.scheduler.rest.dto.records import Json
from proactive_jupyter_kernel.scheduler.store.base import JobRow
from proactive_jupyter_kernel.workflow.model import Block, ErrorPolicy, RestartMode, Task, Workflow

__all__ = ["job_data", "job_info", "task_data"]

#: ``RestartMode`` of the server; the attribute's values in the XML are ``anywhere`` and ``elsewhere``.
_RESTART = {
    RestartMode.ANYWHERE: {"index": 1, "description": "Anywhere"},
    RestartMode.ELSEWHERE: {"index": 2, "description": "Elsewhere"},
}
#: Where a server has null in the frames of every job, whatever the workflow says.
_JOB_NULLS = ("inputSpace", "outputSpace", "globalSpace", "userSpace", "visualization", "jobContent")
_TASK_NULLS = (
    *("inputFiles", "outputFiles", "sScripts", "preScript", "postScript", "cScript", "flowScript", "fork"),
    "forkEnvironment",
)


def job_info(row: JobRow, *, removed_at: int = -1) -> Json:
    """JobInfo of a frame ``JOB_STATE_UPDATED``; Java clients look for the owner under either name."""
    info = records.job_info(row)
    return {
        **info,
        "owner": info["jobOwner"],
        "removedTime": removed_at,
        "scheduledTimeForRemoval": row.record.remove_at or 0,
        "lastUpdatedTime": -1,
        "tasksSkipped": None,
        "modifiedTasks": None,
        "bucketName": info["bucketName"] or None,
        "label": info["label"] or None,
    }


def job_data(row: JobRow, workflow: Workflow) -> Json:
    """The job of a frame ``JOB_SUBMITTED`` or ``JOB_FULL_DATA_UPDATED``, without ``tasks``, which come last."""
    job = row.record
    info = job_info(row)
    return {
        **_common(workflow),
        **dict.fromkeys(_JOB_NULLS),
        "name": job.name,
        "description": row.facts.description,
        "projectName": row.facts.project,
        "bucketName": row.facts.bucket,
        "label": "",
        "workflowTags": list(workflow.tags),
        "priority": job.priority.name,
        "genericInformation": info["genericInformation"],
        "unresolvedGenericInformation": {},
        "variables": info["detailedVariables"],
        "unresolvedVariables": {},
        "globalVariables": {},
        "globalGenericInformation": {},
        "parentId": row.facts.parent_id,
        "submissionMode": "",
        "startAt": None,
        "clientJobSerializationHelper": {},
        "jobInfo": {
            **info,
            "signals": info["signals"] or None,
            "detailedSignals": info["detailedSignals"] or None,
        },
        "owner": job.owner,
        "tenant": None,
        "domain": None,
        "type": "TASKSFLOW",
    }


def task_data(job: JobRecord, task: TaskRecord, definition: Task, tasks: Sequence[TaskRecord], above: object) -> Json:
    """One of its ``tasks``; `tasks` are all of them by id, `above` is the job's policy for errors."""
    state = records.task_state(job, task, definition)
    info = {name: value for name, value in state["taskInfo"].items() if name != "jobId"}
    return {
        **_common(definition, above),
        **dict.fromkeys(_TASK_NULLS),
        "name": task.name,
        "description": definition.description or None,
        "tag": task.tag or None,
        "genericInformation": state["genericInformation"],
        "unresolvedGenericInformation": {},
        "variables": {},
        "unresolvedVariables": {},
        "flowBlock": definition.block.value if isinstance(definition.block, Block) else Block.NONE.value,
        "parallelEnvironment": state["parallelEnvironment"],
        "preciousResult": bool(definition.precious_result),
        "preciousLogs": bool(definition.precious_logs),
        "runAsMe": bool(definition.run_as_me),
        "wallTime": definition.walltime * 1000 if isinstance(definition.walltime, int) else 0,
        "taskInfo": {**info, "taskId": _task_id(job, task)},
        "maxNumberOfExecutionOnFailure": state["maxNumberOfExecutionOnFailure"],
        "dependenceIds": [_task_id(job, tasks[parent]) for parent in task.depends if parent < len(tasks)],
    }


def _task_id(job: JobRecord, task: TaskRecord) -> Json:
    return {"id": task.task_id, "readableName": task.name, "tag": task.tag or None, "jobId": records.job_id(job)}


def _common(definition: Workflow | Task, above: object = None) -> dict[str, Any]:
    """What jobs and tasks say about errors, tasks with the policy of their job (`above`).

    The objects around the values are those of ``UpdatableProperties``.
    """
    restart = definition.restart if isinstance(definition.restart, RestartMode) else RestartMode.ANYWHERE
    policy = definition.on_error if isinstance(definition.on_error, ErrorPolicy) else ErrorPolicy.NONE
    if policy is ErrorPolicy.NONE and isinstance(above, ErrorPolicy):
        policy = above
    executions = definition.max_executions if isinstance(definition.max_executions, int) else 1
    delay = definition.retry_delay * 1000 if isinstance(definition.retry_delay, int) else -1
    return {
        "restartTaskOnError": {"value": _RESTART[restart]},
        "taskRetryDelay": {"value": {"value": delay}},
        "maxNumberOfExecution": executions,
        "onTaskError": {"value": {"descriptor": policy.value}},
    }
