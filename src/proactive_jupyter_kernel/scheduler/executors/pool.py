"""Which process starts which stage: warm processes for their interpreters, the plain way where none can be had."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import sys
import time
from concurrent.futures import Executor as Threads

from proactive_jupyter_kernel.scheduler.executors.processes import Command, Spawner, Starter, StartFailed
from proactive_jupyter_kernel.scheduler.executors.warm import WarmProcess, can_fork

__all__ = ["StarterPool"]

#: An interpreter that could not be kept warm is tried again after so many seconds.
_COLD_FOR = 60.0
_LOGGER = logging.getLogger(__name__)


class StarterPool:
    """Gives each command its starter; keeps warm processes as long as they are used now and then."""

    def __init__(self, threads: Threads, *, warm: bool, idle: float, most: int) -> None:
        """`idle`: seconds that a warm process lives without use; `most`: how many interpreters are kept warm."""
        self._threads = threads
        self._spawner = Spawner(threads)
        self._warm = warm and os.name == "posix"
        self._idle = idle
        self._most = most
        #: What warm processes are started with.
        self._base = dict(os.environ)
        self._processes: dict[str, WarmProcess] = {}
        self._used: dict[str, float] = {}
        self._cold: dict[str, float] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def warm_up(self) -> None:
        """Start the warm process of the scheduler's own interpreter, which most tasks will use."""
        if self._warm:
            await self._get(sys.executable)

    async def starter(self, command: Command) -> tuple[Starter, Command]:
        """Who starts it, and the command as that one takes it."""
        if not self._warm:
            return self._spawner, command
        if command.forkable and can_fork(self._base, command.environment):
            found = await self._get(command.argv[0])
            if found is not None:
                return found, command
        # Whatever is not forked from its own interpreter is executed, and best so by a process that looks after it.
        found = await self._get(sys.executable)
        return found or self._spawner, dataclasses.replace(command, forkable=False)

    async def close(self) -> None:
        """End all warm processes."""
        if self._timer is not None:
            self._timer.cancel()
        for interpreter in list(self._processes):
            self._retire(interpreter)
        await asyncio.gather(*self._closing)

    async def _get(self, interpreter: str) -> WarmProcess | None:
        async with self._locks.setdefault(interpreter, asyncio.Lock()):
            found = self._processes.get(interpreter)
            if found is not None and (found.dead or found.is_stale()):
                self._retire(interpreter)
                found = None
            if found is None and self._cold.get(interpreter, 0.0) <= time.monotonic():
                found = await self._open(interpreter)
            if found is not None:
                self._used[interpreter] = time.monotonic()
            return found

    async def _open(self, interpreter: str) -> WarmProcess | None:
        self._make_room()
        try:
            found = await WarmProcess.open(interpreter, self._base, self._threads)
        except StartFailed as error:
            _LOGGER.info("%s; its tasks are started anew each time", error)
            self._cold[interpreter] = time.monotonic() + _COLD_FOR
            return None
        self._processes[interpreter] = found
        self._plan()
        return found

    def _make_room(self) -> None:
        """Let go of the interpreters that were not used for longest."""
        resting = sorted(
            (used, name) for name, used in self._used.items() if name in self._processes and name != sys.executable
        )
        for _, name in resting[: max(len(self._processes) + 1 - self._most, 0)]:
            if not self._processes[name].busy:
                self._retire(name)

    def _retire(self, interpreter: str) -> None:
        """No more stages for it; it ends when the last one has."""
        process = self._processes.pop(interpreter)
        task = asyncio.get_running_loop().create_task(self._close(process))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close(self, process: WarmProcess) -> None:
        while process.busy and not process.dead:
            await asyncio.sleep(0.5)
        await process.close()

    def _plan(self) -> None:
        """Look for idle processes when the first may be idle; no timer runs where there are none."""
        if self._timer is None and self._processes:
            self._timer = asyncio.get_running_loop().call_later(self._idle, self._retire_idle)

    def _retire_idle(self) -> None:
        self._timer = None
        now = time.monotonic()
        for name, process in list(self._processes.items()):
            if process.busy:
                self._used[name] = now
            elif now - self._used.get(name, 0.0) >= self._idle:
                self._retire(name)
        self._plan()
