"""The push channel: who may open it, what it tells, in which order and when."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import RECORDINGS
from tests.required import skip_without_recordings

from proactive_jupyter_kernel.scheduler.attempt import Outcome
from proactive_jupyter_kernel.scheduler.rest import event_frames, events
from proactive_jupyter_kernel.scheduler.rest.events import EVENTS_PATH
from proactive_jupyter_kernel.scheduler.rest.frame_queue import Frame, FrameQueue

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


def told(frame: Any) -> tuple[str, str, str]:
    """Event, task and state of a frame."""
    data = frame["data"] or {}
    task = data.get("taskId", {}).get("readableName", "")
    state = data.get("taskStatus") or data.get("status") or data.get("jobInfo", {}).get("status", "")
    return frame["schedulerEvent"], task, state


def test_a_job_is_logged_from_beginning_to_end(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """In order, each with the state of its moment, and not before the client can know the job."""

    async def scenario(scene: Any) -> None:
        socket = await Socket(scene).subscribed({})
        job_id = await scene.run(workflow("A"))
        assert socket._from_app.empty()
        frames = [await socket.frame() for _ in range(9)]
        assert [told(frame) for frame in frames] == [
            ("JOB_SUBMITTED", "", "PENDING"),
            ("USERS_UPDATE", "", ""),
            ("TASK_VARIABLES_UPDATED", "A", "PENDING"),
            ("JOB_PENDING_TO_RUNNING", "", "RUNNING"),
            ("JOB_UPDATED", "", "RUNNING"),
            ("TASK_PENDING_TO_RUNNING", "A", "RUNNING"),
            ("TASK_RUNNING_TO_FINISHED", "A", "FINISHED"),
            ("JOB_RUNNING_TO_FINISHED", "", "FINISHED"),
            ("JOB_UPDATED", "", "FINISHED"),
        ]
        state = await scene.json(f"/scheduler/jobs/{job_id}")
        seen = frames[6]["data"]["variables"]
        assert seen["PA_TASK_NAME"] == "A"
        assert frames[6]["data"] == {**state["tasks"]["0"]["taskInfo"], "variables": seen}
        info = {"owner": "ana", "scheduledTimeForRemoval": 0, "lastUpdatedTime": -1, "tasksSkipped": None}
        none = {"bucketName": None, "label": None, "modifiedTasks": None}
        assert frames[7]["data"] == {**state["jobInfo"], **info, **none}
        assert frames[1]["data"]["submitNumber"] == 1
        await socket.close()
        assert scene.app.events.open == 0

    rest(scenario)


def recorded_frames(name: str) -> list[Any]:
    if not RECORDINGS.is_dir():
        skip_without_recordings(f"the recordings of a ProActive server are not in {RECORDINGS}")
    steps = json.loads((RECORDINGS / "20-events.json").read_text(encoding="utf-8"))["steps"]
    return [frame["json"] for step in steps if step.get("hear") == name for frame in step["frames"]]


def test_frames_are_those_of_a_server(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """The same events in the same order, and every field that a recorded server writes but for user permissions."""

    async def scenario(scene: Any) -> None:
        socket = await Socket(scene).subscribed({})
        await scene.run(workflow("one", "two"))
        real = recorded_frames("W")[1:]
        ours = [await socket.frame() for _ in real]
        assert [told(frame) for frame in ours] == [told(frame) for frame in real]
        for frame, model in zip(ours, real, strict=True):
            if frame["action"] != "USERS_UPDATED":
                assert missing(model["data"], frame["data"]) == set()
        await socket.close()

    rest(scenario)


def missing(model: Any, found: Any) -> set[str]:
    """The fields of a record that another one lacks; what is a variable's name is none."""
    if not (isinstance(model, dict) and isinstance(found, dict)):
        return set()
    lacking = {key for key in model if key not in found and not re.match(r"<|PA_|.*space$|submission", key)}
    return lacking.union(*(missing(model[key], found[key]) for key in model if key in found))


def test_what_ends_unstarted_and_is_removed_is_reported(
    rest: Callable[..., None], workflow: Callable[..., str]
) -> None:
    """The events of a killed job include its tasks; a removed one has its last state, though it cannot be requested."""

    async def scenario(scene: Any) -> None:
        job_id = await scene.submit(workflow("A", "B"))
        await asyncio.sleep(0.7)
        socket = await Socket(scene).subscribed({})
        await scene.json(f"/scheduler/jobs/{job_id}/kill", "PUT")
        await scene.json(f"/scheduler/jobs/{job_id}", "DELETE")
        frames = [await socket.frame() for _ in range(5)]
        assert [told(frame) for frame in frames] == [
            ("TASK_RUNNING_TO_FINISHED", "A", "NOT_STARTED"),
            ("TASK_RUNNING_TO_FINISHED", "B", "NOT_STARTED"),
            ("JOB_PENDING_TO_FINISHED", "", "KILLED"),
            ("JOB_UPDATED", "", "KILLED"),
            ("JOB_REMOVE_FINISHED", "", "KILLED"),
        ]
        assert [frame["data"]["removedTime"] > 0 for frame in (frames[2], frames[4])] == [False, True]
        await socket.close()

    rest(scenario, slots=0)


def test_only_what_was_asked_for_is_reported(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
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


def test_heartbeats_and_invalid_frames_are_ignored(rest: Callable[..., None]) -> None:
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
    """Neither from another host, nor at another place."""

    async def scenario(scene: Any) -> None:
        strangers = [Socket(scene, host="evil"), Socket(scene, path="/rest/other")]
        for socket in strangers:
            assert (await socket.message())["type"] == "websocket.close"
            await socket.task

    rest(scenario)


def test_without_session_a_frame_says_so(rest: Callable[..., None]) -> None:
    """The upgrade is accepted, as by a server, no event is sent, and the socket ends; other requests are 401."""

    async def scenario(scene: Any) -> None:
        socket = Socket(scene, sessionid="no")
        assert (await socket.message())["type"] == "websocket.accept"
        socket.say(json.dumps(ALL))
        frames = [await socket.frame() for _ in range(2)]
        assert [frame["exceptionClass"].rpartition(".")[2] for frame in frames] == ["NotConnectedRestException"] * 2
        assert await socket.message() == {"type": "websocket.close", "code": 1008}
        await socket.task
        assert scene.app.events.open == 0
        for method in ("GET", "POST"):
            assert (await scene.json(EVENTS_PATH, method, status=401))["httpErrorCode"] == 401

    rest(scenario)


def events_rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The events whose frames are rendered from now on."""
    rendered: list[str] = []
    render = event_frames.Renderer.render

    async def counted(self: Any, pending: Any) -> Any:
        rendered.append(pending.event)
        return await render(self, pending)

    monkeypatch.setattr(event_frames.Renderer, "render", counted)
    return rendered


def test_a_client_that_does_not_read_is_let_go(rest: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for it is bounded in bytes; others get their frames, and it is counted."""

    async def scenario(scene: Any) -> None:
        slow = await Socket(scene, room=1).subscribed({})
        other = await Socket(scene).subscribed({})
        rounds = 40
        for _ in range(rounds):
            await scene.json("/scheduler/pause", "PUT")
            await scene.json("/scheduler/resume", "PUT")
            await other.frame()
            await other.frame()
            assert all(each.queue.size <= 1_000 for each in scene.app.events._subscribers)
        await other.close()
        rendered.clear()
        await scene.json("/scheduler/pause", "PUT")
        await scene.json("/scheduler/resume", "PUT")
        assert rendered == []
        read = 0
        while (message := await slow.message())["type"] == "websocket.send":
            read += 1
        assert message["type"] == "websocket.close"
        assert read < rounds
        assert scene.service.measures.subscribers_dropped == 1
        await slow.close()

    rendered = events_rendered(monkeypatch)
    monkeypatch.setattr(events, "MOST_BYTES", 1_000)
    rest(scenario)


def loop_of(iterations: int) -> dict[str, Any]:
    """The script of a task that loops on itself."""
    last = f"A#{iterations - 1}"
    return {"A": lambda attempt: Outcome(value=1, flow=attempt.attempt.task_name != last, flow_decided=True)}


LOOP = (
    '<job xmlns="urn:proactive:jobdescriptor:3.14" name="loop"><taskFlow><task name="A"><scriptExecutable><script>'
    '<code language="cpython">1</code></script></scriptExecutable><controlFlow><loop target="A"><script>'
    '<code language="cpython">loop = True</code></script></loop></controlFlow></task></taskFlow></job>'
)


def test_a_long_loop_is_reported_without_building_it_again_and_again(rest: Callable[..., None]) -> None:
    """Each event has its frame, but whole jobs are limited; those that come contradict no frame before them."""
    iterations = 200

    async def scenario(scene: Any) -> None:
        socket = await Socket(scene).subscribed({})
        await scene.run(LOOP)
        states: dict[str, str] = {}
        told: list[str] = []
        listed = 0
        while True:
            frame = await socket.frame()
            event, data = frame["schedulerEvent"], frame["data"]
            told.append(event)
            if frame["action"] == "TASK_STATE_UPDATED":
                states[data["taskId"]["readableName"]] = data["taskStatus"]
            if frame["action"] == "JOB_FULL_DATA_UPDATED":
                listed += len(data["tasks"])
                shown = {task["name"]: task["taskInfo"]["taskStatus"] for task in data["tasks"].values()}
                finished = {name for name, status in states.items() if status == "FINISHED"}
                assert all(shown[name] == "FINISHED" for name in finished)
                if data["jobInfo"]["status"] == "FINISHED":
                    break
        assert (len(shown), set(shown.values())) == (iterations, {"FINISHED"})
        assert told.count("TASK_RUNNING_TO_FINISHED") == iterations
        # All together would list 20,100 tasks.
        assert listed < 200 + events._TASKS_AT_ONCE + 5 * events._TASKS_A_SECOND
        await socket.close()

    rest(scenario, scripted=loop_of(iterations))


def test_an_event_of_a_short_loop_has_its_frame_at_once(rest: Callable[..., None]) -> None:
    """As on a server: each new iteration is followed by the whole job."""

    async def scenario(scene: Any) -> None:
        socket = await Socket(scene).subscribed({"events": ["JOB_UPDATED"]})
        await scene.run(LOOP)
        frames = [await socket.frame() for _ in range(4)]
        assert [(len(frame["data"]["tasks"]), frame["data"]["jobInfo"]["status"]) for frame in frames] == [
            (1, "RUNNING"),
            (2, "STALLED"),
            (3, "STALLED"),
            (3, "FINISHED"),
        ]
        await socket.close()

    rest(scenario, scripted=loop_of(3))


def test_a_frame_is_rendered_once_for_all(
    rest: Callable[..., None], workflow: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many want it; what nobody wants is not rendered."""
    rendered = events_rendered(monkeypatch)

    async def scenario(scene: Any) -> None:
        wanted = {"events": ["JOB_UPDATED", "TASK_RUNNING_TO_FINISHED"]}
        sockets = [await Socket(scene).subscribed(wanted) for _ in range(5)]
        await scene.run(workflow("A"))
        texts = [[(await socket.message())["text"] for _ in range(3)] for socket in sockets]
        assert all(text is texts[0][place] for each in texts for place, text in enumerate(each))
        assert rendered == ["JOB_UPDATED", "TASK_RUNNING_TO_FINISHED", "JOB_UPDATED"]
        for socket in sockets:
            await socket.close()

    rest(scenario)


@pytest.mark.parametrize("end", ["the client leaves", "the scheduler stops"])
def test_frames_without_a_receiver_are_not_made(
    rest: Callable[..., None], workflow: Callable[..., str], monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """Nothing is read from the store for them, which may be closed; nothing is announced of tasks any more."""
    rendered: list[Any] = []

    async def counted(self: Any, pending: Any) -> None:
        rendered.append(pending)

    monkeypatch.setattr(event_frames.Renderer, "render", counted)
    monkeypatch.setattr(events, "_GRACE", 0.2)

    async def scenario(scene: Any) -> None:
        heard: list[bool] = []
        scene.service.listeners._announce_tasks = heard.append
        socket = await Socket(scene).subscribed({})
        await scene.run(workflow("A"))
        if end == "the client leaves":
            await socket.close()
        else:
            scene.app.close()
        await asyncio.sleep(0.3)
        assert rendered == []
        assert heard == [True, False]
        if not socket.task.done():
            await socket.close()

    rest(scenario)


def test_a_job_that_is_removed_at_once_is_reported(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """Though it is gone before its first frame is sent."""

    async def scenario(scene: Any) -> None:
        socket = await Socket(scene).subscribed({})
        job_id = await scene.run(workflow("A"))
        await scene.json(f"/scheduler/jobs/{job_id}", "DELETE")
        frames = [await socket.frame() for _ in range(10)]
        assert [told(frame) for frame in frames][-3:] == [
            ("JOB_RUNNING_TO_FINISHED", "", "FINISHED"),
            ("JOB_UPDATED", "", "FINISHED"),
            ("JOB_REMOVE_FINISHED", "", "FINISHED"),
        ]
        await socket.close()

    rest(scenario)


def test_a_huge_job_is_reported_without_its_tasks(
    rest: Callable[..., None], workflow: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frame has a largest size."""

    async def scenario(scene: Any) -> None:
        socket = await Socket(scene).subscribed({"events": ["JOB_SUBMITTED"]})
        await scene.submit(workflow("A", "B", "C"))
        frame = await socket.frame()
        assert (frame["data"]["name"], frame["data"]["tasks"]) == ("job one", {})
        assert frame["data"]["jobInfo"]["totalNumberOfTasks"] == 3
        await socket.close()

    monkeypatch.setattr(event_frames, "_LARGEST", 5_000)
    rest(scenario)


def test_a_queue_lets_whole_jobs_replace_one_another_when_it_is_full() -> None:
    """Only then, and only older ones of the same job."""

    async def scenario() -> None:
        queue = FrameQueue(most=10)
        frames = [Frame(text=text, whole_job=job) for text, job in (("a1", 1), ("b1", 2), ("x", None), ("a2", 1))]
        assert all(queue.put(frame) for frame in frames)
        assert queue.size == 7
        assert queue.put(Frame(text="a3aa", whole_job=1))
        got = [await queue.get() for _ in range(3)]
        assert [frame.text for frame in got if frame] == ["b1", "x", "a3aa"]
        assert queue.put(Frame(text="x" * 100))
        assert not queue.put(Frame(text="y"))
        assert (await queue.get(), queue.size) == (None, 0)

    asyncio.run(scenario())


def test_the_end_of_the_scheduler_closes_sockets(rest: Callable[..., None]) -> None:
    """Kindly, with the code of going away."""

    async def scenario(scene: Any) -> None:
        socket = await Socket(scene).subscribed()
        scene.app.close()
        assert await socket.message() == {"type": "websocket.close", "code": 1001}
        await socket.close()

    rest(scenario)
