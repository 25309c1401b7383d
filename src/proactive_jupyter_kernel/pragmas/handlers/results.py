"""`#%get_job_result`, `#%get_task_result`, `#%print_job_output`, `#%print_task_output`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.errors import ProActiveError, did_you_mean
from proactive_jupyter_kernel.pragmas.context import Context, base_name
from proactive_jupyter_kernel.pragmas.job_errors import task_failed
from proactive_jupyter_kernel.pragmas.job_lookup import job_id_of
from proactive_jupyter_kernel.pragmas.outputs import Notice, Table, Value
from proactive_jupyter_kernel.pragmas.parameters import JOB_REFERENCE, TIMEOUT
from proactive_jupyter_kernel.pragmas.registry import Bound, Parameter, pragma
from proactive_jupyter_kernel.pragmas.values import Plain, PythonName
from proactive_jupyter_kernel.pragmas.waiting import settle, wait_for
from proactive_jupyter_kernel.workflow.model import Script
from proactive_jupyter_kernel.workflow.status import TaskStatus

if TYPE_CHECKING:
    from proactive_jupyter_kernel.client.records import Job, TaskResult, TaskState

__all__ = ["TASK", "show_results", "task_of"]

#: Up to so many results are shown one by one, more of them as one table of so many rows at most.
SEPARATE, ROWS = 20, 100
#: The characters of a result in that table.
WIDTH = 120
#: The name of the result in the code of a task, in every language.
_RESULT = re.compile(r"\bresult\b")

#: A copy made by a loop or a replication is named T#1 or T*2, which is no name that a workflow could give.
TASK = Parameter(
    name="task_name",
    kind=Plain("a task's name", offers="tasks"),
    required=True,
    doc="The task; T#1 names an iteration of it, T*2 a replica.",
)


def _into(what: str) -> Parameter:
    return Parameter(name="into", kind=PythonName(), doc=f"A variable of the notebook that gets {what}.")


@pragma(
    "get_job_result",
    *JOB_REFERENCE,
    TIMEOUT,
    _into("the results: a dict of values by task name"),
    family="results",
    summary="Waits for a job and shows the result of each of its tasks.",
    example="#%get_job_result(job_name=Greetings, into=results)",
    aliases=("get_result",),
)
def get_job_result(context: Context, call: Bound) -> None:
    """Wait, show the results, bind them; a job that failed ends the cell after what there is was shown."""
    job = wait_for(context, job_id_of(context, call), timeout=call["timeout"], output=False)
    values = show_results(context, job)
    if call["into"]:
        context.frontend.namespace[call["into"]] = values
    settle(context, job)


def show_results(context: Context, job: Job) -> dict[str, object]:
    """Show the result of every task that has one; gives the values by task name."""
    results = _results(context, job)
    good = [results[name] for name in _in_order(job) if name in results and not results[name].failed]
    silent = silent_tasks(context, job) if any(result.value is True for result in good) else frozenset()
    returned = [one for one in good if one.value is not None and not (one.value is True and one.name in silent)]
    shown = [_table(job, returned)] if len(returned) > SEPARATE else [_value(one) for one in returned]
    if context.live.add_results(job.id, shown, [one.name for one in returned]):
        return {result.name: result.value for result in good}
    for output in shown:
        context.frontend.show(output)
    if not returned:
        context.frontend.show(Notice(text=f"No task of job {job.id} ({job.name!r}) has a result."))
    return {result.name: result.value for result in good}


def silent_tasks(context: Context, job: Job) -> frozenset[str]:
    """Names of the tasks whose code never mentions a result: a scheduler says that they returned true."""
    here = context.submitted(job.id)
    if here is not None:
        code = {name: sources.written for name, sources in here.sources.items()}
    else:
        try:
            workflow = context.scheduler.get_job(job.id).workflow()
        except ProActiveError:
            return frozenset()
        code = {task.name: task.executable.code for task in workflow.tasks if isinstance(task.executable, Script)}
    silent = {name for name, text in code.items() if text and not _RESULT.search(text)}
    return frozenset(task.name for task in job.tasks if task.base_name in silent)


def _results(context: Context, job: Job) -> Mapping[str, TaskResult]:
    """The results of a job, also of one that waits for a decision: its tasks that finished have theirs."""
    found = context.scheduler.job_result(job.id)
    if found is not None:
        return found.tasks
    finished = [task for task in job.tasks if task.status is TaskStatus.FINISHED]
    return {task.name: context.scheduler.task_result(job.id, task.name) for task in finished}


def _table(job: Job, results: Sequence[TaskResult]) -> Table:
    """Many results as one display, each in one line."""
    rows = [(result.name, _line(result.value)) for result in results[:ROWS]]
    caption = f"{len(results):,} results of job {job.id} ({job.name!r})"
    if len(results) > ROWS:
        caption += f", the first {ROWS} are shown"
    caption += ". into=NAME binds all of them to a variable."
    return Table(headings=("Task", "Result"), rows=rows, caption=caption)


def _line(value: object) -> str:
    if isinstance(value, bytes) and len(value) > WIDTH:
        return f"{len(value):,} bytes"
    text = " ".join(repr(value).split())
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def _in_order(job: Job) -> list[str]:
    """The tasks as they were defined, iterations and replicas after their original."""
    bases = list(dict.fromkeys(task.base_name for task in job.tasks))
    place = {name: index for index, name in enumerate(bases)}
    tasks = sorted(job.tasks, key=lambda task: (place[task.base_name], task.iteration, task.replication))
    return [task.name for task in tasks]


def _value(result: TaskResult) -> Value:
    return Value(value=result.value, label=result.name, metadata=result.metadata)


@pragma(
    "get_task_result",
    TASK,
    *JOB_REFERENCE,
    TIMEOUT,
    _into("the result"),
    family="results",
    summary="Waits for a task and shows its result.",
    example="#%get_task_result(task_name=Greet, into=greeting)",
)
def get_task_result(context: Context, call: Bound) -> None:
    """Wait for one task, show its result, bind it; a task without one is an error."""
    job, task = _wait_for_task(context, call, output=False)
    result = context.scheduler.task_result(job.id, task.name) if task.ended and not task.went_wrong else None
    if result is None or result.failed:
        raise task_failed(context, context.scheduler, job, task)
    context.frontend.show(_value(result))
    if call["into"]:
        context.frontend.namespace[call["into"]] = result.value


@pragma(
    "print_job_output",
    *JOB_REFERENCE,
    TIMEOUT,
    family="results",
    summary="Waits for a job and writes what its tasks write, as it comes.",
    example="#%print_job_output(job_name=Greetings)",
)
def print_job_output(context: Context, call: Bound) -> None:
    """Write a job's output."""
    job = wait_for(context, job_id_of(context, call), timeout=call["timeout"])
    if not job.ended:
        settle(context, job)


@pragma(
    "print_task_output",
    TASK,
    *JOB_REFERENCE,
    TIMEOUT,
    family="results",
    summary="Waits for a task and writes what it writes, as it comes.",
    example="#%print_task_output(task_name=Greet)",
)
def print_task_output(context: Context, call: Bound) -> None:
    """Write a task's output."""
    job, task = _wait_for_task(context, call, output=True)
    if not task.ended:
        raise task_failed(context, context.scheduler, job, task)


def _wait_for_task(context: Context, call: Bound, *, output: bool) -> tuple[Job, TaskState]:
    job_id, name = job_id_of(context, call), call["task_name"]
    _check_task(call, context.scheduler.job(job_id))
    job = wait_for(context, job_id, tasks={name}, timeout=call["timeout"], output=output)
    return job, task_of(call, job)


def task_of(call: Bound, job: Job) -> TaskState:
    """The task of that full name."""
    name = call["task_name"]
    _check_task(call, job)
    task = job.task(name)
    if task is None:
        names = [task.name for task in job.tasks if base_name(task.name) == base_name(name)]
        raise call.fault(
            f"job {job.id} has no task {name!r}.", parameter="task_name", hint=f"It has {', '.join(names)}."
        )
    return task


def _check_task(call: Bound, job: Job) -> None:
    """Refuse a name that no task has, not even with an iteration or replica."""
    name = call["task_name"]
    known = [task.name for task in job.tasks]
    if base_name(name) not in map(base_name, known):
        raise call.fault(f"job {job.id} has no task {name!r}.", parameter="task_name", hint=did_you_mean(name, known))
