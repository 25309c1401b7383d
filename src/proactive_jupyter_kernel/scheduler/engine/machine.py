"""The machine: events in, commands out. It opens nothing, waits for nothing and reads no clock.

`Machine.handle` is the only way its state changes. What an event costs does not depend on how many tasks a job has,
but for what concerns all of them: a job's submission, end, pause and resumption.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, tzinfo
from types import MappingProxyType
from typing import Any, TypeAlias

from proactive_jupyter_kernel.scheduler.engine import actions, ending, events
from proactive_jupyter_kernel.scheduler.engine.barrier import barrier, break_job, end_broken
from proactive_jupyter_kernel.scheduler.engine.building import build_job
from proactive_jupyter_kernel.scheduler.engine.commands import Command, SaveJob, SaveTask
from proactive_jupyter_kernel.scheduler.engine.core import Core, Limits
from proactive_jupyter_kernel.scheduler.engine.invariants import check
from proactive_jupyter_kernel.scheduler.engine.job_state import WAITING_FOR_RETRY, JobState, TaskNode
from proactive_jupyter_kernel.scheduler.engine.placement import Demand, Key, Placed, SlotState, unmet
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.engine.restoring import restored_job, resume_work
from proactive_jupyter_kernel.scheduler.engine.selection import answered, select, unpark
from proactive_jupyter_kernel.scheduler.engine.transitions import SCHEDULER_MOVES, SchedulerStatus
from proactive_jupyter_kernel.scheduler.engine.waiting import WaitingTasks, waiting_tasks
from proactive_jupyter_kernel.workflow.model import Workflow
from proactive_jupyter_kernel.workflow.status import JOB_ENDED, JobStatus, TaskStatus

__all__ = ["Limits", "Machine"]

_JobAction: TypeAlias = Callable[[Core, JobState, Any], None]
_TaskAction: TypeAlias = Callable[[Core, JobState, TaskNode, Any], None]
_WholeAction: TypeAlias = Callable[[Core, Any], None]


class Machine:
    """Holds the jobs that are alive. An ended job is forgotten with the commands that say so; the store keeps it."""

    def __init__(self, limits: Limits | None = None, zone: tzinfo = UTC) -> None:
        """`zone` is that of cron expressions: the machine does not ask the system."""
        self._core = Core(limits or Limits(), zone)
        #: Whether the last event itself changed anything, without timers and slots that came due with it.
        self.changed = False

    # --- what changes it ---------------------------------------------------------------------------------------------

    def handle(self, event: events.Event) -> list[Command]:
        """Take in what happened; returns what is to be done about it, in this order: rows to save (each changed row
        once), logs, kills, starts and announcements, jobs to forget. Nothing where the event changed nothing.

        Events about jobs, tasks and attempts that are over, or were never heard of, are ignored; but `RemoveJob` asks
        to forget also a job that ended before. ValueError where a submitted workflow still holds references.
        """
        core = self._core
        core.now = event.at
        if isinstance(event, events.ClockSet):
            _shift_delays(core, event.by)
        _fire_timers(core)
        kind = type(event)
        self.changed = False
        if kind in _WHOLE_ACTIONS:
            before = core.status, core.asked
            _WHOLE_ACTIONS[kind](core, event)
            self.changed = (core.status, core.asked) != before
        elif isinstance(event, events.JobEvent) and (job := core.jobs.get(event.job_id)):
            core.touch(job)
            before_job = job.version, core.asked
            if kind in _JOB_ACTIONS:
                with barrier(core, job):
                    _JOB_ACTIONS[kind](core, job, event)
            elif isinstance(event, events.TaskEvent) and 0 <= event.task_id < len(job.nodes):
                with barrier(core, job, event.task_id):
                    _TASK_ACTIONS[kind](core, job, job.nodes[event.task_id], event)
            self.changed = (job.version, core.asked) != before_job
        return self._done()

    def restore(
        self, jobs: Iterable[tuple[JobRecord, Workflow | str, Sequence[TaskRecord]]], *, at: int = 0
    ) -> list[Command]:
        """Continue stored jobs after a restart of the scheduler, at the time `at`.

        Attempts that ran then run again, under a new number and without costing an execution. Of an ended job only the
        time of its removal is read. A job that cannot be continued ends with a message, which may stand in the place
        of its workflow.
        """
        core = self._core
        core.now = at
        for record, workflow, tasks in jobs:
            if record.status not in JOB_ENDED:
                _restore(core, record, workflow, tasks)
            elif record.remove_at is not None:
                core.remove_at(record.job_id, record.remove_at)
        return self._done()

    def _done(self) -> list[Command]:
        core = self._core
        again = False
        while True:
            for job in core.touched():
                with barrier(core, job):
                    ending.end_if_complete(core, job)
            _place(core)
            for job in core.touched():
                with barrier(core, job):
                    core.collect(job)
            if not core.take_freed():
                break
            again = True
        return _last_rows(core.flush()) if again else core.flush()

    # --- what it tells -----------------------------------------------------------------------------------------------

    def announce_tasks(self, wanted: bool) -> None:
        """Whether events of tasks are announced, and those of jobs with the records of all tasks; at first they are."""
        self._core.announces_tasks = wanted

    @property
    def next_wakeup(self) -> int | None:
        """When to send `TimePassed`, in milliseconds since the epoch, perhaps past; None: nothing waits for time."""
        return self._core.next_due()

    @property
    def status(self) -> SchedulerStatus:
        """What the scheduler as a whole does."""
        return self._core.status

    @property
    def slots(self) -> tuple[SlotState, ...]:
        """The slots in the executor's order, with their states."""
        return self._core.board.states()

    def unmet(self, job_id: int, task_id: int) -> str:
        """Which condition keeps a task that could start from a slot; empty where none does. KeyError: no such job."""
        job = self._core.jobs[job_id]
        node = job.nodes[task_id]
        asking = node.selecting is not None and bool(node.selecting.held)
        if node.status is not TaskStatus.PENDING or not self._core.admits(job) or asking:
            return ""
        return unmet(self._core.demand(job, node), self._core.board)

    def waiting(self) -> tuple[tuple[WaitingTasks, ...], bool]:
        """Which tasks wait for a slot or a time, and why; and whether these are all. Its cost is bounded."""
        return waiting_tasks(self._core)

    def holder(self, key: Key) -> tuple[JobRecord, TaskRecord] | None:
        """The job and the task that hold a slot, as they are now; None if the job is not alive."""
        job = self._core.jobs.get(key[0])
        return (job.record, job.nodes[key[1]].record) if job is not None else None

    def jobs(self) -> tuple[JobRecord, ...]:
        """The jobs that are alive, oldest first."""
        return tuple(job.record for _, job in sorted(self._core.jobs.items()))

    def job(self, job_id: int) -> JobRecord:
        """A job that is alive; KeyError if there is none of that id."""
        return self._core.jobs[job_id].record

    def tasks(self, job_id: int) -> tuple[TaskRecord, ...]:
        """All tasks of a job that is alive, in order of their ids; KeyError if there is no such job."""
        return tuple(node.record for node in self._core.jobs[job_id].nodes)

    def task(self, job_id: int, name: str) -> TaskRecord:
        """A task of a job that is alive, by its full name; KeyError if there is none."""
        return self._core.jobs[job_id].by_name[name].record

    def check(self) -> None:
        """Compare all indices and counters with the tasks; AssertionError, with the place, where they differ.

        Costs as much as there are tasks; for tests and for looking into a fault.
        """
        check(self._core)


# --- events ----------------------------------------------------------------------------------------------------------


def _submitted(core: Core, event: events.JobSubmitted) -> None:
    """Build the job and let its tasks start."""
    job = build_job(event.job_id, event.workflow, event.owner, event.at, node_failures=core.limits.node_failures)
    core.jobs[job.id] = job
    core.touch(job)
    job.reading, job.reading_until = event.reading, event.reading_until
    with barrier(core, job):
        core.announce("JOB_SUBMITTED", job)
        for node in job.nodes:
            core.consider(job, node)


def _restore(core: Core, record: JobRecord, workflow: Workflow | str, tasks: Sequence[TaskRecord]) -> None:
    """Take over a stored job; end it in error if its workflow cannot be read or its records do not fit."""
    if isinstance(workflow, str):
        end_broken(core, record, tasks, f"The scheduler could not continue this job after its restart: {workflow}")
        return
    try:
        job = restored_job(record, workflow, tasks, node_failures=core.limits.node_failures)
    except Exception as error:
        message = f"The scheduler could not continue this job after its restart: {type(error).__name__}: {error}"
        end_broken(core, record, tasks, message, error=error)
        return
    core.jobs[job.id] = job
    core.touch(job)
    with barrier(core, job):
        resume_work(core, job)


def _fire_timers(core: Core) -> None:
    """Do what is due by now."""
    while (due := core.pop_due()) is not None:
        job_id, task_id = due
        if task_id is None:
            core.forget(job_id)
            continue
        job = core.jobs[job_id]
        core.touch(job)
        with barrier(core, job, task_id):
            _woken(core, job, job.nodes[task_id])


def _shift_delays(core: Core, by: int) -> None:
    """Let what waits for a while wait as long as it was meant to; what waits for a date is left as it is."""
    core.shift_removals(by)
    for job in list(core.jobs.values()):
        with barrier(core, job):
            for node in job.nodes:
                if node.wake is not None and node.id not in job.delayed:
                    core.wake(job, node, node.wake + by)
                    job.touch(node)
                    core.touch(job)
                if node.selecting is not None:
                    refused = node.selecting.refused
                    node.selecting.refused = {slot: until + by for slot, until in refused.items()}


def _woken(core: Core, job: JobState, node: TaskNode) -> None:
    node.wake = None
    if node.status in WAITING_FOR_RETRY:
        core.resubmit(job, node)
    elif node.id in job.delayed:
        core.consider(job, node)
    else:
        unpark(core, job, node)


def _place(core: Core) -> None:
    """Give free slots to ready tasks."""
    if not core.starts_tasks:
        return

    def place(key: Key, demand: Demand) -> Placed:
        job_id, task_id = key
        job = core.jobs[job_id]
        with barrier(core, job, task_id):
            node = job.nodes[task_id]
            if node.rules.selection:
                return select(core, job, node, demand)
            slots = core.board.find(demand, core.near(job, node))
            if not slots:
                return Placed.NO_SLOT
            core.start(job, node, slots)
        return Placed.GONE

    core.queue.run(core.board, place)


def _last_rows(commands: list[Command]) -> list[Command]:
    """The commands with each row saved once, as it is at the end."""
    rows = {_row(command): command for command in commands if isinstance(command, SaveJob | SaveTask)}
    return [*rows.values(), *(command for command in commands if not isinstance(command, SaveJob | SaveTask))]


def _row(command: SaveJob | SaveTask) -> tuple[int, int]:
    """What identifies a row: the job, and the task or -1 for the job itself."""
    if isinstance(command, SaveJob):
        return command.job.job_id, -1
    return command.task.job_id, command.task.task_id


def _slots_changed(core: Core, event: events.SlotsChanged) -> None:
    """Replace the slots, and try them for the tasks that all earlier ones refused."""
    core.board.change(event.slots)
    for job_id, task_id in sorted(core.parked):
        job = core.jobs.get(job_id)
        if job is not None:
            core.touch(job)
            with barrier(core, job, task_id):
                unpark(core, job, job.nodes[task_id])


def _lock_slots(core: Core, event: events.LockSlots) -> None:
    core.board.lock(event.names, event.locked)


def _time_passed(core: Core, event: events.TimePassed | events.ClockSet) -> None:
    """Timers are looked at with every event; there is nothing else to do."""


def _remove_job(core: Core, event: events.RemoveJob) -> None:
    if job := core.jobs.get(event.job_id):
        with barrier(core, job):
            actions.kill_job(core, job, events.KillJob(at=event.at, job_id=event.job_id))
    core.forget(event.job_id)


def _scheduler_command(core: Core, event: events.SchedulerCommand) -> None:
    possible_in, status, announcement = SCHEDULER_MOVES[event.verb]
    if core.status not in possible_in:
        return
    core.status = status
    core.announce(announcement)
    for job in list(core.jobs.values()):
        core.touch(job)
        with barrier(core, job):
            if status is SchedulerStatus.KILLED:
                ending.end_job(core, job, JobStatus.KILLED)
            elif not job.started:
                _admit(core, job)


def _admit(core: Core, job: JobState) -> None:
    """Put the ready tasks of a job that has not started into the queue, or take them out."""
    for task_id in sorted(job.ready):
        node = job.nodes[task_id]
        key = (job.id, task_id)
        if not core.admits(job):
            core.queue.remove(key)
        elif key not in core.parked and not (node.selecting and node.selecting.held):
            core.enqueue(job, node)


def _attempt_ended(core: Core, job: JobState, node: TaskNode, event: events.AttemptEnded) -> None:
    if node.status is TaskStatus.RUNNING and event.number == node.record.attempts:
        ending.attempt_ended(core, job, node, event)


def _selection_ended(core: Core, job: JobState, node: TaskNode, event: events.SelectionEnded) -> None:
    answered(core, job, node, event.slot, event.selected)


def _job_broken(core: Core, job: JobState, event: events.JobBroken) -> None:
    break_job(core, job, event.message, task_id=event.task_id)


def _progress_made(core: Core, job: JobState, node: TaskNode, event: events.ProgressMade) -> None:
    if node.status is not TaskStatus.RUNNING or event.number != node.record.attempts:
        return
    progress = max(0, min(100, event.progress))
    if progress != node.record.progress:
        job.update(node, progress=progress)
        core.announce("TASK_PROGRESS", job, node)


_WHOLE_ACTIONS: Mapping[type, _WholeAction] = MappingProxyType(
    {
        events.JobSubmitted: _submitted,
        events.SlotsChanged: _slots_changed,
        events.LockSlots: _lock_slots,
        events.TimePassed: _time_passed,
        events.ClockSet: _time_passed,
        events.RemoveJob: _remove_job,
        events.SchedulerCommand: _scheduler_command,
    }
)
_JOB_ACTIONS: Mapping[type, _JobAction] = MappingProxyType(
    {
        events.JobBroken: _job_broken,
        events.KillJob: actions.kill_job,
        events.PauseJob: actions.pause_job,
        events.ResumeJob: actions.resume_job,
        events.SetPriority: actions.set_priority,
        events.ScriptsRead: actions.scripts_read,
        events.SetStartAt: actions.set_start_at,
        events.RestartAllInErrorTasks: actions.restart_all_in_error,
    }
)
_TASK_ACTIONS: Mapping[type, _TaskAction] = MappingProxyType(
    {
        events.AttemptEnded: _attempt_ended,
        events.SelectionEnded: _selection_ended,
        events.ProgressMade: _progress_made,
        events.KillTask: actions.kill_task,
        events.RestartTask: actions.restart_task,
        events.PreemptTask: actions.preempt_task,
        events.RestartInErrorTask: actions.restart_in_error,
        events.FinishInErrorTask: actions.finish_in_error,
    }
)
