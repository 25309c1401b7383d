"""The push channel: who may open it, what it tells, in which order and when."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from proactive_jupyter_kernel.scheduler.rest.events import EVENTS_PATH

ALL = {
    "myEventsOnly": True,
    "events": [
        "JOB_SUBMITTED",
        "JOB_PENDING_TO_RUNNING",
        "JOB_RUNNING_TO_FINISHED",
        "TASK_PENDING_TO_RUNNING",
        "TASK_RUNNING_TO_FINISHED",
        "PAUSED",
        "RESUMED",
    ],
}


class Socket:
    """A client's end of a web socket, without network."""

    def __init__(self, scene: Any, *, path: str = "/rest" + EVENTS_PATH, room: int = 0, **headers: str) -> None:
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue(room)
        sent = {"host": "127.0.0.1:8080", "sessionid": scene.client.headers["sessionid"], **headers}
        scope = {
            "type": "websocket",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        }
        self._to_app.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.create_task(scene.app(scope, self._to_app.get, self._from_app.put))

    async def message(self) -> dict[str, Any]:
        async with asyncio.timeout(10):
            return await self._from_app.get()

    async def frame(self) -> Any:
        message = await self.message()
        assert message["type"] == "websocket.send", message
        return json.loads(message["text"])

    def say(self, text: str) -> None:
        self._to_app.put_nowait({"type": "websocket.receive", "text": text})

    async def subscribed(self, subscription: Any = ALL) -> Socket:
        """Open, and subscribed."""
        assert (await self.message())["type"] == "websocket.accept"
        self.say(json.dumps(subscription))
        assert await self.frame() == {"action": "NONE", "schedulerEvent": None, "data": None}
        return self

    async def close(self) -> None:
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await self.task


def test_a_job_is_told_from_beginning_to_end(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """In order, each with the record of its kind, and not before the client can know the job."""

    async def scenario(scene: Any) -> None:
        socket = await Socket(scene).subscribed()
        job_id = await scene.run(workflow("A"))
        assert socket._from_app.empty()
        frames = [await socket.frame() for _ in range(5)]
        kinds = [(frame["action"], frame["schedulerEvent"]) for frame in frames]
        assert kinds[0] == ("JOB_SUBMITTED", "JOB_SUBMITTED")
        assert kinds[-1] == ("JOB_STATE_UPDATED", "JOB_RUNNING_TO_FINISHED")
        assert sorted(kinds[1:4]) == [
            ("JOB_STATE_UPDATED", "JOB_PENDING_TO_RUNNING"),
            ("TASK_STATE_UPDATED", "TASK_PENDING_TO_RUNNING"),
            ("TASK_STATE_UPDATED", "TASK_RUNNING_TO_FINISHED"),
        ]
        state = await scene.json(f"/scheduler/jobs/{job_id}")
        assert frames[0]["data"] == state
        assert frames[-1]["data"] == state["jobInfo"]
        (ended,) = [frame["data"] for frame in frames if frame["schedulerEvent"] == "TASK_RUNNING_TO_FINISHED"]
        assert ended == state["tasks"]["0"]["taskInfo"]
        await socket.close()
        assert scene.app.events.open == 0

    rest(scenario)


def test_only_what_was_asked_for_is_told(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """A subscription names events; none at all means all of them."""

    async def scenario(scene: Any) -> None:
        some = await Socket(scene).subscribed({"events": ["PAUSED"]})
        every = await Socket(scene).subscribed({})
        await scene.json("/scheduler/pause", "PUT")
        await scene.json("/scheduler/resume", "PUT")
        paused = {"action": "SCHEDULER_STATE_UPDATED", "schedulerEvent": "PAUSED", "data": None}
        assert await some.frame() == paused
        assert [(await every.frame())["schedulerEvent"] for _ in range(2)] == ["PAUSED", "RESUMED"]
        assert some._from_app.empty()
        for socket in (some, every):
            await socket.close()

    rest(scenario)


def test_heartbeats_and_nonsense_do_no_harm(rest: Callable[..., None]) -> None:
    """The socket stays open."""

    async def scenario(scene: Any) -> None:
        socket = await Socket(scene).subscribed()
        for text in ("X", "", "nonsense", "[1]"):
            socket.say(text)
        await scene.json("/scheduler/pause", "PUT")
        assert (await socket.frame())["schedulerEvent"] == "PAUSED"
        await socket.close()

    rest(scenario)


def test_a_stranger_gets_no_socket(rest: Callable[..., None]) -> None:
    """Neither without a session, nor from another host, nor at another place."""

    async def scenario(scene: Any) -> None:
        strangers = [Socket(scene, sessionid="no"), Socket(scene, host="evil"), Socket(scene, path="/rest/other")]
        for socket in strangers:
            assert (await socket.message())["type"] == "websocket.close"
            await socket.task

    rest(scenario)


def test_a_client_that_does_not_read_is_let_go(rest: Callable[..., None]) -> None:
    """Its frames do not fill the memory."""

    async def scenario(scene: Any) -> None:
        socket = await Socket(scene, room=1).subscribed()
        (subscriber,) = scene.app.events._subscribers
        for _ in range(10_010):
            subscriber.frames.put_nowait("{}")
        await scene.json("/scheduler/pause", "PUT")
        while (message := await socket.message())["type"] == "websocket.send":
            pass
        assert message["type"] == "websocket.close"
        await socket.close()

    rest(scenario)


def test_the_end_of_the_scheduler_closes_sockets(rest: Callable[..., None]) -> None:
    """Kindly, with the code of going away."""

    async def scenario(scene: Any) -> None:
        socket = await Socket(scene).subscribed()
        scene.app.close()
        assert await socket.message() == {"type": "websocket.close", "code": 1001}
        await socket.close()

    rest(scenario)
