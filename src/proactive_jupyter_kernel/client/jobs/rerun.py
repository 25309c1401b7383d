"""A part of a workflow to run again, with stored results of a job for what went before. Pure.

Tasks that are not to run again, and whose results are needed, are named in `Rerun.stored`; `stored_tasks` makes small
tasks of them that return what the job has. Nothing else of what went before is in the new workflow.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from proactive_jupyter_kernel.client.jobs.run_graph import RunGraph
from proactive_jupyter_kernel.client.records import TaskState
from proactive_jupyter_kernel.workflow.model import Block, Branch, Loop, Replicate, Task, Workflow
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["Rerun", "RerunRefused", "plan"]


class RerunRefused(ValueError):
    """The part cannot run again by itself. `args` are the reason and what to do instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """The part of a workflow that runs again."""

    #: The tasks that run, with what they depend on; and, as they were, those of `stored`.
    workflow: Workflow
    #: Task -> it, or its copies, in the job whose results are used; in the order of results.
    stored: Mapping[str, tuple[TaskState, ...]]
    #: Of those with copies, the task that replicated them.
    split_of: Mapping[str, str]
    #: Tasks that neither run nor are needed.
    left_out: tuple[str, ...] = ()


def plan(graph: RunGraph, names: Collection[str], *, only: bool = False) -> Rerun:
    """These tasks and what follows them, or `only` they; `graph` has the workflow, and the job with the results."""
    return _Planner(graph, names, only).plan()


class _Planner:
    def __init__(self, graph: RunGraph, names: Collection[str], only: bool) -> None:
        self.runs = graph
        self.word = "only" if only else "from"
        self.names = tuple(names)
        self.run = frozenset(names) if only else graph.descendants(self.names)
        self.stored: dict[str, tuple[TaskState, ...]] = {}
        #: Task whose result is needed and not there -> why.
        self.missing: dict[str, str] = {}

    def plan(self) -> Rerun:
        self._check_starts()
        self._check_loops()
        self._check_replications()
        changed = {name: self._task(self.runs.graph.tasks[name]) for name in self.runs.graph.tasks if name in self.run}
        for name in self._replicating():
            self._check_siblings(name)
            self._store(name, self.runs.copies(name, name))
        if self.missing:
            job = self.runs.job.id
            what = ", ".join(f"{name} ({why})" for name, why in self.missing.items())
            raise RerunRefused(
                f"job {job} has no result of {what}, which must have finished without an error.",
                "Name it here to run it as well, or name another job with job_id.",
            )
        tasks = [
            changed.get(task.name) or replace(task, depends=(), block=Block.NONE, flow=self._flow(task))
            for task in self.runs.workflow.tasks
            if task.name in changed or task.name in self.stored
        ]
        left_out = [name for name in self.runs.graph.tasks if name not in changed and name not in self.stored]
        workflow = replace(self.runs.workflow, tasks=tuple(tasks))
        split_of = {
            name: split
            for split, scopes in self.runs.replicated.items()
            for scope in scopes
            for name in scope
            if name in self.stored
        }
        return Rerun(workflow=workflow, stored=self.stored, split_of=split_of, left_out=tuple(left_out))

    # -- what cannot be

    def _check_starts(self) -> None:
        for name in self.names:
            if not self.runs.is_skipped(name):
                continue
            branch = next((one for one in self._before(name) if one in self.runs.graph.branches), "")
            if not branch or branch not in self.run:
                raise RerunRefused(
                    f"task {name} was skipped in job {self.runs.job.id}, and stays skipped.",
                    f"To decide again, run from {branch}." if branch else "",
                )

    def _before(self, name: str) -> list[str]:
        found, waiting = {name: None}, [name]
        for one in waiting:
            above = [*self.runs.graph.parents[one], *self.runs.graph.joined_by.get(one, ())]
            if one in self.runs.graph.branch_of:
                above.append(self.runs.graph.branch_of[one])
            waiting += [parent for parent in above if parent not in found]
            found.update(dict.fromkeys(above))
        return list(found)[1:]

    def _check_loops(self) -> None:
        for end, (first, body) in self.runs.loops.items():
            inside = sorted(body & self.run)
            if inside and not body <= self.run:
                raise RerunRefused(
                    f"task {self._named(inside)} is inside the loop from {first} to {end}, which only runs as a whole.",
                    self._instead(first, body),
                )

    def _check_replications(self) -> None:
        for split, scopes in self.runs.replicated.items():
            for scope in scopes:
                inside = sorted(scope & self.run)
                if not inside:
                    continue
                merges = {child for name in scope for child in self.runs.graph.children[name] if child not in scope}
                if scope <= self.run and merges <= self.run:
                    continue
                first = next(name for name in self.runs.graph.children[split] if name in scope)
                raise RerunRefused(
                    f"task {self._named(inside)} is inside the replication that {split} starts; it only runs as a whole"
                    ", with the task that takes its results.",
                    self._instead(first, scope | merges),
                )

    def _check_siblings(self, split: str) -> None:
        """Copies of several tasks come to the next task in the order in which they were made, all by one task."""
        children = self.runs.graph.children[split]
        stored = [name for scope in self.runs.replicated[split] if not scope <= self.run for name in scope]
        if any(name in self.stored for name in stored):
            raise RerunRefused(
                f"{split} replicates {', '.join(children)} together, and the results of all are needed in their order.",
                f"Name all: {self.word}=[{', '.join(dict.fromkeys((*children, *self.names)))}].",
            )

    def _named(self, inside: Collection[str]) -> str:
        return next((name for name in self.names if name in inside), min(inside))

    def _instead(self, first: str, all_of_it: Collection[str]) -> str:
        if self.word == "from":
            return f"Run from its first task: from={first}."
        return f"Name all of it: only=[{', '.join(name for name in self.runs.graph.tasks if name in all_of_it)}]."

    def _replicating(self) -> list[str]:
        """The tasks that do not run again and say how often others do."""
        return [
            split
            for split, scopes in self.runs.replicated.items()
            if split not in self.run and any(scope <= self.run for scope in scopes)
        ]

    # -- the tasks that run

    def _task(self, task: Task) -> Task:
        found: list[str] = []
        last: list[str] = []
        for parent in self._parents(task.name):
            if parent in self.run:
                found.append(parent)
            else:
                self._resolve(parent, task.name, found, last)
        partner = self.runs.blocks.partner(task.name)
        block = Block.NONE if partner is not None and partner not in self.run else task.block
        return replace(task, depends=tuple(dict.fromkeys((*found, *last))), block=block, flow=self._flow(task))

    def _parents(self, name: str) -> list[str]:
        """The dependencies, and what a branch that was decided led here; a branch that runs again leads by itself."""
        graph = self.runs.graph
        branches = [one for one in (graph.branch_of.get(name), *graph.joined_by.get(name, ())) if one]
        if any(branch in self.run for branch in branches):
            return list(graph.parents[name])
        return self.runs.written_parents(name)

    def _resolve(self, parent: str, child: str, found: list[str], last: list[str]) -> None:
        """What a task gets of a parent that does not run again."""
        states = self.runs.copies(parent, child)
        if states and all(state.status is TaskStatus.SKIPPED for state in states):
            for above in self.runs.written_parents(parent):
                if above in self.run:
                    found.append(above)
                else:
                    self._resolve(above, parent, found, last)
            return
        states = [state for state in states if state.status is not TaskStatus.SKIPPED]
        self._store(parent, states)
        (last if any(self.runs.comes_last(state, child) for state in states) else found).append(parent)

    def _store(self, name: str, states: Collection[TaskState]) -> None:
        bad = [state for state in states if state.status is not TaskStatus.FINISHED]
        if not states:
            self.missing[name] = "not in that job"
        elif bad:
            self.missing[name] = bad[0].status_label
        else:
            self.stored[name] = tuple(states)

    def _flow(self, task: Task) -> Branch | Loop | Replicate | None:
        """The control, unless what it decides about does not run again."""
        flow = task.flow
        if isinstance(flow, Replicate):
            return flow if any(scope <= self.run for scope in self.runs.replicated[task.name]) else None
        if isinstance(flow, Branch) and task.name in self.run:
            targets = {flow.target, flow.otherwise, self.runs.graph.continuation(task.name)} - {""}
            if not targets & self.run:
                return None
            if not targets <= self.run:
                missing = ", ".join(sorted(targets - self.run))
                raise RerunRefused(
                    f"{task.name} branches, and {missing} would not run.", self._instead("", targets | {task.name})
                )
            return flow
        return flow if isinstance(flow, Loop) and task.name in self.run else None
