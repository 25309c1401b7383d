"""``/rm`` and the scheduler's log: what clients need in order to say why a task waits."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Outcome, Selection, SelectionAnswer, Slot
from proactive_jupyter_kernel.scheduler.executors.memory import ScriptedAttempt

SELECTION = '<selection><script type="dynamic"><code language="cpython">selected = False</code></script></selection>'


async def forever(attempt: ScriptedAttempt) -> Outcome:
    await asyncio.Event().wait()
    return Outcome()


def with_selection(xml: str) -> str:
    return xml.replace("<scriptExecutable>", SELECTION + "<scriptExecutable>")


def test_nodes(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """The slots are nodes; one that a task holds is not free."""

    async def scenario(scene: Any) -> None:
        await scene.submit(workflow("A"))
        await scene.until(lambda: scene.executor.attempts)
        state = await scene.json("/rm/state")
        nodes = [f"http://127.0.0.1:8080/rm/nodes/local-{number}" for number in range(2)]
        assert state == {
            "freeNodesNumber": 1,
            "freeNodes": nodes[1:],
            "totalAliveNodesNumber": 2,
            "aliveNodes": nodes,
            "totalNodesNumber": 2,
            "allNodes": nodes,
            "maxNumberOfNodes": None,
            "rmNodeUrls": {"freeNodesUrls": nodes[1:], "aliveNodesUrls": nodes, "allNodesUrls": nodes},
        }
        statistics = await scene.json("/rm/statistics")
        assert {name: count for name, count in statistics.items() if count} == {
            "freeNodesCount": 1,
            "busyNodesCount": 1,
            "availableNodesCount": 2,
        }
        assert await scene.json("/rm/isactive") is True

    rest(scenario, scripted={"A": forever}, slots=2)


SLOTS = (
    Slot(name="local-0", host="mars"),
    Slot(name="gpu-0", host="mars", source="gpu", tokens=("cuda", "team")),
)


def test_the_log_tells_which_condition_no_node_fulfils(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """Of a task that is ready; once there is such a node, the task runs."""
    wish = '<genericInformation><info name="NODE_SOURCE" value="big"/></genericInformation>'

    async def scenario(scene: Any) -> None:
        await scene.submit(workflow("A", head=wish))
        log = await scene.text("/scheduler/jobs/1/tasks/A/log/server")
        assert log.rstrip().endswith(
            "task 1t0 (A) waits: The scheduler has no node source 'big'. Its node sources: Default, gpu."
        )
        scene.executor.change_slots(*SLOTS, Slot(name="big-0", source="big"))
        await scene.ended(1)
        assert "waits" not in await scene.text("/scheduler/jobs/1/log/server")

    rest(scenario, slots=SLOTS)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("nodesources", "PA:LIST(,Default,gpu)"),
        ("tokens", "PA:LIST(,cuda,team)"),
        ("tokens?name=t.*&noEmpty=true", "PA:LIST(team)"),
        ("hosts?noEmpty=true", "PA:LIST(mars)"),
    ],
)
def test_models_of_several_node_sources(rest: Callable[..., None], path: str, text: str) -> None:
    """Names of sources, hosts and tokens, each once and in order."""

    async def scenario(scene: Any) -> None:
        assert await scene.text(f"/rm/model/{path}") == text

    rest(scenario, slots=SLOTS)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("nodesources", "PA:LIST(,Default)"),
        ("nodesources?noEmpty=true", "PA:LIST(Default)"),
        ("nodesources?name=Def.*", "PA:LIST(,Default)"),
        ("nodesources?name=nothing.*", "PA:LIST()"),
        ("hosts", "PA:LIST(,localhost)"),
        ("tokens", "PA:LIST()"),
    ],
)
def test_models(rest: Callable[..., None], path: str, text: str) -> None:
    """Lists of names in the form of a variable's model, also without a session."""

    async def scenario(scene: Any) -> None:
        del scene.client.headers["sessionid"]
        assert await scene.text(f"/rm/model/{path}") == text

    rest(scenario)


def test_a_bad_pattern_is_refused(rest: Callable[..., None]) -> None:
    """As the server refuses it: 400 with the class of Java's exception."""

    async def scenario(scene: Any) -> None:
        answer = await scene.json("/rm/model/hosts?name=%5B", status=400)
        assert answer["exceptionClass"] == "java.util.regex.PatternSyntaxException"

    rest(scenario)


def test_the_log_tells_what_selection_scripts_said(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """The latest answer about each node, with the error and the output of the script; under the task's heading."""
    failure = "Failed to execute selection script: NameError: name 'x' is not defined"
    unmet = "All 2 nodes are refused by the selection script."

    def answer(selection: Selection) -> SelectionAnswer:
        failing = selection.slot.name == "local-1"
        return SelectionAnswer(selected=False, failure=failure if failing else "", output=("looking",))

    def known(scene: Any) -> bool:
        return len(scene.service.selections.of(1, 0)) == 2

    async def scenario(scene: Any) -> None:
        await scene.submit(with_selection(workflow("A")))
        await scene.until(lambda: known(scene))
        task = await scene.text("/scheduler/jobs/1/tasks/A/log/server")
        lines = sorted((re.sub(r"^[-\d]+ [:\d]+,\d{3} ", "", line) for line in task.splitlines()), key=str.lower)
        manager = "[o.o.p.r.s.SelectionManager] task 1t0 (A) selection script"
        assert lines == [
            f"INFO  {manager} refused node local-0",
            f"INFO  {manager} wrote on node local-0: looking",
            f"INFO  {manager} wrote on node local-1: looking",
            f"INFO  [o.o.p.s.c.SchedulingMethodImpl] task 1t0 (A) waits: {unmet}",
            f"WARN  {manager} failed on node local-1: {failure}",
        ]
        job = await scene.text("/scheduler/jobs/1/log/server")
        heading = "\n================ Task 1t0 logs =================\n"
        assert job.startswith("================= Job 1 logs =================\n")
        assert job.endswith(heading + task)
        await scene.client.delete("/scheduler/jobs/1")
        assert not known(scene)

    rest(scenario, slots=2, select=answer)


def test_copies_of_a_loop_by_calendar_carry_their_start_time(rest: Callable[..., None]) -> None:
    """The next date of the cron expression is the START_AT of the new iteration, and of no task before it."""
    xml = (
        '<job xmlns="urn:proactive:jobdescriptor:3.14" name="yearly"><taskFlow><task name="A"><scriptExecutable>'
        '<script><code language="cpython">1</code></script></scriptExecutable><controlFlow><loop target="A">'
        '<script><code language="cpython">loop = "0 0 1 1 *"</code></script></loop></controlFlow></task>'
        "</taskFlow></job>"
    )

    async def scenario(scene: Any) -> None:
        await scene.submit(xml)
        await scene.until(lambda: scene.store.task_named(1, "A#1") is not None)
        tasks = await scene.json("/scheduler/jobs/1/taskstates")
        information = [task["genericInformation"] for task in tasks["list"]]
        assert information[0] == {}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:00:00\+00:00", information[1]["START_AT"])

    rest(scenario, scripted={"A": lambda attempt: Outcome(value=1, flow="0 0 1 1 *", flow_decided=True)})
