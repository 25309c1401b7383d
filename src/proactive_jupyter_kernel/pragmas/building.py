"""From what stands in the draft to a workflow: scripts are put together, controls are applied, everything is checked.

Pure. The result also tells which line of which cell each line of a script came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.errors import InvalidWorkflow
from proactive_jupyter_kernel.pragmas.applied_controls import AppliedControls
from proactive_jupyter_kernel.pragmas.contents import Contents, DraftTask
from proactive_jupyter_kernel.pragmas.notebook_parameters import decoding
from proactive_jupyter_kernel.pragmas.source_map import FLOW, MAIN, Code, SourceMap, Sources, join
from proactive_jupyter_kernel.workflow.languages import by_engine
from proactive_jupyter_kernel.workflow.model import Script, Task, Workflow

if TYPE_CHECKING:
    from proactive_jupyter_kernel.workflow.checks import Problem

__all__ = ["Built", "Sketch", "build", "script", "sketch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A workflow, and where its scripts were written."""

    workflow: Workflow
    #: By task name.
    sources: Mapping[str, Sources] = field(default_factory=dict)
    #: What was added that nobody wrote.
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """A workflow as far as it stands, and what is still wrong with it or missing."""

    workflow: Workflow
    #: Each is a sentence, or a `Problem`.
    problems: tuple[object, ...] = ()
    #: What was added that nobody wrote.
    notices: tuple[str, ...] = ()


def build(contents: Contents, name: str) -> Built:
    """The workflow under this name; `InvalidWorkflow` with all problems."""
    from proactive_jupyter_kernel.workflow.checks import errors

    found = _assemble(contents, name, errors)
    if found.problems:
        raise InvalidWorkflow(name, found.problems)
    sources = {entry.name: _sources(contents, entry) for entry in contents.tasks.values()}
    return Built(workflow=found.workflow, sources=sources, notices=found.notices)


def sketch(contents: Contents, name: str) -> Sketch:
    """The workflow as far as it stands, however unfinished, with all that the checks find: errors and warnings.

    The steps of an unfinished control depend on those before them, as they will when it is finished.
    """
    from proactive_jupyter_kernel.workflow.checks import check

    found = _assemble(contents, name, check)
    tasks = {task.name: task for task in found.workflow.tasks}
    for control in contents.controls:
        if control.missing is None:
            continue
        for task in control.tasks.values():
            if not tasks[task].depends:
                tasks[task] = replace(tasks[task], depends=control.before(task))
    return replace(found, workflow=replace(found.workflow, tasks=tuple(tasks.values())))


def _assemble(contents: Contents, name: str, find: Callable[[Workflow], list[Problem]]) -> Sketch:
    """The workflow with its controls applied, and what `find` and the draft itself object to."""
    applied = AppliedControls(_tasks(contents))
    applied.apply(contents.controls, {entry.name: entry.runs for entry in contents.tasks.values() if entry.runs})
    workflow = replace(contents.job, name=name, tasks=tuple(applied.tasks.values()))
    problems: list[object] = [*contents.problems, *applied.problems]
    # What is wrong with an unfinished control would be told again, in words of the finished workflow.
    problems += find(workflow) if not problems else find(replace(workflow, tasks=tuple(_tasks(contents))))
    for entry in contents.tasks.values():
        problems += [
            f"Task {entry.name!r} imports the variable {missing!r}, which no task before it exports, and which is "
            "no variable of the job or the task."
            for missing in contents.unknown_imports(entry)
        ]
    return Sketch(workflow=workflow, problems=tuple(problems), notices=tuple(applied.notices))


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
    if entry.parameters:
        front.append(Code(text=decoding(entry.parameters)))
    head = binding.head_lines(first.text) if front else 0
    parts = [first.lines(0, head)] if head else []
    parts += [*front, first.lines(head), *rest]
    if entry.exports:
        parts.append(Code(text=binding.exports(entry.exports, entry.name)))
    return join(engine, parts)
