"""The push channel, a WebSocket at ``/rest/scheduler/events``: what happens to jobs and tasks, as it happens.

A client sends one frame that says which events it wants, then gets one JSON object a frame with ``action``,
``schedulerEvent`` and ``data``. The data are those of the moment of the event, whenever the frame is sent: the official
client registers its interest in a job only after it has read the answer to its submission, and loses what was pushed
before; so frames about a young job wait for a moment, in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.types import Receive, Send

from proactive_jupyter_kernel.errors import ProActiveError
from proactive_jupyter_kernel.scheduler.engine.commands import Announce
from proactive_jupyter_kernel.scheduler.rest.dto import notifications, views
from proactive_jupyter_kernel.scheduler.rest.dto.users import user_record
from proactive_jupyter_kernel.scheduler.rest.http import errors
from proactive_jupyter_kernel.scheduler.rest.http.sessions import Session, Sessions
from proactive_jupyter_kernel.scheduler.service.service import Service
from proactive_jupyter_kernel.scheduler.store.base import JobRow

__all__ = ["EVENTS_PATH", "Events"]

_log = logging.getLogger(__name__)

#: Under ``/rest``.
EVENTS_PATH = "/scheduler/events"

#: Seconds after its submission until a job's events are pushed.
_GRACE = 0.6
#: A client that has read none of so many frames is not there any more.
_MOST_WAITING = 10_000
#: Seconds that a socket without session stays open for its first frame.
_STRANGER = 10.0

#: Action of a frame by the beginning of the event's name; the first that fits. Others are about the scheduler.
_ACTIONS = (
    ("JOB_SUBMITTED", "JOB_SUBMITTED"),
    ("JOB_UPDATED", "JOB_FULL_DATA_UPDATED"),
    ("JOB_", "JOB_STATE_UPDATED"),
    ("TASK_REPLICATED", "JOB_FULL_DATA_UPDATED"),
    ("TASK_", "TASK_STATE_UPDATED"),
)
#: Copies change which tasks a job has: announced as an update of the whole job.
_RENAMED = {"TASK_REPLICATED": "JOB_UPDATED"}
#: Events of a job without a frame ``JOB_UPDATED`` after them, which has the job with all tasks.
_ALONE = frozenset({"JOB_SUBMITTED", "JOB_UPDATED", "JOB_REMOVE_FINISHED", "TASK_REPLICATED"})


@dataclass(slots=True)
class _Subscriber:
    session: Session
    frames: asyncio.Queue[str | None]
    #: None: all of them.
    wanted: frozenset[str] | None = frozenset()
    #: Only about the jobs of the session's user.
    only_own: bool = False
    #: Jobs whose frames wait, with the frames; None stands for a frame about the user, made when the time is over.
    young: dict[int, list[str | None]] = field(default_factory=dict)

    def wants(self, event: str) -> bool:
        return self.wanted is None or event in self.wanted


class Events:
    """All open sockets. Tells each what it asked for, in the order in which it happened."""

    def __init__(self, service: Service, sessions: Sessions) -> None:
        self._service = service
        self._sessions = sessions
        self._subscribers: list[_Subscriber] = []
        self._unlisten = service.listeners.add(self._tell)

    @property
    def open(self) -> int:
        """How many sockets there are."""
        return len(self._subscribers)

    def close(self) -> None:
        """End all sockets."""
        self._unlisten()
        for subscriber in self._subscribers:
            subscriber.frames.put_nowait(None)

    async def serve(self, session: Session, receive: Receive, send: Send) -> None:
        """Accept a socket and keep it until either side ends it."""
        await receive()
        await send({"type": "websocket.accept"})
        subscriber = _Subscriber(session, asyncio.Queue())
        self._subscribers.append(subscriber)
        sending = asyncio.create_task(self._send(subscriber, send))
        try:
            while (message := await receive())["type"] != "websocket.disconnect":
                self._subscribe(
                    subscriber, message.get("text") or (message.get("bytes") or b"").decode("utf-8", "replace")
                )
        finally:
            self._subscribers.remove(subscriber)
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

    async def _send(self, subscriber: _Subscriber, send: Send) -> None:
        while (frame := await subscriber.frames.get()) is not None:
            await send({"type": "websocket.send", "text": frame})
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
        subscriber.frames.put_nowait(_frame("NONE", None, None))

    # --- news ----------------------------------------------------------------------------------------------------

    def _tell(self, announcement: Announce) -> None:
        if not self._subscribers:
            return
        owner = announcement.job.owner if announcement.job else None
        readers = [
            subscriber
            for subscriber in self._subscribers
            if not (subscriber.only_own and owner is not None and owner != subscriber.session.user)
        ]
        for name, action in _frames_of(announcement):
            wanting = [subscriber for subscriber in readers if subscriber.wants(name)]
            if not wanting:
                continue
            try:
                frame = _frame(action, name, self._data(action, announcement))
            except ProActiveError:
                continue  # The job is gone: there is nothing left to report.
            for subscriber in wanting:
                self._push(subscriber, announcement, frame)
        if announcement.event == "JOB_SUBMITTED":
            for subscriber in readers:
                if subscriber.wants("USERS_UPDATE"):
                    self._push(subscriber, announcement, None)

    def _push(self, subscriber: _Subscriber, announcement: Announce, frame: str | None) -> None:
        """Send a frame, or let it wait while its job is young; None: a frame about the user, made then."""
        job_id = announcement.job_id
        if job_id in subscriber.young:
            subscriber.young[job_id].append(frame)
            return
        left = 0.0 if job_id is None or announcement.job is None else self._grace_left(announcement.job.submitted_at)
        if left <= 0 or job_id is None:
            self._put(subscriber, frame)
        else:
            subscriber.young[job_id] = [frame]
            asyncio.get_running_loop().call_later(left, self._grown, subscriber, job_id)

    def _grace_left(self, submitted_at: int) -> float:
        return _GRACE - (self._service.clock() - submitted_at) / 1000

    def _grown(self, subscriber: _Subscriber, job_id: int) -> None:
        for frame in subscriber.young.pop(job_id):
            self._put(subscriber, frame)

    def _put(self, subscriber: _Subscriber, frame: str | None) -> None:
        if subscriber.frames.qsize() > _MOST_WAITING:
            while not subscriber.frames.empty():
                subscriber.frames.get_nowait()
            subscriber.frames.put_nowait(None)
            return
        subscriber.frames.put_nowait(self._user_frame(subscriber) if frame is None else frame)

    def _user_frame(self, subscriber: _Subscriber) -> str:
        """The user who submitted last, with the counters as they are now."""
        sessions = self._sessions.all()
        latest = max(sessions, key=lambda each: each.last_submit_at, default=subscriber.session)
        return _frame("USERS_UPDATED", "USERS_UPDATE", user_record(latest))

    def _data(self, action: str, announcement: Announce) -> Any:
        if announcement.job_id is None or announcement.job is None:
            return None
        ask = self._service.ask
        if action == "TASK_STATE_UPDATED" and announcement.task is not None:
            return views.task_infos(ask, announcement.job, [announcement.task])[0]
        removed_at = -1
        row = announcement.row
        if isinstance(row, JobRow):
            removed_at = self._service.clock()
        else:
            row = ask.job(announcement.job_id)
        row = replace(row, record=announcement.job)
        if action == "JOB_STATE_UPDATED":
            return notifications.job_info(row, removed_at=removed_at)
        if action == "JOB_SUBMITTED":
            row = replace(row, nodes=0, nodes_in_parallel=0)  # it may have started since
        tasks = announcement.tasks or ask.tasks(announcement.job_id)
        return notifications.job_data(row, tasks, ask.hidden.shown_workflow(ask.workflow(announcement.job_id)))


def _frames_of(announcement: Announce) -> Iterator[tuple[str, str]]:
    """Event and action of the frames about one announcement."""
    action = next(
        (action for prefix, action in _ACTIONS if announcement.event.startswith(prefix)), "SCHEDULER_STATE_UPDATED"
    )
    yield _RENAMED.get(announcement.event, announcement.event), action
    if action == "JOB_STATE_UPDATED" and announcement.event not in _ALONE:
        yield "JOB_UPDATED", "JOB_FULL_DATA_UPDATED"


def _frame(action: str, event: str | None, data: Any) -> str:
    return json.dumps({"action": action, "schedulerEvent": event, "data": data}, separators=(",", ":"))
