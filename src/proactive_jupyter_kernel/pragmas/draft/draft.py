"""The draft: the job that is being built in this notebook.

Pure. One table holds what each cell contributes, in the order in which the cells first ran. The contents (tasks,
controls, scripts, settings) are computed from that table. So a cell that runs again, is edited or is deleted leaves
the same draft as running the cells once, in that order, as they stand now. Where the front end gives cells no
identity, every run counts as a new cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from proactive_jupyter_kernel.pragmas.draft import building
from proactive_jupyter_kernel.pragmas.draft.building import Built, Preview
from proactive_jupyter_kernel.pragmas.draft.contents import Contents, DraftTask
from proactive_jupyter_kernel.pragmas.draft.contributions import (
    AppendedCode,
    Contribution,
    ControlScript,
    ControlStep,
    DefinedTask,
)
from proactive_jupyter_kernel.pragmas.draft.controls import Control, OutOfOrder, StepPosition, position_of
from proactive_jupyter_kernel.pragmas.draft.notebook_parameters import with_parameters
from proactive_jupyter_kernel.pragmas.draft.source_map import Code, SourceMap
from proactive_jupyter_kernel.workflow.model import Workflow

__all__ = ["NO_TASKS_YET", "Built", "CellEntry", "Draft", "DraftTask", "Inactive", "Removed"]

#: The hint where a task is named and there is none at all.
NO_TASKS_YET = "The job has no task yet: #%task(name=NAME) defines a task with the code below it."


@dataclass(slots=True, kw_only=True)
class CellEntry:
    """A cell and what its last run contributed."""

    #: The front end's identity of the cell; empty if it gives none.
    id: str
    #: How messages name it, such as ``Cell In[3]``.
    label: str
    #: The front end's number of its last run.
    token: int
    #: The cell as typed, and what cells without a pragma did when it ran.
    text: str = field(default="", repr=False)
    mode: str = "local"
    #: The draft's number of its last run; a later run has a higher one.
    run: int
    contributions: list[Contribution] = field(default_factory=list)
    #: What the run before contributed, until the present run has ended.
    previous: list[Contribution] = field(default_factory=list)
    #: The tasks of the draft when the present run began.
    before: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """Its key in the table."""
        return self.id or f"run {self.token}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inactive:
    """A contribution that has no effect now."""

    cell: CellEntry
    contribution: Contribution
    #: What it is, and why it has none.
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A task that is no longer in the draft."""

    name: str
    #: The tasks that still depend on it.
    children: tuple[str, ...]


class Draft:
    """The job being built. Not thread-safe: the caller must hold the lock of the context."""

    def __init__(self, parameters: Mapping[str, object] | None = None) -> None:
        """`parameters` are those of the notebook, a live view."""
        self._parameters: Mapping[str, object] = {} if parameters is None else parameters
        #: By `CellEntry.key`, in the order of their first runs.
        self.cells: dict[str, CellEntry] = {}
        #: Whether exports and imports that the code of Python tasks needs are added.
        self.propagates = False
        self._runs = 0
        self._current = CellEntry(id="", label="", token=-1, run=0)
        self._contents: Contents | None = Contents(self._parameters)
        self._inactive: list[Inactive] = []

    # -- reading

    @property
    def contents(self) -> Contents:
        """The current content of the draft."""
        if self._contents is None:
            self._contents = self._settled()
        return self._contents

    @property
    def complete(self) -> Contents:
        """The contents with the notebook's parameters that tasks use, as they are submitted."""
        return with_parameters(self.contents)

    @property
    def job(self) -> Workflow:
        """What is said of the job."""
        return self.contents.job

    @property
    def tasks(self) -> Mapping[str, DraftTask]:
        """The tasks by name."""
        return self.contents.tasks

    @property
    def controls(self) -> list[Control]:
        """The controls in the order of their first steps."""
        return self.contents.controls

    @property
    def variables(self) -> tuple[str, ...]:
        """Every variable that the job, a task or an export names."""
        return self.contents.variables

    @property
    def inactive(self) -> list[Inactive]:
        """The contributions that have no effect now."""
        return self._inactive if self.contents is not None else []

    def owner(self, *item: str) -> CellEntry | None:
        """The cell that an item, such as ``"task", name``, is from."""
        run = self.contents.writer(*item)
        return next((entry for entry in self.cells.values() if entry.run == run), None)

    def tasks_by_run(self) -> Mapping[int, tuple[str, ...]]:
        """The tasks by `CellEntry.run` of the cells that define them."""
        found: dict[int, list[str]] = {}
        for name in self.tasks:
            found.setdefault(self.contents.writer("task", name), []).append(name)
        return {run: tuple(names) for run, names in found.items()}

    def build(self, name: str) -> Built:
        """The workflow under this name; `InvalidWorkflow` with all problems."""
        return building.build(self.complete, name, automatic=self.propagates)

    def preview(self, name: str) -> Preview:
        """The unfinished workflow, and what is missing or wrong; never raises."""
        return building.preview(self.complete, name, automatic=self.propagates)

    def script(self, entry: DraftTask) -> SourceMap:
        """A task's whole script: code prepended for its language, imports, its own code, exports."""
        contents = with_parameters(self.contents)
        return building.script(contents, contents.tasks.get(entry.name, entry))

    # -- a run of a cell

    def begin(self, cell: str, label: str, token: int, *, text: str = "", mode: str = "local") -> bool:
        """Let contributions come from this cell; a new run sets aside what the cell contributed before.

        True if that was something. `token` tells one run of a cell from the next.
        """
        before = frozenset(self.tasks)
        new = CellEntry(id=cell, label=label, token=token, text=text, mode=mode, run=self._runs + 1, before=before)
        known = self.cells.get(new.key)
        if known is None:
            if (self._current.key, self._current.token) != (new.key, token):
                self._runs, self._current = new.run, new
            return False
        self._current = known
        if known.token == token:
            return False
        self._runs = known.run = new.run
        known.before = new.before
        known.previous, known.contributions = known.contributions, []
        known.label, known.token, known.text, known.mode = label, token, text, mode
        self._contents = None
        return True

    def contribute(self, contribution: Contribution) -> None:
        """Add what a pragma of the present cell says."""
        entry = self._current
        self.cells.setdefault(entry.key, entry)
        entry.contributions.append(contribution)
        last = next(reversed(self.cells)) == entry.key
        # A contribution that had no effect so far may have one now: then everything is computed again.
        if self._contents is not None and last and not self._inactive:
            self._apply(self._contents, entry, contribution, self._inactive)
        else:
            self._contents = None

    def end(self) -> list[Removed]:
        """The present run contributes nothing more: the tasks that the cell no longer defines, and others with them."""
        entry = self._current
        entry.previous = []
        if not entry.contributions:
            self.cells.pop(entry.key, None)
        before, entry.before = entry.before, frozenset(self.tasks)
        return self._removed(before)

    def fail(self) -> None:
        """The present run failed: what it did not reach stays as it was before."""
        entry = self._current
        new = {contribution.key: contribution for contribution in entry.contributions}
        old = [contribution.key for contribution in entry.previous]
        if old:
            kept = [new.get(contribution.key, contribution) for contribution in entry.previous]
            entry.contributions = kept + [one for one in entry.contributions if one.key not in old]
            entry.previous = []
            self._contents = None

    def forget_cell(self, cell: str) -> list[Removed]:
        """A cell no longer exists, or no longer has pragmas: everything it contributed goes."""
        if cell not in self.cells:
            return []
        before = frozenset(self.tasks)
        del self.cells[cell]
        self._contents = None
        return self._removed(before)

    def name_again(self, stem: str) -> str:
        """The name that was generated for this place of the cell when it last ran; empty: none."""
        named = [_generated(one, stem) for one in self._current.contributions]
        former = [_generated(one, stem) for one in self._current.previous]
        former = [name for name in former if name]
        used = sum(bool(name) for name in named)
        name = former[used] if used < len(former) else ""
        return "" if name in self.tasks else name

    def free_name(self, stem: str) -> str:
        """The stem with the first number that makes a name which no task has, nor appended code if it stands alone."""
        entries = self.cells.values()
        alone = {one.alone.name for entry in entries for one in entry.contributions if isinstance(one, AppendedCode)}
        number = 1
        while f"{stem}{number}" in self.tasks or f"{stem}{number}" in alone:
            number += 1
        return f"{stem}{number}"

    def position_of(self, step: str, name: str) -> StepPosition:
        """Where a step of a control goes; `OutOfOrder` where it can stand nowhere.

        First where its cell stands among the cells; if no control expects it there, after all others.
        """
        try:
            return position_of(self._until_now().controls, step, name=name)
        except OutOfOrder:
            entry = self._current
            if entry.key not in self.cells or next(reversed(self.cells)) == entry.key:
                raise
            found = position_of(self.contents.controls, step, name=name)
            self.cells[entry.key] = self.cells.pop(entry.key)
            self._contents = None
            return found

    @property
    def last_task(self) -> str:
        """The task defined last before the present cell, or by it."""
        return self._until_now().last_task

    @property
    def previous(self) -> list[Contribution]:
        """What the present cell contributed when it ran before."""
        return self._current.previous

    # -- changing what other cells contributed

    def clear(self) -> tuple[str, ...]:
        """Drop everything; gives the names of the tasks."""
        dropped = tuple(self.tasks)
        self.cells = {}
        self._current.contributions, self._current.previous, self._current.before = [], [], frozenset()
        self._contents = None
        return dropped

    def delete(self, name: str) -> tuple[str, ...]:
        """Remove a task, the dependencies on it and the control it is a step of, whose other tasks stay.

        Gives the tasks that lost a dependency. KeyError if there is no such task. The task is back when its cell runs
        again.
        """
        if name not in self.tasks:
            raise KeyError(name)
        orphans = self.contents.children(name)
        control = self.contents.control_of(name)
        code = self.tasks[name].code or ()
        for entry in self.cells.values():
            entry.contributions = [one for one in entry.contributions if not _continues(one, code)]
            found = (_without_control(one, control) if control else one for one in entry.contributions)
            kept = (one.without_task(name) for one in found if one is not None)
            entry.contributions = [one for one in kept if one is not None]
        self._current.before -= {name}
        self._contents = None
        return orphans

    # -- computing the contents

    def _apply(self, contents: Contents, entry: CellEntry, one: Contribution, inactive: list[Inactive]) -> None:
        reason = one.apply(contents, entry.run, entry.id)
        if reason:
            inactive.append(Inactive(cell=entry, contribution=one, reason=reason))

    def _applied(self, entries: list[CellEntry]) -> tuple[Contents, list[Inactive]]:
        contents = Contents(self._parameters)
        inactive: list[Inactive] = []
        for entry in entries:
            for one in entry.contributions:
                self._apply(contents, entry, one, inactive)
        return contents, inactive

    def _settled(self) -> Contents:
        """The contents; a cell that has no effect before the cells that it needs is moved behind them."""
        contents, self._inactive = self._applied(list(self.cells.values()))
        while waiting := [one.cell for one in self._inactive if not any(x.ordered for x in one.cell.contributions)]:
            keys = dict.fromkeys(entry.key for entry in waiting)
            order = {key: entry for key, entry in self.cells.items() if key not in keys}
            order |= {key: self.cells[key] for key in keys}
            moved, inactive = self._applied(list(order.values()))
            if len(inactive) >= len(self._inactive):
                break
            self.cells, contents, self._inactive = order, moved, inactive
        return contents

    def _until_now(self) -> Contents:
        """The contents that the present cell builds on: of the cells before it, and its own so far."""
        entry = self._current
        keys = list(self.cells)
        if entry.key not in self.cells or keys[-1] == entry.key:
            return self.contents
        return self._applied([self.cells[key] for key in keys[: keys.index(entry.key) + 1]])[0]

    def _removed(self, before: frozenset[str]) -> list[Removed]:
        gone = sorted(before - self.tasks.keys())
        return [Removed(name=name, children=self.contents.children(name)) for name in gone]


def _generated(contribution: Contribution, stem: str) -> str:
    """The task's name if it was generated from the stem; else empty."""
    if isinstance(contribution, (ControlStep, DefinedTask)) and contribution.generated == stem:
        return contribution.entry.name
    if isinstance(contribution, AppendedCode) and stem == "block":
        return contribution.alone.name
    return ""


def _continues(contribution: Contribution, code: tuple[Code, ...]) -> bool:
    """Whether it is code that was appended to a task with this code."""
    return isinstance(contribution, AppendedCode) and any(one is contribution.code for one in code)


def _without_control(contribution: Contribution, control: Control) -> Contribution | None:
    """What remains of a contribution when a control is given up: its tasks, as tasks of their own."""
    if isinstance(contribution, ControlScript) and contribution.source is control.source:
        return None
    if isinstance(contribution, ControlStep) and contribution.entry.name in control.tasks.values():
        return DefinedTask(entry=contribution.entry)
    return contribution
