"""What all parts of the machine share: the jobs that are alive, the slots, the queue of ready tasks, timers and outbox.

A task that waits for no parent goes through `Core.consider`: it waits for its start time, or stands in the queue. At
the end of every event the machine gives slots to tasks of the queue, and `Core.flush` returns all commands.
"""

from __future__ import annotations

import contextlib
import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, tzinfo

from proactive_jupyter_kernel.scheduler.attempt import Slot
from proactive_jupyter_kernel.scheduler.engine.commands import (
    Announce,
    Command,
    ForgetJob,
    KillAttempt,
    LogLine,
    RunSelection,
    SaveJob,
    SaveTask,
    StartAttempt,
)
from proactive_jupyter_kernel.scheduler.engine.job_state import JobState, TaskNode
from proactive_jupyter_kernel.scheduler.engine.placement import Demand, Key, ReadyQueue, SlotBoard
from proactive_jupyter_kernel.scheduler.engine.propagation import effective_parents, inherited
from proactive_jupyter_kernel.scheduler.engine.records import UNSET, JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.engine.transitions import SchedulerStatus
from proactive_jupyter_kernel.workflow.model import Topology
from proactive_jupyter_kernel.workflow.status import TaskStatus
from proactive_jupyter_kernel.workflow.substitution import InfiniteReference, substitute

__all__ = ["Core", "Limits"]

#: Stands for the job itself among the timers.
_JOB = -1
#: Parents of a task that are looked at, to run it near them.
_MOST_NEAR = 16
#: How many demands are remembered.
_MOST_DEMANDS = 1_000
#: Statuses of the whole scheduler in which nothing is started, and in which only started jobs continue.
_NOTHING_STARTS = (SchedulerStatus.FROZEN, SchedulerStatus.KILLED)
_STARTED_JOBS_ONLY = (SchedulerStatus.PAUSED, SchedulerStatus.SHUTTING_DOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Settings of a ProActive server, and limits that keep one job from using up the machine."""

    #: The number of lost nodes after which a task fails its job (default as ProActive's).
    node_failures: int = 2
    #: Milliseconds between the loss of a node and the next try.
    node_failure_delay: int = 1_000
    #: The highest `runs` that a replicate script may set.
    runs: int = 100_000


class Core:
    """The state of the machine and its operations. `now` is the time of the present event (milliseconds, epoch)."""

    def __init__(self, limits: Limits, zone: tzinfo = UTC) -> None:
        self.limits = limits
        #: The time zone of cron expressions and of dates in tags.
        self.zone = zone
        self.now = 0
        self.status = SchedulerStatus.STARTED
        self.jobs: dict[int, JobState] = {}
        self.board = SlotBoard()
        self.queue = ReadyQueue()
        #: Slots of the running tasks.
        self.running: dict[Key, tuple[Slot, ...]] = {}
        #: Tasks that every slot refused; tried again when a slot changes or their pause is over.
        self.parked: set[Key] = set()
        #: Ended jobs that are to be forgotten: job id -> when.
        self.removals: dict[int, int] = {}
        #: Demands that many tasks share, so that they are the same object.
        self._demands: dict[tuple[int, Topology | None, str, str], Demand] = {}
        self._timers: list[tuple[int, int, int]] = []
        self._touched: dict[int, JobState] = {}
        #: A job was evicted since slots were given out last.
        self._freed = False
        self._saves: list[Command] = []
        self._outbox: list[Command] = []
        #: Whether a listener has asked for events about tasks.
        self.announces_tasks = True
        self._forgotten: list[Command] = []

    # --- commands ----------------------------------------------------------------------------------------------------

    def touch(self, job: JobState) -> None:
        """Note that the job may have changed: its changed records are saved at the end of the event."""
        self._touched[job.id] = job

    def touched(self) -> list[JobState]:
        """The jobs that the present event may have changed."""
        return list(self._touched.values())

    def log(self, job: JobState, node: TaskNode, text: str) -> None:
        """Add a line to the task's log."""
        self._outbox.append(LogLine(job_id=job.id, task_id=node.id, text=text))

    @property
    def asked(self) -> int:
        """The number of commands that the present event has given so far."""
        return len(self._outbox) + len(self._forgotten)

    def put(self, command: Command) -> None:
        """Append a command."""
        self._outbox.append(command)

    def tell(
        self, event: str, job: JobRecord, task: TaskRecord | None = None, tasks: tuple[TaskRecord, ...] = ()
    ) -> None:
        """Announce an event of a job or a task of which only the records are known."""
        task_id = None if task is None else task.task_id
        self.put(Announce(event=event, job_id=job.job_id, task_id=task_id, job=job, task=task, tasks=tasks))

    def announce(self, event: str, job: JobState | None = None, node: TaskNode | None = None) -> None:
        """Announce an event of the scheduler, of a job with all of its tasks, or of a task.

        Events about tasks are left out while no listener has asked for them.
        """
        if not self.announces_tasks and event.startswith("TASK_"):
            return
        if job is None:
            announcement = Announce(event=event)
        elif node is None:
            tasks = tuple(each.record for each in job.nodes) if self.announces_tasks else ()
            announcement = Announce(event=event, job_id=job.id, job=job.snapshot(), tasks=tasks)
        else:
            announcement = Announce(event=event, job_id=job.id, task_id=node.id, job=job.record, task=node.record)
        self._outbox.append(announcement)

    def kill(self, job: JobState, node: TaskNode) -> None:
        """End a running attempt and free its slots at once."""
        self.free(job, node)
        job.change(killed_time=job.record.killed_time + self.after(node.record.started_at) - node.record.started_at)
        self._outbox.append(KillAttempt(job_id=job.id, task_id=node.id, number=node.record.attempts))

    def forget(self, job_id: int) -> None:
        """Remove everything about a job; its unsaved changes are dropped."""
        self._touched.pop(job_id, None)
        self.jobs.pop(job_id, None)
        self.removals.pop(job_id, None)
        self._outbox.append(Announce(event="JOB_REMOVE_FINISHED", job_id=job_id))
        self._forgotten.append(ForgetJob(job_id=job_id))

    def save(self, job: JobRecord, tasks: Iterable[TaskRecord] = ()) -> None:
        """Save these rows as they are."""
        self._saves.append(SaveJob(job=job))
        self._saves += [SaveTask(task=task) for task in tasks]

    def collect(self, job: JobState) -> None:
        """Save the rows that a touched job has changed. A job that has ended leaves the machine."""
        record, tasks = job.drain()
        if record is not None:
            self._saves.append(SaveJob(job=record))
        self._saves += [SaveTask(task=task) for task in tasks]
        self._touched.pop(job.id, None)
        if not job.alive:
            self.jobs.pop(job.id, None)

    def flush(self) -> list[Command]:
        """All commands since the last call: what to save first, what to forget last."""
        commands = self._saves + self._outbox + self._forgotten
        self._saves, self._outbox, self._forgotten = [], [], []
        return commands

    def take_freed(self) -> bool:
        """Whether a job was evicted since the last call, so that others may find slots now."""
        freed, self._freed = self._freed, False
        return freed

    def evict(self, job_id: int) -> list[int]:
        """Remove a job with its slots and all that waits for it, whatever state it is in; returns the ids of the tasks
        that ran. Its attempts and selections that the present event was about to start are not started."""
        self._touched.pop(job_id, None)
        self.jobs.pop(job_id, None)
        kept: list[Command] = []
        never_started = set()
        for command in self._outbox:
            if not isinstance(command, StartAttempt | RunSelection) or command.job_id != job_id:
                kept.append(command)
            elif isinstance(command, StartAttempt):
                never_started.add(command.task_id)
        self._outbox = kept
        for key in [key for key in self.queue if key[0] == job_id]:
            self.queue.remove(key)
        self.parked = {key for key in self.parked if key[0] != job_id}
        ran = [key for key in self.running if key[0] == job_id]
        for key in ran:
            del self.running[key]
        self.board.release_all(job_id)
        self._freed = True
        return [task_id for _, task_id in ran if task_id not in never_started]

    # --- time --------------------------------------------------------------------------------------------------------

    def wake(self, job: JobState, node: TaskNode, due: int) -> None:
        """Set a timer: the task is considered again at `due`."""
        node.wake = due
        heapq.heappush(self._timers, (due, job.id, node.id))

    def remove_at(self, job_id: int, due: int) -> None:
        """Forget an ended job at `due`."""
        self.removals[job_id] = due
        heapq.heappush(self._timers, (due, job_id, _JOB))

    def shift_removals(self, by: int) -> None:
        """Move the removal of ended jobs by so many milliseconds (negative: earlier)."""
        for job_id, due in list(self.removals.items()):
            self.remove_at(job_id, due + by)

    def after(self, *moments: int) -> int:
        """The present time, but not before these moments: if the clock was set back, no duration becomes negative."""
        return max(self.now, *moments)

    def next_due(self) -> int | None:
        """When the next timer is due; stale timers are dropped."""
        while self._timers:
            due, job_id, task_id = self._timers[0]
            if self._valid(due, job_id, task_id):
                return due
            heapq.heappop(self._timers)
        return None

    def _valid(self, due: int, job_id: int, task_id: int) -> bool:
        if task_id == _JOB:
            return self.removals.get(job_id) == due
        job = self.jobs.get(job_id)
        return job is not None and job.nodes[task_id].wake == due

    def pop_due(self) -> tuple[int, int | None] | None:
        """Remove and return the next due timer: the id of the job and, for a task, of the task; None: none is due."""
        due = self.next_due()
        if due is None or due > self.now:
            return None
        _, job_id, task_id = heapq.heappop(self._timers)
        return job_id, None if task_id == _JOB else task_id

    # --- waiting and ready tasks -------------------------------------------------------------------------------------

    def resubmit(self, job: JobState, node: TaskNode) -> None:
        """Set the task to SUBMITTED and let it run (again), unless its job is paused."""
        job.move(node, TaskStatus.SUBMITTED, progress=0)
        self.consider(job, node)

    def consider(self, job: JobState, node: TaskNode) -> None:
        """Decide about a SUBMITTED task: pause it with its job, wait for its start time, or enqueue it."""
        job.delayed.discard(node.id)
        if job.paused:
            if node.status is TaskStatus.SUBMITTED:
                job.move(node, TaskStatus.PAUSED)
        elif not node.waiting and node.status is TaskStatus.SUBMITTED:
            start = job.record.start_at if node.record.start_at is None else node.record.start_at
            if node.record.base_name in job.reading:
                start = max(start or 0, job.reading_until)
            if start is not None and start > self.now:
                job.delayed.add(node.id)
                self.wake(job, node, start)
            else:
                job.move(node, TaskStatus.PENDING, scheduled_at=self.after(job.record.submitted_at))
                job.ready.add(node.id)
                self.enqueue(job, node)

    def withdraw(self, job: JobState, node: TaskNode) -> None:
        """Cancel everything the task waits for: timer, queue, slots, answers of selection scripts."""
        key = (job.id, node.id)
        node.wake = None
        job.delayed.discard(node.id)
        job.ready.discard(node.id)
        self.parked.discard(key)
        self.queue.remove(key)
        if node.selecting is not None:
            self.board.release(node.selecting.held, key)
            node.selecting = None

    @property
    def starts_tasks(self) -> bool:
        """Whether the state of the whole scheduler lets any task start."""
        return self.status not in _NOTHING_STARTS

    def admits(self, job: JobState) -> bool:
        """Whether the state of the whole scheduler lets tasks of this job start."""
        return job.started or self.status not in _STARTED_JOBS_ONLY

    def enqueue(self, job: JobState, node: TaskNode) -> None:
        """Put a ready task into the queue for slots, unless the status of the scheduler keeps its job from starting."""
        if self.admits(job):
            self.queue.put((job.id, node.id), job.record.priority, self.demand(job, node))

    def demand(self, job: JobState, node: TaskNode) -> Demand:
        """What the task asks of its slots now."""
        rules = node.rules
        source, token = rules.source, rules.token
        if "$" in source + token:
            texts = {name: str(value) for name, value in inherited(job, node).items() if isinstance(value, str | int)}
            # Values that refer to each other in a cycle fail the task when it starts; here they name no slot.
            with contextlib.suppress(InfiniteReference):
                source, token = substitute(source, texts), substitute(token, texts)
        if not rules.selection and not node.avoid:
            wish = (rules.nodes, rules.topology, source, token)
            plain = self._demands.get(wish)
            if plain is None:
                plain = Demand(nodes=rules.nodes, topology=rules.topology, source=source, token=token)
                # Few in a scheduler's life, unless tasks name their slots by a variable.
                if len(self._demands) < _MOST_DEMANDS:
                    self._demands[wish] = plain
            return plain
        return Demand(
            nodes=rules.nodes,
            topology=rules.topology,
            source=source,
            token=token,
            avoid=node.avoid,
            refused=job.refused(node, self.board.slots) if rules.selection else frozenset(),
        )

    def near(self, job: JobState, node: TaskNode) -> list[str]:
        """The slots on which its parents ran; empty if all slots have the same files."""
        if not self.board.sites:
            return []
        return [job.nodes[parent].record.slot for parent in node.record.depends[:_MOST_NEAR]]

    # --- slots -------------------------------------------------------------------------------------------------------

    def start(self, job: JobState, node: TaskNode, slots: tuple[Slot, ...]) -> None:
        """Run the task once on these slots."""
        key = (job.id, node.id)
        self.touch(job)
        self.withdraw(job, node)
        self.board.hold(slots, key)
        self.running[key] = slots
        self.announce("TASK_VARIABLES_UPDATED", job, node)
        job.move(
            node,
            TaskStatus.RUNNING,
            attempts=node.record.attempts + 1,
            started_at=self.after(node.record.scheduled_at),
            finished_at=UNSET,
            progress=0,
            slot=slots[0].name,
            host=slots[0].host,
        )
        if not job.started:
            job.change(started_at=node.record.started_at)
            self.announce("JOB_PENDING_TO_RUNNING", job)
        self.announce("TASK_PENDING_TO_RUNNING", job, node)
        parents = effective_parents(job, node)
        self._outbox.append(
            StartAttempt(
                job_id=job.id,
                task_id=node.id,
                number=node.record.attempts,
                slots=slots,
                parents=parents,
                inherited=inherited(job, node),
                job=job.record,
                task=node.record,
                parent_tasks=tuple(job.nodes[parent].record for parent in parents),
            )
        )

    def free(self, job: JobState, node: TaskNode) -> None:
        """The attempt of the task is over, or its outcome is no longer needed."""
        key = (job.id, node.id)
        self.board.release(self.running.pop(key, ()), key)
