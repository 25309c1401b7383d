"""A connection of Dask's as a transport of asyncio."""

from __future__ import annotations

import asyncio
import pickle
from collections import deque
from typing import Any

__all__ = ["CommTransport", "connect", "reason_of", "run_on_worker"]

#: Bytes in one message, and bytes that wait to be sent before the protocol is asked to pause.
_MOST, _HIGH = 1024 * 1024, 4 * 1024 * 1024
#: Seconds to connect.
_PATIENCE = 5.0
_NO_CERTIFICATES = (
    "Dask's configuration here names no certificates for TLS; set distributed.comm.tls.ca-file, client.cert and "
    "client.key in it, or DASK_DISTRIBUTED__COMM__TLS__CA_FILE, ..._CLIENT__CERT and ..._CLIENT__KEY in the environment"
)


async def connect(address: str, timeout: float = _PATIENCE) -> Any:
    """A connection to a scheduler or worker, as Dask's configuration wants it. Raises OSError."""
    from distributed import Security
    from distributed.comm import connect as dask_connect

    arguments = Security().get_connection_args("client")
    if address.startswith("tls://") and arguments.get("ssl_context") is None:
        raise OSError(_NO_CERTIFICATES)
    return await dask_connect(address, timeout=timeout, **arguments)


def reason_of(error: BaseException) -> str:
    """What a message says of an error; a timeout of asyncio, which an address without a machine causes, has no text."""
    return str(error) or ("no answer in time" if isinstance(error, TimeoutError) else type(error).__name__)


async def run_on_worker(comm: Any, function: Any, *arguments: Any) -> Any:
    """What a function returns on a worker; raises what it raises there."""
    from distributed.core import clean_exception

    message = {"op": "run", "function": pickle.dumps(function), "args": pickle.dumps(arguments)}
    await comm.write(message)
    answer = await comm.read()
    if answer.get("status") == "OK":
        return answer["result"]
    _, error, _ = clean_exception(**answer)
    raise error or OSError("the worker gives no reason")


class CommTransport(asyncio.Transport):
    """Sends and receives bytes for a protocol until the connection ends."""

    def __init__(self, comm: Any, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._comm = comm
        self._protocol = protocol
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._is_paused = False
        self._wake = asyncio.Event()
        self._is_ended = False
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._receive()), loop.create_task(self._send())]
        protocol.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._is_ended:
            return
        self._waiting.append(bytes(data))
        self._size += len(data)
        if self._size > _HIGH and not self._is_paused:
            self._is_paused = True
            self._protocol.pause_writing()
        self._wake.set()

    def is_closing(self) -> bool:
        return self._is_ended

    def close(self) -> None:
        """End at once; what has not been sent is not."""
        self._end(None)

    def abort(self) -> None:
        self._end(None)

    async def _receive(self) -> None:
        try:
            while True:
                data = await self._comm.read()
                self._protocol.data_received(data)
        except OSError as error:
            self._end(error)
        except Exception as error:
            self._end(error)
            raise

    async def _send(self) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._waiting:
                    await self._comm.write(self._next())
                    if self._is_paused and self._size < _HIGH // 2:
                        self._is_paused = False
                        self._protocol.resume_writing()
        except OSError as error:
            self._end(error)

    def _next(self) -> bytes:
        """What fits into one message."""
        first = self._waiting.popleft()
        if self._waiting and len(first) < _MOST:
            parts, size = [first], len(first)
            while self._waiting and size < _MOST:
                parts.append(self._waiting.popleft())
                size += len(parts[-1])
            first = b"".join(parts)
        self._size -= len(first)
        return first

    def _end(self, error: Exception | None) -> None:
        if self._is_ended:
            return
        self._is_ended = True
        self._comm.abort()
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        self._waiting.clear()
        asyncio.get_running_loop().call_soon(self._protocol.connection_lost, error)
