"""Drives the machine: events in; its commands become rows of the next batch, and actions for when that is stored.

A fault of one job ends that job alone: an action that raises, or a row that can never be stored, becomes `JobBroken`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from proactive_jupyter_kernel.scheduler.attempt import Wire
from proactive_jupyter_kernel.scheduler.engine.commands import (
    Announce,
    Command,
    ForgetJob,
    KillAttempt,
    LogLine,
    ReportFault,
    RunSelection,
    SaveJob,
    SaveTask,
    StartAttempt,
)
from proactive_jupyter_kernel.scheduler.engine.events import (
    ClockSet,
    Event,
    JobBroken,
    JobSubmitted,
    RemoveJob,
    TimePassed,
)
from proactive_jupyter_kernel.scheduler.engine.machine import Machine
from proactive_jupyter_kernel.scheduler.monitoring import own_log
from proactive_jupyter_kernel.scheduler.monitoring.measures import Measures
from proactive_jupyter_kernel.scheduler.service import salvage
from proactive_jupyter_kernel.scheduler.service.logs import Logs, LogSource
from proactive_jupyter_kernel.scheduler.service.writer import Action, Writer
from proactive_jupyter_kernel.scheduler.store.base import Batch, JobExtras, NodeUse, ResultRow, Store, Submission
from proactive_jupyter_kernel.scheduler.store.errors import StoreUnavailable
from proactive_jupyter_kernel.scheduler.store.logs import LogLine as StoredLine

__all__ = ["Driver"]

_log = logging.getLogger(__name__)

#: Milliseconds. A timer set further ahead may be wrong by the time it fires: the clock was set, the machine slept. A
#: date such as ``START_AT`` is met at the latest so long after the clock was set.
_LONGEST_SLEEP = 60_000
#: Milliseconds between the clock and the time that has passed that mean that somebody set the clock.
_CLOCK_SET = 1_000


class Driver:
    """Feeds the machine with events and carries out its commands, in the thread of the event loop."""

    def __init__(
        self,
        *,
        machine: Machine,
        store: Store,
        logs: Logs,
        clock: Callable[[], int],
        act: Callable[[Action], None],
        measures: Measures,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` gives milliseconds since the epoch, `steady` the seconds of a monotonic clock; `act`
        carries out what came of a stored batch."""
        self._steady = steady
        #: The clock, and the milliseconds that had passed, when they were compared last.
        self._compared = clock(), steady() * 1000
        self._machine = machine
        self._store = store
        self._logs = logs
        self._clock = clock
        self._act = act
        self._wakeup: asyncio.TimerHandle | None = None
        # Revisions rise over restarts, too. A new store starts from the clock, so that its revisions are not those of
        # the store that was there before.
        first = max(clock(), store.revision + 1)
        #: Stores what the machine decides.
        self.writer = Writer(store=store, logs=logs, measures=measures, owner=self, first_revision=first)
        self._takers: Mapping[type, Callable[[Any], None]] = {
            SaveJob: self._take_job,
            SaveTask: self._take_task,
            ForgetJob: self._take_forget,
            StartAttempt: self._take_start,
            LogLine: self._take_log,
            ReportFault: self._report,
            KillAttempt: self._take_action,
            RunSelection: self._take_action,
            Announce: self._take_announce,
        }

    # --- events --------------------------------------------------------------------------------------------------

    def post(self, event: Event) -> bool:
        """Give the machine an event now; its commands are stored and carried out in the next turn of the loop.

        Returns whether the event itself changed anything, whatever else happens in the same turn.
        """
        try:
            self._compare_clocks()
            self._take(self._machine.handle(event))
            return self._machine.changed
        finally:
            # Also where the machine failed: others wait for its timers.
            self.writer.schedule()
            self._set_wakeup()

    def begin(self, commands: list[Command]) -> None:
        """Carry out the commands that the machine gives after a restart."""
        self._take(commands)
        self.writer.schedule()
        self._set_wakeup()

    def submit(self, event: JobSubmitted, submission: Submission) -> None:
        """A new job. Await `Writer.settled` for it: where that raises, there is no job; the machine forgot it."""
        try:
            commands = self._machine.handle(event)
            self.writer.batch.submissions.append(submission)
            self._take(commands)
        finally:
            self.writer.schedule()
            self._set_wakeup()

    def end_attempt(self, result: ResultRow, event: Event) -> None:
        """What came of an execution, stored together with the event about it."""
        try:
            self.post(event)
        finally:
            task = self.writer.batch.tasks.get((result.job_id, result.task_id))
            if task is not None and task.propagated is result.variables:
                result = replace(result, variables=None)  # stored once
            self.writer.batch.results.append(result)

    def attach(self, job_id: int, extras: JobExtras) -> None:
        """What is attached to a job from now on."""
        self.writer.batch.extras[job_id] = extras
        self.writer.schedule()

    async def keep_channel(self, name: str, entries: Mapping[str, Wire] | None) -> None:
        """Store a channel of tasks, or forget it; returns when that is done."""
        self.writer.batch.channels[name] = entries
        self.writer.schedule()
        await self.writer.settled(name)

    def attached(self, job_id: int) -> JobExtras | None:
        """What waits to be stored of a job's attachments."""
        return next((batch.extras[job_id] for batch in self.writer.unstored() if job_id in batch.extras), None)

    def close(self) -> None:
        """Store what there is; nothing is started or tried again afterwards."""
        self.writer.close()
        if self._wakeup is not None:
            self._wakeup.cancel()

    # --- commands ------------------------------------------------------------------------------------------------

    def _take(self, commands: list[Command]) -> None:
        for command in commands:
            try:
                self._takers[type(command)](command)
            except Exception:
                _log.exception("%s could not be taken up", command)

    def _report(self, fault: ReportFault) -> None:
        _log.error("%s", fault.message, exc_info=fault.error, extra=own_log.about(fault.job_id, fault.task_id))

    def _take_action(self, action: Action) -> None:
        self.writer.actions.append(action)

    def _take_announce(self, command: Announce) -> None:
        if command.event == "JOB_REMOVE_FINISHED" and command.job_id is not None:
            command = self._with_row(command, command.job_id)
        self.writer.actions.append(command)

    def _with_row(self, command: Announce, job_id: int) -> Announce:
        """The announcement of a removal, with the row of the job: listeners can no longer read it from the store."""
        try:
            row = self._store.job(job_id)
        except StoreUnavailable:
            return command
        if row is None:
            return command
        waiting = reversed(self.writer.unstored_actions())
        told = (each.job for each in waiting if isinstance(each, Announce) and each.job_id == job_id)
        return replace(command, row=row, job=next((job for job in told if job is not None), row.record))

    def _take_job(self, command: SaveJob) -> None:
        self.writer.batch.jobs[command.job.job_id] = command.job

    def _take_task(self, command: SaveTask) -> None:
        self.writer.batch.tasks[command.task.job_id, command.task.task_id] = command.task

    def _take_forget(self, command: ForgetJob) -> None:
        self.writer.batch.forgotten.append(command.job_id)
        self._logs.forget(command.job_id)
        self.writer.actions.append(command)

    def _take_start(self, command: StartAttempt) -> None:
        self.writer.batch.node_uses.append(NodeUse(job_id=command.job_id, nodes=len(command.slots)))
        self.writer.actions.append(command)

    def _take_log(self, command: LogLine) -> None:
        key = (command.job_id, command.task_id)
        # The machine may have let go of an ended job by now; its last rows are on their way or stored.
        known = (batch.tasks[key] for batch in self.writer.unstored() if key in batch.tasks)
        task = next(known, None) or self._store.task(*key)
        if task is not None:
            line = StoredLine(error=command.error, at=self._clock(), text=command.text, attempt=max(task.attempts, 1))
            source = LogSource(
                job_id=task.job_id, task_id=task.task_id, task_name=task.name, host=task.host or "scheduler"
            )
            self._logs.append(source, line)

    # --- for the writer ------------------------------------------------------------------------------------------

    def carry_out(self, action: Action) -> None:
        """Carry out one action. An exception does not stop the others; it ends the job for which a start failed."""
        try:
            self._act(action)
        except Exception as error:
            _log.exception("%s could not be carried out", action)
            if isinstance(action, StartAttempt | RunSelection):
                said = f"{type(error).__name__}: {error}"
                message = f"The scheduler failed to start this task, and ended its job: {said}"
                self.post(self._broken(action.job_id, message, action.task_id))

    def undo(self, job_id: int) -> None:
        """Remove a job that was never announced from the machine."""
        commands = self._machine.handle(RemoveJob(job_id=job_id, at=self._clock()))
        self._take([command for command in commands if _job_of(command) != job_id])
        self.writer.batch.drop_job(job_id)
        self.writer.actions = [action for action in self.writer.actions if _job_of(action) != job_id]
        self._logs.forget(job_id)

    def end_broken(self, job_id: int, part: Batch, message: str) -> Batch:
        """End a job that has rows which can never be stored; returns its part of the batch with that end."""
        task_id = salvage.task_of_culprit(part)
        # What waits for this job was to come after rows that will not be there.
        self.writer.actions = [
            act for act in self.writer.actions if _job_of(act) != job_id or isinstance(act, KillAttempt)
        ]
        others, self.writer.batch = self.writer.batch, part
        commands = self._machine.handle(self._broken(job_id, message, task_id))
        self._take(commands)
        part, self.writer.batch = self.writer.batch, others
        self._set_wakeup()
        known = any(isinstance(command, SaveJob) and command.job.job_id == job_id for command in commands)
        return part if known else salvage.as_broken(part, message, task_id)

    def _broken(self, job_id: int, message: str, task_id: int | None) -> JobBroken:
        return JobBroken(at=self._clock(), job_id=job_id, message=message, task_id=task_id)

    # --- time ----------------------------------------------------------------------------------------------------

    def _set_wakeup(self) -> None:
        """One timer, for the moment the machine waits for; none while it waits for nothing."""
        if self._wakeup is not None:
            self._wakeup.cancel()
            self._wakeup = None
        due = self._machine.next_wakeup
        if due is None or self.writer.closed:
            return
        delay = min(max(due - self._clock(), 0), _LONGEST_SLEEP) / 1000
        self._wakeup = asyncio.get_running_loop().call_later(delay, self._time_passed)

    def _compare_clocks(self) -> None:
        """Tell the machine if the wall clock was set, so that delays keep their length."""
        (clock, steady), self._compared = self._compared, (self._clock(), self._steady() * 1000)
        by = round((self._compared[0] - clock) - (self._compared[1] - steady))
        if abs(by) >= _CLOCK_SET:
            _log.warning("the clock was set by %+.1f s, or the machine slept; delays are kept", by / 1000)
            self._take(self._machine.handle(ClockSet(at=self._compared[0], by=by)))

    def _time_passed(self) -> None:
        self.post(TimePassed(at=self._clock()))


def _job_of(command: Command) -> int | None:
    if isinstance(command, SaveJob):
        return command.job.job_id
    if isinstance(command, SaveTask):
        return command.task.job_id
    return command.job_id
