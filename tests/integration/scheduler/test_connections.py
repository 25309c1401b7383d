"""A client that opens connections and sends nothing, or half a request, cannot lock others out."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import pytest
import uvicorn
import websockets

from proactive_jupyter_kernel.scheduler.daemon import connections
from proactive_jupyter_kernel.scheduler.daemon.connections import MOST, BoundedProtocol, most_connections
from proactive_jupyter_kernel.scheduler.daemon.web_socket import FragmentingProtocol

#: Both directions of a connection.
Stream: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]
#: Characters of a long message.
LARGE = 16 * 1024 * 1024
REQUEST = b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n"


def test_hundreds_of_incomplete_requests_do_not_block_others(daemon: Any) -> None:
    """Others connect, log in and are answered meanwhile, and afterwards nothing is left of the half requests."""
    daemon.start()
    port = int(daemon.address["url"].rpartition(":")[2])
    halves = []
    try:
        for number in range(MOST + 100):
            half = socket.create_connection(("127.0.0.1", port), timeout=30)
            half.sendall(b"" if number % 2 else b"POST /rest/scheduler/login HTTP/1.1\r\nHost: 127")
            halves.append(half)
        client = daemon.new_client()
        fields = {"username": daemon.address["user"], "password": daemon.address["token"]}
        session = client.post("/scheduler/login", data=fields).raise_for_status().text
        assert client.get("/scheduler/isconnected", headers={"sessionid": session}).json() is True
        assert daemon.get("/scheduler/isconnected") is True
    finally:
        for half in halves:
            half.close()


def test_a_body_before_login_is_small(daemon: Any) -> None:
    """A large one is refused before it is read; with a session it is accepted."""
    daemon.start()
    stranger = daemon.new_client()
    large = {"username": "x" * 100_000, "password": "x"}
    refused = stranger.post("/scheduler/login", data=large)
    assert (refused.status_code, "without a login" in refused.json()["errorMessage"]) == (413, True)
    assert stranger.post("/scheduler/login", data={"username": "x" * 10_000, "password": "x"}).status_code == 404


@contextlib.asynccontextmanager
async def serving(monkeypatch: pytest.MonkeyPatch, *, most: int, head: float) -> AsyncIterator[int]:
    """A server that answers ``ok`` after a moment; its port."""
    monkeypatch.setattr(BoundedProtocol, "most", most)
    monkeypatch.setattr(connections, "HEAD_SECONDS", head)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            if scope["path"] == "/large":
                await send({"type": "websocket.send", "text": "x" * LARGE})
            await receive()
            await send({"type": "websocket.send", "text": "heard"})
            await receive()
            return
        if scope["path"] == "/slow":
            await asyncio.sleep(0.5)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(100)
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws=FragmentingProtocol,  # type: ignore[arg-type] lifespan="off", log_config=None, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await running


@contextlib.asynccontextmanager
async def connections_to(port: int) -> AsyncIterator[Callable[[], Awaitable[Stream]]]:
    """Opens connections, and closes them in the end."""
    writers = []

    async def connect() -> Stream:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        return reader, writer

    yield connect
    for writer in writers:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def closed(reader: asyncio.StreamReader) -> bool:
    """Whether the other side ends the connection; waits for it."""
    try:
        async with asyncio.timeout(10):
            return await reader.read(1) == b""
    except ConnectionError:
        return True


def test_a_head_that_does_not_arrive_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing, half a first request, half a second one; a request that is answered slowly is not touched."""

    async def scenario() -> None:
        async with serving(monkeypatch, most=100, head=0.2) as port, connections_to(port) as connect:
            silent, _ = await connect()
            half, to_half = await connect()
            to_half.write(b"GET / HT")
            second, to_second = await connect()
            to_second.write(REQUEST % b"")
            assert (await second.readuntil(b"ok")).endswith(b"ok")
            to_second.write(b"GET /")
            slow, to_slow = await connect()
            to_slow.write(REQUEST % b"slow")
            assert [await closed(reader) for reader in (silent, half, second)] == [True, True, True]
            assert (await slow.readuntil(b"ok")).endswith(b"ok")

    asyncio.run(scenario())


def test_a_web_socket_outlives_the_time_for_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays open though no further request comes."""

    async def scenario() -> None:
        async with (
            serving(monkeypatch, most=100, head=0.2) as port,
            websockets.connect(f"ws://127.0.0.1:{port}/") as opened,
        ):
            await asyncio.sleep(0.6)
            await opened.send("anything")
            assert await opened.recv() == "heard"

    asyncio.run(scenario())


def test_a_long_message_waits_for_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a client does not read is not copied into the memory of its connection."""
    protocols: list[Any] = []
    made = FragmentingProtocol.connection_made

    def connection_made(self: Any, transport: Any) -> None:
        protocols.append(self)
        made(self, transport)

    monkeypatch.setattr(FragmentingProtocol, "connection_made", connection_made)

    async def scenario() -> None:
        async with (
            serving(monkeypatch, most=100, head=30) as port,
            websockets.connect(f"ws://127.0.0.1:{port}/large", compression=None, max_size=None, max_queue=1) as opened,
        ):
            await asyncio.sleep(0.5)
            (protocol,) = protocols
            assert protocol.transport.get_write_buffer_size() < 512 * 1024
            assert await opened.recv() == "x" * LARGE

    asyncio.run(scenario())


def test_the_connection_that_idled_longest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is being answered stays; if all are, the new one goes."""

    async def scenario() -> None:
        async with serving(monkeypatch, most=2, head=30) as port, connections_to(port) as connect:
            first, _ = await connect()
            slow, to_slow = await connect()
            to_slow.write(REQUEST % b"slow")
            await asyncio.sleep(0.1)
            other, to_other = await connect()
            assert await closed(first)
            to_other.write(REQUEST % b"slow")
            await asyncio.sleep(0.1)
            last, _ = await connect()
            assert await closed(last)
            assert [await reader.readuntil(b"ok") != b"" for reader in (slow, other)] == [True, True]

    asyncio.run(scenario())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
def test_few_handles_mean_few_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the handles are left to tasks and files."""
    import resource

    for handles, most in ((64, 32), (20, 16), (256, 128), (100_000, MOST), (resource.RLIM_INFINITY, MOST)):
        monkeypatch.setattr(resource, "getrlimit", lambda kind, handles=handles: (handles, handles))
        assert most_connections() == most
