"""The push channel, a WebSocket at ``/rest/scheduler/events``: what happens to jobs and tasks, as it happens.

A client sends one frame that says which events it wants, then gets one JSON object a frame with ``action``,
``schedulerEvent`` and ``data``. Each frame is rendered once for all its receivers, and only if there is one; while no
socket is open, there is no listener. The data are those of the moment of the event, whenever the frame is sent: the
official client registers its interest in a job only after it has read the answer to its submission, and loses what was
pushed before; so frames about a young job wait for a moment, in order.

Frames about a whole job have all of its tasks, and a loop causes one with every iteration. So those that a job may
have repeatedly are limited to so many tasks a second: one that is over the limit waits, takes in what the next events
say, and is replaced by the next of its kind.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import Receive, Send

from proactive_jupyter_kernel.errors import ProActiveError
from proactive_jupyter_kernel.scheduler.engine.commands import Announce
from proactive_jupyter_kernel.scheduler.rest.event_frames import (
    FULL,
    PendingFrame,
    Renderer,
    frame_text,
    pending_frames,
)
from proactive_jupyter_kernel.scheduler.rest.frame_queue import Frame, FrameQueue
from proactive_jupyter_kernel.scheduler.rest.requests import errors
from proactive_jupyter_kernel.scheduler.rest.requests.sessions import Session, Sessions
from proactive_jupyter_kernel.scheduler.service.service import Service
from proactive_jupyter_kernel.scheduler.store.base import JobRow

__all__ = ["EVENTS_PATH", "Events"]

_log = logging.getLogger(__name__)

#: Under ``/rest``.
EVENTS_PATH = "/scheduler/events"

#: Seconds after its submission until a job's events are pushed.
_GRACE = 0.6
#: Bytes of frames that may wait for one client; frames are shared, so that many slow clients take little more than one.
#: The largest frame has less.
MOST_BYTES = 32 * 1024 * 1024
#: Seconds that a socket without session stays open for its first frame.
_STRANGER = 10.0
#: Tasks that frames about whole jobs may list at once, and in each second. A task takes some 50 microseconds, so that
#: these frames take a twentieth of the time at most; the loops that people look at stay below.
_TASKS_AT_ONCE, _TASKS_A_SECOND = 2_000, 1_000


@dataclass(slots=True, eq=False)
class _Subscriber:
    session: Session
    #: Events up to this number were before its subscription.
    since: int
    queue: FrameQueue
    #: None: all of them.
    wanted: frozenset[str] | None = frozenset()
    #: Only about the jobs of the session's user.
    only_own: bool = False

    def wants(self, pending: PendingFrame) -> bool:
        """Whether it gets the frame."""
        if self.queue.ended or pending.number <= self.since:
            return False
        if self.wanted is not None and pending.event not in self.wanted:
            return False
        return not (self.only_own and pending.owner is not None and pending.owner != self.session.user)


class _RateLimit:
    """So many at once, and so many a second."""

    def __init__(self, at_once: int, a_second: int) -> None:
        self._most, self._a_second = at_once, a_second
        self._left = float(at_once)
        self._at = 0.0

    def wait(self, count: int, now: float) -> float:
        """Seconds until `count` may be taken; more than all at once may be taken when nothing was for long."""
        self._left = min(self._most, self._left + (now - self._at) * self._a_second)
        self._at = now
        return max(0.0, (min(count, self._most) - self._left) / self._a_second)

    def take(self, count: int) -> None:
        """Take them, allowed or not."""
        self._left -= count


class Events:
    """All open sockets. Tells each what it asked for, in the order in which it happened."""

    def __init__(self, service: Service, sessions: Sessions) -> None:
        self._service = service
        self._renderer = Renderer(service, sessions)
        self._subscribers: list[_Subscriber] = []
        self._unlisten: Callable[[], None] | None = None
        self._closed = False
        #: Of the last event.
        self._number = 0
        #: Frames to be rendered, in order.
        self._due: deque[PendingFrame] = deque()
        self._pump: asyncio.Task[None] | None = None
        #: Frames about jobs that no client can know yet, in order.
        self._delayed: dict[int, list[PendingFrame]] = {}
        #: Frames about whole jobs that are over the allowance, by job.
        self._held: dict[int, PendingFrame] = {}
        self._allowance = _RateLimit(_TASKS_AT_ONCE, _TASKS_A_SECOND)
        self._timers: set[asyncio.TimerHandle] = set()

    @property
    def open(self) -> int:
        """How many sockets there are."""
        return len(self._subscribers)

    def close(self) -> None:
        """End all sockets; nothing is read from the store after that."""
        self._closed = True
        self._stop_listening()
        for subscriber in self._subscribers:
            subscriber.queue.end()

    async def serve(self, session: Session, receive: Receive, send: Send) -> None:
        """Accept a socket and keep it until either side ends it."""
        await receive()
        await send({"type": "websocket.accept"})
        subscriber = _Subscriber(session, self._number, FrameQueue(MOST_BYTES))
        if self._closed:
            subscriber.queue.end()
        self._enter(subscriber)
        sending = asyncio.create_task(self._send(subscriber, send))
        try:
            while (message := await receive())["type"] != "websocket.disconnect":
                self._subscribe(
                    subscriber, message.get("text") or (message.get("bytes") or b"").decode("utf-8", "replace")
                )
        finally:
            self._leave(subscriber)
            sending.cancel()

    async def refuse(self, receive: Receive, send: Send) -> None:
        """Without session: accept the socket as a server does, say 401 in a frame now and after the first, and end."""
        refusal = json.dumps(errors.body(errors.not_connected()))
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": refusal})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STRANGER):
                if (await receive())["type"] == "websocket.disconnect":
                    return
                await send({"type": "websocket.send", "text": refusal})
        await send({"type": "websocket.close", "code": 1008})

    # --- subscribers ---------------------------------------------------------------------------------------------

    def _enter(self, subscriber: _Subscriber) -> None:
        self._subscribers.append(subscriber)
        self._service.measures.subscribers = self.open
        if self._unlisten is None and not self._closed:
            self._unlisten = self._service.listeners.add(self._tell, tasks=True)

    def _leave(self, subscriber: _Subscriber) -> None:
        self._subscribers.remove(subscriber)
        self._service.measures.subscribers = self.open
        if not self._subscribers:
            self._stop_listening()

    def _stop_listening(self) -> None:
        """The socket was closed: drop the frames that wait."""
        if self._unlisten is not None:
            self._unlisten()
            self._unlisten = None
        for timer in self._timers:
            timer.cancel()
        if self._pump is not None:
            self._pump.cancel()
            self._pump = None
        self._timers.clear()
        self._due.clear()
        self._delayed.clear()
        self._held.clear()

    async def _send(self, subscriber: _Subscriber, send: Send) -> None:
        measures = self._service.measures
        # A client that is gone has its socket ended by `serve`.
        with contextlib.suppress(OSError):
            while (frame := await subscriber.queue.get()) is not None:
                await send({"type": "websocket.send", "text": frame.text})
                measures.frames_sent += 1
                measures.frame_bytes += len(frame.text)
            await send({"type": "websocket.close", "code": 1001})

    def _subscribe(self, subscriber: _Subscriber, text: str) -> None:
        """The client says which events it wants; the answer is a frame without event, as from ProActive."""
        if text.strip() in ("", "X"):
            # A heartbeat.
            return
        try:
            asked = json.loads(text)
            names, only_own = asked.get("events"), asked.get("myEventsOnly")
        except (ValueError, AttributeError, RecursionError):
            _log.warning("a subscription to events is not JSON: %.200s", text)
            return
        subscriber.wanted = frozenset(map(str, names)) if isinstance(names, list) else None
        subscriber.only_own = only_own is True
        self._put(subscriber, Frame(text=frame_text("NONE", None, None)))

    def _put(self, subscriber: _Subscriber, frame: Frame) -> None:
        if not subscriber.queue.put(frame):
            self._service.measures.subscribers_dropped += 1
            _log.warning(
                "a client of the push channel (user %s) does not read its frames: its socket is closed",
                subscriber.session.user,
            )

    # --- events --------------------------------------------------------------------------------------------------

    def _tell(self, announcement: Announce) -> None:
        self._number += 1
        found = pending_frames(announcement, self._number, self._service.ask)
        wanted = [pending for pending in found if self._is_wanted(pending)]
        job_id, job = announcement.job_id, announcement.job
        if not wanted or job_id is None or job is None:
            self._later(wanted)
            return
        self._complete(wanted, job_id)
        if (delayed := self._delayed.get(job_id)) is not None:
            delayed += wanted
        elif (left := _GRACE - (self._service.clock() - job.submitted_at) / 1000) > 0:
            self._delayed[job_id] = wanted
            self._after(left, lambda: self._later(self._delayed.pop(job_id)))
        else:
            self._later(wanted)

    def _complete(self, wanted: list[PendingFrame], job_id: int) -> None:
        """What the frames need of a job that may be removed before they are rendered."""
        workflow = self._service.workflows.get(job_id, lambda job_id: None)
        row: JobRow | None = None
        for pending in wanted:
            pending.workflow = workflow.workflow if workflow else None
            if pending.row is None and pending.task is None and not (pending.action == FULL and pending.repeated):
                with contextlib.suppress(ProActiveError):
                    row = row or self._service.ask.job(job_id)
                pending.row = row
            if pending.action == FULL:
                self._held.pop(job_id, None)  # this one says all that the other would

    def _is_wanted(self, pending: PendingFrame) -> bool:
        return any(subscriber.wants(pending) for subscriber in self._subscribers)

    def _after(self, delay: float, then: Callable[[], None]) -> None:
        def due() -> None:
            self._timers.discard(timer)
            then()

        timer = asyncio.get_running_loop().call_later(delay, due)
        self._timers.add(timer)

    def _later(self, pending: list[PendingFrame]) -> None:
        """Render these after those that are waiting."""
        self._due += pending
        if self._due and self._pump is None:
            self._pump = asyncio.create_task(self._render_all())

    async def _render_all(self) -> None:
        try:
            while self._due:
                pending = self._due.popleft()
                try:
                    await self._render(pending)
                except Exception:
                    _log.exception("a frame about %s of job %s could not be made", pending.event, pending.job_id)
        finally:
            if self._pump is asyncio.current_task():
                self._pump = None

    async def _render(self, pending: PendingFrame) -> None:
        """Render a frame and give it to all who want it, unless it must wait."""
        if not self._is_wanted(pending) or self._must_wait(pending):
            return
        frame = await self._renderer.render(pending)
        if frame is not None:
            for subscriber in [each for each in self._subscribers if each.wants(pending)]:
                self._put(subscriber, frame)

    # --- frames about whole jobs ---------------------------------------------------------------------------------

    def _must_wait(self, pending: PendingFrame) -> bool:
        """Whether the allowance holds it back. It replaces the one of its job that waits already."""
        if pending.job_id is None:
            return False
        if pending.action != FULL:
            self._update_held(pending)
            return False
        self._held.pop(pending.job_id, None)
        count = len(pending.tasks)
        delay = self._allowance.wait(count, asyncio.get_running_loop().time()) if pending.repeated else 0.0
        if delay <= 0:
            self._allowance.take(count)
            return False
        self._held[pending.job_id] = pending
        self._after(delay, lambda: self._release(pending))
        return True

    def _release(self, pending: PendingFrame) -> None:
        if pending.job_id is not None and self._held.get(pending.job_id) is pending:
            del self._held[pending.job_id]
            self._later([pending])

    def _update_held(self, pending: PendingFrame) -> None:
        """A frame is sent: one about its whole job that waits must not say what was before."""
        held = self._held.get(pending.job_id or 0)
        if held is None:
            return
        held.job = pending.job or held.job
        task = pending.task
        if task is not None and task.task_id < len(held.tasks):
            held.tasks[task.task_id] = task
