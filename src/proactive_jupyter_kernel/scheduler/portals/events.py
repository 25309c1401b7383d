"""``/portal/events``: server-sent events that say what has changed, so that pages fetch those of their parts.

An event says which jobs changed and the revision of the state, never what they are now: what a page shows comes from
its own handler alone. While no page is open, there is no listener, and the machine announces no tasks.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
from collections.abc import AsyncIterator, Callable

from proactive_jupyter_kernel.scheduler.engine.commands import Announce
from proactive_jupyter_kernel.scheduler.service.service import Service

__all__ = ["EVENTS_PATH", "MOST_STREAMS", "PROXIED_SECONDS", "Changes"]

EVENTS_PATH = "/portal/events"

#: Seconds between two events of a stream; what changes meanwhile is in the later one.
_PACE = 0.5
#: Seconds after which a stream without events sends a comment, by which a connection that is gone is noticed.
_HEARTBEAT = 20.0
#: Seconds of a stream behind a proxy; then its page opens another one. jupyter-server-proxy keeps its connection to us
#: when the browser has gone, and counts each heartbeat as use of a server that a hub would stop.
PROXIED_SECONDS = 30.0
#: Jobs that an event names; if more changed, it names none, and ``many`` is true.
_MOST_JOBS = 100
#: Streams at the same time. A browser opens one for each page that is in front.
MOST_STREAMS = 50


class _Stream:
    """The changes that one page has not fetched yet."""

    def __init__(self, job_id: int | None) -> None:
        #: None: all jobs.
        self.job_id = job_id
        self.jobs: set[int] = set()
        self.changed = asyncio.Event()

    def hear(self, job_id: int | None) -> None:
        if self.job_id is not None and job_id not in (None, self.job_id):
            return
        if job_id is not None and len(self.jobs) <= _MOST_JOBS:
            self.jobs.add(job_id)
        self.changed.set()

    def take(self) -> set[int]:
        """The jobs that changed since the last time."""
        jobs, self.jobs = self.jobs, set()
        self.changed.clear()
        return jobs


class Changes:
    """All open streams."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._streams: list[_Stream] = []
        self._unlisten: Callable[[], None] | None = None
        self._closed = False

    @property
    def open(self) -> int:
        """How many streams there are."""
        return len(self._streams)

    def close(self) -> None:
        """End all streams."""
        self._closed = True
        for stream in self._streams:
            stream.changed.set()

    def tell(self) -> None:
        """Something has changed that is about no job, such as a lock of a node."""
        for stream in self._streams:
            stream.hear(None)

    async def stream(
        self, since: int, job_id: int | None, lasts: Callable[[], bool], *, seconds: float = math.inf
    ) -> AsyncIterator[bytes]:
        """The events of one page that shows revision `since`; `job_id`: only about this job. `lasts`: the session.

        After `seconds` the stream asks the page to open another one, and ends.
        """
        stream = _Stream(job_id)
        end = asyncio.get_running_loop().time() + seconds
        self._enter(stream)
        try:
            yield b"retry: 2000\n\n"
            if self._service.revision > since:
                stream.changed.set()
            while not self._closed and lasts():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(end - asyncio.get_running_loop().time(), _HEARTBEAT)):
                        await stream.changed.wait()
                # Whoever has logged out meanwhile is not told what changed since.
                if self._closed or not lasts():
                    break
                if stream.changed.is_set():
                    yield self._event(stream.take())
                    await asyncio.sleep(_PACE)
                elif asyncio.get_running_loop().time() < end:
                    yield b": still here\n\n"
                if asyncio.get_running_loop().time() >= end:
                    yield b"event: again\ndata: {}\n\n"
                    break
        finally:
            self._leave(stream)

    def _event(self, jobs: set[int]) -> bytes:
        many = len(jobs) > _MOST_JOBS
        data = {"revision": self._service.revision, "jobs": [] if many else sorted(jobs), "many": many}
        return f"event: change\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode("ascii")

    def _enter(self, stream: _Stream) -> None:
        self._streams.append(stream)
        if self._unlisten is None:
            self._unlisten = self._service.listeners.add(self._hear, tasks=True)

    def _leave(self, stream: _Stream) -> None:
        self._streams.remove(stream)
        if not self._streams and self._unlisten is not None:
            self._unlisten()
            self._unlisten = None

    def _hear(self, announcement: Announce) -> None:
        for stream in self._streams:
            stream.hear(announcement.job_id)
