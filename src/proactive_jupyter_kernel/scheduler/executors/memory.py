"""A stand-in for an executor: no processes, no files; what each task does is a Python function of the test's.

Keeps to the same promises as the local executor: outcomes for kill, walltime and closing, output in order, one answer
for a selection.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from proactive_jupyter_kernel.scheduler.attempt import (
    Attempt,
    Failure,
    FailureKind,
    Outcome,
    Selection,
    SelectionAnswer,
    Slot,
)
from proactive_jupyter_kernel.scheduler.executors.base import OutputSink, ProgressSink
from proactive_jupyter_kernel.scheduler.runtimes.stage import failure, killed, lost, walltime_reached

__all__ = ["MemoryExecutor", "ScriptedAttempt", "ScriptedTask"]


class ScriptedAttempt:
    """What a scripted task may do besides returning its outcome."""

    def __init__(self, attempt: Attempt, output: OutputSink, progress: ProgressSink | None) -> None:
        self.attempt = attempt
        self._output = output
        self._progress = progress

    def say(self, text: str, *, error: bool = False) -> None:
        """Write a line."""
        self._output("err" if error else "out", text + "\n", time.time_ns() // 1_000_000)

    def progress(self, percent: int) -> None:
        """Tell how far it is."""
        if self._progress is not None:
            self._progress(percent)


#: What a task does; an exception is a failure of its script.
ScriptedTask: TypeAlias = Callable[[ScriptedAttempt], Outcome | Awaitable[Outcome]]


class MemoryExecutor:
    """See `Executor`. Attempts of tasks without a script end well at once, with the value true."""

    def __init__(
        self,
        scripted: Mapping[str, ScriptedTask] | None = None,
        *,
        slots: int | tuple[Slot, ...] = 4,
        select: Callable[[Selection], SelectionAnswer] = lambda selection: SelectionAnswer(selected=True),
    ) -> None:
        """`scripted`: name of a task, or base name of its copies, -> what it does."""
        self._scripted = dict(scripted or {})
        self._slots = (
            slots if isinstance(slots, tuple) else tuple(Slot(name=f"local-{number}") for number in range(slots))
        )
        self._changed: Callable[[], None] = lambda: None
        self._select = select
        self._running: dict[str, tuple[asyncio.Future[FailureKind], asyncio.Future[None]]] = {}
        self._is_closed = False
        #: Every attempt that was run, in order of starting.
        self.attempts: list[Attempt] = []

    @property
    def slots(self) -> tuple[Slot, ...]:
        return self._slots

    @property
    def troubles(self) -> tuple[str, ...]:
        return ()

    def watch_slots(self, changed: Callable[[], None]) -> None:
        self._changed = changed

    def change_slots(self, *slots: Slot) -> None:
        """These are all slots from now on."""
        self._slots = slots
        self._changed()

    async def start(self) -> None:
        """There is nothing to make ready."""

    async def close(self) -> None:
        self._is_closed = True
        await self._stop(list(self._running), FailureKind.LOST)

    async def run(self, attempt: Attempt, output: OutputSink, progress: ProgressSink | None = None) -> Outcome:
        self.attempts.append(attempt)
        loop = asyncio.get_running_loop()
        stop, ended = loop.create_future(), loop.create_future()
        if self._is_closed:
            stop.set_result(FailureKind.LOST)
        self._running[attempt.key] = stop, ended
        begin = time.monotonic()
        work = asyncio.ensure_future(self._perform(ScriptedAttempt(attempt, output, progress)))
        try:
            await asyncio.wait({work, stop}, timeout=attempt.walltime, return_when=asyncio.FIRST_COMPLETED)
            outcome = work.result() if work.done() else Outcome(failure=self._why(attempt, stop, output))
            return replace(outcome, duration=round((time.monotonic() - begin) * 1000))
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            del self._running[attempt.key]
            ended.set_result(None)

    async def kill(self, key: str) -> None:
        await self._stop([key], FailureKind.KILLED)

    async def select(self, selection: Selection) -> SelectionAnswer:
        return self._select(selection)

    async def _stop(self, keys: list[str], kind: FailureKind) -> None:
        for key in keys:
            if key in self._running:
                stop, ended = self._running[key]
                if not stop.done():
                    stop.set_result(kind)
                await ended

    async def _perform(self, scripted: ScriptedAttempt) -> Outcome:
        name = scripted.attempt.task_name
        task = self._scripted.get(name) or self._scripted.get(name.partition("*")[0].partition("#")[0])
        if task is None:
            return Outcome(value=True)
        try:
            outcome = task(scripted)
            return await outcome if inspect.isawaitable(outcome) else outcome
        except Exception as error:
            message = f"Failed to execute task: {type(error).__name__}: {error}"
            scripted.say(message, error=True)
            return Outcome(failure=failure(FailureKind.ERROR, message))

    def _why(self, attempt: Attempt, stop: asyncio.Future[FailureKind], output: OutputSink) -> Failure:
        if stop.done():
            return killed() if stop.result() is FailureKind.KILLED else lost()
        fault = walltime_reached(attempt.task_name, attempt.walltime or 0.0)
        output("err", fault.message + "\n", time.time_ns() // 1_000_000)
        return fault
