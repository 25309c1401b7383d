"""What tasks need from each other without saying so: names that one reads and that another, before it, sets. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from proactive_jupyter_kernel.pragmas.analysis.names import Binding, NameUse, Read

__all__ = ["BOUND_IN_TASKS", "Flow", "Missing", "TaskCode", "flows_of", "missing_in", "nearest_setters"]

#: What ProActive's Python engine binds in every task, or in some (guide of the script engines; ``jsr223-cpython``).
BOUND_IN_TASKS = frozenset(
    {
        *("variables", "genericInformation", "credentials", "args", "progress", "forkEnvironment", "params"),
        *("result", "results", "resultMetadata", "resultMap", "selected", "branch", "loop", "runs"),
        *("localspace", "cachespace", "inputspace", "outputspace", "globalspace", "userspace", "scratchspace"),
        *("userspaceapi", "globalspaceapi", "schedulerapi", "rmapi", "synchronizationapi", "signalapi"),
        *("nodesurl", "allnodesurl", "nodeurl", "nodename", "nodehost", "nodesource", "javax", "gateway", "bindings"),
        *("os", "sys", "display"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCode:
    """A Python task as the analysis sees it."""

    name: str
    use: NameUse
    #: Names that the task has without an ancestor: explicit imports, code prepended to every task, bound parameters.
    known: frozenset[str] = frozenset()
    #: Names that it exports explicitly.
    exports: frozenset[str] = frozenset()
    #: Whether the task's language can export variables, and its code was read: others pass values on unseen.
    readable: bool = True

    def sets(self, name: str) -> bool:
        """Whether the task leaves this name set, or exports it."""
        return name in self.exports or name in self.use.sets


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A name that a task reads and that tasks before it set."""

    name: str
    reader: str
    #: The nearest tasks on each way up that set it, in the order in which they were found; empty: a job variable.
    setters: tuple[str, ...]
    #: What the first of them binds it to.
    binding: Binding = Binding.VALUE
    #: For a module: the statement that imports it.
    statement: str = ""
    #: Where the reader reads it first.
    read: Read = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A name that a task reads and that nothing provides."""

    name: str
    task: str
    read: Read = field(compare=False)


def flows_of(
    tasks: Mapping[str, TaskCode],
    parents: Callable[[str], Iterable[str]],
    job_variables: Collection[str] = (),
    own_variables: Callable[[str], Collection[str]] = lambda _: (),
    readers: Iterable[str] | None = None,
) -> tuple[Flow, ...]:
    """Every name that a task needs from the tasks before it, or from the variables of the job or the task.

    `parents` gives the names of a task's parents, those implied by controls included. `readers`: only what these need.
    """
    found = []
    for task in tasks.values() if readers is None else [tasks[name] for name in readers]:
        for read in _open_reads(task):
            setters = tuple(nearest_setters(read.name, task.name, tasks, parents))
            if setters:
                use = tasks[setters[0]].use
                found.append(
                    Flow(
                        name=read.name,
                        reader=task.name,
                        setters=setters,
                        binding=use.sets.get(read.name, Binding.VALUE),
                        statement=use.imports.get(read.name, ""),
                        read=read,
                    )
                )
            elif read.name in job_variables or read.name in own_variables(task.name):
                found.append(Flow(name=read.name, reader=task.name, setters=(), read=read))
    return tuple(found)


def missing_in(tasks: Iterable[TaskCode], flows: Iterable[Flow]) -> tuple[Missing, ...]:
    """The names that these tasks certainly read and that neither a flow nor anything else provides."""
    provided = {(flow.reader, flow.name) for flow in flows}
    return tuple(
        Missing(name=read.name, task=task.name, read=read)
        for task in tasks
        for read in _open_reads(task)
        if read.certain and (task.name, read.name) not in provided
    )


def _open_reads(task: TaskCode) -> Iterator[Read]:
    for name, read in task.use.reads.items():
        if name not in task.known and name not in BOUND_IN_TASKS:
            yield read


def nearest_setters(
    name: str, reader: str, tasks: Mapping[str, TaskCode], parents: Callable[[str], Iterable[str]]
) -> Iterator[str]:
    """The first task on each way up that sets the name."""
    seen = {reader}
    waiting = list(parents(reader))
    for above in waiting:
        if above in seen:
            continue
        seen.add(above)
        task = tasks.get(above)
        if task is not None and task.sets(name):
            yield above
        else:
            waiting += parents(above)
