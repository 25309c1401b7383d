"""Stores what happened, batch by batch, and only then lets it have effects.

All events of one moment (one turn of the loop) are one batch and one transaction. A small batch is written at once, in
a tenth of a millisecond. A thread writes the others, and all of them while another process has locked the file or the
disk is slow, so that the loop does not wait; what happens meanwhile is the next batch.
While the store cannot write, the batch waits and grows by replacing rows, nothing new is started or announced, and
writing is tried again; kills are carried out all the same, for they are right whatever a restart would find.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from proactive_jupyter_kernel.scheduler.engine.commands import (
    Announce,
    ForgetJob,
    KillAttempt,
    RunSelection,
    StartAttempt,
)
from proactive_jupyter_kernel.scheduler.monitoring import tracing
from proactive_jupyter_kernel.scheduler.monitoring.measures import Measures
from proactive_jupyter_kernel.scheduler.service import salvage
from proactive_jupyter_kernel.scheduler.service.errors import Unstorable
from proactive_jupyter_kernel.scheduler.service.logs import Logs
from proactive_jupyter_kernel.scheduler.store.base import Batch, Store
from proactive_jupyter_kernel.scheduler.store.errors import StoreGone, StoreUnavailable
from proactive_jupyter_kernel.scheduler.store.logs import LogLine

__all__ = ["Action", "Owner", "Writer"]

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


@dataclass(frozen=True, slots=True)
class _Writing:
    """A batch that the thread writes, the actions that follow, and who waits for it."""

    batch: Batch
    actions: list[Action]
    waiters: list[_Waiter]
    begin: float
    future: Future[None]


class Owner(Protocol):
    """The interface of the driver, which fills the batches. The writer calls it in the thread of the event loop."""

    def carry_out(self, action: Action) -> None:
        """Carry out an action whose rows are stored. Raises nothing."""

    def undo(self, job_id: int) -> None:
        """Forget a new job that could not be stored, as if it had never been submitted."""

    def end_broken(self, job_id: int, part: Batch, message: str) -> Batch:
        """End a job that has rows which can never be stored; returns its part of the batch with that end."""


class Writer:
    """Writes one batch after the other, in the thread of the event loop or in a thread of the writer."""

    def __init__(self, *, store: Store, logs: Logs, measures: Measures, owner: Owner, first_revision: int) -> None:
        """The first batch that changes what listings show gets the revision after `first_revision`."""
        self._store = store
        self._logs = logs
        self._measures = measures
        self._owner = owner
        #: What is stored next.
        self.batch = Batch()
        #: What is carried out when that is done.
        self.actions: list[Action] = []
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
        self._retry_delay = _RETRY_FIRST
        #: Whether the writer was closed: nothing is written after that.
        self.closed = False
        #: Why the store cannot write; empty while it can.
        self.down = ""
        #: Rises with every stored change.
        self.revision = first_revision

    # --- waiting -------------------------------------------------------------------------------------------------

    def schedule(self) -> None:
        """Write at the end of this turn of the loop; what was to be written later is written then."""
        if self.closed:
            return
        if self._flush_handle is not None:
            self._flush_handle.cancel()
        self._flush_handle = asyncio.get_running_loop().call_soon(self._flush)

    def soon(self, delay: float) -> None:
        """Write the batch within `delay` seconds; does nothing if a write is scheduled already."""
        if self._flush_handle is None and not self.closed and not self.down:
            self._flush_handle = asyncio.get_running_loop().call_later(delay, self._flush)

    async def settled(self, about: salvage.Key | None = None) -> None:
        """Wait until everything so far is stored.

        Raises `StoreUnavailable` where it cannot be, for now, and `Unstorable` where the job or channel that it is
        about never can.
        """
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.closed:
            raise StoreUnavailable("The scheduler is stopping and stores nothing new.")
        if self.batch or self.actions or self._flush_handle is not None:
            self._waiters.append((waiter, about))
            self.schedule()
        elif self._writing is not None:
            self._writing.waiters.append((waiter, about))
        else:
            return
        await waiter

    def when_idle(self, call: Callable[[], None]) -> None:
        """Call as soon as nothing is being written; at once if nothing is."""
        if self._writing is None:
            call()
        else:
            self._when_idle.append(call)

    def unstored(self) -> list[Batch]:
        """The batches that are not stored yet, the latest first."""
        return [self.batch] if self._writing is None else [self.batch, self._writing.batch]

    def unstored_actions(self) -> list[Action]:
        """The actions whose rows are not stored yet, the earliest first."""
        return [*(self._writing.actions if self._writing else ()), *self.actions]

    # --- output --------------------------------------------------------------------------------------------------

    @property
    def output_waits(self) -> bool:
        """Whether lines of output are not stored yet."""
        return self._logs.waiting or any(batch.logs for batch in self.unstored())

    async def store_output(self) -> None:
        """Store all lines that have come so far, if the store can be written."""
        if not self.down:
            self.batch.logs += self._logs.drain()
        with contextlib.suppress(StoreUnavailable):
            await self.settled()

    def unstored_output(self, job_id: int) -> list[tuple[int, LogLine]]:
        """The lines of a job that the store does not have, each with its task's id; right while nothing is written."""
        parts = [*self.batch.logs, *self._logs.buffered()]
        return [(part.task_id, line) for part in parts if part.job_id == job_id for line in part.lines]

    # --- writing -------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Write what there is; nothing is started or tried again afterwards."""
        if self._writing is not None:
            writing, self._writing = self._writing, None
            self._written(writing)
        if not self.closed:
            if not self.down:
                self.batch.logs += self._logs.drain()
            self._write_now()
        self.closed = True
        self._call_idle()
        self._thread.shutdown()
        if self._flush_handle is not None:
            self._flush_handle.cancel()

    def _flush(self) -> None:
        """Begin to store the batch; its actions are carried out when that is done. On failure both are kept, and tried
        again later."""
        if self._flush_handle is not None:
            self._flush_handle.cancel()
            self._flush_handle = None
        if self.closed:
            return
        if self._writing is not None:
            self._flush_wanted = True
            return
        self._flush_wanted = False
        if not self.down:
            self.batch.logs += self._logs.drain()
        if not self.batch:
            self._write_now()
            return
        batch, actions, waiters = self.batch, self.actions, self._waiters
        self.batch, self.actions, self._waiters = Batch(), [], []
        self._number(batch)
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
        """The result of writing a small batch in this thread; None if the thread of the writer has to write it."""
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
        """The thread has written a batch, or failed: finish it and begin the next one."""
        if self._writing is not writing:
            return  # closed meanwhile
        self._writing = None
        self._written(writing)
        self._call_idle()
        wanted = self._flush_wanted or self.batch or self.actions or self._waiters
        if wanted and self._writing is None and self._flush_handle is None:
            self._flush()

    def _call_idle(self) -> None:
        calls, self._when_idle = self._when_idle, []
        for call in calls:
            try:
                call()
            except Exception:
                _log.exception("what waited for the store could not be done")

    def _written(self, writing: _Writing) -> None:
        error = writing.future.exception()
        if error is None:
            self._stored(writing.batch)
            self._count(writing.begin)
            self._recovered()
            _finish(writing.waiters)
            self._carry_out_all(writing.actions)
            return
        self.batch = salvage.joined([writing.batch, self.batch])
        self.actions = [*writing.actions, *self.actions]
        self._waiters = [*writing.waiters, *self._waiters]
        if isinstance(error, StoreUnavailable):
            self._write_failed(error)
        else:
            # A row that can never be stored, a rare fault: found in this thread, with the machine.
            self._write_now()

    def _number(self, batch: Batch) -> None:
        """Give a batch that changes what listings show the next revision, by which clients notice the change."""
        batch.revision = self.revision + 1 if batch.changes_jobs else None

    def _stored(self, batch: Batch) -> None:
        self.revision = batch.revision or self.revision
        for result in batch.results:
            tracing.mark("kept", result.job_id, result.task_id)

    def _count(self, begin: float) -> None:
        self._measures.batches += 1
        self._measures.batch_seconds += time.perf_counter() - begin

    def _write_now(self) -> None:
        """Store the batch in this thread and carry out its actions."""
        refused: Mapping[salvage.Key, Unstorable] = {}
        try:
            if self.batch:
                refused = self._write()
            elif self.down:
                self._store.check()
        except StoreUnavailable as error:
            self._write_failed(error)
            return
        self._recovered()
        waiters, self._waiters = self._waiters, []
        _finish(waiters, refused=refused)
        actions, self.actions = self.actions, []
        self._carry_out_all(actions)

    def _write(self) -> Mapping[salvage.Key, Unstorable]:
        """Store the batch, whole or, where a part of it can never be stored, without this part; returns why not."""
        begin = time.perf_counter()
        refused: dict[salvage.Key, Unstorable] = {}
        while self.batch:
            batch, self.batch = self.batch, Batch()
            left: dict[salvage.Key, Batch] = {0: batch}
            try:
                try:
                    self._write_one(batch)
                except StoreUnavailable:
                    raise
                except Exception as error:
                    _log.error("a batch could not be stored", exc_info=error)
                    left = salvage.parts(batch)
                    owner = self._owner
                    refused |= salvage.store_parts(self._write_one, left, undo=owner.undo, end_job=owner.end_broken)
            except Exception as error:
                self.batch = salvage.joined([*left.values(), self.batch])
                if isinstance(error, StoreUnavailable):
                    raise
                raise StoreUnavailable(f"The scheduler failed to store what happened: {error!r}.") from error
        self._count(begin)
        return refused

    def _write_one(self, batch: Batch) -> None:
        self._number(batch)
        self._store.write(batch)
        self._stored(batch)

    def _carry_out_all(self, actions: list[Action]) -> None:
        for action in actions:
            self._owner.carry_out(action)

    # --- a store that cannot write -------------------------------------------------------------------------------

    def check_store(self) -> bool:
        """Whether the file of the store is in its place; if not, nothing new is accepted or started."""
        try:
            self._store.check()
        except StoreGone as error:
            if not self.down and not self.closed:
                self._say_down(error)
            return False
        return True

    def _write_failed(self, error: StoreUnavailable) -> None:
        self._measures.batches_failed += 1
        for submission in self.batch.submissions:
            self._owner.undo(submission.job_id)
        waiters, self._waiters = self._waiters, []
        _finish(waiters, error=error)
        self._kill_now()
        if not self.batch and not self.actions and not isinstance(error, StoreGone):
            return
        self._say_down(error)

    def _say_down(self, error: StoreUnavailable) -> None:
        if not self.down:
            _log.error("%s Nothing new is started until it can.", error)
            self._owner.carry_out(Announce(event="DB_DOWN"))
        self.down = str(error)
        if self._flush_handle is not None:
            self._flush_handle.cancel()
        self._flush_handle = asyncio.get_running_loop().call_later(self._retry_delay, self._flush)
        self._retry_delay = min(self._retry_delay * 2, _RETRY_MOST)

    def _recovered(self) -> None:
        self._retry_delay = _RETRY_FIRST
        if self.down:
            self.down = ""
            _log.info("The store can be written again.")
            self._owner.carry_out(Announce(event="STARTED"))
            if self._logs.waiting:
                self.soon(0)  # lines that came meanwhile

    def _kill_now(self) -> None:
        """Carry out kills though nothing could be stored; a start of the same attempt that waits is dropped."""
        kills = [action for action in self.actions if isinstance(action, KillAttempt)]
        if not kills:
            return
        waiting = {_attempt_of(action) for action in self.actions if isinstance(action, StartAttempt)}
        killed = {_attempt_of(kill) for kill in kills}
        self.actions = [
            action
            for action in self.actions
            if not (isinstance(action, StartAttempt | KillAttempt) and _attempt_of(action) in killed)
        ]
        self._carry_out_all([kill for kill in kills if _attempt_of(kill) not in waiting])


def _finish(
    waiters: list[_Waiter],
    *,
    error: StoreUnavailable | None = None,
    refused: Mapping[salvage.Key, Unstorable] | None = None,
) -> None:
    """Wake the waiters: with `error`, or with the reason why their job or channel was refused."""
    for waiter, about in waiters:
        reason = error or (None if about is None else (refused or {}).get(about))
        if waiter.done():
            continue
        if reason is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(reason)


def _attempt_of(action: StartAttempt | KillAttempt) -> tuple[int, int, int]:
    return action.job_id, action.task_id, action.number
