"""Rows of the store put together with their workflow, as records for answers. Reads only; may run in threads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.rest.dto import records
from proactive_jupyter_kernel.scheduler.rest.dto.records import Json
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.scheduler.service.results import TaskOutcome
from proactive_jupyter_kernel.scheduler.store.base import JobRow

__all__ = ["job_result", "job_state", "task_infos", "task_result", "task_states"]


def task_states(ask: Questions, job: JobRecord, tasks: Iterable[TaskRecord]) -> list[Json]:
    """TaskStateData of some tasks of one job."""
    most = ask.workflow(job.job_id).max_executions
    executions = most if isinstance(most, int) else 1
    return [
        records.task_state(job, task, ask.definition(job.job_id, task.base_name), executions=executions)
        for task in tasks
    ]


def task_infos(ask: Questions, job: JobRecord, tasks: Iterable[TaskRecord]) -> list[Json]:
    """TaskInfoData of some tasks of one job."""
    return [records.task_info(job, task, ask.definition(job.job_id, task.base_name)) for task in tasks]


def job_state(ask: Questions, row: JobRow) -> Json:
    """JobStateData with all tasks."""
    return records.job_state(row, task_states(ask, row.record, ask.tasks(row.record.job_id)))


def task_result(ask: Questions, outcome: TaskOutcome) -> Json:
    """TaskResultData with the task's output."""
    stdout, stderr = ask.output(outcome.task.job_id, outcome.task)
    return records.task_result(outcome, stdout=stdout, stderr=stderr)


def job_result(ask: Questions, row: JobRow) -> Json:
    """JobResultData of an ended job."""
    outcomes = ask.outcomes(row.record.job_id)
    precious = set(row.facts.precious_tasks)
    return records.job_result(
        row,
        {outcome.task.name: task_result(ask, outcome) for outcome in outcomes},
        result_map(outcomes),
        {outcome.task.name for outcome in outcomes if outcome.task.base_name in precious},
    )


def result_map(outcomes: Sequence[TaskOutcome]) -> Json:
    """What all tasks put into ``resultMap``, wire values; later tasks win."""
    merged: Json = {}
    for outcome in outcomes:
        merged.update(outcome.result_map)
    return merged
