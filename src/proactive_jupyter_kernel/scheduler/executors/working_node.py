"""The scheduler's end of a node's channel: one piece of work at a time, large values without holding them all."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from proactive_jupyter_kernel.scheduler.nodes.frames import Frame, Splitter, begun, packed
from proactive_jupyter_kernel.scheduler.raw_value import RawValue

__all__ = ["PATIENCE", "NodeLost", "WorkingNode"]

#: Seconds that a node has to answer, and the processes of nodes have to end.
PATIENCE = 10.0
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
        #: Its process; 0: it has not said.
        self.pid = 0
        self._answered = asyncio.Event()
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
            self.take(frame)

    def take(self, frame: Frame) -> None:
        """It says something."""
        if frame["do"] == "note":
            logging.getLogger(frame["name"]).log(frame["level"], "%s", frame["text"])
        elif frame["do"] == "pong":
            self._answered.set()
        elif frame["do"] == "ready":
            self.pid = frame["pid"]
        elif frame.get("key") != self.key or self._hear is None:
            return
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
        done = self._done
        try:
            return await done
        except asyncio.CancelledError:
            if done.cancelled():
                # Its work continues until it is ended: see `finished`.
                self._done = asyncio.get_running_loop().create_future()
            raise
        finally:
            self.ended.remove_done_callback(self._lose)

    async def finished(self) -> None:
        """Wait until its work is done, or the node lost."""
        if self._done is not None:
            either: set[asyncio.Future[Any]] = {self._done, self.ended}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)

    async def answers(self) -> bool:
        """Whether it answers, or has ended."""
        self._answered.clear()
        self.send({"do": "ping"})
        either: set[asyncio.Future[Any]] = {self.ended, asyncio.ensure_future(self._answered.wait())}
        done, pending = await asyncio.wait(either, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        for waiting in pending - {self.ended}:
            waiting.cancel()
        return bool(done)

    @property
    def is_alive(self) -> bool:
        """Whether its process is known to live."""
        try:
            os.kill(self.pid, 0)
        except OSError:
            return False
        return self.pid != 0

    def kill(self) -> bool:
        """Kill its process; False where that is not known yet."""
        if self.pid and not self.gone.done():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        self.close()
        return self.pid != 0

    def _lose(self, ended: object) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(NodeLost())
            self._done.exception()  # marks it as seen where no caller waits

    def go(self) -> None:
        """Its process has ended."""
        if not self.gone.done():
            self.gone.set_result(None)

    def retire(self) -> None:
        """Give it no more work; it ends when it has done what it has."""
        self.is_retired = True
        if not self.key:
            self.close()

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
