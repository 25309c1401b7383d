"""The nodes of this machine as the scheduler's loop sees them: how they are started, given work, and lost."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from proactive_jupyter_kernel.scheduler.nodes.frames import Frame, Splitter, begun, packed
from proactive_jupyter_kernel.scheduler.nodes.scratch import clean_up_node
from proactive_jupyter_kernel.scheduler.nodes.settings import NodeSettings
from proactive_jupyter_kernel.scheduler.raw_value import RawValue

__all__ = ["LocalNodes", "NodeLost", "WorkingNode"]

_LOGGER = logging.getLogger(__name__)
#: Seconds until a node is tried again for which the system has no room.
_BETWEEN_TRIES = 0.5
#: Seconds that the processes of nodes have to end.
_PATIENCE = 10.0
#: Bytes of values that are sent with their frame; more are read in a thread and sent in parts of that size.
_SMALL, _PART = 64 * 1024, 1024 * 1024


class NodeLost(Exception):
    """The node died under its work; nothing is left of either."""


class WorkingNode(asyncio.Protocol):
    """The scheduler's end of a node's channel."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.used = 0.0
        self._splitter = Splitter()
        self._transport: asyncio.Transport | None = None
        self._hear: Callable[[Frame], None] | None = None
        self._done: asyncio.Future[Frame] | None = None
        self.key = ""
        #: Done when the channel has ended.
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        #: Done when its process has.
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_retired = False
        #: Set while the channel takes more.
        self._writable = asyncio.Event()
        self._writable.set()
        #: What is sent when the values that are being sent have gone; None: none are.
        self._held: list[Mapping[str, Any]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        for frame in self._splitter.feed(data):
            if frame["do"] == "note":
                logging.getLogger(frame["name"]).log(frame["level"], "%s", frame["text"])
            elif frame.get("key") != self.key or self._hear is None:
                continue
            elif frame["do"] in ("outcome", "answer"):
                self.is_retired = self.is_retired or frame.get("retire", False)
                self._hear = None
                if self._done is not None and not self._done.done():
                    self._done.set_result(frame)
            else:
                self._hear(frame)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, error: Exception | None) -> None:
        self.is_retired = True
        self._writable.set()
        if not self.ended.done():
            self.ended.set_result(None)

    def send(self, frame: Mapping[str, Any]) -> None:
        """Tell it something."""
        if self._held is not None:
            self._held.append(frame)
        elif self._transport is not None:
            self._transport.write(packed(frame))

    async def _send_with(self, frame: Mapping[str, Any], values: Sequence[RawValue]) -> None:
        """Send a frame with large values, which are never in memory all at once."""
        assert self._transport is not None
        held = self._held = []
        try:
            self._transport.write(begun(frame, [value.size for value in values]))
            for part in _parts(values):
                text = await asyncio.to_thread(_texts, part)
                await self._writable.wait()
                if self.is_retired:
                    return
                self._transport.write(text)
            await self._writable.wait()
        except BaseException:
            self.close()  # half of a frame has gone
            raise
        finally:
            self._held = None
        for each in held:
            self.send(each)

    async def work(
        self, frame: Mapping[str, Any], hear: Callable[[Frame], None], raw: Sequence[RawValue] = ()
    ) -> Frame:
        """Have it do something; what comes of it. `hear` gets what comes before. `raw` are the values of the frame.

        Raises `NodeLost`.
        """
        self.key, self._hear = frame["key"], hear
        self._done = asyncio.get_running_loop().create_future()
        if not self.is_retired:
            if sum(value.size for value in raw) > _SMALL:
                await self._send_with(frame, raw)
            else:
                self.send({**frame, "raw": [value.text for value in raw]} if raw else frame)
        # Not a task for each of the two: this is done for every attempt.
        self.ended.add_done_callback(self._lose)
        try:
            return await asyncio.shield(self._done)
        finally:
            self.ended.remove_done_callback(self._lose)

    async def finished(self) -> None:
        """Wait until its work is done, or the node lost."""
        if self._done is not None:
            either: set[asyncio.Future[Any]] = {self._done, self.ended}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)

    def _lose(self, ended: object) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(NodeLost())
            self._done.exception()  # nobody may be waiting

    def go(self) -> None:
        """Its process has ended."""
        if not self.gone.done():
            self.gone.set_result(None)

    def close(self) -> None:
        """End it and what it runs."""
        self.is_retired = True
        if self._transport is not None:
            self._transport.close()


def _parts(values: Sequence[RawValue]) -> Iterator[list[RawValue]]:
    part: list[RawValue] = []
    size = 0
    for value in values:
        part.append(value)
        size += value.size
        if size >= _PART:
            yield part
            part, size = [], 0
    if part:
        yield part


def _texts(values: list[RawValue]) -> bytes:
    """The texts of some values, one after the other; reads the store."""
    texts = [value.text for value in values]
    if any(len(text) != value.size for text, value in zip(texts, values, strict=True)):
        raise ValueError("a stored value has another length than its row says")
    return texts[0] if len(texts) == 1 else b"".join(texts)


class Starter(Protocol):
    """Starts the processes of nodes."""

    async def start(self, node: WorkingNode) -> None:
        """Start its process and connect it. Raises OSError where there is no room."""

    async def close(self) -> None:
        """All nodes are gone."""


class LocalNodes:
    """The nodes of one machine. At most one piece of work is given to each."""

    def __init__(self, root: Path, settings: NodeSettings) -> None:
        """`settings`: without the name of a node."""
        self._root = root
        self._settings = settings
        self._numbers = itertools.count()
        #: The one used last stands last, and is taken first: its memory is warm.
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
                return await self._start()
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
        node = WorkingNode(f"node-{next(self._numbers)}")
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
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await node.gone
        self._all.discard(node)

    async def bury(self, node: WorkingNode, keys: tuple[str, ...]) -> None:
        """Wait until nothing is left of a node that died, and of the work that it had."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
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
        """End all nodes; none has work any more."""
        if self._preparing is not None:
            await self._preparing
        if self._timer is not None:
            self._timer.cancel()
        for node in self._all:
            node.close()
        await asyncio.gather(*self._ending)
        await self._starter.close()


class ForkServer:
    """Has the fork server (``nodes/server.py``) make the nodes; starts it with the first, and anew when it died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._unread = b""
        self._nodes: dict[str, WorkingNode] = {}

    async def start(self, node: WorkingNode) -> None:
        ours, theirs = socket.socketpair()
        try:
            ours.setblocking(False)
            if self._control is None:
                self._open()
            assert self._control is not None
            message = json.dumps({"do": "node", "name": node.name}).encode("ascii") + b"\n"
            socket.send_fds(self._control, [message], [theirs.fileno()])
            self._nodes[node.name] = node
            await asyncio.get_running_loop().create_connection(lambda: node, sock=ours)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()

    def _open(self) -> None:
        ours, theirs = socket.socketpair()
        code = f"from proactive_jupyter_kernel.scheduler.nodes.server import serve; serve({theirs.fileno()})"
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                cwd="/",
                start_new_session=True,
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.setblocking(False)
        self._control = ours
        asyncio.get_running_loop().add_reader(ours.fileno(), self._on_readable)

    def _on_readable(self) -> None:
        assert self._control is not None
        try:
            data = self._control.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lose()
            return
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            self._gone(json.loads(line)["gone"])

    def _gone(self, name: str) -> None:
        node = self._nodes.pop(name, None)
        if node is not None:
            node.go()

    def _lose(self) -> None:
        """The server has ended. Its nodes live on as long as their channels."""
        if self._control is None:
            return
        asyncio.get_running_loop().remove_reader(self._control.fileno())
        self._control.close()
        self._control = None
        process, self._process = self._process, None
        for node in list(self._nodes.values()):
            node.ended.add_done_callback(lambda _, name=node.name: self._gone(name))  # type: ignore[misc]
        if process is not None:
            process.kill()
            process.wait()

    async def close(self) -> None:
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control.fileno())
            self._control.close()
            self._control = None
        process, self._process = self._process, None
        if process is not None:
            await asyncio.to_thread(_wait, process)


class Processes:
    """Starts each node as a process of its own, where there is no fork."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []

    async def start(self, node: WorkingNode) -> None:
        loop = asyncio.get_running_loop()
        process, connection = await loop.run_in_executor(None, _connected)
        self._processes.append(process)
        try:
            await loop.create_connection(lambda: node, sock=connection)
        except BaseException:
            connection.close()
            process.kill()
            raise
        watch = loop.run_in_executor(None, process.wait)
        watch.add_done_callback(lambda _: node.go())

    async def close(self) -> None:
        for process in self._processes:
            await asyncio.to_thread(_wait, process)


def _connected() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """A node's process, and the connection to it, which it opened and proved to be its own."""
    token = os.urandom(32)
    with socket.create_server(("127.0.0.1", 0), backlog=1) as listener:
        listener.settimeout(_PATIENCE)
        port = listener.getsockname()[1]
        code = f"from proactive_jupyter_kernel.scheduler.nodes.connecting import connect; connect({port})"
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            cwd=Path(sys.executable).anchor,
        )
        try:
            assert process.stdin is not None
            with process.stdin as pipe:
                pipe.write(token)
            while True:
                connection, _ = listener.accept()
                connection.settimeout(_PATIENCE)
                if connection.recv(len(token), socket.MSG_WAITALL) == token:
                    connection.setblocking(False)
                    return process, connection
                connection.close()
        except BaseException:
            process.kill()
            process.wait()
            raise


def _wait(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
