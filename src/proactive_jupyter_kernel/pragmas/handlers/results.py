"""`#%get_job_result`, `#%get_task_result`, `#%print_job_output`, `#%print_task_output`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.client.jobs.submitted_job import SubmittedJob
from proactive_jupyter_kernel.client.rich_outputs import outputs_of
from proactive_jupyter_kernel.client.values import UnopenedValue
from proactive_jupyter_kernel.errors import ProActiveError, did_you_mean
from proactive_jupyter_kernel.pragmas.context import Context, base_name
from proactive_jupyter_kernel.pragmas.declarations.parameters import JOB_REFERENCE, SWITCH, TIMEOUT
from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall, Parameter, pragma
from proactive_jupyter_kernel.pragmas.declarations.values import Plain, PythonName
from proactive_jupyter_kernel.pragmas.jobs.job_errors import task_failed
from proactive_jupyter_kernel.pragmas.jobs.job_lookup import job_id_of
from proactive_jupyter_kernel.pragmas.jobs.waiting import settle, wait_for
from proactive_jupyter_kernel.pragmas.outputs import Mime, Notice, Table, Value
from proactive_jupyter_kernel.workflow.display.value_text import summary
from proactive_jupyter_kernel.workflow.model import Script
from proactive_jupyter_kernel.workflow.status import TaskStatus

if TYPE_CHECKING:
    from proactive_jupyter_kernel.client.records import Job, TaskResult, TaskState

__all__ = ["TASK", "show_outputs", "show_results", "task_of"]

#: Up to so many results are shown one by one, more of them as one table of so many rows at most.
SEPARATE, ROWS = 20, 100
#: The characters of a result in that table.
WIDTH = 120
#: Outputs of tasks, such as figures, that are shown of one job.
MOST_OUTPUTS = 50
#: The name of the result in the code of a task, in every language.
_RESULT = re.compile(r"\bresult\b")

#: A copy made by a loop or a replication is named T#1 or T*2, which is not a name that a workflow could give.
TASK = Parameter(
    name="task_name",
    kind=Plain("a task's name", offers="tasks"),
    required=True,
    doc="The task; T#1 names an iteration of it, T*2 a replica.",
)


def _into(what: str) -> Parameter:
    return Parameter(name="into", kind=PythonName(), doc=f"A variable of the notebook that gets {what}.")


TRUST = Parameter(
    name="trust",
    kind=SWITCH,
    doc="Whether to open results that can run code of their author, such as models, and to show HTML as HTML."
    " Without it: if you submitted the job.",
)


@pragma(
    "get_job_result",
    *JOB_REFERENCE,
    TIMEOUT,
    _into("the results: a dict of values by task name"),
    TRUST,
    family="results",
    summary="Waits for a job and shows the result of each of its tasks.",
    example="#%get_job_result(job_name=Greetings, into=results)",
    aliases=("get_result",),
)
def get_job_result(context: Context, call: BoundCall) -> None:
    """Wait, show the results, bind them; a job that failed ends the cell after what there is was shown."""
    job = wait_for(context, job_id_of(context, call), timeout=call["timeout"], output=False)
    results = show_results(context, job, trust=call["trust"])
    if call["into"]:
        context.frontend.namespace[call["into"]] = {result.name: result.value for result in results}
    settle(context, job)


def show_results(context: Context, job: Job, *, trust: bool | None = None, card: bool = False) -> list[TaskResult]:
    """Show the results and outputs of all tasks; return the results without the failures.

    With `card` in the card that the running cell has of the job, as far as that can show them.
    """
    good, failed = _results(context, job, trust)
    returned = _returned(context, job, good)
    shown: list[Value | Table] = []
    unopened: list[str] = []
    if len(returned) > SEPARATE:
        shown = [_table(job, returned)]
    else:
        values = [(one, one.readable_value) for one in returned]
        unopened = [one.name for one, value in values if isinstance(value, UnopenedValue) and one.output_of_result]
        shown = [_value(one, value) for one, value in values if one.name not in unopened]
    # The output of a last expression shows what cannot be opened here.
    outputs, notice = _outputs(job, [*failed, *good], with_result=unopened)
    _show(context, job, [*shown, *outputs], [one.name for one in returned], card=card)
    if notice:
        context.frontend.show(notice)
    if not returned and not card:
        context.frontend.show(Notice(text=f"No task of job {job.id} ({job.name!r}) has a result."))
    return good


def show_outputs(context: Context, job: Job, *, card: bool = False) -> None:
    """Show what the tasks of a job that was waited for showed: figures, ``display(...)``, last expressions."""
    good, failed = _results(context, job, None)
    outputs, notice = _outputs(job, [*failed, *good], with_result=[one.name for one in good])
    if outputs:
        _show(context, job, outputs, None, card=card)
    if notice:
        context.frontend.show(notice)


def _show(
    context: Context,
    job: Job,
    outputs: Sequence[Value | Table | Mime],
    returned: Collection[str] | None,
    *,
    card: bool,
) -> None:
    for output in context.live.add_results(job.id, outputs, returned) if card else outputs:
        context.frontend.show(output)


def _outputs(
    job: Job, results: Sequence[TaskResult], *, with_result: Collection[str]
) -> tuple[list[Mime], Notice | None]:
    """The outputs of these tasks; those that are results as well only of the tasks in `with_result`."""
    found = [
        Mime(data=output.data, metadata=output.metadata, label=result.name)
        for result in results
        for output in outputs_of(result, with_result=result.name in with_result)
    ]
    notice = None
    if len(found) > MOST_OUTPUTS:
        text = (
            f"The tasks of job {job.id} show {len(found):,} outputs; the first {MOST_OUTPUTS} are here. "
            f"#%get_task_result(task_name=NAME, job_id={job.id}) shows those of one task."
        )
        notice = Notice(text=text)
    return found[:MOST_OUTPUTS], notice


def _returned(context: Context, job: Job, results: Sequence[TaskResult]) -> list[TaskResult]:
    """Results that a task returned: not None, and not the default true of a scheduler."""
    doubtful = [one for one in results if one.carried is True and not one.output_of_result]
    silent = silent_tasks(context, job) if doubtful else frozenset()
    return [one for one in results if one.carried is not None and not (one in doubtful and one.name in silent)]


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


def _results(context: Context, job: Job, trust: bool | None) -> tuple[list[TaskResult], list[TaskResult]]:
    """The results of the tasks that ended well and of those that failed.

    Of a job that waits for a decision, the tasks that finished have theirs.
    """
    submitted = SubmittedJob(context.scheduler, job.id, job.name)
    whole = submitted.results(trust=trust)
    found: Mapping[str, TaskResult]
    if whole is not None:
        found = whole.tasks
    else:
        finished = [task for task in job.tasks if task.status is TaskStatus.FINISHED]
        found = {task.name: submitted.result(task.name, trust=trust) for task in finished}
    results = [found[name] for name in _in_order(job) if name in found]
    return [one for one in results if not one.failed], [one for one in results if one.failed]


def _table(job: Job, results: Sequence[TaskResult]) -> Table:
    """Many results as one display, each in one line."""
    rows = [(result.name, _line(result.carried)) for result in results[:ROWS]]
    caption = f"{len(results):,} results of job {job.id} ({job.name!r})"
    if len(results) > ROWS:
        caption += f", the first {ROWS} are shown"
    caption += ". into=NAME binds all of them to a variable."
    return Table(headings=("Task", "Result"), rows=rows, caption=caption)


def _line(carried: object) -> str:
    """A result in one line, unopened: of a table or a model what it is."""
    text = " ".join(summary(carried).split())
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def _in_order(job: Job) -> list[str]:
    """The tasks as they were defined, iterations and replicas after their original."""
    bases = list(dict.fromkeys(task.base_name for task in job.tasks))
    place = {name: index for index, name in enumerate(bases)}
    tasks = sorted(job.tasks, key=lambda task: (place[task.base_name], task.iteration, task.replication))
    return [task.name for task in tasks]


def _value(result: TaskResult, value: object) -> Value:
    # Whose job it is was asked only where that makes a difference.
    trusted = result.trusted or not result.metadata
    return Value(value=value, label=result.name, metadata=result.metadata, trusted=trusted)


@pragma(
    "get_task_result",
    TASK,
    *JOB_REFERENCE,
    TIMEOUT,
    _into("the result"),
    TRUST,
    family="results",
    summary="Waits for a task and shows its result.",
    example="#%get_task_result(task_name=Greet, into=greeting)",
)
def get_task_result(context: Context, call: BoundCall) -> None:
    """Wait for one task, show its result, bind it; a task without one is an error."""
    job, task = _wait_for_task(context, call, output=False)
    result = None
    if task.ended and not task.went_wrong:
        result = SubmittedJob(context.scheduler, job.id, job.name).result(task.name, trust=call["trust"])
    if result is None or result.failed:
        raise task_failed(context, context.scheduler, job, task)
    value = result.readable_value
    is_shown = isinstance(value, UnopenedValue) and bool(result.output_of_result)
    outputs, notice = _outputs(job, [result], with_result=[result.name] if is_shown else [])
    for output in outputs:
        context.frontend.show(output)
    if notice:
        context.frontend.show(notice)
    if not result.has_value:
        context.frontend.show(Notice(text=f"Task {task.name!r} of job {job.id} set no result."))
    elif not is_shown:
        context.frontend.show(_value(result, value))
    if call["into"]:
        context.frontend.namespace[call["into"]] = result.value


@pragma(
    "print_job_output",
    *JOB_REFERENCE,
    TIMEOUT,
    family="results",
    summary="Waits for a job and prints the output of its tasks as it arrives.",
    example="#%print_job_output(job_name=Greetings)",
)
def print_job_output(context: Context, call: BoundCall) -> None:
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
    summary="Waits for a task and prints its output as it arrives.",
    example="#%print_task_output(task_name=Greet)",
)
def print_task_output(context: Context, call: BoundCall) -> None:
    """Write a task's output."""
    job, task = _wait_for_task(context, call, output=True)
    if not task.ended:
        raise task_failed(context, context.scheduler, job, task)


def _wait_for_task(context: Context, call: BoundCall, *, output: bool) -> tuple[Job, TaskState]:
    job_id, name = job_id_of(context, call), call["task_name"]
    _check_task(call, context.scheduler.job(job_id))
    job = wait_for(context, job_id, tasks={name}, timeout=call["timeout"], output=output)
    return job, task_of(call, job)


def task_of(call: BoundCall, job: Job) -> TaskState:
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


def _check_task(call: BoundCall, job: Job) -> None:
    """Refuse a name that no task has, not even with an iteration or replica."""
    name = call["task_name"]
    known = [task.name for task in job.tasks]
    if base_name(name) not in map(base_name, known):
        raise call.fault(f"job {job.id} has no task {name!r}.", parameter="task_name", hint=did_you_mean(name, known))
