"""What is behind addresses is read in limited time and size, and one that does not answer disturbs no other."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.sources.links import LinkFailed, Links

HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n"


@pytest.fixture
def host() -> Iterator[Callable[[Callable[[socket.socket], Any]], str]]:
    """Starts a server that does with each connection, after its request, what it is given; its address."""
    listening: list[socket.socket] = []

    def start(answer: Callable[[socket.socket], Any]) -> str:
        server = socket.create_server(("127.0.0.1", 0), backlog=64)
        listening.append(server)

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=handle, args=[connection], daemon=True).start()

        def handle(connection: socket.socket) -> None:
            with connection:
                try:
                    connection.recv(65536)
                    answer(connection)
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}/x"

    yield start
    for server in listening:
        server.close()


def read(*urls: str, seconds: float = 20.0, largest: int = 100, **more: int) -> list[Any]:
    """What each gives, all at the same time: the content or the reason of the failure."""

    async def run() -> list[Any]:
        links = Links(seconds=seconds, **more)
        return await asyncio.gather(*(links.read(url, largest=largest) for url in urls), return_exceptions=True)

    return [str(each) if isinstance(each, LinkFailed) else each for each in asyncio.run(run())]


def drip(connection: socket.socket) -> None:
    connection.sendall(HEAD)
    for _ in range(1000):
        connection.sendall(b"x")
        time.sleep(0.02)


def test_content(host: Any, tmp_path: Path) -> None:
    """Of links and of files, an empty one included."""
    (tmp_path / "a b").write_text("é", encoding="utf-8")
    (tmp_path / "empty").touch()
    url = host(lambda connection: connection.sendall(HEAD + b"linked"))
    files = [(tmp_path / name).as_uri() for name in ("a b", "empty")]
    assert read(url, *files) == [b"linked", "é".encode(), b""]


def test_reasons(host: Any, tmp_path: Path) -> None:
    """What cannot be read says why."""
    os.mkfifo(tmp_path / "pipe")
    large = host(lambda connection: connection.sendall(HEAD + b"x" * 101))
    missing = host(lambda connection: connection.sendall(b"HTTP/1.0 404 No\r\n\r\n"))
    garbage = host(lambda connection: connection.sendall(b"nonsense\r\n\r\n"))
    files = [path.as_uri() for path in (tmp_path, tmp_path / "pipe", tmp_path / "none")]
    cut = host(lambda connection: connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\nrm -rf /"))
    circle = host(lambda connection: connection.sendall(b"HTTP/1.0 302 Found\r\nLocation: /x\r\n\r\n"))
    elsewhere = host(lambda connection: connection.sendall(b"HTTP/1.0 302 Found\r\nLocation: file:///x\r\n\r\n"))
    redirects = "its server answered 302, and redirects in a circle, or to an address that is not read"
    assert read(cut, circle, elsewhere) == [
        "its server ended the connection 2 bytes before the end",
        redirects,
        redirects,
    ]
    found = read(large, missing, garbage, *files)
    assert found[:2] == ["it is larger than 100 bytes", "its server answered 404"]
    assert "nonsense" in found[2]
    assert found[3:5] == ["it is a folder", "it is not a regular file"]
    assert "No such file" in found[5]


@pytest.mark.parametrize("answer", [drip, lambda connection: connection.recv(1)], ids=["drips", "says nothing"])
def test_an_answer_that_takes_too_long(host: Any, answer: Callable[[socket.socket], Any]) -> None:
    """It ends after its time, also where something always comes."""
    assert read(host(answer), seconds=0.2, largest=10_000) in (
        ["it did not answer within 0.2 seconds"],
        ["it was not complete after 0.2 seconds"],
    )


def test_a_host_that_does_not_answer_leaves_room_for_others(host: Any) -> None:
    """However many addresses on it are asked, and also after their callers have given up."""
    silent, good = host(lambda connection: connection.recv(1)), host(lambda c: c.sendall(HEAD + b"good"))

    async def run() -> bytes:
        links = Links(seconds=240, most=4, most_a_host=2)
        waiting = [asyncio.ensure_future(links.read(silent, largest=10)) for _ in range(10)]
        await asyncio.sleep(0.05)
        for one in waiting:
            one.cancel()
        return await links.read(good, largest=10)

    begin = time.monotonic()
    assert asyncio.run(run()) == b"good"
    assert time.monotonic() - begin < 240


def test_no_room_for_another_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reading fails with the reason, and takes no place from the next one."""
    start = threading.Thread.start

    def refused(thread: threading.Thread) -> None:
        monkeypatch.setattr(threading.Thread, "start", start)
        raise RuntimeError("can't start new thread")

    async def run() -> bytes:
        links = Links(seconds=20.0, most=1)
        monkeypatch.setattr(threading.Thread, "start", refused)
        with pytest.raises(LinkFailed, match="no room for another thread"):
            await links.read(url, largest=100)
        return await links.read(url, largest=100)

    (tmp_path / "a").write_bytes(b"content")
    url = (tmp_path / "a").as_uri()
    assert asyncio.run(run()) == b"content"


def test_too_many_requests_to_one_host(host: Any) -> None:
    """Those that find no room in their time say what they waited for."""
    silent = host(lambda connection: connection.recv(1))
    found = read(silent, silent, seconds=0.3, most_a_host=1)
    assert found[0] == "it did not answer within 0.3 seconds"
    assert "other requests to its host were still waiting" in found[1] or found[1] == found[0]
