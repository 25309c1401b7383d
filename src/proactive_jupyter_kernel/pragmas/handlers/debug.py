"""`#%debug`: a task of a job, with what it had, in the notebook's Python."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from proactive_jupyter_kernel.errors import ProActiveError
from proactive_jupyter_kernel.pragmas.analysis import Binding, name_use
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.declarations.parameters import JOB_REFERENCE
from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall, pragma
from proactive_jupyter_kernel.pragmas.handlers.results import TASK, TRUST, task_of
from proactive_jupyter_kernel.pragmas.jobs.debugging import Inputs, Progress, TaskCode, TaskMap, code_of_task
from proactive_jupyter_kernel.pragmas.jobs.job_errors import error_of
from proactive_jupyter_kernel.pragmas.jobs.job_lookup import job_id_of
from proactive_jupyter_kernel.pragmas.outputs import Html, Notice, Table, Text
from proactive_jupyter_kernel.workflow.display.value_text import summary
from proactive_jupyter_kernel.workflow.languages import by_engine
from proactive_jupyter_kernel.workflow.status import TaskStatus

if TYPE_CHECKING:
    from proactive_jupyter_kernel.client.records import Job, TaskState

PYTHON = "cpython"
#: Variables in the table, and characters of a value in it.
ROWS, WIDTH = 50, 120


@pragma(
    "debug",
    TASK,
    *JOB_REFERENCE,
    TRUST,
    family="results",
    summary="Loads the inputs of a task into the notebook's Python: variables, results, code; shows where it failed.",
    example="#%debug(task_name=Train, job_id=7)",
)
def debug(context: Context, call: BoundCall) -> None:
    """Load a task that ended, or is In-Error; of tasks in other languages only show what they had."""
    scheduler = context.scheduler
    submitted = scheduler.get_job(job_id_of(context, call))
    job = submitted.state()
    state = task_of(call, job)
    if not state.ended and state.status is not TaskStatus.IN_ERROR:
        raise call.fault(
            f"task {state.name} of job {job.id} has not ended: it is {state.status_label}.",
            parameter="task_name",
            hint=f"#%wait_job(job_id={job.id}) waits for the job.",
        )
    task = submitted.workflow().task(state.base_name)
    here = context.submitted(job.id)
    code = code_of_task(task, here.sources.get(task.name) if here is not None else None)
    trust = call["trust"] if call["trust"] is not None else scheduler.is_mine(job.id)
    inputs = Inputs.of(submitted, job, state, task, trust=trust)
    _show_error(context, job, state)
    is_python = code.engine == PYTHON
    bound, notices = _load(context.frontend.namespace, inputs, code, trust=trust) if is_python else ({}, [])
    context.frontend.show(_table(job, state, inputs, bound))
    for notice in (*notices, *_limits(inputs, code)):
        context.frontend.show(notice)
    _show_code(context, state, code, offered=is_python)
    context.frontend.show(Text(text=_advice(job, state, code)))


def _show_error(context: Context, job: Job, state: TaskState) -> None:
    head = f"Task {state.name} of job {job.id} ({job.name!r}) is {state.status_label}."
    if not state.went_wrong and state.status is not TaskStatus.IN_ERROR:
        context.frontend.show(Text(text=head))
        return
    error = error_of(context, context.scheduler, job, state)
    parts = [head, error.text, f"Hint: {error.hint}" if error.hint else ""]
    context.frontend.show(Text(text="\n\n".join(part for part in parts if part)))


def _load(
    namespace: MutableMapping[str, Any], inputs: Inputs, code: TaskCode, *, trust: bool
) -> tuple[dict[str, str], list[Notice]]:
    """Bind what the task had; gives the names that its prologue bound with their values in short, and notices."""
    notices = []
    before = dict(namespace)
    fixed = _bindings(inputs, code, trust=trust)
    namespace.update(fixed)
    try:
        # The lines that the kernel itself put before the code, in the place where the person's code runs.
        exec(compile(code.prologue, "<lines before the task>", "exec"), namespace)  # type: ignore[arg-type]
        for name in code.imports:
            namespace[name] = namespace["variables"][name]
    except ProActiveError as error:
        notices.append(Notice(text=f"Not everything was bound: {error}", warning=True))
    except Exception as error:
        text = f"Not everything was bound, because a line before the code failed: {type(error).__name__}: {error}"
        notices.append(Notice(text=text, warning=True))
    if "__builtins__" not in before:
        namespace.pop("__builtins__", None)
    changed = [name for name, value in namespace.items() if name not in before or before[name] is not value]
    # A second run may bind a name to the very object that it has already.
    set_again = [name for name, binding in name_use(code.prologue).sets.items() if binding is Binding.VALUE]
    names = [name for name in dict.fromkeys((*changed, *set_again, *code.imports)) if name in namespace]
    bound = {name: _what(namespace[name]) for name in names if name not in fixed and not name.startswith("_")}
    if overwritten := [name for name in changed if name in before and not _is_ours(name, before[name])]:
        text = f"These names of the notebook have other values now: {', '.join(overwritten)}."
        notices.append(Notice(text=text, warning=True))
    return bound, notices


def _is_ours(name: str, value: object) -> bool:
    """Whether an earlier `#%debug` set it."""
    ours = isinstance(value, (TaskMap, Progress)) or (isinstance(value, tuple) and name == "results")
    return ours or name.startswith("_")


def _bindings(inputs: Inputs, code: TaskCode, *, trust: bool) -> dict[str, Any]:
    """The names that every task finds; the seldom ones only if the code mentions them."""
    found: dict[str, Any] = {
        "variables": TaskMap(inputs.variables, trust=trust),
        "results": inputs.results,
        "genericInformation": TaskMap(inputs.generic_information, "genericInformation"),
    }
    seldom: dict[str, Any] = {
        "resultMetadata": TaskMap({}, "resultMetadata"),
        "resultMap": TaskMap({}, "resultMap"),
        "progress": Progress(),
        "localspace": ".",
        "userspace": inputs.variables.get("userspace"),
        "globalspace": inputs.variables.get("globalspace"),
    }
    mentioned = {name: value for name, value in seldom.items() if re.search(rf"\b{name}\b", code.text)}
    return found | {name: value for name, value in mentioned.items() if value is not None}


def _limits(inputs: Inputs, code: TaskCode) -> Iterator[Notice]:
    if inputs.ambiguous:
        text = "Replications are nested here, so results may include those of more copies than the task had."
        yield Notice(text=text, warning=True)
    if code.engine != PYTHON:
        language = by_engine(code.engine)
        name = f"a {language.name} task" if language else "no script"
        yield Notice(text=f"Nothing was loaded into the notebook, because this is {name}.")


def _table(job: Job, state: TaskState, inputs: Inputs, bound: Mapping[str, str]) -> Table:
    rows = [
        (f"results[{index}]", _short(one.summary), name)
        for index, (one, name) in enumerate(zip(inputs.results, inputs.parents, strict=True))
    ]
    rows += [
        (f'variables["{name}"]', _short(summary(inputs.variables[name])), inputs.origins.get(name, ""))
        for name in inputs.shown
    ]
    rows += [(name, what, "bound before the code runs") for name, what in bound.items()]
    more = f"; the first {ROWS} of {len(rows)}" if len(rows) > ROWS else ""
    caption = f"What task {state.name} of job {job.id} had when it started{more}"
    return Table(headings=("Name", "Value", "From"), rows=rows[:ROWS], caption=caption)


def _what(value: object) -> str:
    """A plain value, or of which type another one is: a table would take long to be written."""
    return _short(repr(value)) if isinstance(value, (str, int, float, type(None))) else f"a {type(value).__name__}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"


def _show_code(context: Context, state: TaskState, code: TaskCode, *, offered: bool) -> None:
    """The code as text, folded where that can be; and in a new cell where the front end can do that."""
    language = by_engine(code.engine)
    title = f"The code of {state.name}" + (f" ({language.name})" if language else "")
    title += f", from {code.label}" if code.label else ""
    page = f"<details><summary>{html.escape(title)}</summary><pre>{html.escape(code.text)}</pre></details>"
    context.frontend.show(Html(html=page, text=f"{title}:\n\n{code.text}"))
    if offered:
        context.frontend.offer_cell(code.text)


def _advice(job: Job, state: TaskState, code: TaskCode) -> str:
    where = f" ({code.label})" if code.label else ""
    lines = []
    if code.engine == PYTHON:
        lines.append("Run the code in a cell without a pragma, until it works.")
    if state.status is TaskStatus.IN_ERROR:
        lines.append(f"#%restart_task(task_name={state.name}, job_id={job.id}) again runs the code that was submitted.")
    lines.append(
        f"To run other code: change it in the cell of the task{where}, run that cell, then"
        f" #%submit_job(from={state.base_name}, job_id={job.id})."
    )
    return "\n".join(lines)
