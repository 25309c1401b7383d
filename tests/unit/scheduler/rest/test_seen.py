"""What others see of a job's variables: while it waits, while it runs, when it has ended; hidden values never."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Any

from proactive_jupyter_kernel.scheduler.attempt import Outcome
from proactive_jupyter_kernel.workflow.java import serialization

Rest = Callable[..., None]

JOB = (
    '<job xmlns="urn:proactive:jobdescriptor:3.14" name="seen">'
    '<variables><variable name="A" value="1"/><variable name="S" value="secret" model="PA:HIDDEN"/></variables>'
    '<taskFlow><task name="T"><variables><variable name="V" value="v${A}" inherited="false"/>'
    '<variable name="P" value="secret2" model="PA:HIDDEN" inherited="false"/></variables>'
    '<genericInformation><info name="G" value="${PA_TASK_NAME}-${V}"/></genericInformation>'
    '<scriptExecutable><script><code language="bash">1</code></script></scriptExecutable></task>'
    '<task name="U"><depends><task ref="T"/></depends>'
    '<scriptExecutable><script><code language="bash">1</code></script></scriptExecutable></task>'
    "</taskFlow></job>"
)


class Gate:
    """A task that runs until it is opened."""

    def __init__(self) -> None:
        self.open = asyncio.Event()

    async def __call__(self, attempt: Any) -> Outcome:
        await self.open.wait()
        return Outcome(value=1, variables_set={"NEW": None, "N": 5})


def test_variables_and_generic_information_of_tasks(rest: Rest) -> None:
    """Null before the start; as the task sees them while the job lives; gone when it has ended."""
    gate = Gate()

    async def scenario(scene: Any) -> None:
        job_id = await scene.submit(JOB)
        await scene.until(lambda: scene.executor.attempts)
        tasks = (await scene.json(f"/scheduler/jobs/{job_id}"))["tasks"]
        shown = tasks["0"]["taskInfo"]["variables"]
        hidden = scene.service.hidden
        assert shown == {
            "A": "1",
            "S": hidden.shown("secret"),
            "V": "v1",
            "P": hidden.shown("secret2"),
            "PA_JOB_ID": str(job_id),
            "PA_JOB_NAME": "seen",
            "PA_TASK_ID": "0",
            "PA_TASK_NAME": "T",
            "PA_TASK_ITERATION": "0",
            "PA_TASK_REPLICATION": "0",
            "PA_USER": "ana",
        }
        assert tasks["0"]["genericInformation"] == {"G": "T-v1"}
        assert (tasks["1"]["taskInfo"]["variables"], tasks["1"]["genericInformation"]) == (None, {})
        gate.open.set()
        await scene.ended(job_id)
        for task in (await scene.json(f"/scheduler/jobs/{job_id}/taskstates"))["list"]:
            assert (task["taskInfo"]["variables"], task["genericInformation"]) == (None, {})

    rest(scenario, scripted={"T": gate})


def test_tasks_that_started_before_the_scheduler(rest: Rest) -> None:
    """What their rows say, while their job lives."""
    gate = Gate()

    async def scenario(scene: Any) -> None:
        job_id = await scene.submit(JOB)
        await scene.until(lambda: scene.executor.attempts)
        before = (await scene.json(f"/scheduler/jobs/{job_id}/tasks/T"))["taskInfo"]["variables"]
        scene.service.ask.started._jobs.clear()
        task = await scene.json(f"/scheduler/jobs/{job_id}/tasks/T")
        assert (task["taskInfo"]["variables"], task["genericInformation"]) == (before, {"G": "${PA_TASK_NAME}-v1"})
        gate.open.set()

    rest(scenario, scripted={"T": gate})


def test_propagated_variables(rest: Rest) -> None:
    """With what names job, task, node and spaces; a null one in the serialized form alone."""
    gate = Gate()
    gate.open.set()

    async def scenario(scene: Any) -> None:
        job_id = await scene.run(JOB)
        result = await scene.json(f"/scheduler/jobs/{job_id}/tasks/T/result")
        texts, streams = result["propagatedVariables"], result["serializedPropagatedVariables"]
        assert set(streams) - set(texts) == {"NEW"}
        assert serialization.loads(base64.b64decode(streams["NEW"])) is None
        assert serialization.loads(base64.b64decode(streams["PA_TASK_ITERATION"])) == 0
        assert {name: texts[name] for name in ("A", "N", "PA_TASK_NAME", "PA_NODE_HOST", "PA_NODESNUMBER")} == {
            "A": "1",
            "N": "5",
            "PA_TASK_NAME": "T",
            "PA_NODE_HOST": "localhost",
            "PA_NODESNUMBER": "1",
        }
        assert texts["userspace"] == scene.service.site.spaces["user"] + "/ana"
        # Stored once, in the task's record, and without what every task gets anew.
        assert scene.store.results(job_id)[0].variables is None
        assert scene.store.task(job_id, 0).propagated == {"A": "1", "S": "secret", "NEW": None, "N": 5}

    rest(scenario, scripted={"T": gate})


def test_hidden_values_are_never_shown(rest: Rest) -> None:
    """Tasks get them; all answers have ENC(...), which leads back to the value in another submission."""

    async def scenario(scene: Any) -> None:
        shown = scene.service.hidden.shown("secret")
        job_id = await scene.run(JOB)
        (again,) = [job["id"] for job in await scene.json(f"/scheduler/jobs/resubmit?jobsid={job_id}", "POST")]
        copied = await scene.submit(await scene.text(f"/scheduler/jobs/{job_id}/xml"))
        body = f"/scheduler/jobs/{job_id}/resubmit/body"
        given = (await scene.json(body, "POST", json={"S": shown}))["id"]
        jobs = (job_id, again, copied, given)
        for each in jobs:
            await scene.ended(each)
        seen = [attempt for attempt in scene.executor.attempts if attempt.task_name == "T"]
        assert [(attempt.inherited["S"], attempt.scope["P"]) for attempt in seen] == [("secret", "secret2")] * 4
        paths = ["/scheduler/revisionjobsinfo", "/scheduler/taskstates"]
        for each in jobs:
            base = f"/scheduler/jobs/{each}"
            paths += [f"{base}{path}" for path in ("", "/info", "/description", "/xml", "/result", "/tasks/T/result")]
        answers = [await scene.text(path) for path in paths]
        answers.append((await scene.post_xml(JOB, path="/scheduler/validate")).text)
        assert [path for path, answer in zip([*paths, "validate"], answers, strict=True) if "secret" in answer] == []
        info = await scene.json(f"/scheduler/jobs/{job_id}/info")
        assert (info["variables"]["S"], info["detailedVariables"]["S"]["value"]) == (shown, shown)
        result = await scene.json(f"/scheduler/jobs/{job_id}/tasks/U/result")
        assert result["propagatedVariables"]["S"] == shown
        assert serialization.loads(base64.b64decode(result["serializedPropagatedVariables"]["S"])) == shown

    rest(scenario)


def test_what_refers_to_a_hidden_value_does_not_show_it(rest: Rest) -> None:
    """Descriptions, generic information and other variables have ENC(...) in its place; tasks get the value."""
    gate = Gate()
    head = '<variables><variable name="S" value="secret" model="PA:HIDDEN"/><variable name="A" value="to ${S}"/>'
    head += "</variables><description>d ${S}</description>"
    head += '<genericInformation><info name="G" value="g ${S}"/></genericInformation>'
    code = '<scriptExecutable><script><code language="bash">ls</code></script></scriptExecutable>'
    task = '<description>t ${S}</description><genericInformation><info name="H" value="h ${S}"/></genericInformation>'
    flow = f'<taskFlow><task name="T">{task}{code}</task></taskFlow>'
    job = f'<job xmlns="urn:proactive:jobdescriptor:3.14" name="job">{head}{flow}</job>'

    async def scenario(scene: Any) -> None:
        shown = scene.service.hidden.shown("secret")
        job_id = await scene.submit(job)
        await scene.until(lambda: scene.executor.attempts)
        assert scene.executor.attempts[0].inherited["A"] == "to secret"
        info = await scene.json(f"/scheduler/jobs/{job_id}/info")
        found = (info["description"], info["genericInformation"]["G"], info["variables"]["A"])
        assert found == (f"d {shown}", f"g {shown}", f"to {shown}")
        state = await scene.json(f"/scheduler/jobs/{job_id}/tasks/T")
        variables = state["taskInfo"]["variables"]
        found = (state["description"], state["genericInformation"]["H"], variables["A"])
        assert found == (f"t {shown}", f"h {shown}", f"to {shown}")
        gate.open.set()
        await scene.ended(job_id)
        for path in ("", "/result", "/tasks/T/result", "/info", "/taskstates", "/xml"):
            assert "secret" not in await scene.text(f"/scheduler/jobs/{job_id}{path}"), path
        again = await scene.submit(await scene.text(f"/scheduler/jobs/{job_id}/xml"))
        await scene.ended(again)
        assert scene.executor.attempts[1].inherited["A"] == "to secret"

    rest(scenario, scripted={"T": gate})
