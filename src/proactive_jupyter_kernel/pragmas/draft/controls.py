"""Branch, loop and replicate as written over several cells: their steps as a table, and what may come next. Pure.

Each control is written step by step, one pragma a step. A step given again where it stood before is an edit in place;
the first step given again starts its control over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from proactive_jupyter_kernel.pragmas.draft.source_map import SourceMap
from proactive_jupyter_kernel.workflow.model import Script

__all__ = ["CONTROLS", "Control", "ControlKind", "OutOfOrder", "StepPosition", "StepRule", "position_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRule:
    """One pragma of a control."""

    name: str
    #: True: it holds the script that decides; False: it defines a task.
    decides: bool = False
    optional: bool = False
    #: The steps whose tasks come before this one, though it need not name them.
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlKind:
    """One of the three controls."""

    name: str
    steps: tuple[StepRule, ...]
    #: The variable that the deciding script must set.
    variable: str

    def index(self, step: str) -> int:
        """The place of a step, from 0; -1 if the control has none of that name."""
        return next((index for index, one in enumerate(self.steps) if one.name == step), -1)


CONTROLS: Mapping[str, ControlKind] = {
    kind.name: kind
    for kind in (
        ControlKind(
            name="branch",
            variable="branch",
            steps=(
                StepRule(name="branch"),
                StepRule(name="condition", decides=True),
                StepRule(name="if", after=("branch",)),
                StepRule(name="else", after=("branch",)),
                StepRule(name="continuation", optional=True, after=("branch", "if", "else")),
            ),
        ),
        ControlKind(
            name="loop",
            variable="loop",
            steps=(
                StepRule(name="start"),
                StepRule(name="condition", decides=True),
                StepRule(name="loop", after=("start",)),
            ),
        ),
        ControlKind(
            name="replicate",
            variable="runs",
            steps=(
                StepRule(name="split"),
                StepRule(name="runs", decides=True),
                StepRule(name="process", after=("split",)),
                StepRule(name="merge", after=("split", "process")),
            ),
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One control as far as it is written."""

    kind: ControlKind
    #: Step -> the task that it defined.
    tasks: Mapping[str, str] = field(default_factory=dict)
    script: Script | None = None
    source: SourceMap | None = None
    #: The step that was given last.
    position: int = 0
    #: Names that steps had before the control was started over; they are used again.
    former: Mapping[str, str] = field(default_factory=dict)

    @property
    def first_task(self) -> str:
        """The task that it starts with."""
        return self.tasks.get(self.kind.steps[0].name, "")

    @property
    def next(self) -> StepRule | None:
        """The step that comes after the one given last."""
        following = self.kind.steps[self.position + 1 :]
        return following[0] if following else None

    @property
    def missing(self) -> StepRule | None:
        """The first step that is still to be given, if it may not be left out."""
        for step in self.kind.steps:
            given = self.script is not None if step.decides else step.name in self.tasks
            if not given and not step.optional:
                return step
        return None

    @property
    def in_body(self) -> bool:
        """Whether the deciding script is given: what follows may hold another control."""
        return self.script is not None

    def before(self, task: str) -> tuple[str, ...]:
        """The tasks of the control that come before one of its tasks."""
        steps = [step for step in self.kind.steps if self.tasks.get(step.name) == task]
        return tuple(self.tasks[name] for step in steps for name in step.after if name in self.tasks)

    def has(self, step: str, name: str) -> bool:
        """Whether a step of this name is one that the control has already."""
        return bool(name) and self.tasks.get(step) == name

    def started_over(self) -> Control:
        """The control at its first step again; a complete one keeps its steps until they are defined again."""
        if self.missing is None:
            return replace(self, position=0)
        return Control(kind=self.kind, tasks={}, former={**self.former, **self.tasks})

    def with_task(self, step: str, task: str) -> Control:
        """With one more step, or the same one again."""
        return replace(
            self,
            tasks={**self.tasks, step: task},
            position=max(self.position, self.kind.index(step)),
        )

    def with_script(self, step: str, script: Script, source: SourceMap) -> Control:
        """With its deciding script."""
        return replace(
            self,
            script=script,
            source=source,
            position=max(self.position, self.kind.index(step)),
        )


class OutOfOrder(Exception):
    """A step cannot stand here; `expected` are the pragmas that can."""

    def __init__(self, expected: Sequence[str], begun: str = "") -> None:
        super().__init__(", ".join(expected))
        self.expected = tuple(expected)
        #: The first task of the control that is unfinished; empty where none is.
        self.begun = begun

    @property
    def sentence(self) -> str:
        """What is expected instead."""
        expected = " or ".join(f"#%{one}" for one in self.expected)
        if self.begun:
            return f"{expected} is expected next, in the control that starts with task {self.begun}."
        return f"it is a step of a control that begins with {expected}."


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPosition:
    """Where a step goes."""

    #: The control with the step to be taken, as it is before that.
    control: Control
    #: Its place among the controls; None: it is new.
    index: int | None


def position_of(controls: Sequence[Control], step: str, *, name: str = "") -> StepPosition:
    """Which control a step belongs to; `OutOfOrder` where none may have it now."""
    for kind in CONTROLS.values():
        if kind.index(step) == 0:
            return _first(controls, kind, step, name)
    backwards = list(enumerate(controls))[::-1]
    for index, control in backwards:
        if control.has(step, name) and control.kind.index(step) <= control.position + 1:
            return StepPosition(control=control, index=index)
    for index, control in backwards:
        if control.next and control.next.name == step:
            return StepPosition(control=control, index=index)
        if control.missing:
            assert control.next is not None
            raise OutOfOrder([control.next.name], control.first_task)
    for _, control in backwards:
        if control.kind.index(step) > 0 and control.next:
            raise OutOfOrder([control.next.name], control.first_task)
    raise OutOfOrder([kind.steps[0].name for kind in CONTROLS.values() if kind.index(step) > 0])


def _first(controls: Sequence[Control], kind: ControlKind, step: str, name: str) -> StepPosition:
    """A control's first step starts a new one, or over: one that stands there, or that is unfinished."""
    for index, control in list(enumerate(controls))[::-1]:
        if control.kind is not kind:
            continue
        another = bool(name) and name != control.first_task and control.in_body
        if control.has(step, name) or (control.missing and not another):
            return StepPosition(control=control.started_over(), index=index)
    return StepPosition(control=Control(kind=kind), index=None)
