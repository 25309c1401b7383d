"""Runs attempts on this machine, a number of them side by side."""

from __future__ import annotations

import asyncio
import itertools
import logging
import platform
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from proactive_jupyter_kernel.scheduler.attempt import Attempt, FailureKind, Outcome, Selection, SelectionAnswer, Slot
from proactive_jupyter_kernel.scheduler.executors.attempts import AttemptRun
from proactive_jupyter_kernel.scheduler.executors.base import FileTransfers, OutputSink, ProgressSink
from proactive_jupyter_kernel.scheduler.executors.pool import StarterPool
from proactive_jupyter_kernel.scheduler.executors.scratch import clean_up
from proactive_jupyter_kernel.scheduler.executors.selection import SelectionRun
from proactive_jupyter_kernel.scheduler.executors.stages import Host, LocalSettings
from proactive_jupyter_kernel.scheduler.runtimes import registry

__all__ = ["LocalExecutor", "LocalSettings"]

_LOGGER = logging.getLogger(__name__)


class LocalExecutor:
    """The executor of one machine; see `Executor`. Make, `start` and use it in one event loop."""

    def __init__(
        self, scratch: Path, settings: LocalSettings | None = None, transfers: FileTransfers | None = None
    ) -> None:
        """`scratch`: a folder that belongs to this executor alone; what lies there is removed when it starts."""
        self._scratch = scratch
        self._settings = settings or LocalSettings()
        self._transfers = transfers
        self._slots = _slots(self._settings)
        # Preparing and reading are short; more threads than slots, so that a long file transfer holds up nobody.
        self._threads = ThreadPoolExecutor(2 * len(self._slots) + 4, thread_name_prefix="attempts")
        self._running: dict[str, AttemptRun] = {}
        self._asking: set[SelectionRun] = set()
        #: (slot, language, code, arguments) -> answer, of static selection scripts.
        self._answers: dict[tuple[object, ...], SelectionAnswer] = {}
        self._questions = itertools.count(1)
        self._warming: asyncio.Task[None] | None = None
        self._host: Host | None = None
        self._is_closed = False

    @property
    def slots(self) -> tuple[Slot, ...]:
        return self._slots

    def watch_slots(self, changed: Callable[[], None]) -> None:
        """The slots of a machine stay what the settings say."""

    async def start(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, clean_up, self._scratch)
        await asyncio.get_running_loop().run_in_executor(self._threads, registry.table)
        host = self._hosted()
        # Not waited for: the first task may come before it is ready, and then it waits itself.
        self._warming = asyncio.create_task(host.pool.warm_up())

    async def close(self) -> None:
        self._is_closed = True
        if self._warming is not None:
            await asyncio.gather(self._warming, return_exceptions=True)
        for run in self._running.values():
            run.stop(FailureKind.LOST)
        await asyncio.gather(*(run.ended for run in self._running.values()))
        await asyncio.gather(*(asking.end() for asking in self._asking))
        if self._host is not None:
            await self._host.pool.close()
        self._threads.shutdown(wait=False)

    async def run(self, attempt: Attempt, output: OutputSink, progress: ProgressSink | None = None) -> Outcome:
        run = AttemptRun(attempt, self._hosted(), self._scratch, self._transfers, output, progress)
        self._running[attempt.key] = run
        if self._is_closed:
            run.stop(FailureKind.LOST)
        try:
            return await run.run()
        finally:
            del self._running[attempt.key]

    async def kill(self, key: str) -> None:
        run = self._running.get(key)
        if run is not None:
            run.stop(FailureKind.KILLED)
            await run.ended

    async def select(self, selection: Selection) -> SelectionAnswer:
        run = SelectionRun(
            selection, self._hosted(), self._scratch / f"selection-{next(self._questions)}", self._answers
        )
        self._asking.add(run)
        try:
            return await run.run()
        finally:
            self._asking.discard(run)

    def _hosted(self) -> Host:
        if self._host is None:
            settings = self._settings
            pool = StarterPool(self._threads, warm=settings.warm, idle=settings.warm_idle, most=settings.warm_most)
            self._host = Host(
                settings=settings,
                threads=self._threads,
                pool=pool,
                is_alone=self._is_alone,
            )
        return self._host

    def _is_alone(self) -> bool:
        return len(self._running) <= 1 and not self._asking


def _slots(settings: LocalSettings) -> tuple[Slot, ...]:
    """Those without access tokens first, for any task may run there."""
    host = platform.node() or "localhost"
    slots = [Slot(name=f"local-{number}", host=host) for number in range(settings.slots)]
    for source in settings.sources:
        slots += [
            Slot(name=f"{source.name}-{number}", host=host, source=source.name, tokens=source.tokens)
            for number in range(source.nodes)
        ]
    return tuple(slots)
