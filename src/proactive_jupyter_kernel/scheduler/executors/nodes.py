"""The nodes of this machine as the scheduler's loop sees them: when they are started, given work, and let go."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from proactive_jupyter_kernel.scheduler.executors.starters import ForkServer, Processes, Starter
from proactive_jupyter_kernel.scheduler.executors.working_node import PATIENCE, WorkingNode
from proactive_jupyter_kernel.scheduler.nodes.scratch import clean_up_node, has_journal
from proactive_jupyter_kernel.scheduler.nodes.settings import NodeSettings

__all__ = ["LocalNodes"]

_LOGGER = logging.getLogger(__name__)
#: Seconds until a node is tried again for which the system has no room.
_BETWEEN_TRIES = 0.5
#: Seconds between two looks whether a process has ended.
_LOOK = 0.05


class LocalNodes:
    """The nodes of one machine. At most one piece of work is given to each."""

    def __init__(self, root: Path, settings: NodeSettings, make: Callable[[str], WorkingNode] = WorkingNode) -> None:
        """`settings`: without the name of a node. `make` makes the end of its channel that is here."""
        self._make = make
        self._root = root
        self._settings = settings
        self._numbers = itertools.count()
        #: The most recently used one comes last and is used first: its memory is warm.
        self._idle: list[WorkingNode] = []
        self._all: set[WorkingNode] = set()
        self._starter: Starter = ForkServer() if os.name == "posix" else Processes()
        self._freed = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._is_told = False
        self._preparing: asyncio.Task[None] | None = None

    def prepare(self) -> None:
        """Have a node ready for the first task, soon."""
        self._preparing = asyncio.get_running_loop().create_task(self._prepare())

    async def _prepare(self) -> None:
        with contextlib.suppress(OSError):
            self.put(await self._start())

    async def take(self, given_up: Callable[[], bool]) -> WorkingNode | None:
        """A node without work, waiting for one while the machine has no room for more; None: it was given up."""
        if self._preparing is not None:
            await asyncio.shield(self._preparing)
            self._preparing = None
        while not given_up():
            while self._idle:
                node = self._idle.pop()
                if not node.is_retired:
                    return node
            try:
                node = await self._start()
                if not node.is_retired:
                    return node
            except OSError as error:
                if not self._is_told:
                    _LOGGER.warning("there is no room for another node, so tasks wait: %s", error)
                    self._is_told = True
            self._freed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_BETWEEN_TRIES):
                    await self._freed.wait()
        return None

    def put(self, node: WorkingNode) -> None:
        """Its work is done."""
        node.key = ""
        self._freed.set()
        if node.is_retired:
            node.close()
            return
        node.used = asyncio.get_running_loop().time()
        self._idle.append(node)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._settings.warm_idle, self._retire_idle)

    async def _start(self) -> WorkingNode:
        node = self._make(f"node-{next(self._numbers)}")
        await self._starter.start(node)
        self._all.add(node)
        self._is_told = False
        node.send({"do": "settings", "settings": replace(self._settings, name=node.name).to_json()})
        watch = asyncio.get_running_loop().create_task(self._watch(node))
        self._ending.add(watch)
        watch.add_done_callback(self._ending.discard)
        return node

    async def _watch(self, node: WorkingNode) -> None:
        await node.ended
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.shield(node.gone)
        except TimeoutError:
            self.kill(node)
        await self._tidy(node)
        self._all.discard(node)

    async def _tidy(self, node: WorkingNode) -> None:
        """Remove what is left of a node that did not end in order; one that did has removed its journal."""
        end = asyncio.get_running_loop().time() + PATIENCE
        while has_journal(self._root, node.name):
            if not node.is_alive or asyncio.get_running_loop().time() > end:
                await asyncio.to_thread(clean_up_node, self._root, node.name, ())
                return
            await asyncio.sleep(_LOOK)

    async def check(self, node: WorkingNode) -> None:
        """Kill a node that does not answer, because it was stopped or hangs."""
        if not await node.answers():
            _LOGGER.warning("%s (process %d) does not answer and is killed", node.name, node.pid)
            self.kill(node)

    def kill(self, node: WorkingNode) -> None:
        """End its process at once, or where that is not known what starts the processes."""
        if not node.kill():
            self._starter.kill()

    async def clean_up_after(self, node: WorkingNode, keys: tuple[str, ...]) -> None:
        """Wait until nothing is left of a node that died, and of the work that it had."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await asyncio.shield(node.gone)
        await asyncio.to_thread(clean_up_node, self._root, node.name, keys)

    def _retire_idle(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        resting = [node for node in self._idle if now - node.used < self._settings.warm_idle]
        for node in self._idle:
            if node not in resting:
                node.close()
        self._idle = resting
        if resting:
            left = resting[0].used + self._settings.warm_idle - now
            self._timer = asyncio.get_running_loop().call_later(max(left, 0.01), self._retire_idle)

    async def close(self) -> None:
        """End all nodes; none of them has work."""
        if self._preparing is not None:
            await self._preparing
        if self._timer is not None:
            self._timer.cancel()
        for node in self._all:
            node.close()
        await asyncio.gather(*self._ending)
        await self._starter.close()
