"""From what stands in the draft to a workflow: scripts are put together, controls are applied, everything is checked.

Pure. The result also tells which line of which cell each line of a script came from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from proactive_jupyter_kernel.errors import InvalidWorkflow
from proactive_jupyter_kernel.pragmas.applied_controls import AppliedControls
from proactive_jupyter_kernel.pragmas.contents import Contents, DraftTask
from proactive_jupyter_kernel.pragmas.source_map import FLOW, MAIN, Code, SourceMap, Sources, join
from proactive_jupyter_kernel.workflow.languages import by_engine
from proactive_jupyter_kernel.workflow.model import Script, Task, Workflow

__all__ = ["Built", "build", "script"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A workflow, and where its scripts were written."""

    workflow: Workflow
    #: By task name.
    sources: Mapping[str, Sources] = field(default_factory=dict)
    #: What was added that nobody wrote.
    notices: tuple[str, ...] = ()


def build(contents: Contents, name: str) -> Built:
    """The workflow under this name; `InvalidWorkflow` with all problems."""
    from proactive_jupyter_kernel.workflow.checks import errors

    applied = AppliedControls(_tasks(contents))
    applied.apply(contents.controls, {entry.name: entry.runs for entry in contents.tasks.values() if entry.runs})
    workflow = replace(contents.job, name=name, tasks=tuple(applied.tasks.values()))
    problems: list[object] = [*applied.problems]
    # What is wrong with an unfinished control would be told again, in words of the finished workflow.
    problems += errors(workflow) if not problems else errors(replace(workflow, tasks=tuple(_tasks(contents))))
    for entry in contents.tasks.values():
        problems += [
            f"Task {entry.name!r} imports the variable {missing!r}, which no task before it exports, and which is "
            "no variable of the job or the task."
            for missing in contents.unknown_imports(entry)
        ]
    if problems:
        raise InvalidWorkflow(name, problems)
    sources = {entry.name: _sources(contents, entry) for entry in contents.tasks.values()}
    return Built(workflow=workflow, sources=sources, notices=tuple(applied.notices))


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


def _sources(contents: Contents, entry: DraftTask) -> Sources:
    scripts = {**contents.job_scripts, **entry.scripts}
    if entry.code is not None:
        scripts = {MAIN: script(contents, entry), **scripts}
    control = contents.control_of(entry.name)
    if control and control.source:
        scripts[FLOW] = control.source
    return Sources(scripts=scripts)


def script(contents: Contents, entry: DraftTask) -> SourceMap:
    """A task's whole script: code kept for its language, imports, its own code, exports."""
    first, *rest = entry.code or (Code(text=""),)
    engine = entry.engine
    language = by_engine(engine)
    assert language is not None
    assert language.binding is not None, "pragmas offer no language without a binding"
    binding = language.binding
    front = [one for one in contents.imports.get(engine, {}).values() if one.text.strip()]
    if lines := binding.imports(entry.imports):
        front.append(Code(text=lines))
    head = binding.head_lines(first.text) if front else 0
    parts = [first.lines(0, head)] if head else []
    parts += [*front, first.lines(head), *rest]
    if entry.exports:
        parts.append(Code(text=binding.exports(entry.exports, entry.name)))
    return join(engine, parts)
