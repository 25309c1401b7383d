"""`#%draft` and `#%new_job`: what stands in the job that is being built, and an empty one in its place."""

from __future__ import annotations

from proactive_jupyter_kernel.pragmas import ownership
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.declarations.parameters import JOB_NAME, SWITCH
from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall, Parameter, pragma
from proactive_jupyter_kernel.pragmas.draft.contributions import JobSettings
from proactive_jupyter_kernel.pragmas.draft.draft import DraftTask
from proactive_jupyter_kernel.pragmas.draft.notebook_parameters import with_parameters
from proactive_jupyter_kernel.pragmas.draft.script_slots import SLOTS
from proactive_jupyter_kernel.pragmas.memory.journal import restore
from proactive_jupyter_kernel.pragmas.outputs import Notice, Table, Text
from proactive_jupyter_kernel.pragmas.ownership import warnings_of
from proactive_jupyter_kernel.workflow.languages import by_engine


@pragma(
    "draft",
    Parameter(
        name="restore",
        kind=SWITCH,
        doc="After a restart of the kernel, on: restores the draft that the journal holds; off: discards it.",
    ),
    family="jobs",
    summary="Lists the content of the current job: its tasks, each with its cell, and its variables.",
    example="#%draft()",
    changes_draft=True,
)
def draft(context: Context, call: BoundCall) -> None:
    """Show the draft as a table; first restore or discard what the journal holds."""
    if call["restore"] is not None:
        _settle(context, call)
    with context.lock:
        found, rows = context.draft, [_row(context, entry) for entry in context.draft.tasks.values()]
        warnings = warnings_of(context)
    if rows:
        headings = ("Task", "Language", "Depends on", "Control", "Scripts", "Cell")
        context.frontend.show(Table(headings=headings, rows=rows, caption=f"Job {context.job_name!r}"))
    else:
        context.frontend.show(
            Text(text="The draft has no task yet. #%task(name=NAME) defines a task with the code below it.")
        )
    around = [slot.title for slot in SLOTS.values() if slot.label in found.contents.job_scripts]
    imports = [by_engine(engine) for engine, kept in found.contents.imports.items() if kept]
    declared = len(found.job.variables)
    used = with_parameters(found.contents).job.variables[declared:]
    lines = [
        ("Variables of the job", ", ".join(f"{one.name}={one.value}" for one in found.job.variables)),
        ("Parameters that tasks use", ", ".join(f"{one.name}={one.value}" for one in used)),
        ("Scripts for every task", ", ".join(around)),
        ("Code is prepended to tasks in", ", ".join(one.name for one in imports if one)),
    ]
    for title, text in lines:
        if text:
            context.frontend.show(Text(text=f"{title}: {text}."))
    for warning in warnings:
        context.frontend.show(warning)


def _settle(context: Context, call: BoundCall) -> None:
    """Restore or discard what the journal holds."""
    if not context.journal.offered:
        raise call.fault("the journal has no draft from before a restart.", parameter="restore")
    if call["restore"]:
        restore(context)
        ownership.begin(context, call)
    else:
        context.journal.discard()
        context.frontend.show(Text(text="Discarded the draft from before the restart."))


def _row(context: Context, entry: DraftTask) -> tuple[object, ...]:
    contents = context.draft.contents
    language = by_engine(entry.engine)
    control = contents.control_of(entry.name)
    step = next((step for step, name in control.tasks.items() if name == entry.name), "") if control else ""
    shown = f"{control.kind.name} of {control.first_task}: {step}" if control else ""
    if entry.runs:
        shown = f"runs={entry.runs}"
    scripts = [slot.title for slot in SLOTS.values() if slot.has(entry.task)]
    depends = [name if name in contents.tasks else f"{name} (not defined)" for name in entry.task.depends]
    owner = context.draft.owner("task", entry.name)
    return (
        entry.name,
        language.name if language else entry.engine or "none",
        ", ".join(depends),
        shown,
        ", ".join(scripts),
        owner.label if owner else "",
    )


@pragma(
    "new_job",
    Parameter(name="name", kind=JOB_NAME, nameless=True, doc="The name of the new job."),
    family="jobs",
    summary="Starts a new job: discards all tasks, controls, scripts and settings of the current one.",
    example="#%new_job(name=Greetings)",
    changes_draft=True,
    destructive=True,
)
def new_job(context: Context, call: BoundCall) -> None:
    """Empty the draft."""
    old = context.draft.job.name
    dropped = context.draft.clear()
    context.refusals.clear()
    context.journal.discard()
    if call["name"]:
        context.draft.contribute(JobSettings(settings={"name": call["name"]}))
    named = f" {call['name']!r}" if call["name"] else ""
    context.frontend.show(Text(text=f"Started a new job{named}."))
    if dropped:
        of = f" of job {old!r}" if old else ""
        if len(dropped) == 1:
            text = f"Dropped task {dropped[0]}{of}. Run its cell again to define it again."
        else:
            text = f"Dropped {len(dropped)} tasks{of}: {', '.join(dropped)}. Run a cell again to define its task."
        context.frontend.show(Notice(text=text))
