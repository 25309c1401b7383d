"""On which tasks each task of a job depends, copies included: what the REST API does not tell.

A scheduler tells a job's tasks with names, indices, tags and statuses, and the workflow as it was submitted. From the
latter the controls are played again: wherever a control could have acted, its traces among the tasks (copies with its
tag, a skipped branch) say what it did. The rules are those by which ProActive copies tasks (``InternalJob.java``,
``FlowAction.java``). A job that is still going on gives what is known so far.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from proactive_jupyter_kernel.client.records import TaskState
from proactive_jupyter_kernel.workflow.model import Block, Branch, Loop, Replicate, Task, Workflow
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["parents_of"]


class Copy(NamedTuple):
    """A task of the workflow, or a copy of it."""

    base: str
    iteration: int = 0
    replication: int = 0

    @property
    def name(self) -> str:
        """As the scheduler writes it: ``T``, ``T#1``, ``T*2``, ``T#1*2``."""
        iteration = f"#{self.iteration}" if self.iteration else ""
        return self.base + iteration + (f"*{self.replication}" if self.replication else "")

    def sibling(self, base: str) -> Copy:
        """The copy of another task with the same indices."""
        return self._replace(base=base)


def parents_of(workflow: Workflow, tasks: Sequence[TaskState]) -> dict[str, tuple[str, ...]]:
    """For each task the names of its parents, in the order of ``results``. Tasks that cannot be placed have none."""
    replay = _Replay(workflow, tasks)
    if any(task.flow for task in workflow.tasks):
        replay.run()
    return {
        task.name: tuple(parent.name for parent in replay.parents.get(copy, ()) if parent in replay.states)
        for copy, task in replay.states.items()
    }


class _Replay:
    """The graph as it grew."""

    def __init__(self, workflow: Workflow, tasks: Sequence[TaskState]) -> None:
        self.definitions = {task.name: task for task in workflow.tasks}
        self.states = {Copy(task.base_name, task.iteration, task.replication): task for task in tasks}
        #: Sets in the order of their making.
        self.parents: dict[Copy, dict[Copy, None]] = {}
        self.children: dict[Copy, dict[Copy, None]] = {}
        #: Links made when a branch was taken, which copies of the same tasks do not have.
        self.taken: set[tuple[Copy, Copy]] = set()
        #: Tasks that only a branch can make ready: its targets and its continuation.
        self.branches = {task.name: task.flow for task in workflow.tasks if isinstance(task.flow, Branch)}
        self.waiting = {
            name for branch in self.branches.values() for name in (branch.target, branch.otherwise, branch.continuation)
        }
        for task in workflow.tasks:
            self._add(Copy(task.name), [Copy(name) for name in task.depends])

    def run(self) -> None:
        """Let every task end in the order in which it became ready, and act as it did."""
        done: set[Copy] = set()
        queue = deque(self.parents)
        while queue:
            copy = queue.popleft()
            if copy in done or not self._ready(copy, done):
                continue
            done.add(copy)
            # New copies and the children of this task are looked at again.
            queue.extend(self._act(copy))
            queue.extend(self.children.get(copy, ()))

    def _ready(self, copy: Copy, done: set[Copy]) -> bool:
        parents = self.parents[copy]
        # Nobody links what a skipped branch would have led to.
        entered = bool(parents) or copy.base not in self.waiting or self._skipped(copy)
        return entered and all(parent in done for parent in parents)

    def _act(self, copy: Copy) -> Iterable[Copy]:
        """Do what the task's control did; the copies that this made or made ready."""
        definition, state = self.definitions.get(copy.base), self.states.get(copy)
        if definition is None or state is None or state.status is TaskStatus.SKIPPED:
            return ()
        match definition.flow:
            case Branch():
                return self._branch(copy, definition.flow)
            case Loop():
                return self._loop(copy, definition.flow)
            case Replicate():
                return self._replicate(copy)
        return ()

    def _branch(self, initiator: Copy, branch: Branch) -> Iterable[Copy]:
        chosen, other = (self._nearest(initiator, name) for name in (branch.target, branch.otherwise))
        if self._skipped(chosen) and not self._skipped(other):
            chosen, other = other, chosen
        undecided = not self._skipped(other)
        linked = [copy for copy in (chosen, other) if self._link(copy, initiator)]
        if branch.continuation:
            continuation = self._nearest(initiator, branch.continuation)
            ends = [self._end_of(start) for start in ((chosen, other) if undecided else (chosen,))]
            if all(self._link(continuation, end) for end in ends):
                linked.append(continuation)
        return linked

    def _loop(self, initiator: Copy, loop: Loop) -> Iterable[Copy]:
        start = initiator.sibling(loop.target)
        if start not in self.parents:
            return ()
        block = self._block(initiator, start)
        copies = {original: self._next_round(original) for original in dict.fromkeys(block.values())}
        again = self.states.get(copies.get(start, start))
        if start not in copies or again is None or not _looped_by(again, initiator):
            return ()
        followers = list(self.children.get(initiator, ()))
        self._copy_links(copies, block)
        self._depend(copies[start], initiator)
        end = copies.get(initiator)
        if end is not None:
            for follower in followers:
                if follower not in copies:
                    self._replace_parent(follower, initiator, end)
        return copies.values()

    def _replicate(self, initiator: Copy) -> Iterable[Copy]:
        made: list[Copy] = []
        for child in list(self.children.get(initiator, ())):
            end = self._end_of(child)
            block = self._block(end, child)
            numbers = {original: self._replicas(original, initiator) for original in dict.fromkeys(block.values())}
            followers = list(self.children.get(end, ()))
            for round_, _ in enumerate(numbers[child]):
                copies = {
                    original: original._replace(replication=indices[round_])
                    for original, indices in numbers.items()
                    if round_ < len(indices)
                }
                self._copy_links(copies, block)
                self._depend(copies[child], initiator)
                for follower in followers:
                    if end in copies and follower not in numbers:
                        self._depend(follower, copies[end])
                made.extend(copies.values())
        return made

    def _replicas(self, original: Copy, initiator: Copy) -> list[int]:
        """The replication indices that the initiator gave to copies of a task."""
        found = [
            copy.replication
            for copy, state in self._family(original)
            if copy not in self.parents and _replicated_by(state, initiator)
        ]
        return sorted(found)

    def _family(self, original: Copy) -> Iterable[tuple[Copy, TaskState]]:
        return (
            (copy, state)
            for copy, state in self.states.items()
            if copy.base == original.base and copy.iteration == original.iteration
        )

    def _block(self, end: Copy, start: Copy) -> dict[Copy, Copy]:
        """The tasks from `start` to `end`, each with the one a copy is made of: lowest iteration and replication."""
        reached = {end}
        queue = deque(reached)
        while queue:
            copy = queue.popleft()
            if copy == start:
                continue
            for parent in (*self.parents.get(copy, ()), *self._joined(copy)):
                if parent not in reached:
                    reached.add(parent)
                    queue.append(parent)
        chosen: dict[str, Copy] = {}
        for copy in sorted(reached):
            chosen.setdefault(copy.base, copy)
        return {copy: chosen[copy.base] for copy in self.parents if copy in reached}

    def _joined(self, copy: Copy) -> Iterable[Copy]:
        """What comes before a task by a branch and is no dependency: both ways before the place where they meet."""
        for name, branch in self.branches.items():
            if copy.base == branch.continuation:
                yield from (self._end_of(copy.sibling(start)) for start in (branch.target, branch.otherwise))
            elif copy.base in (branch.target, branch.otherwise):
                yield copy.sibling(name)

    def _next_round(self, original: Copy) -> Copy:
        copy = original._replace(iteration=original.iteration + 1)
        while copy in self.parents:
            copy = copy._replace(iteration=copy.iteration + 1)
        return copy

    def _copy_links(self, copies: dict[Copy, Copy], block: dict[Copy, Copy]) -> None:
        """Add the copies with the links that the tasks of the block have among themselves."""
        for original, copy in copies.items():
            mirrored = [
                copies[block[parent]]
                for parent in self.parents[original]
                if block.get(parent) in copies and (original, parent) not in self.taken
            ]
            self._add(copy, list(dict.fromkeys(mirrored)))

    def _end_of(self, start: Copy) -> Copy:
        """The end of the block that a task starts; the task itself where it starts none."""
        definition = self.definitions.get(start.base)
        if definition is None or definition.block is not Block.START:
            return start
        seen = {start.base}
        queue = deque([(start.base, 1)])
        while queue:
            base, depth = queue.popleft()
            for task in self._next(base):
                inner = depth + (task.block is Block.START) - (task.block is Block.END)
                if inner == 0:
                    return start.sibling(task.name)
                if task.name not in seen:
                    seen.add(task.name)
                    queue.append((task.name, inner))
        return start

    def _next(self, base: str) -> Iterable[Task]:
        """The tasks of the workflow right after one, by dependency or by branch."""
        branch = self.branches.get(base)
        by_branch = (branch.target, branch.otherwise, branch.continuation) if branch else ()
        return (task for task in self.definitions.values() if base in task.depends or task.name in by_branch)

    def _nearest(self, initiator: Copy, base: str) -> Copy:
        """The copy with the initiator's indices, else the one of its replication with the highest iteration."""
        exact = initiator.sibling(base)
        if exact in self.parents:
            return exact
        rounds = [copy for copy in self.parents if copy.base == base and copy.replication == initiator.replication]
        return max(rounds, default=exact)

    def _skipped(self, copy: Copy) -> bool:
        state = self.states.get(copy)
        return state is not None and state.status is TaskStatus.SKIPPED

    def _add(self, copy: Copy, parents: Iterable[Copy]) -> None:
        self.parents[copy] = {}
        for parent in parents:
            self._depend(copy, parent)

    def _depend(self, child: Copy, parent: Copy) -> None:
        self.parents[child][parent] = None
        self.children.setdefault(parent, {})[child] = None

    def _link(self, child: Copy, parent: Copy) -> bool:
        """Make one depend on the other because a branch was taken; False where there is no such task."""
        if child not in self.parents or parent not in self.parents:
            return False
        self._depend(child, parent)
        self.taken.add((child, parent))
        return True

    def _replace_parent(self, child: Copy, old: Copy, new: Copy) -> None:
        del self.parents[child][old]
        del self.children[old][child]
        self._depend(child, new)
        if (child, old) in self.taken:
            self.taken.add((child, new))


def _looped_by(task: TaskState, initiator: Copy) -> bool:
    """Whether a loop made this copy: its tag is ``LOOP-<initiator>[*replication]-<iteration, or a date>``."""
    maker = f"*{initiator.replication}" if initiator.replication else ""
    return not task.tag or task.tag.startswith(f"LOOP-{initiator.base}{maker}-")


def _replicated_by(task: TaskState, initiator: Copy) -> bool:
    """Whether a replication made this copy: its tag is ``REPLICATE-<initiator>-<replication>``."""
    return not task.tag or task.tag == f"REPLICATE-{initiator.name}-{task.replication}"
