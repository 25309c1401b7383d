"""What one cell contributes to the draft: a record for each kind, and how it changes the contents. Pure.

`apply` gives the reason why a contribution has no effect, such as a script for a task that no cell before it defines;
empty: it has one. `run` is the number of the cell's run: of two contributions to the same thing the later run wins.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from proactive_jupyter_kernel.pragmas.draft.contents import Contents, DraftTask
from proactive_jupyter_kernel.pragmas.draft.controls import OutOfOrder, position_of
from proactive_jupyter_kernel.pragmas.draft.script_slots import SLOTS, script_of
from proactive_jupyter_kernel.pragmas.draft.source_map import Code, SourceMap
from proactive_jupyter_kernel.workflow.model import ForkEnvironment, SelectionScript, Variable, Workflow

__all__ = [
    "AppendedCode",
    "Contribution",
    "ControlScript",
    "ControlStep",
    "DefinedTask",
    "JobScript",
    "JobSettings",
    "LoadedWorkflow",
    "PrependedCode",
    "TaskScript",
]


class Contribution(ABC):
    """One thing that a pragma of a cell adds to the draft. Records are frozen."""

    #: False: it can stand anywhere after what it needs; True: its place among the other cells matters.
    ordered = False

    @property
    @abstractmethod
    def key(self) -> tuple[object, ...]:
        """The same for two contributions of a cell of which the second replaces the first."""

    @abstractmethod
    def apply(self, contents: Contents, run: int, cell: str) -> str:
        """Change the contents; why it has no effect, or empty."""

    def without_task(self, name: str) -> Contribution | None:
        """What remains of it when a task is deleted; None: nothing."""
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinedTask(Contribution):
    """A task that is not a step of a control."""

    entry: DraftTask
    #: The stem of its name where the name is generated; empty: somebody wrote it.
    generated: str = ""

    @property
    def key(self) -> tuple[object, ...]:
        return "task", self.entry.name

    def apply(self, contents: Contents, run: int, cell: str) -> str:
        contents.define(self.entry, run)
        return ""

    def without_task(self, name: str) -> Contribution | None:
        return None if name == self.entry.name else replace(self, entry=self.entry.without_dependency(name))


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlStep(Contribution):
    """A step of a control that defines a task."""

    ordered = True

    step: str
    entry: DraftTask
    #: The name as it was written; empty where it is generated.
    written: str = ""

    @property
    def key(self) -> tuple[object, ...]:
        return "task", self.entry.name

    @property
    def generated(self) -> str:
        """The stem of a generated name."""
        return "" if self.written else self.step

    def apply(self, contents: Contents, run: int, cell: str) -> str:
        try:
            position = position_of(contents.controls, self.step, name=self.written)
        except OutOfOrder as fault:
            return f"step #%{self.step} ({self.entry.name}) has no control to belong to: {fault.sentence}"
        control = position.control
        before = control.tasks.get(self.step) or control.former.get(self.step, "")
        if before and before != self.entry.name:
            contents.drop_step_task(before)
        contents.put_control(position.index, control.with_task(self.step, self.entry.name))
        contents.define(self.entry, run)
        return ""

    def without_task(self, name: str) -> Contribution | None:
        return None if name == self.entry.name else replace(self, entry=self.entry.without_dependency(name))


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlScript(Contribution):
    """The script that decides a control."""

    ordered = True

    step: str
    source: SourceMap
    #: The first task of its control, for messages.
    control: str

    @property
    def key(self) -> tuple[object, ...]:
        return "control script", self.step, self.control

    def apply(self, contents: Contents, run: int, cell: str) -> str:
        try:
            position = position_of(contents.controls, self.step)
        except OutOfOrder as fault:
            return f"step #%{self.step} has no control to belong to: {fault.sentence}"
        script = script_of(self.source)
        assert script is not None
        contents.put_control(position.index, position.control.with_script(self.step, script, self.source))
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendedCode(Contribution):
    """Code that continues the task defined before it: a cell in the mode ``multiblock``."""

    ordered = True

    code: Code
    #: The task that it becomes where there is none before it.
    alone: DraftTask

    @property
    def key(self) -> tuple[object, ...]:
        return ("appended",)

    def apply(self, contents: Contents, run: int, cell: str) -> str:
        last = contents.tasks.get(contents.last_task)
        if last is None or last.code is None:
            contents.define(self.alone, run)
        else:
            contents.tasks[last.name] = replace(last, code=(*last.code, self.code))
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrependedCode(Contribution):
    """Code prepended to every task of a language; None: what others prepended is dropped."""

    engine: str
    code: Code | None

    @property
    def key(self) -> tuple[object, ...]:
        return "import", self.engine

    def apply(self, contents: Contents, run: int, cell: str) -> str:
        if self.code is None:
            kept = contents.imports.pop(self.engine, {})
            contents.imports[self.engine] = {
                name: code for name, code in kept.items() if not contents.may_write(run, "import", self.engine, name)
            }
            contents.may_write(run, "imports dropped", self.engine)
            return ""
        name = cell or self.code.text
        dropped = contents.writer("imports dropped", self.engine) > run
        if not dropped and contents.may_write(run, "import", self.engine, name):
            contents.imports.setdefault(self.engine, {})[name] = self.code
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskScript(Contribution):
    """A script around one or several tasks; None: theirs is removed."""

    #: A key of `SLOTS`.
    slot: str
    tasks: tuple[str, ...]
    source: SourceMap | None

    @property
    def key(self) -> tuple[object, ...]:
        return self.slot, self.tasks

    def apply(self, contents: Contents, run: int, cell: str) -> str:
        slot = SLOTS[self.slot]
        missing = [name for name in self.tasks if name not in contents.tasks]
        for name in self.tasks:
            entry = contents.tasks.get(name)
            if entry is not None and contents.may_write(run, self.slot, name):
                scripts = {label: one for label, one in entry.scripts.items() if label != slot.label}
                if self.source is not None:
                    scripts[slot.label] = self.source
                task = slot.put(entry.task, script_of(self.source))
                contents.tasks[name] = replace(entry, task=task, scripts=scripts)
        return f"{slot.title} of {', '.join(missing)}, which no cell before it defines" if missing else ""

    def without_task(self, name: str) -> Contribution | None:
        kept = tuple(task for task in self.tasks if task != name)
        return replace(self, tasks=kept) if kept else None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobScript(Contribution):
    """A script for every task that has none of its own; None: it is removed."""

    #: A key of `SLOTS`.
    slot: str
    source: SourceMap | None
    #: Whether the tasks lose their own.
    force: bool = False

    @property
    def key(self) -> tuple[object, ...]:
        return "job", self.slot

    def apply(self, contents: Contents, run: int, cell: str) -> str:
        slot = SLOTS[self.slot]
        if not contents.may_write(run, "job", self.slot):
            return ""
        written = script_of(self.source)
        if self.slot == "selection_script":
            contents.job_selection = SelectionScript(script=written) if written else None
        else:
            contents.job_fork_environment = ForkEnvironment(script=written) if written else None
        contents.job_scripts.pop(slot.label, None)
        if self.source is not None:
            contents.job_scripts[slot.label] = self.source
        if self.force:
            for name in [name for name, entry in contents.tasks.items() if slot.has(entry.task)]:
                TaskScript(slot=self.slot, tasks=(name,), source=None).apply(contents, run, cell)
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings(Contribution):
    """What `#%job` says of the job."""

    #: Fields of `Workflow` that were given.
    settings: Mapping[str, Any] = field(default_factory=dict)
    #: The variables that the job has, and no others; None: nothing is said of them.
    variables: Mapping[str, str] | None = None
    #: The models of these variables, as far as they have one.
    models: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[object, ...]:
        return ("settings",)

    def apply(self, contents: Contents, run: int, cell: str) -> str:
        given = {name: value for name, value in self.settings.items() if contents.may_write(run, "setting", name)}
        contents.job = replace(contents.job, **given)
        if self.variables is not None and contents.may_write(run, "setting", "variables"):
            # What else is known of a variable, such as its model, stays.
            known = {variable.name: variable for variable in contents.job.variables}
            variables = (
                replace(one, value=value, model=self.models.get(name) or one.model)
                for name, value in self.variables.items()
                for one in (known.get(name, Variable(name=name, value=value)),)
            )
            contents.job = replace(contents.job, variables=tuple(variables))
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedWorkflow(Contribution):
    """A workflow that was read from a file: the draft starts with it."""

    workflow: Workflow

    @property
    def key(self) -> tuple[object, ...]:
        return ("workflow",)

    def apply(self, contents: Contents, run: int, cell: str) -> str:
        contents.job = replace(self.workflow, tasks=())
        for task in self.workflow.tasks:
            contents.define(DraftTask(task=task), run)
        contents.last_task = ""
        return ""

    def without_task(self, name: str) -> Contribution | None:
        kept = [DraftTask(task=task).without_dependency(name).task for task in self.workflow.tasks if task.name != name]
        return replace(self, workflow=replace(self.workflow, tasks=tuple(kept)))
