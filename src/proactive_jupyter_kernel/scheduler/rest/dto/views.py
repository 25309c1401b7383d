"""Rows of the store put together with their workflow, as records for answers. Reads only; may run in threads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from proactive_jupyter_kernel.scheduler.engine.records import UNSET, JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.rest.dto import records
from proactive_jupyter_kernel.scheduler.rest.dto.records import Json
from proactive_jupyter_kernel.scheduler.service.assemble import system_variables
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.scheduler.service.results import NOT_RUN, TaskResult
from proactive_jupyter_kernel.scheduler.service.started import StartedTask
from proactive_jupyter_kernel.scheduler.store.base import JobRow
from proactive_jupyter_kernel.workflow.model import Task, Workflow
from proactive_jupyter_kernel.workflow.status import JOB_ENDED

__all__ = ["event_task_info", "job_result", "job_state", "precious_names", "result_map", "task_result", "task_states"]


def task_states(ask: Questions, job: JobRecord, tasks: Iterable[TaskRecord]) -> list[Json]:
    """TaskStateData of some tasks of one job."""
    workflow = ask.workflow(job.job_id)
    most = workflow.max_executions
    executions = most if isinstance(most, int) else 1

    def state(task: TaskRecord) -> Json:
        definition = ask.definition(job.job_id, task.base_name)
        seen = _seen(ask, job, task, workflow, definition)
        description = ask.hidden.without({"": definition.description}, workflow, definition)[""]
        if description != definition.description:
            definition = replace(definition, description=description)
        return records.task_state(job, task, definition, executions=executions, seen=seen)

    return [state(task) for task in tasks]


def event_task_info(
    ask: Questions,
    job: JobRecord,
    task: TaskRecord,
    workflow: Workflow,
    definition: Task,
    started: StartedTask | None,
) -> Json:
    """TaskInfoData of a task at the moment of an event, with what it saw when it started."""
    return records.task_info(job, task, _seen(ask, job, task, workflow, definition, started))


def _seen(
    ask: Questions,
    job: JobRecord,
    task: TaskRecord,
    workflow: Workflow,
    definition: Task,
    started: StartedTask | None = None,
) -> StartedTask | None:
    """What a task of a living job saw, as others may see it; None before it has started."""
    if job.status in JOB_ENDED or task.started_at == UNSET:
        return None
    seen = started or ask.started.of(job, task, workflow, definition)
    return replace(
        seen,
        variables=ask.hidden.shown_values(seen.variables, workflow, definition),
        generic_information=ask.hidden.without(seen.generic_information, workflow, definition),
    )


def job_state(ask: Questions, row: JobRow) -> Json:
    """JobStateData with all tasks."""
    return records.job_state(row, task_states(ask, row.record, ask.tasks(row.record.job_id)))


def task_result(ask: Questions, outcome: TaskResult) -> Json:
    """TaskResultData with the task's output."""
    job_id, task = outcome.task.job_id, outcome.task
    stdout, stderr = ask.output(job_id, task)
    if outcome.failure is not None and task.status in NOT_RUN:
        # No log has the reason, so a server puts it here.
        stderr = stderr or outcome.failure.message
    workflow, definition = ask.workflow(job_id), ask.definition(job_id, task.base_name)
    variables = ask.hidden.shown_values(outcome.variables, workflow, definition)
    if outcome.nodes:
        # A server's tasks hand these on with the others; ours get them afresh, so they are not stored.
        job = ask.job(job_id).record
        system = system_variables(job, task, workflow, ask.site, source=outcome.source, nodes=outcome.nodes)
        variables = {**system, **variables}
    outcome = replace(outcome, variables=variables)
    return records.task_result(outcome, stdout=stdout, stderr=stderr)


def job_result(ask: Questions, row: JobRow) -> Json:
    """JobResultData of an ended job."""
    outcomes = ask.outcomes(row.record.job_id)
    results = {outcome.task.name: task_result(ask, outcome) for outcome in outcomes}
    return records.job_result(row, results, result_map(outcomes), precious_names(row, outcomes))


def precious_names(row: JobRow, outcomes: Iterable[TaskResult]) -> set[str]:
    """Names of the tasks whose results are precious."""
    precious = set(row.facts.precious_tasks)
    return {outcome.task.name for outcome in outcomes if outcome.task.base_name in precious}


def result_map(outcomes: Sequence[TaskResult]) -> Json:
    """What all tasks put into ``resultMap``, wire values; later tasks win."""
    merged: Json = {}
    for outcome in outcomes:
        merged.update(outcome.result_map)
    return merged
