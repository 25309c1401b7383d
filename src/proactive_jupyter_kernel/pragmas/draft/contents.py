"""The content of the draft: tasks, controls, code that is prepended, and the settings of the job.

Pure. `Draft` builds the contents by applying the contributions of every cell in order (`contributions.py`). Where two
cells contribute the same thing, the cell that ran last wins: `may_write` decides that by the number of the run.
"""

from __future__ import annotations

import copy
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from proactive_jupyter_kernel.pragmas.draft.controls import Control
from proactive_jupyter_kernel.pragmas.draft.foreach import Foreach
from proactive_jupyter_kernel.pragmas.draft.source_map import Code, SourceMap
from proactive_jupyter_kernel.workflow.checks import Problem
from proactive_jupyter_kernel.workflow.model import ForkEnvironment, Script, SelectionScript, Task, Workflow

__all__ = ["Contents", "DraftTask", "TaskTable"]

#: What other pragmas say about a task.
_SET_BY_OTHERS = ("selection", "fork_environment", "pre", "post", "clean", "flow", "block")
#: What no pragma says, but a workflow file may.
_SET_BY_FILES = (
    "nodes",
    "topology",
    "threshold",
    "restart",
    "retry_delay",
    "fork",
    "run_as_me",
    "precious_logs",
    "result_preview_class",
    "metadata",
)
#: Variables whose names start so are set by the scheduler.
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
    #: The list that it runs over, once for each item.
    foreach: Foreach | None = None
    #: Where the scripts around it were written, by how errors label them.
    scripts: Mapping[str, SourceMap] = field(default_factory=dict)
    #: The imports that are parameters of the notebook and travel as JSON; known when the job is built.
    parameters: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.task.name

    @property
    def engine(self) -> str:
        """The script's engine; empty for a task that is not a script."""
        return self.task.executable.language if isinstance(self.task.executable, Script) else ""

    def in_place_of(self, old: DraftTask) -> DraftTask:
        """The same task with what other pragmas, or a workflow file, say about the one that it replaces."""
        kept = {name: getattr(old.task, name) for name in (*_SET_BY_OTHERS, *_SET_BY_FILES)}
        return replace(self, task=replace(self.task, **kept), scripts={**old.scripts, **self.scripts})

    def may_set(self, variable: str) -> bool:
        """Whether the task may export a variable: it does so, or it is from a file, so that this is not known."""
        return self.code is None or variable in self.exports

    def without_dependency(self, name: str) -> DraftTask:
        """The task with one dependency less."""
        kept = tuple(parent for parent in self.task.depends if parent != name)
        return self if kept == self.task.depends else replace(self, task=replace(self.task, depends=kept))


class TaskTable(dict[str, DraftTask]):
    """Tasks by name, in the order of their first definition. It knows which names other tasks depend on."""

    def __init__(self, tasks: Mapping[str, DraftTask] | None = None) -> None:
        super().__init__()
        self._children: Counter[str] = Counter()
        for name, entry in (tasks or {}).items():
            self[name] = entry

    def __setitem__(self, name: str, entry: DraftTask) -> None:
        self._forget(name)
        self._children.update(entry.task.depends)
        super().__setitem__(name, entry)

    def __delitem__(self, name: str) -> None:
        self._forget(name)
        super().__delitem__(name)

    def is_parent(self, name: str) -> bool:
        """Whether a task depends on the task of this name."""
        return self._children[name] > 0

    def _forget(self, name: str) -> None:
        if (old := self.get(name)) is not None:
            self._children.subtract(old.task.depends)


class Contents:
    """The content of the draft after some contributions. Only contributions change it."""

    def __init__(self, parameters: Mapping[str, object] | None = None) -> None:
        #: The parameters of the notebook, which are variables of the job where a task uses them.
        self.parameters: Mapping[str, object] = {} if parameters is None else parameters
        #: What is wrong with the use of parameters.
        self.problems: list[Problem] = []
        #: What is said of the job; its name is empty until one is given, its tasks are none.
        self.job = Workflow(name="")
        #: In the order of their first definition.
        self.tasks = TaskTable()
        #: Code prepended to every task of a language: engine name -> cell, or the text where that is unknown -> code.
        self.imports: dict[str, dict[str, Code]] = {}
        #: In the order of their first steps.
        self.controls: list[Control] = []
        #: Where a task has none of its own; and where they were written.
        self.job_selection: SelectionScript | None = None
        self.job_fork_environment: ForkEnvironment | None = None
        self.job_scripts: dict[str, SourceMap] = {}
        #: The task that was defined last.
        self.last_task = ""
        #: The task of each name, script, setting -> the number of the run that wrote it.
        self._written: dict[tuple[str, ...], int] = {}

    def with_(self, *, job: Workflow, tasks: dict[str, DraftTask], problems: list[Problem]) -> Contents:
        """The contents with another job, other tasks and problems, for reading."""
        other = copy.copy(self)
        other.job, other.tasks, other.problems = job, TaskTable(tasks), problems
        return other

    def may_write(self, run: int, *item: str) -> bool:
        """Note that a run writes an item; False if a later run has written it."""
        if self._written.get(item, 0) > run:
            return False
        self._written[item] = run
        return True

    def writer(self, *item: str) -> int:
        """The number of the run that wrote an item; 0: none did."""
        return self._written.get(item, 0)

    # -- reading

    @property
    def variables(self) -> tuple[str, ...]:
        """Every variable that the job, a task, an export or a parameter of the notebook names."""
        names = dict.fromkeys((*(variable.name for variable in self.job.variables), *self.parameters))
        for entry in self.tasks.values():
            names |= dict.fromkeys((*(variable.name for variable in entry.task.variables), *entry.exports))
        return tuple(names)

    def ancestors(self, depends: Iterable[str], later: Mapping[str, DraftTask] | None = None) -> Iterator[DraftTask]:
        """The tasks named and all that they depend on, the nearest first; `later` are about to be defined."""
        seen: set[str] = set()
        waiting = deque(depends)
        while waiting:
            name = waiting.popleft()
            if name in seen:
                continue
            seen.add(name)
            entry = (later.get(name) if later is not None else None) or self.tasks.get(name)
            if entry is not None:
                yield entry
                waiting += (*entry.task.depends, *self.implied(name))

    def undefined(self, depends: Iterable[str], later: Mapping[str, DraftTask] | None = None) -> tuple[str, ...]:
        """The tasks that are depended on, near or far, and that are not defined yet."""
        depends = tuple(depends)
        named = dict.fromkeys(depends)
        for entry in self.ancestors(depends, later):
            named |= dict.fromkeys(entry.task.depends)
        return tuple(name for name in named if name not in self.tasks and (later is None or name not in later))

    def leads_to(self, name: str, depends: Iterable[str], later: Mapping[str, DraftTask] | None = None) -> bool:
        """Whether one of the tasks named, or what they depend on, is this one."""
        if later is None and name not in self.tasks:
            return False
        return any(entry.name == name for entry in self.ancestors(depends, later))

    def acyclic(self, depends: Mapping[str, Iterable[str]]) -> frozenset[str]:
        """The tasks of `depends`, about to be defined so, of which nothing that they depend on is in a cycle."""
        parents: dict[str, tuple[str, ...]] = {}
        waiting = list(depends)
        while waiting:
            name = waiting.pop()
            if name not in parents:
                entry = self.tasks.get(name)
                above = depends.get(name, entry.task.depends if entry else ())
                parents[name] = (*above, *self.implied(name))
                waiting += parents[name]
        children: dict[str, list[str]] = {}
        open_parents = {name: len(above) for name, above in parents.items()}
        for name, above in parents.items():
            for parent in above:
                children.setdefault(parent, []).append(name)
        free = [name for name, count in open_parents.items() if not count]
        for name in free:
            for child in children.get(name, ()):
                open_parents[child] -= 1
                if not open_parents[child]:
                    free.append(child)
        return frozenset(depends.keys() & set(free))

    def children(self, name: str) -> tuple[str, ...]:
        """The tasks that name this one in their dependencies."""
        if not self.is_parent(name):
            return ()
        return tuple(entry.name for entry in self.tasks.values() if name in entry.task.depends)

    def is_parent(self, name: str) -> bool:
        """Whether a task names this one in its dependencies."""
        return self.tasks.is_parent(name)

    def implied(self, name: str) -> tuple[str, ...]:
        """The tasks that come before a task because of the control that it is a step of."""
        control = self.control_of(name)
        return control.before(name) if control else ()

    def unknown_imports(
        self, entry: DraftTask, later: Mapping[str, DraftTask] | None = None, implied: Iterable[str] = ()
    ) -> tuple[str, ...]:
        """The variables that a task imports and that neither the job, the task nor an ancestor has."""
        known = {variable.name for variable in (*self.job.variables, *entry.task.variables)} | self.parameters.keys()
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
        names |= dict.fromkeys(self.parameters)
        for ancestor in self.ancestors((*entry.task.depends, *implied), later):
            names |= dict.fromkeys(ancestor.exports)
        return tuple(names)

    def control_of(self, name: str) -> Control | None:
        """The control that has a task among its steps."""
        return next((control for control in self.controls if name in control.tasks.values()), None)

    # -- changing; for contributions alone

    def define(self, entry: DraftTask, run: int) -> None:
        """Add a task, or put it in the place of the one of that name that an earlier run defined."""
        if not self.may_write(run, "task", entry.name):
            return
        old = self.tasks.get(entry.name)
        self.tasks[entry.name] = entry.in_place_of(old) if old else entry
        self.last_task = entry.name

    def put_control(self, index: int | None, control: Control) -> None:
        """Keep a control at its place; None: it is new."""
        if index is None:
            self.controls.append(control)
        else:
            self.controls[index] = control

    def drop_step_task(self, name: str) -> None:
        """Remove the task that a step had before it got another name; dependencies on it go with it."""
        if name in self.tasks:
            del self.tasks[name]
            for child in self.children(name):
                self.tasks[child] = self.tasks[child].without_dependency(name)
