"""The way from a task on a worker to REST: requests arrive whole, for the address of the scheduler."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.executors.dask.tunnel import Tunnel

BODY = b"Host: 127.0.0.1:1\r\n\r\nHost: 127.0.0.1:1\r\n"


async def _through(request: list[bytes], answer: bytes) -> tuple[int, bytes, bytes]:
    """What a server gets of a request sent in these pieces, and what the sender gets back; and the server's port."""
    got = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not got.endswith(BODY) or got.count(b"\r\n\r\n") < 2:
            data = await reader.read(1024)
            if not data:
                break
            got.extend(data)
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def to_worker(message: Mapping[str, Any]) -> None:
        worker.take(message)

    async def to_scheduler(message: Mapping[str, Any]) -> None:
        scheduler.take(message)

    scheduler, worker = Tunnel(to_worker), Tunnel(to_scheduler)
    scheduler.lead_to(port)
    reader, writer = await asyncio.open_connection("127.0.0.1", await worker.listen())
    for piece in request:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.01)
    back = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    for end in (worker, scheduler, server):
        end.close()
    return port, bytes(got), back


@pytest.mark.parametrize("cut", [3, 25, 60, 1000])
def test_a_request_gets_the_host_of_the_scheduler(cut: int) -> None:
    """Wherever it is cut into pieces; its body stays what it is, and the connection ends after it."""
    head = b"POST /x HTTP/1.1\r\nhost: 127.0.0.1:1\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n" % len(BODY)
    whole = head + BODY
    port, got, back = asyncio.run(_through([whole[:cut], whole[cut:]], b"HTTP/1.1 204 No Content\r\n\r\n"))
    want = b"POST /x HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (
        port,
        len(BODY),
    )
    assert (got, back) == (want + BODY, b"HTTP/1.1 204 No Content\r\n\r\n")


def test_an_upgrade_keeps_its_connection() -> None:
    """A web socket stays one."""
    head = b"GET /x HTTP/1.1\r\nHost: 127.0.0.1:1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    port, got, _ = asyncio.run(_through([head + BODY], b"HTTP/1.1 101 Switching Protocols\r\n\r\n"))
    want = b"GET /x HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n" % port
    assert got == want + BODY
