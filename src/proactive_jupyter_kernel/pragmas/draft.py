"""The draft: the job that is being built in this notebook.

Pure. It holds tasks in the order of their definition, code to put in front per language, and what is said of the job;
`build` makes the workflow of it and remembers which line of which cell each line of a script came from.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from proactive_jupyter_kernel.errors import InvalidWorkflow
from proactive_jupyter_kernel.pragmas.applied_controls import AppliedControls
from proactive_jupyter_kernel.pragmas.controls import Control
from proactive_jupyter_kernel.pragmas.source_map import FLOW, MAIN, Code, SourceMap, Sources, join
from proactive_jupyter_kernel.workflow.languages import by_engine
from proactive_jupyter_kernel.workflow.model import (
    ForkEnvironment,
    Script,
    SelectionScript,
    Task,
    Variable,
    Workflow,
)

#: What pragmas of their own say about a task.
_SAID_APART = ("selection", "fork_environment", "pre", "post", "clean", "flow", "block")

__all__ = ["Built", "Draft", "DraftTask"]

#: Variables that every task has without anybody's doing start so.
SYSTEM_PREFIX = "PA_"


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftTask:
    """A task of the draft."""

    #: As the workflow has it; its script is put together by `Draft.build` where there is `code`.
    task: Task
    #: Where its script comes from, cell by cell. None: it was read from a workflow file and stands as it is.
    code: tuple[Code, ...] | None = None
    #: Variables that are bound before the code runs, and handed on after it.
    imports: tuple[str, ...] = ()
    exports: tuple[str, ...] = ()
    #: How often it runs side by side, as an expression; empty: once.
    runs: str = ""
    #: Where the scripts around it were written, by how errors label them.
    scripts: Mapping[str, SourceMap] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.task.name

    @property
    def engine(self) -> str:
        """The script's engine; empty for a task that is no script."""
        return self.task.executable.language if isinstance(self.task.executable, Script) else ""

    def in_place_of(self, old: DraftTask) -> DraftTask:
        """The same task with what other pragmas, or a workflow file, say about the one that it replaces."""
        kept = {name: getattr(old.task, name) for name in _SAID_APART}
        return replace(self, task=replace(self.task, **kept), scripts={**old.scripts, **self.scripts})

    def may_set(self, variable: str) -> bool:
        """Whether the task may hand on a variable: it exports it, or it is from a file and nobody knows."""
        return self.code is None or variable in self.exports


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A workflow, and where its scripts were written."""

    workflow: Workflow
    #: By task name.
    sources: Mapping[str, Sources] = field(default_factory=dict)
    #: What was added that nobody wrote.
    notices: tuple[str, ...] = ()


class Draft:
    """The job being built. Not thread-safe: whoever changes it holds the context's lock."""

    def __init__(self) -> None:
        #: What is said of the job; its name is empty until one is given, its tasks are none.
        self.job = Workflow(name="")
        #: In the order of their first definition.
        self.tasks: dict[str, DraftTask] = {}
        #: For the front of every task of a language: engine name -> cell, or the text where that is unknown -> code.
        self.imports: dict[str, dict[str, Code]] = {}
        #: In the order of their first steps.
        self.controls: list[Control] = []
        #: Where a task has none of its own; and where they were written.
        self.job_selection: SelectionScript | None = None
        self.job_fork_environment: ForkEnvironment | None = None
        self.job_scripts: dict[str, SourceMap] = {}

    # -- reading

    @property
    def variables(self) -> tuple[str, ...]:
        """Every variable that the job, a task or an export names."""
        names = dict.fromkeys(variable.name for variable in self.job.variables)
        for entry in self.tasks.values():
            names |= dict.fromkeys((*(variable.name for variable in entry.task.variables), *entry.exports))
        return tuple(names)

    def ancestors(self, depends: Iterable[str], later: Mapping[str, DraftTask] | None = None) -> Iterator[DraftTask]:
        """The tasks named and all that they depend on, the nearest first; `later` are about to be defined."""
        seen: set[str] = set()
        waiting = deque(depends)
        while waiting:
            name = waiting.popleft()
            entry = (later or {}).get(name) or self.tasks.get(name)
            if entry is not None and name not in seen:
                seen.add(name)
                yield entry
                waiting += (*entry.task.depends, *self.implied(name))

    def leads_to(self, name: str, depends: Iterable[str], later: Mapping[str, DraftTask] | None = None) -> bool:
        """Whether one of the tasks named, or what they depend on, is this one."""
        return any(entry.name == name for entry in self.ancestors(depends, later))

    def implied(self, name: str) -> tuple[str, ...]:
        """The tasks that come before a task because of the control that it is a step of."""
        control = self.control_of(name)
        return control.before(name) if control else ()

    def unknown_imports(
        self, entry: DraftTask, later: Mapping[str, DraftTask] | None = None, implied: Iterable[str] = ()
    ) -> tuple[str, ...]:
        """The variables that a task imports and that neither the job, the task nor an ancestor has."""
        known = {variable.name for variable in (*self.job.variables, *entry.task.variables)}
        asked = [name for name in entry.imports if name not in known and not name.startswith(SYSTEM_PREFIX)]
        # Nearly always the parents export what is asked for: the walk ends there.
        for ancestor in self.ancestors((*entry.task.depends, *implied, *self.implied(entry.name)), later):
            if not asked:
                break
            asked = [name for name in asked if not ancestor.may_set(name)]
        return tuple(asked)

    def visible(
        self, entry: DraftTask, later: Mapping[str, DraftTask] | None = None, implied: Iterable[str] = ()
    ) -> tuple[str, ...]:
        """The variables that a task could import."""
        names = dict.fromkeys(variable.name for variable in (*self.job.variables, *entry.task.variables))
        for ancestor in self.ancestors((*entry.task.depends, *implied), later):
            names |= dict.fromkeys(ancestor.exports)
        return tuple(names)

    # -- changing

    def define(self, entry: DraftTask) -> bool:
        """Add a task, or put it in the place of the one of that name; True where there was one."""
        old = self.tasks.get(entry.name)
        self.tasks[entry.name] = entry.in_place_of(old) if old else entry
        return old is not None

    def control_of(self, name: str) -> Control | None:
        """The control that has a task among its steps."""
        return next((control for control in self.controls if name in control.tasks.values()), None)

    def free_name(self, stem: str) -> str:
        """The stem with the first number that makes a name no task has."""
        number = 1
        while f"{stem}{number}" in self.tasks:
            number += 1
        return f"{stem}{number}"

    def delete(self, name: str, *, with_control: bool = True) -> tuple[str, ...]:
        """Remove a task, the dependencies on it and the control it is a step of, whose other tasks stay.

        Gives the tasks that lost a dependency. KeyError if there is no such task.
        """
        del self.tasks[name]
        if with_control:
            self.controls = [control for control in self.controls if name not in control.tasks.values()]
        orphans = [entry for entry in self.tasks.values() if name in entry.task.depends]
        for entry in orphans:
            kept = tuple(parent for parent in entry.task.depends if parent != name)
            self.tasks[entry.name] = replace(entry, task=replace(entry.task, depends=kept))
        return tuple(entry.name for entry in orphans)

    def append(self, name: str, code: Code) -> None:
        """Let a task go on with more code; from the same cell again, the new text replaces the old."""
        entry = self.tasks[name]
        blocks = list(entry.code or ())
        same = [index for index, block in enumerate(blocks) if code.cell and block.cell == code.cell]
        if same:
            blocks[same[0]] = code
        else:
            blocks.append(code)
        self.tasks[name] = replace(entry, code=tuple(blocks))

    def put_code_in_front(self, engine: str, code: Code) -> int:
        """Keep code for the front of every task of a language; gives how many pieces that makes.

        From the same cell again, the new text replaces the old; the same text is kept once.
        """
        kept = self.imports.setdefault(engine, {})
        kept[code.cell or code.text] = code
        return len(kept)

    def forget_code_in_front(self, engine: str) -> int:
        """Drop the code kept for a language; gives how many pieces there were."""
        return len(self.imports.pop(engine, {}))

    def load(self, workflow: Workflow) -> None:
        """Become this workflow; everything drafted so far is dropped."""
        self.job = replace(workflow, tasks=())
        self.tasks = {task.name: DraftTask(task=task) for task in workflow.tasks}
        self.imports = {}
        self.controls = []
        self.job_selection = self.job_fork_environment = None
        self.job_scripts = {}

    # -- building

    def build(self, name: str) -> Built:
        """The workflow under this name; `InvalidWorkflow` with all problems."""
        from proactive_jupyter_kernel.workflow.checks import errors

        applied = AppliedControls(self._tasks())
        applied.apply(self.controls, {entry.name: entry.runs for entry in self.tasks.values() if entry.runs})
        workflow = replace(self.job, name=name, tasks=tuple(applied.tasks.values()))
        problems: list[object] = [*applied.problems]
        # What is wrong with an unfinished control would be told again, in words of the finished workflow.
        problems += errors(workflow) if not problems else errors(replace(workflow, tasks=tuple(self._tasks())))
        for entry in self.tasks.values():
            problems += [
                f"Task {entry.name!r} imports the variable {missing!r}, which no task before it exports, and which is "
                "no variable of the job or the task."
                for missing in self.unknown_imports(entry)
            ]
        if problems:
            raise InvalidWorkflow(name, problems)
        sources = {entry.name: self._sources(entry) for entry in self.tasks.values()}
        return Built(workflow=workflow, sources=sources, notices=tuple(applied.notices))

    def _tasks(self) -> Iterator[Task]:
        """The tasks with their scripts and what the job gives those that have none of their own."""
        for entry in self.tasks.values():
            task = entry.task
            if entry.code is not None and isinstance(task.executable, Script):
                task = replace(task, executable=replace(task.executable, code=self.script(entry).script))
            if self.job_selection and not task.selection:
                task = replace(task, selection=(self.job_selection,))
            if self.job_fork_environment and task.fork_environment is None:
                task = replace(task, fork_environment=self.job_fork_environment)
            yield task

    def _sources(self, entry: DraftTask) -> Sources:
        scripts = {**self.job_scripts, **entry.scripts}
        if entry.code is not None:
            scripts = {MAIN: self.script(entry), **scripts}
        control = self.control_of(entry.name)
        if control and control.source:
            scripts[FLOW] = control.source
        return Sources(scripts=scripts)

    def script(self, entry: DraftTask) -> SourceMap:
        """A task's whole script: code kept for its language, imports, its own code, exports."""
        first, *rest = entry.code or (Code(text=""),)
        engine = entry.engine
        language = by_engine(engine)
        assert language is not None
        assert language.binding is not None, "pragmas offer no language without a binding"
        binding = language.binding
        front = [one for one in self.imports.get(engine, {}).values() if one.text.strip()]
        if lines := binding.imports(entry.imports):
            front.append(Code(text=lines))
        head = binding.head_lines(first.text) if front else 0
        parts = [first.lines(0, head)] if head else []
        parts += [*front, first.lines(head), *rest]
        if entry.exports:
            parts.append(Code(text=binding.exports(entry.exports, entry.name)))
        return join(engine, parts)

    def set_variables(self, values: Mapping[str, str]) -> None:
        """Give the job these variables and no others; what else is known of one, such as its model, stays."""
        known = {variable.name: variable for variable in self.job.variables}
        variables = (
            replace(known[name], value=value) if name in known else Variable(name=name, value=value)
            for name, value in values.items()
        )
        self.job = replace(self.job, variables=tuple(variables))
