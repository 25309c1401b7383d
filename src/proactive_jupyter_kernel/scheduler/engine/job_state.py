"""A living job inside the machine: its tasks, who waits for whom, and its counters.

The records are what the outside sees; everything else here is an index, so that what an event costs does not depend on
how many tasks the job has. All indices can be made again from the records (see `restoring`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from proactive_jupyter_kernel.scheduler.attempt import Slot, Wire
from proactive_jupyter_kernel.scheduler.engine.records import UNSET, JobRecord, TaskRecord, changed
from proactive_jupyter_kernel.scheduler.engine.rules import Rules, rules_of_all
from proactive_jupyter_kernel.scheduler.engine.transitions import check_job_move, check_task_move
from proactive_jupyter_kernel.workflow.model import Task, Workflow
from proactive_jupyter_kernel.workflow.status import TASK_ENDED, JobStatus, TaskStatus

__all__ = ["JobState", "Links", "Selecting", "TaskNode", "copy_name"]

#: How many moves an `IllegalTransition` can tell of a task or job.
HISTORY = 16

#: Which counter of the job a task's status is part of. NOT_STARTED and NOT_RESTARTED only come with the job's end.
GROUP: Mapping[TaskStatus, str] = {
    TaskStatus.SUBMITTED: "pending",
    TaskStatus.PENDING: "pending",
    TaskStatus.PAUSED: "pending",
    TaskStatus.WAITING_ON_ERROR: "pending",
    TaskStatus.WAITING_ON_FAILURE: "pending",
    TaskStatus.RUNNING: "running",
    TaskStatus.IN_ERROR: "in_error",
    TaskStatus.FINISHED: "finished",
    TaskStatus.FAULTY: "finished",
    TaskStatus.SKIPPED: "finished",
    TaskStatus.ABORTED: "finished",
    TaskStatus.FAILED: "finished",
}
WAITING_FOR_RETRY = frozenset({TaskStatus.WAITING_ON_ERROR, TaskStatus.WAITING_ON_FAILURE})


def copy_name(base: str, iteration: int, replication: int) -> str:
    """The name of a copy: ``T``, ``T#1``, ``T*2``, ``T#1*2``; never ``T*2#1``."""
    return base + (f"#{iteration}" if iteration else "") + (f"*{replication}" if replication else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """How a task relates to others beside its dependencies; task ids."""

    #: The branch task that chooses or skips this one.
    branch: int | None = None
    #: Of a continuation: the ends of both branches, the one of `target` first.
    joined: tuple[int, ...] = ()
    #: Of a branch task: `target` and `otherwise`.
    targets: tuple[int, ...] = ()
    #: Of a branch task: where both ways meet.
    continuation: int | None = None
    #: The other end of the block that this task starts or ends.
    partner: int | None = None

    def to_wire(self) -> dict[str, Wire]:
        """The links that are set, for `TaskRecord.private`."""
        wire: dict[str, Wire] = {}
        for name in ("branch", "continuation", "partner"):
            if getattr(self, name) is not None:
                wire[name] = getattr(self, name)
        for name in ("joined", "targets"):
            if getattr(self, name):
                wire[name] = list(getattr(self, name))
        return wire

    @classmethod
    def from_wire(cls, wire: Mapping[str, Wire]) -> Links:
        """The links that `to_wire` gave."""
        return cls(
            branch=wire.get("branch"),
            joined=tuple(wire.get("joined", ())),
            targets=tuple(wire.get("targets", ())),
            continuation=wire.get("continuation"),
            partner=wire.get("partner"),
        )


@dataclass(slots=True, kw_only=True)
class Selecting:
    """The progress of a task in asking its selection scripts about slots."""

    #: Slots kept for it while their answers are awaited.
    held: tuple[Slot, ...] = ()
    #: Names of the slots whose answer is awaited.
    awaited: set[str] = field(default_factory=set)
    #: Slots that were accepted since the task last gave up for a while.
    accepted: set[str] = field(default_factory=set)
    #: slot -> when it may be asked again, in milliseconds since the epoch.
    refused: dict[str, int] = field(default_factory=dict)
    #: How often it found no slot; the pauses grow with it.
    rounds: int = 0


class TaskNode:
    """One task of a job that is alive: its record, its definition and what it waits for."""

    __slots__ = (
        "avoid",
        "children",
        "counted_faulty",
        "definition",
        "history",
        "links",
        "record",
        "rules",
        "selecting",
        "settled",
        "waiting",
        "wake",
    )

    def __init__(self, record: TaskRecord, definition: Task, rules: Rules, links: Links) -> None:
        self.record = record
        self.definition = definition
        self.rules = rules
        self.links = links
        #: Ids of the tasks that depend on it now; a dict for its order and cheap removal.
        self.children: dict[int, None] = {}
        #: How many parents, or branch decisions, it still waits for.
        self.waiting = 0
        #: It has ended and its children know.
        self.settled = False
        #: When its delay is over: a retry, ``START_AT``, a new round of selection.
        self.wake: int | None = None
        #: The slots where it failed last, to be avoided.
        self.avoid: frozenset[str] = frozenset()
        #: It is part of the job's faulty counter.
        self.counted_faulty = False
        self.selecting: Selecting | None = None
        self.history: deque[str] = deque([record.status.name], maxlen=HISTORY)

    @property
    def id(self) -> int:
        """The id of the task: its index among the tasks of the job."""
        return self.record.task_id

    @property
    def status(self) -> TaskStatus:
        """The status of the task."""
        return self.record.status

    @property
    def ended(self) -> bool:
        """Whether the task will not run again."""
        return self.record.status in TASK_ENDED

    @property
    def held(self) -> bool:
        """A branch target or continuation whose branch has not been decided: no entry point, though without parents."""
        return not self.record.depends and (self.links.branch is not None or bool(self.links.joined))

    def private(self) -> dict[str, Wire]:
        """What `TaskRecord.private` must keep for a restart."""
        wire = self.links.to_wire()
        if self.wake is not None and self.status in WAITING_FOR_RETRY:
            wire["wake"] = self.wake
        if self.avoid:
            wire["avoid"] = sorted(self.avoid)
        if self.counted_faulty:
            wire["faulty"] = True
        return wire


class JobState:
    """One job that is alive. All changes of its tasks go through it: indices, counters and records stay consistent."""

    def __init__(self, record: JobRecord, workflow: Workflow, *, node_failures: int) -> None:
        self.record = record
        self.workflow = workflow
        #: How many lost nodes each task may meet.
        self.node_failures = node_failures
        self.rules = rules_of_all(workflow)
        self.definitions = {task.name: task for task in workflow.tasks}
        #: What every task inherits first. Of variables with the same name the last wins, at the position of the first.
        self.variables: dict[str, Wire] = {variable.name: variable.value for variable in workflow.variables}
        self.nodes: list[TaskNode] = []
        self.by_name: dict[str, TaskNode] = {}
        #: (base name, iteration) -> highest replication index in use.
        self.highest_replication: dict[tuple[str, int], int] = {}
        self.paused = record.status is JobStatus.PAUSED
        #: Ids of the tasks that could start now: PENDING ones.
        self.ready: set[int] = set()
        #: Ids of the tasks whose start time has not come.
        self.delayed: set[int] = set()
        #: Names of the tasks whose scripts are still being read, and how long they wait for that at most.
        self.reading: frozenset[str] = frozenset()
        self.reading_until = 0
        #: (base name, slot) -> the answer of the static selection scripts.
        self.static_answers: dict[tuple[str, str], bool] = {}
        self.counts = dict.fromkeys(("pending", "running", "in_error", "finished", "faulty", "failed"), 0)
        #: How the job ended; None while it is alive.
        self.outcome: JobStatus | None = None
        self.history: deque[str] = deque([record.status.name], maxlen=HISTORY)
        #: Rises with every change of a record.
        self.version = 0
        self._dirty: dict[int, None] = {}
        self._job_dirty = True

    @property
    def id(self) -> int:
        """The id of the job."""
        return self.record.job_id

    @property
    def alive(self) -> bool:
        """Whether the job has not ended."""
        return self.outcome is None

    @property
    def started(self) -> bool:
        """Whether a task of the job has ever started."""
        return self.record.started_at != UNSET

    @property
    def complete(self) -> bool:
        """Every task has ended."""
        return self.counts["finished"] == len(self.nodes)

    # --- tasks -------------------------------------------------------------------------------------------------------

    def add(self, node: TaskNode) -> None:
        """Add a new task; its dependencies must have been added before, or be linked by `connect` afterwards."""
        record = node.record
        self.nodes.append(node)
        self.by_name[record.name] = node
        key = (record.base_name, record.iteration)
        self.highest_replication[key] = max(self.highest_replication.get(key, 0), record.replication)
        if group := GROUP.get(record.status):
            self.counts[group] += 1
        self.counts["faulty"] += node.counted_faulty
        self.counts["failed"] += record.status is TaskStatus.FAILED
        self.touch(node)

    def connect(self, node: TaskNode) -> None:
        """Index the dependencies of a node."""
        node.waiting = int(node.held)
        for parent_id in node.record.depends:
            parent = self.nodes[parent_id]
            parent.children[node.id] = None
            node.waiting += not parent.settled

    def touch(self, node: TaskNode) -> None:
        """The node's record has changed and must be saved."""
        self._dirty[node.id] = None
        self._job_dirty = True
        self.version += 1

    def update(self, node: TaskNode, **changes: Any) -> None:
        """Change fields of the record, but not the status."""
        node.record = changed(node.record, changes)
        self.touch(node)

    def move(self, node: TaskNode, status: TaskStatus, **changes: Any) -> None:
        """Change the status, with the job's counters, and other fields of the record."""
        old = node.status
        check_task_move(f"Task {node.record.name!r} of job {self.id}", old, status, node.history)
        if self.alive:
            self.counts[GROUP[old]] -= 1
            self.counts[GROUP[status]] += 1
            self.counts["failed"] += status is TaskStatus.FAILED
        node.history.append(status.name)
        self.update(node, status=status, **changes)

    def count_faulty(self, node: TaskNode, faulty: bool) -> None:
        """Put the task into the job's faulty counter, or remove it."""
        self.counts["faulty"] += faulty - node.counted_faulty
        node.counted_faulty = faulty

    # --- dependencies ------------------------------------------------------------------------------------------------

    def add_dependencies(self, child: TaskNode, parents: Iterable[TaskNode]) -> None:
        """Append parents to a task's list; one that is there already stays where it is."""
        known = set(child.record.depends)
        new = [parent for parent in parents if parent.id not in known]
        if not new:
            return
        child.waiting -= child.held
        for parent in new:
            parent.children[child.id] = None
            child.waiting += not parent.settled
        self.update(child, depends=child.record.depends + tuple(parent.id for parent in new))

    def replace_dependency(self, child: TaskNode, old: TaskNode, new: TaskNode) -> None:
        """Let a task wait for `new`, placed last in its list, instead of `old`."""
        del old.children[child.id]
        new.children[child.id] = None
        child.waiting += (not new.settled) - (not old.settled)
        kept = tuple(parent for parent in child.record.depends if parent != old.id)
        self.update(child, depends=(*kept, new.id))

    def replace_joined(self, continuation: TaskNode, old: TaskNode, new: TaskNode) -> None:
        """Let the continuation wait for `new` instead of `old` as the end of one of its branches."""
        joined = continuation.links.joined
        if old.id in joined:
            ends = tuple(new.id if end == old.id else end for end in joined)
            continuation.links = replace(continuation.links, joined=ends)
            self.touch(continuation)

    def settle(self, node: TaskNode) -> list[TaskNode]:
        """Count the node as ended for its children; returns the children that no longer wait for anything."""
        node.settled = True
        freed = []
        for child_id in node.children:
            child = self.nodes[child_id]
            child.waiting -= 1
            if not child.waiting and not child.ended:
                freed.append(child)
        return freed

    def refused(self, node: TaskNode, slots: Iterable[str]) -> frozenset[str]:
        """Those of the slots that the task's selection scripts refuse at the moment."""
        recent = node.selecting.refused if node.selecting else {}
        base = node.record.base_name
        return frozenset(name for name in slots if name in recent or self.static_answers.get((base, name)) is False)

    # --- the job's record --------------------------------------------------------------------------------------------

    def change(self, **changes: Any) -> None:
        """Change fields of the job's record but status and counters, which follow from the tasks."""
        self.record = changed(self.record, changes)
        self._job_dirty = True
        self.version += 1

    def close(self, outcome: JobStatus, **changes: Any) -> None:
        """The job has ended: counters no longer change, and nothing is pending or running.

        How many tasks were in error stays visible, as on a server.
        """
        self.outcome = outcome
        self.counts.update(pending=0, running=0)
        self.change(**changes)

    def status(self) -> JobStatus:
        """The status of the job, which follows from its tasks."""
        if self.outcome:
            return self.outcome
        if self.paused:
            return JobStatus.PAUSED
        if self.counts["in_error"]:
            return JobStatus.IN_ERROR
        if self.counts["running"]:
            return JobStatus.RUNNING
        return JobStatus.STALLED if self.started else JobStatus.PENDING

    def snapshot(self) -> JobRecord:
        """The job's record with status and counters of this moment."""
        counts: dict[str, Any] = dict(self.counts)
        if not self.started:
            counts["pending"] = 0  # ProActive counts pending tasks from the first start on
        return changed(self.record, {"status": self.status(), "total": len(self.nodes), **counts})

    def refresh(self) -> None:
        """Update status and counters of the job's record."""
        new = self.snapshot()
        if new.status is not self.record.status:
            check_job_move(f"Job {self.id}", self.record.status, new.status, self.history)
            self.history.append(new.status.name)
        self.record = new

    def unsaved(self) -> list[TaskRecord]:
        """The records of the tasks that changed since the last call of `drain`."""
        return [self.nodes[task_id].record for task_id in self._dirty if task_id < len(self.nodes)]

    def drain(self) -> tuple[JobRecord | None, Sequence[TaskRecord]]:
        """The records that changed since the last call."""
        before = self.record
        self.refresh()
        job = self.record if self._job_dirty or self.record != before else None
        tasks = []
        for task_id in self._dirty:
            node = self.nodes[task_id]
            private = node.private()
            if private != node.record.private:
                node.record = changed(node.record, {"private": private})
            tasks.append(node.record)
        self._dirty = {}
        self._job_dirty = False
        return job, tasks
