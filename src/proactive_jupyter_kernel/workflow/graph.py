"""The graph of a workflow: dependencies, topological order, cycles.

Children are the tasks that depend on a task. The links of branches are separate, as in ProActive: the targets of a
branch task and its continuation have no dependency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from proactive_jupyter_kernel.workflow.model import Branch, Task, Workflow

__all__ = ["FlowPosition", "Graph", "cycles", "order", "walk"]


@dataclass(frozen=True, slots=True)
class FlowPosition:
    """A position on a walk down the graph: a task, and the continuations of the branches that contain it."""

    name: str
    joins: tuple[str, ...] = ()


class Graph:
    """The links of one workflow, by task name. Links to unknown tasks are omitted."""

    def __init__(self, workflow: Workflow) -> None:
        self.tasks: dict[str, Task] = {task.name: task for task in workflow.tasks}
        self._position = {name: index for index, name in enumerate(self.tasks)}
        #: In the order of ``results``, without duplicates.
        self.parents: dict[str, tuple[str, ...]] = {
            name: tuple(dict.fromkeys(parent for parent in task.depends if parent in self.tasks))
            for name, task in self.tasks.items()
        }
        self.children: dict[str, tuple[str, ...]] = self._children()
        #: Branch task -> its action, only where both targets exist.
        self.branches: dict[str, Branch] = {
            name: task.flow
            for name, task in self.tasks.items()
            if isinstance(task.flow, Branch) and {task.flow.target, task.flow.otherwise} <= self.tasks.keys()
        }
        #: Branch target -> the branch task.
        self.branch_of: dict[str, str] = {
            target: name for name, branch in self.branches.items() for target in (branch.target, branch.otherwise)
        }
        #: Continuation -> the branch tasks that name it.
        self.joined_by: dict[str, list[str]] = {}
        for name in self.branches:
            if join := self.continuation(name):
                self.joined_by.setdefault(join, []).append(name)

    def _children(self) -> dict[str, tuple[str, ...]]:
        children: dict[str, list[str]] = {name: [] for name in self.tasks}
        for name, parents in self.parents.items():
            for parent in parents:
                children[parent].append(name)
        return {name: tuple(found) for name, found in children.items()}

    @property
    def roots(self) -> tuple[str, ...]:
        """Tasks without dependencies, branch targets and continuations among them."""
        return tuple(name for name, parents in self.parents.items() if not parents)

    def continuation(self, name: str) -> str:
        """The continuation of a branch task; empty if it has none or names an unknown task, which ProActive ignores."""
        branch = self.branches.get(name)
        return branch.continuation if branch is not None and branch.continuation in self.tasks else ""

    def below(self, place: FlowPosition) -> list[FlowPosition]:
        """The next positions on every path down: children, branch targets, and a continuation after a branch ends."""
        down = [FlowPosition(child, place.joins) for child in self.children[place.name]]
        branch = self.branches.get(place.name)
        if branch is not None:
            join = self.continuation(place.name)
            inner = (*place.joins, join) if join else place.joins
            down += [FlowPosition(branch.target, inner), FlowPosition(branch.otherwise, inner)]
        if not down and place.joins:
            down.append(FlowPosition(place.joins[-1], place.joins[:-1]))
        return down

    def links(self) -> dict[str, tuple[str, ...]]:
        """Task -> all that may run next: children, branch targets, the continuation after the end of a branch."""
        links: dict[str, list[str]] = {name: list(children) for name, children in self.children.items()}
        for name, branch in self.branches.items():
            links[name] += [branch.target, branch.otherwise]
            if join := self.continuation(name):
                for last in self.ends(branch.target, branch.otherwise):
                    links[last].append(join)
        return {name: tuple(dict.fromkeys(found)) for name, found in links.items()}

    def ends(self, *starts: str, before: str = "") -> tuple[str, ...]:
        """The last tasks on the paths down from `starts`, in the order of the workflow.

        With `before`, paths end before that task. A path through a branch with a continuation continues there.
        """

        def following(name: str) -> Iterable[str]:
            if name == before:
                return ()
            join = self.continuation(name)
            return (*self.children[name], join) if join else self.inside(name)

        reached = set(walk(starts, following)) - {before}
        last = (name for name in reached if name not in self.branches and not set(self.children[name]) - {before})
        return tuple(sorted(last, key=self._position.__getitem__))

    def inside(self, name: str) -> tuple[str, ...]:
        """What belongs to a branch because `name` belongs to it: its children, its own targets and continuation."""
        branch, join = self.branches.get(name), self.continuation(name)
        targets = (branch.target, branch.otherwise) if branch is not None else ()
        return (*self.children[name], *targets, join) if join else (*self.children[name], *targets)


def walk(starts: Iterable[str], successors: Callable[[str], Iterable[str]]) -> Iterator[str]:
    """Every reachable name, once, in breadth-first order."""
    seen = dict.fromkeys(starts)
    waiting = list(seen)
    for name in waiting:
        yield name
        for successor in successors(name):
            if successor not in seen:
                seen[successor] = None
                waiting.append(successor)


def order(workflow: Workflow) -> tuple[str, ...]:
    """Task names in topological order, stable with respect to the workflow; tasks of a cycle come last."""
    graph = Graph(workflow)
    waiting = {name: len(parents) for name, parents in graph.parents.items()}
    ready = [name for name, count in waiting.items() if not count]
    for name in ready:
        for child in graph.children[name]:
            waiting[child] -= 1
            if not waiting[child]:
                ready.append(child)
    placed = set(ready)
    return (*ready, *(name for name in graph.tasks if name not in placed))


def cycles(links: dict[str, tuple[str, ...]], starts: Iterable[str]) -> list[tuple[str, ...]]:
    """The cycles that can be reached from `starts`, each as a list of names; one for every back edge.

    An iterative depth-first search, since a chain of tasks may be longer than Python's stack.
    """
    found: list[tuple[str, ...]] = []
    done: set[str] = set()
    for start in starts:
        path: dict[str, Iterator[str]] = {}
        if start not in done:
            path[start] = iter(links[start])
        while path:
            name = next(reversed(path))
            following = next(path[name], None)
            if following is None:
                del path[name]
                done.add(name)
            elif following in path:
                names = list(path)
                found.append(tuple(names[names.index(following) :]))
            elif following not in done:
                path[following] = iter(links[following])
    return found
