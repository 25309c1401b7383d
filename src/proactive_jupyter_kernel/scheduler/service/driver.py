"""Drives the machine: events in, rows to the store, and only then what the machine asked for.

All events of one moment (one turn of the loop) are one batch and one transaction. A small batch is written at once, in
a tenth of a millisecond. A thread writes the others, and all of them while another process has locked the file or the
disk is slow, so that the loop does not wait; what happens meanwhile is the next batch.
While the store cannot write, the batch waits and grows by replacing rows, nothing new is started or told, and writing
is tried again; kills are carried out all the same, for they are right whatever a restart would find.

A fault of one job ends that job alone: an action that raises, or a row that can never be stored, becomes `JobBroken`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from proactive_jupyter_kernel.scheduler import own_log, tracing
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
from proactive_jupyter_kernel.scheduler.measures import Measures
from proactive_jupyter_kernel.scheduler.service import salvage
from proactive_jupyter_kernel.scheduler.service.errors import Unstorable
from proactive_jupyter_kernel.scheduler.service.logs import Logs, LogSource
from proactive_jupyter_kernel.scheduler.store.base import (
    Batch,
    JobExtras,
    NodeUse,
    ResultRow,
    Store,
    StoreGone,
    StoreUnavailable,
    Submission,
)
from proactive_jupyter_kernel.scheduler.store.base import LogLine as StoredLine

__all__ = ["Action", "Driver"]

_log = logging.getLogger(__name__)

#: What is carried out after the batch is stored.
Action: TypeAlias = StartAttempt | KillAttempt | RunSelection | Announce | ForgetJob

#: Who waits until something is stored, and for which job or channel.
_Waiter: TypeAlias = tuple["asyncio.Future[None]", salvage.Key | None]

#: Seconds between tries while the store cannot write.
_RETRY_FIRST, _RETRY_MOST = 0.5, 10.0
#: Rows and bytes of a batch that is written at once.
_SMALL_ROWS, _SMALL_BYTES = 64, 64 * 1024
#: Seconds that such a batch may take; after a slower one the thread writes everything for so long.
_SLOW, _SLOW_PERIOD = 0.02, 1.0
#: Milliseconds. A timer set further ahead may be wrong by the time it fires: the clock was set, the machine slept. A
#: date such as ``START_AT`` is met at the latest so long after the clock was set.
_LONGEST_SLEEP = 60_000
#: Milliseconds between the clock and the time that has passed that mean that somebody set the clock.
_CLOCK_SET = 1_000


@dataclass(frozen=True, slots=True)
class _Writing:
    """A batch that the thread writes, what is carried out when it is stored, and who waits for that."""

    batch: Batch
    actions: list[Action]
    waiters: list[_Waiter]
    begin: float
    future: Future[None]


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
        """`clock` gives milliseconds since the epoch, `steady` the seconds that pass, whoever sets the clock; `act`
        carries out what came of a stored batch."""
        self._steady = steady
        #: The clock, and the milliseconds that had passed, when they were compared last.
        self._compared = clock(), steady() * 1000
        self._measures = measures
        self._machine = machine
        self._store = store
        self._logs = logs
        self._clock = clock
        self._act = act
        self._batch = Batch()
        self._actions: list[Action] = []
        self._waiters: list[_Waiter] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")
        #: What is being written; the batch, the actions and the waiters above come after it.
        self._writing: _Writing | None = None
        #: Until when the thread writes all batches, by the monotonic clock.
        self._slow_until = 0.0
        #: Whether a flush was asked for meanwhile.
        self._flush_wanted = False
        self._when_idle: list[Callable[[], None]] = []
        self._flush_handle: asyncio.Handle | None = None
        self._wakeup: asyncio.TimerHandle | None = None
        self._retry_delay = _RETRY_FIRST
        self._closed = False
        #: Why the store cannot write; empty while it can.
        self.down = ""
        #: The store was not in its place when it was looked for last.
        self.gone = False
        #: Rises with every stored change, over restarts, too. A new store starts from the clock, so that its revisions
        #: are not those of the store that was there before.
        self.revision = max(clock(), store.revision + 1)
        self._takers: Mapping[type, Callable[[Any], None]] = {
            SaveJob: self._take_job,
            SaveTask: self._take_task,
            ForgetJob: self._take_forget,
            StartAttempt: self._take_start,
            LogLine: self._take_log,
            ReportFault: self._report,
            KillAttempt: self._actions_append,
            RunSelection: self._actions_append,
            Announce: self._take_announce,
        }

    # --- events --------------------------------------------------------------------------------------------------

    def post(self, event: Event) -> bool:
        """The machine learns of an event now; what comes of it is stored and carried out in the next turn.

        Returns whether the event itself changed anything, whatever else happens in the same turn.
        """
        try:
            self._compare_clocks()
            self._take(self._machine.handle(event))
            return self._machine.changed
        finally:
            # Also where the machine failed: others wait for its timers.
            self._schedule_flush()
            self._set_wakeup()

    def begin(self, commands: list[Command]) -> None:
        """Take what the machine wants after a restart."""
        self._take(commands)
        self._schedule_flush()
        self._set_wakeup()

    def submit(self, event: JobSubmitted, submission: Submission) -> None:
        """A new job. Await `settled` for it: where it raises, there is no job and the machine has forgotten it."""
        try:
            commands = self._machine.handle(event)
            self._batch.submissions.append(submission)
            self._take(commands)
        finally:
            self._schedule_flush()
            self._set_wakeup()

    def end_attempt(self, result: ResultRow, event: Event) -> None:
        """What came of an execution, stored together with the event about it."""
        try:
            self.post(event)
        finally:
            task = self._batch.tasks.get((result.job_id, result.task_id))
            if task is not None and task.propagated is result.variables:
                result = replace(result, variables=None)  # stored once
            self._batch.results.append(result)

    def attach(self, job_id: int, extras: JobExtras) -> None:
        """What is attached to a job from now on."""
        self._batch.extras[job_id] = extras
        self._schedule_flush()

    async def keep_channel(self, name: str, entries: Mapping[str, Wire] | None) -> None:
        """Store a channel of tasks, or forget it; returns when that is done."""
        self._batch.channels[name] = entries
        self._schedule_flush()
        await self.settled(name)

    def attached(self, job_id: int) -> JobExtras | None:
        """What waits to be stored of a job's attachments."""
        return next((batch.extras[job_id] for batch in self._unstored() if job_id in batch.extras), None)

    def soon(self, delay: float) -> None:
        """Write within `delay` seconds what has gathered, unless that happens earlier anyway."""
        if self._flush_handle is None and not self._closed and not self.down:
            self._flush_handle = asyncio.get_running_loop().call_later(delay, self.flush)

    async def settled(self, about: salvage.Key | None = None) -> None:
        """Wait until everything posted so far is stored. Raises `StoreUnavailable` where it cannot be, for now, and
        `Unstorable` where the job or channel that it is about never can."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._batch or self._actions or self._flush_handle is not None:
            self._waiters.append((waiter, about))
            self._schedule_flush()
        elif self._writing is not None:
            self._writing.waiters.append((waiter, about))
        else:
            return
        await waiter

    @property
    def output_waits(self) -> bool:
        """Whether lines of output are not stored yet."""
        return self._logs.waiting or any(batch.logs for batch in self._unstored())

    async def store_output(self) -> None:
        """Store all lines that have come so far. Raises `StoreUnavailable` as `settled`."""
        if not self.down:
            self._batch.logs += self._logs.drain()
        await self.settled()

    def unstored_output(self, job_id: int) -> list[tuple[int, StoredLine]]:
        """The lines of a job that the store does not have, each with its task's id; right while nothing is written."""
        parts = [*self._batch.logs, *self._logs.buffered()]
        return [(part.task_id, line) for part in parts if part.job_id == job_id for line in part.lines]

    def when_idle(self, call: Callable[[], None]) -> None:
        """Call as soon as nothing is being written; at once if nothing is."""
        if self._writing is None:
            call()
        else:
            self._when_idle.append(call)

    def close(self) -> None:
        """Write what there is; nothing is started or tried again afterwards."""
        if self._writing is not None:
            writing, self._writing = self._writing, None
            self._written(writing)
        if not self._closed:
            if not self.down:
                self._batch.logs += self._logs.drain()
            self._write_now()
        self._closed = True
        self._thread.shutdown()
        for handle in (self._flush_handle, self._wakeup):
            if handle is not None:
                handle.cancel()

    def _unstored(self) -> list[Batch]:
        """What is on its way to the store, the latest first."""
        return [self._batch] if self._writing is None else [self._batch, self._writing.batch]

    # --- commands ------------------------------------------------------------------------------------------------

    def _take(self, commands: list[Command]) -> None:
        for command in commands:
            try:
                self._takers[type(command)](command)
            except Exception:
                _log.exception("%s could not be taken up", command)

    def _report(self, fault: ReportFault) -> None:
        _log.error("%s", fault.message, exc_info=fault.error, extra=own_log.about(fault.job_id, fault.task_id))

    def _actions_append(self, action: Action) -> None:
        self._actions.append(action)

    def _take_announce(self, command: Announce) -> None:
        if command.event == "JOB_REMOVE_FINISHED" and command.job_id is not None:
            command = self._with_row(command, command.job_id)
        self._actions.append(command)

    def _with_row(self, command: Announce, job_id: int) -> Announce:
        """The announcement of a removal, with the row, which listeners cannot read from the store any more."""
        try:
            row = self._store.job(job_id)
        except StoreUnavailable:
            return command
        if row is None:
            return command
        waiting = [*(self._writing.actions if self._writing else ()), *self._actions]
        told = (each.job for each in reversed(waiting) if isinstance(each, Announce) and each.job_id == job_id)
        return replace(command, row=row, job=next((job for job in told if job is not None), row.record))

    def _take_job(self, command: SaveJob) -> None:
        self._batch.jobs[command.job.job_id] = command.job

    def _take_task(self, command: SaveTask) -> None:
        self._batch.tasks[command.task.job_id, command.task.task_id] = command.task

    def _take_forget(self, command: ForgetJob) -> None:
        self._batch.forgotten.append(command.job_id)
        self._logs.forget(command.job_id)
        self._actions.append(command)

    def _take_start(self, command: StartAttempt) -> None:
        self._batch.node_uses.append(NodeUse(job_id=command.job_id, nodes=len(command.slots)))
        self._actions.append(command)

    def _take_log(self, command: LogLine) -> None:
        key = (command.job_id, command.task_id)
        # The machine may have let go of an ended job by now; its last rows are on their way or stored.
        known = (batch.tasks[key] for batch in self._unstored() if key in batch.tasks)
        task = next(known, None) or self._store.task(*key)
        if task is not None:
            line = StoredLine(error=command.error, at=self._clock(), text=command.text, attempt=max(task.attempts, 1))
            source = LogSource(
                job_id=task.job_id, task_id=task.task_id, task_name=task.name, host=task.host or "scheduler"
            )
            self._logs.append(source, line)

    # --- writing -------------------------------------------------------------------------------------------------

    def _schedule_flush(self) -> None:
        """At the end of this turn; a flush that was to come later comes now."""
        if self._closed:
            return
        if self._flush_handle is not None:
            self._flush_handle.cancel()
        self._flush_handle = asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Begin to store the batch; its actions are carried out when that is done. On failure both are kept, and tried
        again later."""
        if self._flush_handle is not None:
            self._flush_handle.cancel()
            self._flush_handle = None
        if self._closed:
            return
        if self._writing is not None:
            self._flush_wanted = True
            return
        self._flush_wanted = False
        if not self.down:
            self._batch.logs += self._logs.drain()
        if not self._batch:
            self._write_now()
            return
        batch, actions, waiters = self._batch, self._actions, self._waiters
        self._batch, self._actions, self._waiters = Batch(), [], []
        batch.revision = self.revision + 1 if batch.changes_jobs else None
        begin = time.perf_counter()
        written = self._written_at_once(batch, begin)
        if written is not None:
            self._written(_Writing(batch, actions, waiters, begin, written))
            return
        loop = asyncio.get_running_loop()
        future = self._thread.submit(self._store.write, batch)
        writing = self._writing = _Writing(batch, actions, waiters, begin, future)

        def done(_: Future[None]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._flushed, writing)

        future.add_done_callback(done)

    def _written_at_once(self, batch: Batch, begin: float) -> Future[None] | None:
        """What came of writing a small batch in this thread; None where the thread has to write it."""
        if self.down or begin < self._slow_until or batch.is_larger_than(_SMALL_ROWS, _SMALL_BYTES):
            return None
        done: Future[None] = Future()
        try:
            if not self._store.try_write(batch):
                return None
            done.set_result(None)
        except Exception as error:
            done.set_exception(error)
        end = time.perf_counter()
        if end - begin > _SLOW:
            self._slow_until = end + _SLOW_PERIOD
        return done

    def _flushed(self, writing: _Writing) -> None:
        """The thread has written a batch, or failed; the next one follows."""
        if self._writing is not writing:
            return  # closed meanwhile
        self._writing = None
        self._written(writing)
        calls, self._when_idle = self._when_idle, []
        for call in calls:
            call()
        wanted = self._flush_wanted or self._batch or self._actions or self._waiters
        if wanted and self._writing is None and self._flush_handle is None:
            self.flush()

    def _written(self, writing: _Writing) -> None:
        error = writing.future.exception()
        if error is None:
            self.revision = writing.batch.revision or self.revision
            self._measures.batches += 1
            self._measures.batch_seconds += time.perf_counter() - writing.begin
            for result in writing.batch.results:
                tracing.mark("kept", result.job_id, result.task_id)
            self._recovered()
            self._finish(writing.waiters)
            self._carry_out_all(writing.actions)
            return
        self._batch = salvage.joined([writing.batch, self._batch])
        self._actions = [*writing.actions, *self._actions]
        self._waiters = [*writing.waiters, *self._waiters]
        if isinstance(error, StoreUnavailable):
            self._write_failed(error)
        else:
            # A row that can never be stored, a rare fault: found in this thread, with the machine.
            self._write_now()

    def _write_now(self) -> None:
        """Store the batch in this thread and carry out its actions."""
        refused: Mapping[salvage.Key, Unstorable] = {}
        try:
            if self._batch:
                refused = self._write()
            elif self.down:
                self._store.check()
        except StoreUnavailable as error:
            self._write_failed(error)
            return
        self._recovered()
        waiters, self._waiters = self._waiters, []
        self._finish(waiters, refused=refused)
        actions, self._actions = self._actions, []
        self._carry_out_all(actions)

    def _write(self) -> Mapping[salvage.Key, Unstorable]:
        """Store the batch, whole or, where a part of it can never be stored, without this part; returns why not."""
        begin = time.perf_counter()
        refused: dict[salvage.Key, Unstorable] = {}
        while self._batch:
            batch, self._batch = self._batch, Batch()
            batch.revision = self.revision + 1 if batch.changes_jobs else None
            left: dict[salvage.Key, Batch] = {0: batch}
            try:
                try:
                    self._store.write(batch)
                except StoreUnavailable:
                    raise
                except Exception as error:
                    _log.error("a batch could not be stored", exc_info=error)
                    left = salvage.parts(batch)
                    refused |= salvage.store_parts(self._store, left, undo=self._undo, end_job=self._end_broken)
            except StoreUnavailable:
                self._batch = salvage.joined([*left.values(), self._batch])
                raise
            for result in batch.results:
                tracing.mark("kept", result.job_id, result.task_id)
            self.revision = batch.revision or self.revision
        self._measures.batches += 1
        self._measures.batch_seconds += time.perf_counter() - begin
        return refused

    def _end_broken(self, job_id: int, part: Batch, message: str) -> Batch:
        """End a job of which something can never be stored: its part of the batch with that end."""
        task_id = salvage.task_of_culprit(part)
        # What waits for this job was to come after rows that will not be there.
        self._actions = [act for act in self._actions if _job_of(act) != job_id or isinstance(act, KillAttempt)]
        others, self._batch = self._batch, part
        commands = self._machine.handle(self._broken(job_id, message, task_id))
        self._take(commands)
        part, self._batch = self._batch, others
        self._set_wakeup()
        known = any(isinstance(command, SaveJob) and command.job.job_id == job_id for command in commands)
        return part if known else salvage.as_broken(part, message, task_id)

    def _carry_out_all(self, actions: list[Action]) -> None:
        for action in actions:
            self._carry_out(action)

    def _carry_out(self, action: Action) -> None:
        """One action; what it raises keeps none of the others, and ends the job for which something was to start."""
        try:
            self._act(action)
        except Exception as error:
            _log.exception("%s could not be carried out", action)
            if isinstance(action, StartAttempt | RunSelection):
                said = f"{type(error).__name__}: {error}"
                message = f"The scheduler failed at starting this task, and ended its job: {said}"
                self.post(self._broken(action.job_id, message, action.task_id))

    def _broken(self, job_id: int, message: str, task_id: int | None) -> JobBroken:
        return JobBroken(at=self._clock(), job_id=job_id, message=message, task_id=task_id)

    def _finish(
        self,
        waiters: list[_Waiter],
        *,
        error: StoreUnavailable | None = None,
        refused: Mapping[salvage.Key, Unstorable] | None = None,
    ) -> None:
        for waiter, about in waiters:
            reason = error or (None if about is None else (refused or {}).get(about))
            if waiter.done():
                continue
            if reason is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(reason)

    def _write_failed(self, error: StoreUnavailable) -> None:
        self._measures.batches_failed += 1
        for submission in self._batch.submissions:
            self._undo(submission.job_id)
        waiters, self._waiters = self._waiters, []
        self._finish(waiters, error=error)
        self._kill_now()
        if not self._batch and not self._actions and not isinstance(error, StoreGone):
            return
        self._say_down(error)

    def check_store(self) -> bool:
        """Whether the store is in its place; where it is not, nothing is accepted or started any more."""
        try:
            self._store.check()
        except StoreGone as error:
            self.gone = True
            if not self.down and not self._closed:
                self._say_down(error)
            return False
        self.gone = False
        return True

    def _say_down(self, error: StoreUnavailable) -> None:
        if not self.down:
            _log.error("%s Nothing new is started until it can.", error)
            self._act(Announce(event="DB_DOWN"))
        self.down = str(error)
        if self._flush_handle is not None:
            self._flush_handle.cancel()
        self._flush_handle = asyncio.get_running_loop().call_later(self._retry_delay, self.flush)
        self._retry_delay = min(self._retry_delay * 2, _RETRY_MOST)

    def _recovered(self) -> None:
        self._retry_delay = _RETRY_FIRST
        if self.down:
            self.down = ""
            _log.info("The store can be written again.")
            self._carry_out(Announce(event="STARTED"))

    def _undo(self, job_id: int) -> None:
        """Remove a job from the machine that was never announced."""
        commands = self._machine.handle(RemoveJob(job_id=job_id, at=self._clock()))
        self._take([command for command in commands if _job_of(command) != job_id])
        self._batch.drop_job(job_id)
        self._actions = [action for action in self._actions if _job_of(action) != job_id]
        self._logs.forget(job_id)

    def _kill_now(self) -> None:
        """Carry out kills though nothing could be stored; a start of the same attempt that waits is dropped."""
        kills = [action for action in self._actions if isinstance(action, KillAttempt)]
        if not kills:
            return
        waiting = {_attempt_of(action) for action in self._actions if isinstance(action, StartAttempt)}
        killed = {_attempt_of(kill) for kill in kills}
        self._actions = [
            action
            for action in self._actions
            if not (isinstance(action, StartAttempt | KillAttempt) and _attempt_of(action) in killed)
        ]
        for kill in kills:
            if _attempt_of(kill) not in waiting:
                self._act(kill)

    # --- time ----------------------------------------------------------------------------------------------------

    def _set_wakeup(self) -> None:
        """One timer, for the moment the machine waits for; none while it waits for nothing."""
        if self._wakeup is not None:
            self._wakeup.cancel()
            self._wakeup = None
        due = self._machine.next_wakeup
        if due is None or self._closed:
            return
        delay = min(max(due - self._clock(), 0), _LONGEST_SLEEP) / 1000
        self._wakeup = asyncio.get_running_loop().call_later(delay, self._time_passed)

    def _compare_clocks(self) -> None:
        """Tell the machine if the clock was set, so that delays last as long as they were meant to."""
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


def _attempt_of(command: StartAttempt | KillAttempt) -> tuple[int, int, int]:
    return command.job_id, command.task_id, command.number
