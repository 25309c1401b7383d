"""Which tasks of a job came before which: its definition, with what loops, replications and branches made of it. Pure.

REST tells the state of every task, the copies included, but not what each depends on. Inside replications that lie in
each other, several answers are possible; then all copies are given.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from proactive_jupyter_kernel.client.records import Job, TaskState
from proactive_jupyter_kernel.workflow.blocks import match_blocks
from proactive_jupyter_kernel.workflow.graph import Graph, walk
from proactive_jupyter_kernel.workflow.model import Loop, Replicate, Workflow
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["RunGraph"]


class RunGraph:
    """The graph of a workflow, and the tasks of one job of it."""

    def __init__(self, workflow: Workflow, job: Job) -> None:
        self.workflow = workflow
        self.job = job
        self.graph = Graph(workflow)
        self.blocks = match_blocks(self.graph)
        #: Name in the workflow -> the task and its copies, in the order in which they were made.
        self.tasks: dict[str, list[TaskState]] = defaultdict(list)
        for state in sorted(job.tasks, key=lambda task: task.id):
            self.tasks[state.base_name].append(state)
        self.below = self.graph.links()
        self._above: dict[str, list[str]] = defaultdict(list)
        for name, children in self.below.items():
            for child in children:
                self._above[child].append(name)
        #: Task with a loop -> (first task, all tasks of the loop).
        self.loops = {
            name: (task.flow.target, self.between(task.flow.target, name))
            for name, task in self.graph.tasks.items()
            if isinstance(task.flow, Loop) and task.flow.target in self.graph.tasks
        }
        #: Task that replicates -> for each of its children all tasks that are copied with it.
        self.replicated = {
            name: [self.between(child, self.blocks.last(child)) for child in self.graph.children[name]]
            for name, task in self.graph.tasks.items()
            if isinstance(task.flow, Replicate)
        }

    def between(self, start: str, end: str) -> frozenset[str]:
        """The tasks on all ways from one to the other, both included."""
        down = set(walk([start], lambda name: () if name == end else self.below[name]))
        up = set(walk([end], lambda name: () if name == start else self._above[name]))
        return frozenset((down & up) | {start, end})

    def descendants(self, names: Iterator[str] | tuple[str, ...]) -> frozenset[str]:
        """The tasks and all that can follow them."""
        return frozenset(walk(tuple(names), self.below.__getitem__))

    def is_skipped(self, name: str) -> bool:
        """Whether the job has the task, and skipped it and all its copies."""
        return bool(self.tasks[name]) and all(task.status is TaskStatus.SKIPPED for task in self.tasks[name])

    def is_ambiguous(self, name: str) -> bool:
        """Whether it is unknown which copies a copy of the task depended on, because replications are nested."""
        scopes = [scope for found in self.replicated.values() for scope in found]
        return any(sum(one in scope for scope in scopes) > 1 for one in (name, *self.written_parents(name)))

    def written_parents(self, name: str, task: TaskState | None = None) -> list[str]:
        """The dependencies, the branch task that chose it, and what a continuation follows; in the order of results.

        `task` selects the copy if branches of copies chose differently.
        """
        found = list(self.graph.parents[name])
        if name in self.graph.branch_of:
            found.append(self.graph.branch_of[name])
        for branch_task in self.graph.joined_by.get(name, ()):
            branch = self.graph.branches[branch_task]
            skipped = self._was_skipped(branch.target, name, task)
            found.append(self.blocks.last(branch.otherwise if skipped else branch.target))
        return found

    def _was_skipped(self, parent: str, child: str, task: TaskState | None) -> bool:
        if task is None:
            return self.is_skipped(parent)
        states = self.copies(parent, child, task)
        return bool(states) and all(state.status is TaskStatus.SKIPPED for state in states)

    def copies(self, parent: str, child: str, task: TaskState | None = None) -> list[TaskState]:
        """The task, or those of its copies, that a task depended on; `task` is the copy of the child."""
        together = task is not None and any(parent in body and child in body for _, body in self.loops.values())
        latest: dict[int, TaskState] = {}
        for state in self.tasks[parent]:
            if together and task is not None and not _is_before(state, task):
                continue
            known = latest.get(state.replication)
            if known is None or state.iteration > known.iteration:
                latest[state.replication] = state
        scopes = [scope for found in self.replicated.values() for scope in found if parent in scope]
        if all(child in scope for scope in scopes):
            one = latest.get(task.replication if task is not None else 0) or latest.get(0)
            return [one] if one is not None else []
        states = sorted(latest.values(), key=lambda state: state.id)
        # An earlier iteration may have had more copies.
        newest = max((state.iteration for state in states), default=0)
        within_loop = any(scope < body for scope in scopes for _, body in self.loops.values())
        return [state for state in states if state.iteration == newest or not within_loop]

    def comes_last(self, parent: TaskState, child: str) -> bool:
        """Whether the result stands behind those of other parents: a loop that ran again puts its last copy there."""
        loop = self.loops.get(parent.base_name)
        return loop is not None and parent.iteration > 0 and child not in loop[1]

    def parents(self, task: TaskState) -> list[TaskState]:
        """The tasks whose results a task got, in that order; skipped ones are replaced by those before them."""
        name = task.base_name
        found: list[TaskState] = []
        appended: list[TaskState] = []
        for parent in self.written_parents(name, task):
            for state in self.copies(parent, name, task):
                is_copy = self.comes_last(state, name) or state.replication > task.replication
                (appended if is_copy else found).append(state)
        found += sorted(appended, key=lambda state: state.id)
        if task.iteration and (again := self._loop_before(task, found)) is not None:
            found = [again]
        effective = [
            one for state in found for one in (self.parents(state) if state.status is TaskStatus.SKIPPED else [state])
        ]
        return list({state.name: state for state in effective}.values())

    def _loop_before(self, task: TaskState, found: list[TaskState]) -> TaskState | None:
        """The task whose loop started this iteration, if this is the first task of it."""
        for end, (first, _) in self.loops.items():
            if task.base_name != first:
                continue
            before = [
                one
                for one in self.tasks[end]
                if one.iteration < task.iteration and one.status is not TaskStatus.SKIPPED
            ]
            same = [one for one in before if one.replication == task.replication] or before
            same = [one for one in same if _is_before(one, task)]
            if same and all(one.finished_at <= same[-1].finished_at for one in found):
                return max(same, key=lambda one: one.iteration)
        return None


def _is_before(state: TaskState, task: TaskState) -> bool:
    """Whether a task of the same loop ran before another one."""
    if state.finished_at > 0 and task.started_at > 0:
        return state.finished_at <= task.started_at
    return state.iteration <= task.iteration
