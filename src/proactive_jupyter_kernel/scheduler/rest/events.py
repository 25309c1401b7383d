"""The push channel, a WebSocket at ``/rest/scheduler/events``: what happens to jobs and tasks, as it happens.

A client sends one frame that says which events it wants, then gets one JSON object a frame with ``action``,
``schedulerEvent`` and ``data``. The official client registers its interest in a job only after it has read the answer
to its submission, and loses what was pushed before; so frames about a young job wait for a moment, in order.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Receive, Send

from proactive_jupyter_kernel.errors import ProActiveError
from proactive_jupyter_kernel.scheduler.engine.commands import Announce
from proactive_jupyter_kernel.scheduler.rest.dto import records, views
from proactive_jupyter_kernel.scheduler.rest.http.sessions import Session, Sessions
from proactive_jupyter_kernel.scheduler.service import Service

__all__ = ["EVENTS_PATH", "Events"]

_log = logging.getLogger(__name__)

#: Under ``/rest``.
EVENTS_PATH = "/scheduler/events"

#: Seconds after its submission until a job's events are pushed.
_GRACE = 0.6
#: A client that has read none of so many frames is not there any more.
_MOST_WAITING = 10_000

#: Action of a frame by the beginning of the event's name; the first that fits. Others are about the scheduler.
_ACTIONS = (
    ("JOB_SUBMITTED", "JOB_SUBMITTED"),
    ("JOB_UPDATED", "JOB_FULL_DATA_UPDATED"),
    ("JOB_", "JOB_STATE_UPDATED"),
    ("TASK_REPLICATED", "JOB_FULL_DATA_UPDATED"),
    ("TASK_", "TASK_STATE_UPDATED"),
    ("USERS_UPDATE", "USERS_UPDATED"),
)
#: Copies change what tasks a job has: told as an update of the whole job.
_RENAMED = {"TASK_REPLICATED": "JOB_UPDATED"}


@dataclass(slots=True)
class _Subscriber:
    session: Session
    frames: asyncio.Queue[str | None]
    #: None: all of them.
    wanted: frozenset[str] | None = frozenset()
    #: Jobs whose frames wait, with the frames.
    young: dict[int, list[Announce]] = field(default_factory=dict)


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
            names = asked.get("events")
        except (ValueError, AttributeError):
            _log.warning("a subscription to events is not JSON: %.200s", text)
            return
        subscriber.wanted = None if names is None else frozenset(map(str, names))
        subscriber.frames.put_nowait(_frame("NONE", None, None))

    # --- news ----------------------------------------------------------------------------------------------------

    def _tell(self, news: Announce) -> None:
        for subscriber in self._subscribers:
            name = _RENAMED.get(news.event, news.event)
            if subscriber.wanted is None or name in subscriber.wanted:
                self._push(subscriber, news)

    def _push(self, subscriber: _Subscriber, news: Announce) -> None:
        job_id = news.job_id
        if job_id is None:
            self._put(subscriber, news)
        elif job_id in subscriber.young:
            subscriber.young[job_id].append(news)
        else:
            left = self._grace_left(job_id)
            if left <= 0:
                self._put(subscriber, news)
                return
            subscriber.young[job_id] = [news]
            asyncio.get_running_loop().call_later(left, self._grown, subscriber, job_id)

    def _grace_left(self, job_id: int) -> float:
        try:
            submitted_at = self._service.ask.job(job_id).record.submitted_at
        except ProActiveError:
            return 0.0
        return _GRACE - (self._service.clock() - submitted_at) / 1000

    def _grown(self, subscriber: _Subscriber, job_id: int) -> None:
        for news in subscriber.young.pop(job_id):
            self._put(subscriber, news)

    def _put(self, subscriber: _Subscriber, news: Announce) -> None:
        if subscriber.frames.qsize() > _MOST_WAITING:
            while not subscriber.frames.empty():
                subscriber.frames.get_nowait()
            subscriber.frames.put_nowait(None)
            return
        try:
            subscriber.frames.put_nowait(self._framed(news))
        except ProActiveError:
            # The job was removed meanwhile: there is nothing left to tell of it.
            return

    def _framed(self, news: Announce) -> str:
        name = _RENAMED.get(news.event, news.event)
        action = next((action for prefix, action in _ACTIONS if news.event.startswith(prefix)), None)
        if action is None:
            return _frame("SCHEDULER_STATE_UPDATED", name, None)
        return _frame(action, name, self._data(action, news))

    def _data(self, action: str, news: Announce) -> Any:
        ask = self._service.ask
        if news.job_id is None:
            return None
        row = ask.job(news.job_id)
        if action in ("JOB_SUBMITTED", "JOB_FULL_DATA_UPDATED"):
            return views.job_state(ask, row)
        if action == "TASK_STATE_UPDATED" and news.task_id is not None:
            task = ask.task_by_id(news.job_id, news.task_id)
            return views.task_infos(ask, row.record, [task])[0]
        return records.job_info(row)


def _frame(action: str, event: str | None, data: Any) -> str:
    return json.dumps({"action": action, "schedulerEvent": event, "data": data}, separators=(",", ":"))
