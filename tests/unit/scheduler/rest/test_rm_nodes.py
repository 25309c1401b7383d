"""``/rm``: nodes with what happens to them, locks, load, and what is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Outcome, Slot
from proactive_jupyter_kernel.scheduler.executors.memory import ScriptedAttempt

URL = "http://127.0.0.1:8080/rm/nodes"
JMX = "service:jmx:rmi:///jndi/rmi://mars:8080/rmnode"
SLOTS = (Slot(name="local-0", host="mars"), Slot(name="gpu-0", host="mars", source="gpu", tokens=("cuda",)))


async def forever(attempt: ScriptedAttempt) -> Outcome:
    await asyncio.Event().wait()
    return Outcome()


def changes(answer: Any) -> list[tuple[str, ...]]:
    return [(each["nodeUrl"], each["eventType"], each["nodeState"]) for each in answer["nodesEvents"]]


def test_monitoring_shows_nodes_and_what_runs_there(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """Every node with its source, host, state and tokens; a busy one with its task."""

    async def scenario(scene: Any) -> None:
        await scene.submit(workflow("A"))
        await scene.until(lambda: scene.executor.attempts)
        answer = await scene.json("/rm/monitoring")
        assert [source["nodeSourceName"] for source in answer["nodeSource"]] == ["Default", "gpu"]
        names = ("nodeUrl", "nodeSource", "hostName", "nodeState", "tokens", "locked", "usageInfo", "proactiveJMXUrl")
        assert [[each[name] for name in names] for each in answer["nodesEvents"]] == [
            [
                f"{URL}/local-0",
                "Default",
                "mars",
                "BUSY",
                [],
                False,
                {"JOB_ID": "1", "TASK_ID": "0", "TASK_NAME": "A"},
                JMX,
            ],
            [f"{URL}/gpu-0", "gpu", "mars", "FREE", ["cuda"], False, {}, JMX],
        ]
        full = await scene.json("/rm/monitoring/full")
        assert full == {name: answer[name] for name in ("nodeSource", "nodesEvents")}

    rest(scenario, slots=SLOTS, scripted={"A": forever})


def test_monitoring_tells_changes_since_a_counter(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """Only what changed since; everything for a counter that this scheduler never gave."""

    async def since(scene: Any, counter: str) -> Any:
        return await scene.json("/rm/monitoring", headers={"clientCounter": counter})

    async def scenario(scene: Any) -> None:
        first = await scene.json("/rm/monitoring")
        assert changes(await since(scene, first["latestCounter"])) == []
        await scene.submit(workflow("A"))
        await scene.until(lambda: scene.executor.attempts)
        second = await since(scene, first["latestCounter"])
        assert changes(second) == [(f"{URL}/local-0", "NODE_STATE_CHANGED", "BUSY")]
        scene.executor.change_slots(SLOTS[0])
        await asyncio.sleep(0)
        third = await since(scene, second["latestCounter"])
        assert changes(third) == [(f"{URL}/gpu-0", "NODE_REMOVED", "FREE")]
        assert changes(await since(scene, "999999999999999")) == [(f"{URL}/local-0", "NODE_STATE_CHANGED", "BUSY")]

    rest(scenario, slots=SLOTS, scripted={"A": forever})


def test_a_bad_counter_is_refused(rest: Callable[..., None]) -> None:
    """As Java refuses to read it."""

    async def scenario(scene: Any) -> None:
        answer = await scene.json("/rm/monitoring", status=400, headers={"clientCounter": "x"})
        assert answer["exceptionClass"] == "java.lang.NumberFormatException"

    rest(scenario)


def test_locked_nodes_start_no_tasks(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """Until they are unlocked; an unknown one among them changes nothing."""

    async def locks(scene: Any) -> list[tuple[bool, str | None]]:
        found = await scene.json("/rm/monitoring")
        return [(each["locked"], each["nodeLocker"]) for each in found["nodesEvents"]]

    async def scenario(scene: Any) -> None:
        both = [f"{URL}/local-0", f"{URL}/local-1"]
        assert await scene.json("/rm/node/lock", "POST", data={"nodeurls": [*both, "absent"]}) is False
        assert await locks(scene) == [(False, None)] * 2
        assert await scene.json("/rm/node/lock", "POST", data={"nodeurls": both}) is True
        assert await locks(scene) == [(True, "ana")] * 2
        await scene.submit(workflow("A"))
        log = await scene.text("/scheduler/jobs/1/tasks/A/log/server")
        assert log.rstrip().endswith("waits: All 2 nodes are locked.")
        assert await scene.json("/rm/node/unlock", "POST", data={"nodeurls": both[1:]}) is True
        await scene.ended(1)
        assert await locks(scene) == [(True, "ana"), (False, None)]
        assert [attempt.slot.name for attempt in scene.executor.attempts] == ["local-1"]

    rest(scenario, slots=2)


@pytest.mark.parametrize("address", [JMX, "service:jmx:ro:///jndi/pamr://4097/rmnode"])
def test_the_load_of_a_node(rest: Callable[..., None], address: str) -> None:
    """What `ProactiveNodeMBeanClient` of the official SDK reads: a value, and samples as JSON inside of JSON."""

    async def scenario(scene: Any) -> None:
        query = {"nodejmxurl": address, "objectname": "sigar:Type=CpuUsage", "attrs": "Combined"}
        (value,) = (await scene.json("/rm/node/mbeans", params=query))["sigar:Type=CpuUsage"]
        assert value["name"] == "Combined"
        assert 0 <= value["value"] <= 1
        past = await scene.json("/rm/node/mbeans/history", params={**query, "range": "n"})
        samples = json.loads(past["sigar:Type=CpuUsage"])["CombinedCpuUsage"]
        assert samples
        assert all(0 <= sample <= 1 for sample in samples)
        memory = {"nodejmxurl": JMX, "objectname": "sigar:Type=Mem", "attrs": "UsedPercent,Total"}
        found = await scene.json("/rm/node/mbean", params=memory)
        assert [each["name"] for each in found] == ["UsedPercent", "Total"]
        assert 0 < found[0]["value"] <= 100
        cores = await scene.json(
            "/rm/node/mbeans", params={"nodejmxurl": JMX, "objectname": "sigar:Type=CpuCoreUsage,Name=*"}
        )
        assert "sigar:Type=CpuCoreUsage,Name=core0" in cores

    rest(scenario, slots=SLOTS)


@pytest.mark.parametrize(
    ("path", "query", "status", "exception"),
    [
        ("/rm/node/mbeans", {"nodejmxurl": "absent"}, 404, "java.net.MalformedURLException"),
        ("/rm/node/mbeans", {"nodejmxurl": "service:jmx:rmi:///x"}, 404, "java.io.IOException"),
        ("/rm/node/mbeans", {"nodejmxurl": JMX, "objectname": "a:b=*"}, 500, "javax.management.InstanceNotFound*"),
        (
            "/rm/node/mbeans/history",
            {"nodejmxurl": JMX, "objectname": "sigar:Type=CpuUsage", "attrs": "Nothing"},
            500,
            "javax.management.InstanceNotFound*",
        ),
        ("/rm/info/absent:type=x", {}, 500, "javax.management.InstanceNotFound*"),
        ("/rm/stathistory", {"range": "aaaaaaaaa"}, 400, "java.lang.IllegalArgumentException"),
        ("/rm/shutdown", {}, 501, "java.lang.UnsupportedOperationException"),
    ],
)
def test_what_is_not_there_is_refused(
    rest: Callable[..., None], path: str, query: dict[str, str], status: int, exception: str
) -> None:
    """With the class that a server gives where it has one."""

    async def scenario(scene: Any) -> None:
        answer = await scene.json(path, params=query, status=status)
        assert answer["exceptionClass"].startswith(exception.rstrip("*"))

    rest(scenario, slots=SLOTS)


@pytest.mark.parametrize(
    ("method", "path", "form", "status", "answer"),
    [
        ("POST", "/rm/node/remove", {"url": "absent"}, 200, False),
        ("POST", "/rm/node/remove", {"url": f"{URL}/gpu-0"}, 501, "The nodes of the embedded scheduler are set up"),
        ("POST", "/rm/node/release", {"url": f"{URL}/gpu-0"}, 501, "A node is released when its task has ended"),
        ("POST", "/rm/nodesource/remove", {"name": "absent"}, 400, "Unknown node source absent"),
        ("POST", "/rm/nodesource/remove", {"name": "gpu"}, 501, "The nodes of the embedded scheduler are set up"),
        ("POST", "/rm/nodesource/create", {}, 400, "Infrastructure null is unknown"),
        ("POST", "/rm/node", {"nodeurl": "x"}, 501, "The nodes of the embedded scheduler are set up"),
    ],
)
def test_nodes_are_a_matter_of_settings(
    rest: Callable[..., None], method: str, path: str, form: dict[str, str], status: int, answer: object
) -> None:
    """Nothing is added or removed; the message says which settings do."""

    async def scenario(scene: Any) -> None:
        found = await scene.json(path, method, data=form, status=status)
        told = found["errorMessage"] if status != 200 else found
        assert told.startswith(answer) if isinstance(answer, str) else told is answer
        assert len(await scene.json("/rm/nodes/search")) == 2

    rest(scenario, slots=SLOTS)


def test_a_node_source_cannot_be_changed(rest: Callable[..., None]) -> None:
    """The answer says so without being an error, as a server's."""

    async def scenario(scene: Any) -> None:
        for name, message in (("gpu", "The nodes of the embedded"), ("absent", "Node source absent is not defined")):
            found = await scene.json("/rm/nodesource/deploy", "PUT", data={"nodeSourceName": name})
            assert (found["result"], found["errorMessage"].startswith(message)) == (False, True)

    rest(scenario, slots=SLOTS)


def test_the_resource_manager_has_a_class_of_its_own_for_missing_sessions(rest: Callable[..., None]) -> None:
    """Clients of the resource manager know no other."""

    async def scenario(scene: Any) -> None:
        del scene.client.headers["sessionid"]
        classes = [
            (await scene.json(path, status=401))["exceptionClass"] for path in ("/rm/state", "/scheduler/status")
        ]
        assert classes == [
            "org.ow2.proactive.scheduler.common.exception.NotConnectedException",
            "org.ow2.proactive_grid_cloud_portal.scheduler.exception.NotConnectedRestException",
        ]

    rest(scenario)
