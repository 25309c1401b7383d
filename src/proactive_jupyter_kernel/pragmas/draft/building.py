"""From what stands in the draft to a workflow: scripts are put together, controls are applied, everything is checked.

Pure. The result also tells which line of which cell each line of a script came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from proactive_jupyter_kernel.errors import InvalidWorkflow
from proactive_jupyter_kernel.pragmas.draft.applied_controls import AppliedControls, Replication, runs_script
from proactive_jupyter_kernel.pragmas.draft.contents import Contents, DraftTask
from proactive_jupyter_kernel.pragmas.draft.notebook_parameters import decoding
from proactive_jupyter_kernel.pragmas.draft.propagation import (
    PYTHON,
    Additions,
    additions,
    item_sources,
    needs,
    parents_in,
    parents_of_draft,
)
from proactive_jupyter_kernel.pragmas.draft.source_map import FLOW, MAIN, Code, SourceMap, Sources, join
from proactive_jupyter_kernel.workflow.blocks import replicated_by
from proactive_jupyter_kernel.workflow.checks import Problem
from proactive_jupyter_kernel.workflow.graph import Graph
from proactive_jupyter_kernel.workflow.languages import by_engine
from proactive_jupyter_kernel.workflow.model import Script, Task, Workflow

__all__ = ["Built", "Preview", "build", "preview", "script"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A workflow, and where its scripts were written."""

    workflow: Workflow
    #: By task name.
    sources: Mapping[str, Sources] = field(default_factory=dict)
    #: What was added automatically.
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """An unfinished workflow, and what is still wrong or missing."""

    workflow: Workflow
    problems: tuple[Problem, ...] = ()
    #: What was added automatically.
    notices: tuple[str, ...] = ()


def build(contents: Contents, name: str, *, automatic: bool = False) -> Built:
    """The workflow under this name; `InvalidWorkflow` with all problems.

    `automatic`: exports and imports that the code of Python tasks needs are added (`propagation`).
    """
    from proactive_jupyter_kernel.workflow.checks import errors

    found, added = _assemble(contents, name, errors, automatic=automatic)
    if found.problems:
        raise InvalidWorkflow(name, found.problems)
    sources = {entry.name: _sources(contents, entry, added.get(entry.name)) for entry in contents.tasks.values()}
    return Built(workflow=found.workflow, sources=sources, notices=found.notices)


def preview(contents: Contents, name: str, *, automatic: bool = False) -> Preview:
    """The workflow in its current, perhaps unfinished state, with all errors and warnings of the checks.

    The steps of an unfinished control depend on those before them, as they will when it is finished.
    """
    from proactive_jupyter_kernel.workflow.checks import check

    found, _ = _assemble(contents, name, check, automatic=automatic)
    tasks = {task.name: task for task in found.workflow.tasks}
    for control in contents.controls:
        if control.missing is None:
            continue
        for task in control.tasks.values():
            if not tasks[task].depends:
                tasks[task] = replace(tasks[task], depends=control.before(task))
    return replace(found, workflow=replace(found.workflow, tasks=tuple(tasks.values())))


def _assemble(
    contents: Contents, name: str, find: Callable[[Workflow], list[Problem]], *, automatic: bool
) -> tuple[Preview, dict[str, Additions]]:
    """The workflow with its controls applied, what `find` and the draft itself object to, and what scripts got."""
    applied = AppliedControls(_tasks(contents))
    applied.apply(contents.controls, dict(_replications(contents)))
    problems = [*contents.problems, *applied.problems]
    added: dict[str, Additions] = {}
    if not problems and (automatic or any(entry.foreach for entry in contents.tasks.values())):
        parents = parents_in(applied.tasks.values())
        added, of_items = additions(contents, parents, needs(contents, parents), automatic=automatic)
        problems += [*of_items, *_nested_foreach(contents, applied.tasks.values())]
        for task_name, more in added.items():
            applied.put_code(task_name, script(contents, contents.tasks[task_name], more).script)
    workflow = replace(contents.job, name=name, tasks=tuple(applied.tasks.values()))
    # The faults of an unfinished control would be reported again, in terms of the finished workflow.
    problems += find(workflow) if not problems else find(replace(workflow, tasks=tuple(_tasks(contents))))
    problems += _unknown_imports(contents)
    found = Preview(workflow=workflow, problems=tuple(problems), notices=(*applied.notices, *_notices(added)))
    return found, added


def _nested_foreach(contents: Contents, tasks: Iterable[Task]) -> Iterator[Problem]:
    """A scheduler numbers the copies of a task across all replications around it: they would take wrong items."""
    copied = replicated_by(Graph(Workflow(name="", tasks=tuple(tasks))))
    for entry in contents.tasks.values():
        around = [name for name in copied.get(entry.name, ()) if name not in entry.task.depends]
        if entry.foreach is not None and around:
            message = f"foreach={entry.foreach} cannot be inside the replication that {around[0]!r} starts."
            yield Problem(code="PA603", task=entry.name, message=message)


def _unknown_imports(contents: Contents) -> Iterator[Problem]:
    for entry in contents.tasks.values():
        for missing in contents.unknown_imports(entry):
            message = (
                f"Task {entry.name!r} imports the variable {missing!r}, which no task before it exports, and which is "
                "no variable of the job or the task."
            )
            yield Problem(code="PA604", message=message)


def _replications(contents: Contents) -> Iterator[tuple[str, Replication]]:
    """The single tasks that run several times."""
    parents = parents_of_draft(contents)
    for entry in contents.tasks.values():
        if entry.runs:
            yield entry.name, Replication(said=f"runs={entry.runs}", script=runs_script(entry.runs))
        elif entry.foreach is not None:
            setters, from_job = item_sources(contents, entry, parents)
            counted = all(contents.tasks[setter].engine == PYTHON for setter in setters)
            split = entry.foreach.split_script(from_job=from_job, counted=counted)
            yield entry.name, Replication(said=f"foreach={entry.foreach}", script=split)


def _notices(added: Mapping[str, Additions]) -> Iterator[str]:
    """One sentence for each task whose script got something that its pragma does not say."""
    for name, one in added.items():
        parts = [
            f"{verb} {', '.join(names)}"
            for verb, names in (("imports", one.imports), ("exports", one.exports))
            if names
        ]
        if parts:
            yield f"Task {name} {' and '.join(parts)} (found in the code)."


def _tasks(contents: Contents) -> Iterator[Task]:
    """The tasks with their scripts and what the job gives those that have none of their own."""
    for entry in contents.tasks.values():
        task = entry.task
        if entry.code is not None and isinstance(task.executable, Script):
            task = replace(task, executable=replace(task.executable, code=script(contents, entry).script))
        if contents.job_selection and not task.selection:
            task = replace(task, selection=(contents.job_selection,))
        if contents.job_fork_environment and task.fork_environment is None:
            task = replace(task, fork_environment=contents.job_fork_environment)
        yield task


def _sources(contents: Contents, entry: DraftTask, added: Additions | None) -> Sources:
    scripts = {**contents.job_scripts, **entry.scripts}
    if entry.code is not None:
        scripts = {MAIN: script(contents, entry, added), **scripts}
    control = contents.control_of(entry.name)
    if control and control.source:
        scripts[FLOW] = control.source
    return Sources(scripts=scripts)


def script(contents: Contents, entry: DraftTask, added: Additions | None = None) -> SourceMap:
    """A task's whole script: code kept for its language, imports, its own code, exports; and what is added to it."""
    added = added or Additions()
    first, *rest = entry.code or (Code(text=""),)
    engine = entry.engine
    language = by_engine(engine)
    assert language is not None
    assert language.binding is not None, "pragmas offer no language without a binding"
    binding = language.binding
    front = [one for one in contents.imports.get(engine, {}).values() if one.text.strip()]
    if lines := binding.imports(tuple(dict.fromkeys((*entry.imports, *added.imports)))):
        front.append(Code(text=lines))
    if entry.parameters:
        front.append(Code(text=decoding(entry.parameters)))
    front += [Code(text=text) for text in added.first]
    head = binding.head_lines(first.text) if front else 0
    parts = [first.lines(0, head)] if head else []
    parts += [*front, first.lines(head), *rest]
    if exports := tuple(dict.fromkeys((*entry.exports, *added.exports))):
        parts.append(Code(text=binding.exports(exports, entry.name)))
    parts += [Code(text=text) for text in added.last]
    return join(engine, parts)
