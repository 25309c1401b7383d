"""What the Python tasks of a draft need from each other, and the exports and imports that give it to them. Pure.

`needs` finds it; `additions` turns it into what is added to the scripts: always for the items of a `foreach`, and for
all names with `#%configure(propagate=auto)`. Values travel as exported variables. Modules are imported again by the
task that uses them. Functions and classes do not travel: their definitions are repeated, with what they need in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from proactive_jupyter_kernel.pragmas.analysis import (
    Binding,
    Flow,
    Missing,
    TaskCode,
    flows_of,
    missing_in,
    name_use,
    nearest_setters,
)
from proactive_jupyter_kernel.pragmas.draft.contents import Contents, DraftTask
from proactive_jupyter_kernel.workflow.checks import Problem
from proactive_jupyter_kernel.workflow.graph import Graph
from proactive_jupyter_kernel.workflow.model import Task, Workflow

__all__ = [
    "Additions",
    "Needs",
    "additions",
    "item_sources",
    "needs",
    "own_code",
    "parents_in",
    "parents_of_draft",
    "place_of",
    "sets",
]

PYTHON = "cpython"
Parents = Callable[[str], Iterable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What the analysis found."""

    tasks: Mapping[str, TaskCode]
    flows: tuple[Flow, ...]
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Additions:
    """What is added to the script of one task."""

    imports: tuple[str, ...] = ()
    exports: tuple[str, ...] = ()
    #: Lines before the code: imports of modules, and definitions.
    first: tuple[str, ...] = ()
    #: Lines after the code and its exports.
    last: tuple[str, ...] = ()

    def with_(self, **added: tuple[str, ...]) -> Additions:
        """With more of everything, each once."""
        more = {name: tuple(dict.fromkeys((*getattr(self, name), *lines))) for name, lines in added.items()}
        return replace(self, **more)


@dataclass(slots=True)
class _Collected:
    """The additions of all tasks while they are collected."""

    tasks: dict[str, Additions] = field(default_factory=dict)

    def add(self, task: str, **added: tuple[str, ...]) -> None:
        self.tasks[task] = self.tasks.get(task, Additions()).with_(**added)


def parents_of_draft(contents: Contents) -> Parents:
    """The parents of a task as far as its pragmas and controls say, for a draft that may be unfinished."""

    def parents(name: str) -> Iterable[str]:
        entry = contents.tasks.get(name)
        return (*entry.task.depends, *contents.implied(name)) if entry else ()

    return parents


def parents_in(tasks: Iterable[Task]) -> Parents:
    """The parents of a task once all controls are applied; the last parent comes first, as its variables win."""
    found: dict[str, list[str]] = {}
    graph = Graph(Workflow(name="", tasks=tuple(tasks)))
    for name, children in graph.links().items():
        for child in children:
            found.setdefault(child, []).append(name)
    order = {name: [parent for parent in graph.parents[name] if parent in above] for name, above in found.items()}
    return lambda name: [*order.get(name, ()), *(one for one in found.get(name, ()) if one not in order.get(name, ()))]


class _TaskCodes(Mapping[str, TaskCode]):
    """The tasks as the analysis sees them, each analysed when it is asked for."""

    def __init__(self, contents: Contents) -> None:
        self._entries = contents.tasks
        self._given = frozenset(name for text in _prepended(contents) for name in name_use(text).sets)
        self._known: dict[str, TaskCode] = {}

    def __getitem__(self, name: str) -> TaskCode:
        if name not in self._known:
            self._known[name] = _analysed(self._entries[name], self._given)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def _prepended(contents: Contents) -> list[str]:
    """The code that is prepended to every Python task."""
    return [code.text for code in contents.imports.get(PYTHON, {}).values()]


def needs(contents: Contents, parents: Parents, *, readers: Iterable[str] | None = None) -> Needs:
    """What tasks need from the tasks before them, and what nothing provides; of all tasks, or of `readers`."""
    tasks = _TaskCodes(contents)
    asked = list(contents.tasks) if readers is None else [name for name in readers if name in contents.tasks]
    variables = {variable.name for variable in contents.job.variables}

    def own(name: str) -> set[str]:
        return {variable.name for variable in contents.tasks[name].task.variables}

    flows = flows_of(tasks, parents, variables, own, readers=asked)
    if any(name_use(text).dynamic for text in _prepended(contents)):
        return Needs(tasks=tasks, flows=flows, missing=())
    missing = [
        one
        for one in missing_in([tasks[name] for name in asked], flows)
        if not _from_file_before(contents, parents, one.task)
    ]
    return Needs(tasks=tasks, flows=flows, missing=tuple(missing))


def additions(
    contents: Contents, parents: Parents, found: Needs, *, automatic: bool
) -> tuple[dict[str, Additions], list[Problem]]:
    """What is added to which task's script, and what cannot be given."""
    collected = _Collected()
    problems: list[Problem] = []
    if automatic:
        for flow in found.flows:
            _give(flow, found.tasks, parents, collected)
    for entry in contents.tasks.values():
        if entry.foreach is not None:
            problems += _give_items(contents, entry, parents, found.tasks, collected)
    return collected.tasks, problems


def item_sources(contents: Contents, entry: DraftTask, parents: Parents) -> tuple[tuple[str, ...], bool]:
    """The nearest tasks that set the items of a task's `foreach`; and whether they are a variable of the job."""
    assert entry.foreach is not None
    items = entry.foreach.items
    setters = tuple(nearest_setters(items, entry.name, _TaskCodes(contents), parents))
    names = {variable.name for variable in (*contents.job.variables, *entry.task.variables)}
    return setters, not setters and items in names


def place_of(entry: DraftTask, line: int) -> tuple[str, int]:
    """The cell and the line in it of a line of a task's own code."""
    for code in entry.code or ():
        count = code.text.removesuffix("\n").count("\n") + 1
        if line <= count:
            return code.label, code.first_line + line - 1
        line -= count
    return "", 0


def sets(entry: DraftTask, name: str) -> bool:
    """Whether a task's Python code sets a name at module level."""
    code = own_code(entry) if entry.code is not None and entry.engine == PYTHON else ""
    return name in code and name in name_use(code).sets


def _analysed(entry: DraftTask, given: frozenset[str]) -> TaskCode:
    readable = entry.code is not None and entry.engine == PYTHON
    known = {*given, *entry.imports}
    if entry.foreach is not None:
        known.add(entry.foreach.item)
    return TaskCode(
        name=entry.name,
        use=name_use(own_code(entry)) if readable else name_use(""),
        known=frozenset(known),
        exports=frozenset(entry.exports),
        readable=readable,
    )


def own_code(entry: DraftTask) -> str:
    """The task's own code, all of its cells."""
    return "\n".join(code.text.removesuffix("\n") for code in entry.code or ())


def _from_file_before(contents: Contents, parents: Parents, name: str) -> bool:
    """Whether a task before this one is from a workflow file, or not defined yet: it may set anything."""
    seen = {name}
    waiting = list(parents(name))
    for above in waiting:
        if above in seen:
            continue
        seen.add(above)
        entry = contents.tasks.get(above)
        if entry is None or entry.code is None:
            return True
        waiting += parents(above)
    return False


def _give(flow: Flow, tasks: Mapping[str, TaskCode], parents: Parents, collected: _Collected) -> None:
    if flow.binding is Binding.MODULE and flow.statement:
        collected.add(flow.reader, first=(flow.statement,))
    elif flow.binding in (Binding.FUNCTION, Binding.CLASS) and flow.setters:
        _repeat(flow.name, flow.reader, flow.setters[0], tasks, collected, frozenset())
    else:
        for setter in flow.setters:
            if flow.name not in tasks[setter].exports:
                collected.add(setter, exports=(flow.name,))
        collected.add(flow.reader, imports=(flow.name,))


def _repeat(
    name: str,
    reader: str,
    setter: str,
    tasks: Mapping[str, TaskCode],
    collected: _Collected,
    repeated: frozenset[str],
) -> None:
    """Repeat the definition of a function or class in the reader, after what it needs itself."""
    use = tasks[setter].use
    definition = use.definitions.get(name, "")
    for needed in name_use(definition).reads:
        if needed in repeated or needed in tasks[reader].known or needed in tasks[reader].use.sets:
            continue
        if needed in use.imports:
            collected.add(reader, first=(use.imports[needed],))
        elif needed in use.definitions:
            _repeat(needed, reader, setter, tasks, collected, repeated | {name})
        elif needed in use.sets:
            collected.add(setter, exports=(needed,))
            collected.add(reader, imports=(needed,))
    collected.add(reader, first=(definition,))


def _give_items(
    contents: Contents, entry: DraftTask, parents: Parents, tasks: Mapping[str, TaskCode], collected: _Collected
) -> list[Problem]:
    foreach = entry.foreach
    assert foreach is not None
    setters, from_job = item_sources(contents, entry, parents)
    if not setters and not from_job:
        message = (
            f"it has foreach={foreach}, but no task before it sets {foreach.items!r}, and it is not a variable of the "
            "job or the task."
        )
        return [Problem(code="PA604", task=entry.name, message=message)]
    for setter in setters:
        if foreach.items not in tasks[setter].exports:
            collected.add(setter, exports=(foreach.items,))
        if contents.tasks[setter].engine == PYTHON:
            collected.add(setter, last=(foreach.count_lines(),))
    collected.add(entry.name, first=(foreach.item_lines(from_job=from_job),))
    (split,) = entry.task.depends
    for child in contents.children(entry.name):
        next_task = contents.tasks[child]
        if next_task.engine == PYTHON and next_task.code is not None and split not in next_task.task.depends:
            others = [one for one in next_task.task.depends if one != entry.name]
            if not others:
                collected.add(child, first=(foreach.merge_lines(entry.name),))
    return []
