"""What all parts of the machine share: the living jobs, the slots, the queue of ready tasks, the timers, the outbox.

A task that waits for no parent goes through `Core.consider`: it waits for its start time, or stands in the queue. At
the end of every event `Core.place` gives slots to tasks of the queue, and `Core.flush` hands out all commands.
"""

from __future__ import annotations

import contextlib
import heapq
from dataclasses import dataclass, replace

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
from proactive_jupyter_kernel.scheduler.engine.job_state import JobState, Selecting, TaskNode
from proactive_jupyter_kernel.scheduler.engine.placement import Demand, Key, Placed, ReadyQueue, SlotBoard
from proactive_jupyter_kernel.scheduler.engine.propagation import effective_parents, inherited
from proactive_jupyter_kernel.scheduler.engine.records import UNSET
from proactive_jupyter_kernel.scheduler.engine.transitions import SchedulerStatus
from proactive_jupyter_kernel.workflow.status import TaskStatus
from proactive_jupyter_kernel.workflow.substitution import InfiniteReference, substitute

__all__ = ["Core", "Limits"]

#: Stands for the job itself among the timers.
_JOB = -1
#: Pauses between two rounds of selection over the same slots, in milliseconds: doubled each round, within these.
_FIRST_PAUSE, _LONGEST_PAUSE = 1_000, 30_000
#: Statuses of the whole scheduler in which nothing is started, and in which only started jobs go on.
_NOTHING_STARTS = (SchedulerStatus.FROZEN, SchedulerStatus.KILLED)
_STARTED_JOBS_ONLY = (SchedulerStatus.PAUSED, SchedulerStatus.SHUTTING_DOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What ProActive takes from the server's settings, and what keeps one job from eating the machine."""

    #: How many lost nodes a task may meet; the last of them fails the job (default as ProActive's).
    node_failures: int = 2
    #: Milliseconds between the loss of a node and the next try.
    node_failure_delay: int = 1_000
    #: The highest `runs` of one replicate script that is obeyed.
    runs: int = 100_000


class Core:
    """The machine's state and its few verbs. `now` is the time of the event in hand, milliseconds since the epoch."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.now = 0
        self.status = SchedulerStatus.STARTED
        self.jobs: dict[int, JobState] = {}
        self.board = SlotBoard()
        self.queue = ReadyQueue()
        #: Slots of the running tasks.
        self.running: dict[Key, tuple[Slot, ...]] = {}
        #: Tasks that every slot refused, until a slot changes or their pause is over.
        self.parked: set[Key] = set()
        #: Ended jobs that are to be forgotten: job id -> when.
        self.removals: dict[int, int] = {}
        self._timers: list[tuple[int, int, int]] = []
        self._touched: dict[int, JobState] = {}
        self._outbox: list[Command] = []
        self._forgotten: list[Command] = []

    # --- commands ----------------------------------------------------------------------------------------------------

    def touch(self, job: JobState) -> None:
        """The job may have changed: its records are looked at when the event is done."""
        self._touched[job.id] = job

    def touched(self) -> list[JobState]:
        return list(self._touched.values())

    def log(self, job: JobState, node: TaskNode, text: str) -> None:
        self._outbox.append(LogLine(job_id=job.id, task_id=node.id, text=text))

    def announce(self, event: str, job: JobState | None = None, node: TaskNode | None = None) -> None:
        """Tell listeners about the scheduler, about a job with all of its tasks, or about a task."""
        if job is None:
            announcement = Announce(event=event)
        elif node is None:
            tasks = tuple(each.record for each in job.nodes)
            announcement = Announce(event=event, job_id=job.id, job=job.snapshot(), tasks=tasks)
        else:
            announcement = Announce(event=event, job_id=job.id, task_id=node.id, job=job.record, task=node.record)
        self._outbox.append(announcement)

    def kill(self, job: JobState, node: TaskNode) -> None:
        """End a running attempt and free its slots at once."""
        self.free(job, node)
        job.change(killed_time=job.record.killed_time + max(0, self.now - node.record.started_at))
        self._outbox.append(KillAttempt(job_id=job.id, task_id=node.id, number=node.record.attempts))

    def forget(self, job_id: int) -> None:
        """Have everything about a job removed; its changes need not be saved any more."""
        self._touched.pop(job_id, None)
        self.jobs.pop(job_id, None)
        self.removals.pop(job_id, None)
        self._outbox.append(Announce(event="JOB_REMOVE_FINISHED", job_id=job_id))
        self._forgotten.append(ForgetJob(job_id=job_id))

    def flush(self) -> list[Command]:
        """All commands since the last call: what to save first, what to forget last. Ended jobs leave the machine."""
        saves: list[Command] = []
        for job in self._touched.values():
            record, tasks = job.drain()
            if record is not None:
                saves.append(SaveJob(job=record))
            saves += [SaveTask(task=task) for task in tasks]
            if not job.alive:
                del self.jobs[job.id]
        commands = saves + self._outbox + self._forgotten
        self._touched, self._outbox, self._forgotten = {}, [], []
        return commands

    # --- time --------------------------------------------------------------------------------------------------------

    def wake(self, job: JobState, node: TaskNode, due: int) -> None:
        """Look at the task again at `due`."""
        node.wake = due
        heapq.heappush(self._timers, (due, job.id, node.id))

    def remove_at(self, job_id: int, due: int) -> None:
        """Forget an ended job at `due`."""
        self.removals[job_id] = due
        heapq.heappush(self._timers, (due, job_id, _JOB))

    def next_due(self) -> int | None:
        """When the next timer is due; timers that mean nothing any more are dropped."""
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

    def fire_timers(self) -> None:
        """Do what is due by now."""
        while (due := self.next_due()) is not None and due <= self.now:
            _, job_id, task_id = heapq.heappop(self._timers)
            if task_id == _JOB:
                self.forget(job_id)
            else:
                job = self.jobs[job_id]
                self.touch(job)
                self._woken(job, job.nodes[task_id])

    def _woken(self, job: JobState, node: TaskNode) -> None:
        node.wake = None
        if node.status in (TaskStatus.WAITING_ON_ERROR, TaskStatus.WAITING_ON_FAILURE):
            self.resubmit(job, node)
        elif node.id in job.delayed:
            self.consider(job, node)
        else:
            self.unpark(job, node)

    # --- waiting and ready tasks -------------------------------------------------------------------------------------

    def resubmit(self, job: JobState, node: TaskNode) -> None:
        """The task may run (again), as far as the job allows."""
        job.move(node, TaskStatus.SUBMITTED, progress=0)
        self.consider(job, node)

    def consider(self, job: JobState, node: TaskNode) -> None:
        """A SUBMITTED task: pause it with its job, let it wait for its start time, or put it into the queue."""
        job.delayed.discard(node.id)
        if job.paused:
            if node.status is TaskStatus.SUBMITTED:
                job.move(node, TaskStatus.PAUSED)
        elif not node.waiting and node.status is TaskStatus.SUBMITTED:
            start = job.record.start_at if node.record.start_at is None else node.record.start_at
            if start is not None and start > self.now:
                job.delayed.add(node.id)
                self.wake(job, node, start)
            else:
                job.move(node, TaskStatus.PENDING, scheduled_at=self.now)
                job.ready.add(node.id)
                self.enqueue(job, node)

    def withdraw(self, job: JobState, node: TaskNode) -> None:
        """Whatever the task waits for, it does so no longer."""
        key = (job.id, node.id)
        node.wake = None
        job.delayed.discard(node.id)
        job.ready.discard(node.id)
        self.parked.discard(key)
        self.queue.remove(key)
        if node.selecting is not None:
            self.board.release(node.selecting.held, key)
            node.selecting = None

    def admits(self, job: JobState) -> bool:
        """Whether the state of the whole scheduler lets tasks of this job start."""
        return job.started or self.status not in _STARTED_JOBS_ONLY

    def enqueue(self, job: JobState, node: TaskNode) -> None:
        """Let a ready task stand in the line for its slots; not while its job has to wait for the scheduler."""
        if self.admits(job):
            self.queue.put((job.id, node.id), job.record.priority, self.demand(job, node))

    def demand(self, job: JobState, node: TaskNode) -> Demand:
        """What the task asks of its slots now."""
        rules = node.rules
        source, token = rules.source, rules.token
        if "$" in source + token:
            texts = {name: str(value) for name, value in inherited(job, node).items() if isinstance(value, str | int)}
            # Values that refer to each other in a circle fail the task when it starts; here they are no name of a slot.
            with contextlib.suppress(InfiniteReference):
                source, token = substitute(source, texts), substitute(token, texts)
        return Demand(
            nodes=rules.nodes,
            topology=rules.topology,
            source=source,
            token=token,
            avoid=node.avoid,
            refused=self._refused(job, node) if rules.selection else frozenset(),
        )

    def _refused(self, job: JobState, node: TaskNode) -> frozenset[str]:
        """The slots that need not be asked about now."""
        refused = set(node.selecting.refused) if node.selecting else set()
        base = node.record.base_name
        return frozenset(
            name for name in self.board.slots if name in refused or job.static_answers.get((base, name)) is False
        )

    # --- slots -------------------------------------------------------------------------------------------------------

    def place(self) -> None:
        """Give free slots to ready tasks."""
        if self.status not in _NOTHING_STARTS:
            self.queue.run(self.board, self._place)

    def _place(self, key: Key, demand: Demand) -> Placed:
        job = self.jobs[key[0]]
        node = job.nodes[key[1]]
        if not node.rules.selection:
            slots = self.board.find(demand)
            if not slots:
                return Placed.NO_SLOT
            self.start(job, node, slots)
            return Placed.GONE
        current = self.demand(job, node)
        if current != demand:
            self.queue.put(key, job.record.priority, current)
            return Placed.MOVED
        return self._select(job, node, demand)

    def _select(self, job: JobState, node: TaskNode, demand: Demand) -> Placed:
        slots = self.board.find(demand)
        if slots:
            self._ask(job, node, slots)
            return Placed.GONE
        unasked = replace(demand, refused=frozenset())
        if demand.refused and len(self.board.suitable(demand)) < demand.nodes <= len(self.board.suitable(unasked)):
            self._park(job, node)
            return Placed.GONE
        return Placed.NO_SLOT

    def _ask(self, job: JobState, node: TaskNode, slots: tuple[Slot, ...]) -> None:
        """Keep the slots, and ask the scripts about those whose answer is not known."""
        key = (job.id, node.id)
        selecting = node.selecting = node.selecting or Selecting()
        known = {slot.name for slot in slots if job.static_answers.get((node.record.base_name, slot.name))}
        unknown = [slot for slot in slots if slot.name not in known | selecting.accepted]
        if not unknown:
            self.start(job, node, slots)
            return
        self.queue.remove(key)
        self.board.hold(slots, key)
        selecting.held = slots
        selecting.awaited = {slot.name for slot in unknown}
        variables = inherited(job, node)
        self._outbox += [
            RunSelection(job_id=job.id, task_id=node.id, slot=slot, inherited=variables) for slot in unknown
        ]

    def _park(self, job: JobState, node: TaskNode) -> None:
        """Every slot refused: wait for a change of the slots or, if the answers may change, for a while."""
        key = (job.id, node.id)
        self.queue.remove(key)
        self.parked.add(key)
        if node.selecting and node.selecting.refused:
            self.wake(job, node, max(self.now + 1, min(node.selecting.refused.values())))

    def unpark(self, job: JobState, node: TaskNode) -> None:
        """Ask again, as far as the refusals are old enough."""
        self.parked.discard((job.id, node.id))
        if node.selecting:
            node.selecting.rounds += 1
            node.selecting.accepted.clear()
            node.selecting.refused = {name: until for name, until in node.selecting.refused.items() if until > self.now}
        self.enqueue(job, node)

    def answered(self, job: JobState, node: TaskNode, slot: str, selected: bool) -> None:
        """The selection scripts have said whether they take a slot."""
        selecting = node.selecting
        if selecting is None or slot not in selecting.awaited:
            return
        selecting.awaited.discard(slot)
        if node.rules.static_selection:
            job.static_answers[node.record.base_name, slot] = selected
        elif not selected:
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(selecting.rounds, 10))
            selecting.refused[slot] = self.now + pause
        if selected:
            selecting.accepted.add(slot)
        if selecting.awaited:
            return
        slots, selecting.held = selecting.held, ()
        key = (job.id, node.id)
        self.board.release(slots, key)
        useful = {name for name in self.board.slots if name not in self._refused(job, node)}
        startable = self.status not in _NOTHING_STARTS and self.admits(job)
        if startable and all(slot.name in useful for slot in slots):
            self.start(job, node, slots)
        else:
            self.enqueue(job, node)

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
            started_at=self.now,
            finished_at=UNSET,
            progress=0,
            slot=slots[0].name,
            host=slots[0].host,
        )
        if not job.started:
            job.change(started_at=self.now)
            self.announce("JOB_PENDING_TO_RUNNING", job)
        self.announce("TASK_PENDING_TO_RUNNING", job, node)
        self._outbox.append(
            StartAttempt(
                job_id=job.id,
                task_id=node.id,
                number=node.record.attempts,
                slots=slots,
                parents=effective_parents(job, node),
                inherited=inherited(job, node),
                job=job.record,
                task=node.record,
            )
        )

    def free(self, job: JobState, node: TaskNode) -> None:
        """The task's attempt is over, or nobody waits for it any more."""
        key = (job.id, node.id)
        self.board.release(self.running.pop(key, ()), key)
