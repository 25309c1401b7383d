"""What is behind addresses that users name: workflows to submit, scripts of tasks.

Each address is read in a separate thread, for a limited time and up to a limited size. An address that does not
answer occupies such threads and nothing else: requests, tasks and other addresses have theirs.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

__all__ = ["LinkFailed", "Links", "in_daemon_thread"]

_T = TypeVar("_T")

#: Threads at the same time, all together and for one host: a host that does not answer leaves room for the others.
_MOST, _MOST_A_HOST = 128, 8
_CHUNK = 64 * 1024


class LinkFailed(Exception):
    """What is behind an address cannot be read; the text is the reason."""

    def __init__(self, reason: str, *, status: int | None = None, too_large: bool = False) -> None:
        super().__init__(reason)
        #: What the server at the address answered, where it answered.
        self.status = status
        self.too_large = too_large


class Links:
    """Reads addresses. Belongs to one event loop."""

    def __init__(self, *, seconds: float, most: int = _MOST, most_a_host: int = _MOST_A_HOST) -> None:
        """`seconds` is the time for one address, and the longest wait for a thread to read it with."""
        self._seconds = seconds
        self._most_a_host = most_a_host
        self._all = asyncio.Semaphore(most)
        #: Kept while one of their threads runs or is waited for.
        self._hosts: weakref.WeakValueDictionary[str, asyncio.Semaphore] = weakref.WeakValueDictionary()

    async def read(self, url: str, *, largest: int, headers: Mapping[str, str] | None = None) -> bytes:
        """The content behind an http, https or file address. Raises `LinkFailed`."""
        host = self._hosts.setdefault(_host_of(url), asyncio.Semaphore(self._most_a_host))
        await self._enter(host)
        try:
            reading = in_daemon_thread(
                lambda: _read(url, self._seconds, largest, headers or {}), ended=lambda: self._leave(host)
            )
        except RuntimeError as error:
            raise LinkFailed(f"the system has no room for another thread: {error}") from error
        try:
            async with asyncio.timeout(self._seconds):
                return await reading
        except TimeoutError:
            raise LinkFailed(f"it did not answer within {self._seconds:g} seconds") from None

    async def _enter(self, host: asyncio.Semaphore) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await host.acquire()
                try:
                    await self._all.acquire()
                except BaseException:
                    host.release()
                    raise
        except TimeoutError:
            raise LinkFailed(
                f"other requests to its host were still waiting for an answer after {self._seconds:g} seconds"
            ) from None

    def _leave(self, host: asyncio.Semaphore) -> None:
        host.release()
        self._all.release()


def in_daemon_thread(function: Callable[[], _T], *, ended: Callable[[], None] = lambda: None) -> asyncio.Future[_T]:
    """What a function gives that may wait for an answer from elsewhere, in a separate thread.

    That thread delays neither what other threads do nor the end of the process. `ended` is called in the loop's thread
    when it has ended, however long ago its caller gave up. RuntimeError where the system has no room for a thread.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_T] = loop.create_future()

    def over(settle: Callable[[], None]) -> None:
        ended()
        if not future.done():
            settle()

    def run() -> None:
        settle: Callable[[], None]
        try:
            settle = functools.partial(future.set_result, function())
        except Exception as error:
            settle = functools.partial(future.set_exception, error)
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(over, settle)

    try:
        threading.Thread(target=run, name="link", daemon=True).start()
    except RuntimeError:
        ended()
        raise
    return future


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""


def _read(url: str, seconds: float, largest: int, headers: Mapping[str, str]) -> bytes:
    """Blocks; raises `LinkFailed`."""
    # With all that they import, they take longer to load than most requests take.
    import http.client
    import urllib.error
    import urllib.request

    end = time.monotonic() + seconds
    try:
        _refuse_devices(url)
        request = urllib.request.Request(url, headers=dict(headers))
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            found: list[bytes] = []
            size = 0
            # A piece at a time, as it comes: an answer that drips would otherwise never be late.
            read = getattr(answer, "read1", answer.read)
            while (piece := read(_CHUNK)) and size <= largest:
                found.append(piece)
                size += len(piece)
                if time.monotonic() > end:
                    raise LinkFailed(f"it was not complete after {seconds:g} seconds")
            if size <= largest and getattr(answer, "length", None):
                # Half a script may do other things than the whole.
                raise LinkFailed(f"its server ended the connection {answer.length} bytes before the end")
    except urllib.error.HTTPError as error:
        error.close()
        why = f"its server answered {error.code}"
        if 300 <= error.code < 400:
            why += ", and redirects in a circle, or to an address that is not read"
        raise LinkFailed(why, status=error.code) from None
    except TimeoutError:
        raise LinkFailed(f"it did not answer within {seconds:g} seconds") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise LinkFailed(str(getattr(error, "reason", "") or error)) from error
    if size > largest:
        raise LinkFailed(f"it is larger than {largest} bytes", too_large=True)
    return b"".join(found)


def _refuse_devices(url: str) -> None:
    """Pipes and devices may never end, or block forever."""
    import os
    from urllib.request import url2pathname

    parts = urlsplit(url)
    if parts.scheme != "file":
        return
    path = url2pathname(parts.path)
    if os.path.isdir(path):
        raise LinkFailed("it is a folder")
    if os.path.exists(path) and not os.path.isfile(path):
        raise LinkFailed("it is not a regular file")
