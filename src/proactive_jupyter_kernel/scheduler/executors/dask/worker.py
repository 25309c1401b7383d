"""The worker's end: nodes in processes below a Dask worker, each reached through a connection of its own.

``attach`` gives the worker one more operation. A scheduler that connects with it gets a *site*: a folder, and nodes in
it. The site lasts as long as that connection; when it ends, all nodes of the site end with their tasks, and the folder
is removed. Bytes between a node and the scheduler are carried as they are: nothing here knows what frames mean.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import platform
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.scheduler.executors.dask.tunnel import Tunnel
from proactive_jupyter_kernel.scheduler.executors.nodes import LocalNodes
from proactive_jupyter_kernel.scheduler.executors.working_node import PATIENCE, WorkingNode
from proactive_jupyter_kernel.scheduler.nodes.frames import Splitter
from proactive_jupyter_kernel.scheduler.nodes.removal import remove
from proactive_jupyter_kernel.scheduler.nodes.scratch import clean_up
from proactive_jupyter_kernel.scheduler.nodes.settings import NodeSettings

__all__ = ["OPERATION", "attach"]

_LOGGER = logging.getLogger(__name__)
#: What the worker is asked for.
OPERATION = "proactive_kernel_nodes"
#: Bytes of a node that wait to be sent before no more are read from it, and bytes in one message.
_HIGH, _MOST = 4 * 1024 * 1024, 1024 * 1024


def attach(dask_worker: Any) -> dict[str, Any]:
    """Let this worker have nodes; what the scheduler wants to know of it."""
    if OPERATION not in dask_worker.handlers:
        dask_worker.handlers[OPERATION] = _Sites(dask_worker).serve
    return {"host": platform.node(), "python": platform.python_version(), "pid": os.getpid()}


class _Sites:
    """All sites of a worker: one for each scheduler that uses it."""

    def __init__(self, worker: Any) -> None:
        self._folder = Path(worker.local_directory)
        self._sites: dict[str, _Site] = {}

    async def serve(self, comm: Any, do: str, **fields: Any) -> Any:
        """Serve one connection until it ends."""
        from distributed.core import Status

        with contextlib.suppress(OSError):
            if do == "site":
                await self._serve_site(comm, **fields)
            elif fields["site"] in self._sites:
                await self._sites[fields["site"]].serve_node(comm)
        comm.abort()
        return Status.dont_reply

    async def _serve_site(self, comm: Any, settings: Mapping[str, Any]) -> None:
        name = secrets.token_hex(8)
        site = _Site(self._folder / f"proactive-kernel-{name}", NodeSettings.from_json(settings))
        await site.open()
        self._sites[name] = site
        try:
            await site.serve(comm, name)
        finally:
            del self._sites[name]
            await site.close()


class _Site:
    """The nodes that one scheduler has on this worker."""

    def __init__(self, folder: Path, settings: NodeSettings) -> None:
        self.folder = folder
        self._nodes = LocalNodes(folder, replace(settings, scratch=str(folder)), _RelayedNode)
        self._working: dict[str, _RelayedNode] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._tunnel = Tunnel(self._send)
        self._writing = asyncio.Lock()
        self._comm: Any = None

    async def open(self) -> None:
        """Make its folder."""
        await asyncio.to_thread(clean_up, self.folder)
        (self.folder / "cache").mkdir()

    async def _send(self, message: Mapping[str, Any]) -> None:
        async with self._writing:
            await self._comm.write(message)

    async def serve(self, comm: Any, name: str) -> None:
        """Do what the scheduler says about the site until the connection ends."""
        self._comm = comm
        await self._send(
            {"do": "ready", "site": name, "folder": str(self.folder), "tunnel": await self._tunnel.listen()}
        )
        while True:
            message = await comm.read()
            if message["do"] == "ping":
                await self._send({"do": "pong", "number": message["number"]})
            elif message["do"] in ("data", "end"):
                self._tunnel.take(message)
            elif message["do"] == "kill" and (node := self._working.get(message["node"])) is not None:
                self._nodes.kill(node)
            elif message["do"] == "clean":
                task = asyncio.create_task(self._clean(**message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _clean(self, node: str, keys: list[str], number: int, **_: Any) -> None:
        """Remove what a node that died has left, and say when nothing is left."""
        found = self._working.get(node)
        if found is not None:
            await self._nodes.clean_up_after(found, tuple(keys))
        with contextlib.suppress(OSError):
            await self._send({"do": "cleaned", "number": number})

    async def serve_node(self, comm: Any) -> None:
        """A node for this connection alone."""
        node = await self._nodes.take(comm.closed)
        if node is None:
            return
        assert isinstance(node, _RelayedNode)
        self._working[node.name] = node
        try:
            await comm.write({"do": "node", "node": node.name})
            await node.relay(comm)
        finally:
            node.close()
            # Known for a while: what it leaves is asked about when it has gone.
            asyncio.get_running_loop().call_later(4 * PATIENCE, self._working.pop, node.name, None)

    async def close(self) -> None:
        self._tunnel.close()
        for task in self._tasks:
            task.cancel()
        await self._nodes.close()
        await asyncio.to_thread(remove, self.folder)


class _RelayedNode(WorkingNode):
    """The worker's end of a node's channel: bytes come and go."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._unsent: deque[bytes] = deque()
        self._size = 0
        self._has_more = asyncio.Event()
        #: Reads what the node says until it has told its process.
        self._first: Splitter | None = Splitter()

    def data_received(self, data: bytes) -> None:
        if self._first is not None:
            for frame in self._first.feed(data):
                if frame["do"] == "ready":
                    self.pid, self._first = frame["pid"], None
                    break
        self._unsent.append(data)
        self._size += len(data)
        self._has_more.set()
        if self._size > _HIGH and self._transport is not None:
            self._transport.pause_reading()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._has_more.set()

    async def relay(self, comm: Any) -> None:
        """Carry bytes until one of both ends."""
        tasks = [asyncio.create_task(self._to_node(comm)), asyncio.create_task(self._from_node(comm))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _to_node(self, comm: Any) -> None:
        while True:
            data = await comm.read()
            await self._writable.wait()
            if self._transport is None or self.is_retired:
                return
            self._transport.write(data)

    async def _from_node(self, comm: Any) -> None:
        while True:
            await self._has_more.wait()
            self._has_more.clear()
            while self._unsent:
                await comm.write(self._next())
                if self._size < _HIGH // 2 and self._transport is not None and not self.ended.done():
                    self._transport.resume_reading()
            if self.ended.done():
                return

    def _next(self) -> bytes:
        size = 0
        parts: list[bytes] = []
        while self._unsent and (not parts or size + len(self._unsent[0]) <= _MOST):
            parts.append(self._unsent.popleft())
            size += len(parts[-1])
        self._size -= size
        return parts[0] if len(parts) == 1 else b"".join(parts)
