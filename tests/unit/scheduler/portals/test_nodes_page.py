"""The page of the nodes: what it shows of a scheduler, and its locks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from proactive_jupyter_kernel.scheduler.attempt import Outcome, Slot

Rest = Callable[..., None]

SLOTS = (
    Slot(name="a0", host="far"),
    Slot(name="a1", host="far"),
    Slot(name="g0", host="far", source="gpu", tokens=("<big>",)),
)
JOB = """<job xmlns="urn:proactive:jobdescriptor:3.14" name="scan"><taskFlow>
<task name="hold"><scriptExecutable><script><code language="cpython">hold</code></script></scriptExecutable></task>
<task name="lost"><genericInformation><info name="NODE_ACCESS_TOKEN" value="&lt;none&gt;"/></genericInformation>
<scriptExecutable><script><code language="cpython">1</code></script></scriptExecutable></task>
</taskFlow></job>"""


def test_page_shows_what_runs_and_what_waits(rest: Rest) -> None:
    """The task of each slot, the tokens, and why a task waits; all of it as text."""

    async def hold(attempt: Any) -> Outcome:
        await asyncio.sleep(60)
        return Outcome()

    async def scenario(scene: Any) -> None:
        await scene.enter()
        job_id = await scene.submit(JOB)
        await scene.until(lambda: any(state.holder for state in scene.service.resources.states))
        page = await scene.page("/rm/")
        assert f'href="/scheduler/jobs/{job_id}" title="hold, scan {job_id} · ' in page
        assert "scan / lost" in page
        assert "has the token &#39;&lt;none&gt;&#39;" in page
        assert '<span class="token" title="Access token: only tasks with it run here">&lt;big&gt;</span>' in page
        assert "style=" not in page
        assert "1 of 3 slots busy" in page
        await scene.service.kill_job(job_id)

    rest(scenario, scripted={"hold": hold}, slots=SLOTS)


def test_lost_node_is_shown_with_what_it_ran(rest: Rest) -> None:
    """Also if nobody looked at the page before."""

    async def hold(attempt: Any) -> Outcome:
        await asyncio.sleep(60)
        return Outcome()

    async def scenario(scene: Any) -> None:
        await scene.enter()
        job_id = await scene.submit(JOB)
        await scene.until(lambda: any(state.holder for state in scene.service.resources.states))
        scene.executor.change_slots(*(Slot(name=f"near-{number}", host="near") for number in range(2)))
        page = await scene.page("/rm/")
        assert "2 slots of the node source Default; gone since " in page
        assert "; its task starts again on other nodes" in page
        await scene.service.kill_job(job_id)

    rest(scenario, scripted={"hold": hold}, slots=SLOTS[:2])


def test_locks_are_set_and_taken_off(rest: Rest) -> None:
    """By host and node source, without a script; the page says who did it."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        locked = await scene.act("/rm/lock", source="Default", host="far", verb="lock")
        assert (locked.status_code, locked.headers["location"]) == (303, "/rm/")
        page = await scene.page("/rm/")
        assert "Locked 2 slots of Default on far. Tasks that run there run to their end; no more start." in page
        assert "Locked by ana at " in page
        assert [state.locked for state in scene.service.resources.states] == [True, True, False]
        await scene.act("/rm/lock", source="Default", host="far", verb="unlock")
        assert "Locked by ana" not in await scene.page("/rm/")
        assert [state.locked for state in scene.service.resources.states] == [False, False, False]

    rest(scenario, slots=SLOTS)


def test_lock_of_nothing_is_refused(rest: Rest) -> None:
    """A node that is gone, and a form that nobody made."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        gone = await scene.act("/rm/lock", source="<x>", host="far", verb="lock")
        assert (gone.status_code, "&lt;x&gt;" in gone.text) == (404, True)
        assert (await scene.act("/rm/lock", source="Default", host="far", verb="erase")).status_code == 400

    rest(scenario, slots=SLOTS)


def test_scheduler_without_nodes_says_so(rest: Rest) -> None:
    """Nothing can run, and what to do about it."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        assert "The scheduler has no nodes: nothing can run." in await scene.page("/rm/?part=nodes")

    rest(scenario, slots=())
