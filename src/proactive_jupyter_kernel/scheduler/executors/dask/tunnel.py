"""The way from a task on a worker to the REST API of its scheduler, which listens on its own machine alone.

The worker listens on its own machine, too, and what comes there travels through the connection of the site: ``open``,
``data`` and ``end`` with the number of a connection. So channels, signals and requests of tasks work wherever they run.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

__all__ = ["Tunnel"]

_CHUNK = 256 * 1024
#: Bytes of the head of a request; a longer one is passed on as it is, and the server refuses it.
_LONGEST_HEAD = 64 * 1024


class _Stream:
    """What goes into a connection; kept until it is open."""

    def __init__(self, writer: asyncio.StreamWriter | None, host: bytes = b"") -> None:
        """With `host`, the stream is one HTTP request, and that is the Host header it gets."""
        self._writer = writer
        self._host = host
        self._head = b""
        self._early: list[bytes] = []

    def begin(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        writer.writelines(self._early)

    def write(self, data: bytes) -> None:
        if self._host:
            self._head += data
            if b"\r\n\r\n" not in self._head and len(self._head) < _LONGEST_HEAD:
                return
            data, self._host, self._head = _for_host(self._head, self._host), b"", b""
        if self._writer is None:
            self._early.append(data)
        else:
            self._writer.write(data)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


class Tunnel:
    """One end; both carry bytes in both directions."""

    def __init__(self, send: Callable[[Mapping[str, Any]], Awaitable[None]]) -> None:
        """`send` sends a message to the other end."""
        self._send = send
        self._numbers = itertools.count(1)
        self._streams: dict[int, _Stream] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        #: The Host header of requests, at the scheduler's end: a server answers for its own address alone.
        self._host = b""
        self._target = 0

    async def listen(self) -> int:
        """Take connections, on this machine alone; the port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def lead_to(self, target: int) -> None:
        """Lead what comes from the other end to this port of this machine."""
        self._target = target
        self._host = f"127.0.0.1:{target}".encode()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = next(self._numbers)
        self._streams[number] = _Stream(writer)
        await self._send({"do": "open", "number": number})
        self._start(self._pump(number, reader))

    def take(self, message: Mapping[str, Any]) -> None:
        """The other end says something."""
        number = message["number"]
        if message["do"] == "open":
            self._streams[number] = _Stream(None, self._host)
            self._start(self._open(number))
        elif message["do"] == "end":
            self._end(number)
        elif (stream := self._streams.get(number)) is not None:
            stream.write(message["data"])

    async def _open(self, number: int) -> None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            self._end(number)
            await self._send({"do": "end", "number": number})
            return
        if number not in self._streams:
            writer.close()
            return
        self._streams[number].begin(writer)
        await self._pump(number, reader)

    async def _pump(self, number: int, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                await self._send({"do": "data", "number": number, "data": data})
        self._end(number)
        with contextlib.suppress(OSError):
            await self._send({"do": "end", "number": number})

    def _end(self, number: int) -> None:
        if (stream := self._streams.pop(number, None)) is not None:
            stream.close()

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """End all connections."""
        if self._server is not None:
            self._server.close()
        for number in list(self._streams):
            self._end(number)
        for task in self._tasks:
            task.cancel()


def _for_host(start: bytes, host: bytes) -> bytes:
    """The first bytes of a request with another Host header, and without a second request on the same connection.

    So only one head must be found: what follows it is passed on untouched. An upgrade keeps its connection.
    """
    head, end, body = start.partition(b"\r\n\r\n")
    if not end:
        return start
    request, *lines = head.split(b"\r\n")
    fields = [(line.partition(b":")[0].strip().lower(), line) for line in lines]
    dropped = {b"host"} if any(name == b"upgrade" for name, _ in fields) else {b"host", b"connection"}
    kept = [line for name, line in fields if name not in dropped]
    own = [b"Host: " + host, *([b"Connection: close"] if b"connection" in dropped else [])]
    return b"\r\n".join([request, *own, *kept]) + end + body
