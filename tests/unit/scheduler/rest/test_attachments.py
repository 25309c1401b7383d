"""What is attached to a job over REST: external endpoints, and the signals that its tasks wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Outcome
from proactive_jupyter_kernel.scheduler.service.errors import SignalRefused
from proactive_jupyter_kernel.workflow.model import Variable

Rest = Callable[..., None]
Workflow = Callable[..., str]

REFUSED = "org.ow2.proactive_grid_cloud_portal.scheduler.exception.SignalApiRestException"
#: A signal's variables.
COUNT = Variable(name="count", value="1", model="PA:INTEGER[1,5]", description="How many")
WHO = Variable(name="who", value="")


async def forever(attempt: Any) -> Outcome:
    await asyncio.Event().wait()
    return Outcome()


async def waiting_job(scene: Any, xml: str, *variables: Variable, signal: str = "go") -> int:
    """A running job that is ready for a signal."""
    job_id: int = await scene.submit(xml)
    await scene.until(lambda: scene.executor.attempts)
    await scene.service.attachments.ready_for_signal(job_id, signal, variables)
    return job_id


def test_a_signal_is_sent_once(rest: Rest, workflow: Workflow) -> None:
    """Shown as ready_NAME, then as NAME with the values that came; then refused until a task is ready again."""

    async def scenario(scene: Any) -> None:
        job_id = await waiting_job(scene, workflow("G"), COUNT, WHO)
        info, path = f"/scheduler/jobs/{job_id}/info", f"/scheduler/job/{job_id}/signals?signal=go"
        before = await scene.json(info)
        assert (before["signals"], before["detailedSignals"]["go"]["count"]) == (
            ["ready_go"],
            {
                "name": "count",
                "value": "1",
                "model": "PA:INTEGER[1,5]",
                "description": "How many",
                "group": None,
                "advanced": False,
                "hidden": False,
            },
        )
        assert scene.service.attachments.received_signal(job_id, "go") is None
        assert await scene.json(path, "POST", json={"count": 3, "who": "ana"}) == ["go"]
        after = await scene.json(info)
        values = {name: variable["value"] for name, variable in after["detailedSignals"]["go"].items()}
        assert (after["signals"], values) == (["go"], {"count": "3", "who": "ana"})
        received = scene.service.attachments.received_signal(job_id, "go")
        assert {variable.name: variable.value for variable in received.variables} == values
        again = await scene.json(path, "POST", 500, json={})
        assert (again["exceptionClass"], again["errorMessage"]) == (
            REFUSED,
            f"Job {job_id} is not ready to receive the signal 'go'.\nIt was sent already.",
        )
        await scene.service.attachments.ready_for_signal(job_id, "go")
        assert await scene.json(path, "POST") == ["go"]
        await scene.json(f"/scheduler/jobs/{job_id}/kill", "PUT")
        ended = await scene.json(info)
        assert (ended["signals"], ended["detailedSignals"]) == ([], {})

    rest(scenario, scripted={"G": forever})


@pytest.mark.parametrize(
    ("signal", "body", "message"),
    [
        ("stop", {}, "not ready to receive the signal 'stop'.\nIt is ready for: go."),
        ("ready_go", {}, "not ready to receive the signal 'ready_go'"),
        ("go", {"count": "9"}, "Signal 'go': Variable 'count'"),
        ("go", {"cuont": "2"}, "has no variable 'cuont'. Its variables are count, who. Did you mean 'count'?"),
    ],
)
def test_a_signal_that_is_not_expected(rest: Rest, workflow: Workflow, signal: str, body: Any, message: str) -> None:
    """Another name, a value that its model refuses, an unknown variable: nothing is set."""

    async def scenario(scene: Any) -> None:
        job_id = await waiting_job(scene, workflow("G"), COUNT, WHO)
        answer = await scene.json(f"/scheduler/job/{job_id}/signals?signal={signal}", "POST", 500, json=body)
        assert answer["exceptionClass"] == REFUSED
        assert message in answer["errorMessage"]
        assert (await scene.json(f"/scheduler/jobs/{job_id}/info"))["signals"] == ["ready_go"]

    rest(scenario, scripted={"G": forever})


def test_no_task_waits_for_a_signal(rest: Rest, workflow: Workflow) -> None:
    """The message says what a task must do first."""

    async def scenario(scene: Any) -> None:
        job_id = await scene.submit(workflow("G"))
        answer = await scene.json(f"/scheduler/job/{job_id}/signals?signal=go", "POST", 500)
        assert "signalapi.readyForSignal(NAME)" in answer["errorMessage"]

    rest(scenario, scripted={"G": forever})


@pytest.mark.parametrize("body", [b"[1]", b'"go"', b"{", b'{"a": null}', b'{"a": [1]}', b"5"])
def test_wrong_values_of_a_signal(rest: Rest, workflow: Workflow, body: bytes) -> None:
    """Whatever is not an object of texts is refused."""

    async def scenario(scene: Any) -> None:
        job_id = await waiting_job(scene, workflow("G"), WHO)
        for path in ("signals", "signals/validate"):
            answer = await scene.json(f"/scheduler/job/{job_id}/{path}?signal=go", "POST", 400, content=body)
            assert answer["exceptionClass"] == "java.lang.IllegalArgumentException"
        assert (await scene.json(f"/scheduler/jobs/{job_id}/info"))["signals"] == ["ready_go"]

    rest(scenario, scripted={"G": forever})


def test_a_signal_is_validated(rest: Rest, workflow: Workflow) -> None:
    """Values that fit are shown as they would be sent; others are named; nothing is sent."""

    async def scenario(scene: Any) -> None:
        job_id = await waiting_job(scene, workflow("G"), COUNT)
        path = f"/scheduler/job/{job_id}/signals/validate?signal=go"
        assert await scene.json(path, "POST", json={"count": "2"}) == {
            "valid": True,
            "taskName": None,
            "errorMessage": None,
            "stackTrace": None,
            "updatedVariables": {"count": "2"},
            "updatedModels": {"count": "PA:INTEGER[1,5]"},
            "updatedDescriptions": {"count": "How many"},
            "updatedGroups": {"count": None},
            "updatedAdvanced": {"count": False},
            "updatedHidden": {"count": False},
        }
        wrong = await scene.json(path, "POST", json={"count": "many"})
        assert (wrong["valid"], "'count'" in wrong["errorMessage"]) == (False, True)
        unknown = await scene.json(path, "POST", json={"x": "1"})
        assert (unknown["valid"], "no variable 'x'" in unknown["errorMessage"]) == (False, True)
        assert (await scene.json(f"/scheduler/jobs/{job_id}/info"))["signals"] == ["ready_go"]
        await scene.json(f"/scheduler/job/{job_id}/signals/validate?signal=other", "POST", 500)

    rest(scenario, scripted={"G": forever})


def test_hidden_values_of_a_signal(rest: Rest, workflow: Workflow) -> None:
    """The task gets what was sent; no one else sees that, or what the task proposed."""

    async def scenario(scene: Any) -> None:
        hidden = Variable(name="key", value="proposed", model="PA:HIDDEN")
        job_id = await waiting_job(scene, workflow("G"), hidden)
        info, signals = f"/scheduler/jobs/{job_id}/info", f"/scheduler/job/{job_id}/signals"
        shown = scene.service.hidden.shown
        before = (await scene.json(info))["detailedSignals"]["go"]["key"]["value"]
        judged = await scene.json(f"{signals}/validate?signal=go", "POST", json={"key": "sent"})
        await scene.json(f"{signals}?signal=go", "POST", json={"key": shown("sent")})
        after = (await scene.json(info))["detailedSignals"]["go"]["key"]["value"]
        answers = [before, judged["updatedVariables"]["key"], after]
        assert answers == [shown("proposed"), shown("sent"), shown("sent")]
        attachments = scene.service.attachments
        received = (attachments.received_signal(job_id, "go"), attachments.signals(job_id)[1]["go"])
        assert [signal.variables[0].value for signal in received] == ["sent", "sent"]

    rest(scenario, scripted={"G": forever})


@pytest.mark.parametrize("name", ["", " ", "ready_go"])
def test_a_name_that_would_be_another_signal(rest: Rest, workflow: Workflow, name: str) -> None:
    """It is refused where a task declares it, and the job's signals stay."""

    async def scenario(scene: Any) -> None:
        job_id = await waiting_job(scene, workflow("G"))
        with pytest.raises(SignalRefused, match="is a text that does not begin with ready_"):
            await scene.service.attachments.ready_for_signal(job_id, name)
        assert (await scene.json(f"/scheduler/jobs/{job_id}/info"))["signals"] == ["ready_go"]

    rest(scenario, scripted={"G": forever})


def test_a_signal_is_removed(rest: Rest, workflow: Workflow) -> None:
    """What other signals say stays."""

    async def scenario(scene: Any) -> None:
        job_id = await waiting_job(scene, workflow("G"))
        attachments = scene.service.attachments
        await attachments.ready_for_signal(job_id, "stop")
        await attachments.remove_signal(job_id, "go")
        await attachments.remove_signal(job_id, "absent")
        info = await scene.json(f"/scheduler/jobs/{job_id}/info")
        assert (info["signals"], info["detailedSignals"]) == (["ready_stop"], {"stop": {}})

    rest(scenario, scripted={"G": forever})


def test_external_endpoints(rest: Rest, workflow: Workflow) -> None:
    """Shown with the job, also when it has ended; one of the same name is replaced."""

    async def scenario(scene: Any) -> None:
        job_id = await scene.run(workflow("T"))
        url = f"/scheduler/jobs/{job_id}/externalendpointurl"
        for form in (
            {"endpointName": "board é", "externalEndpointUrl": "http://y", "endpointIconUri": "i"},
            {"endpointName": "board é", "externalEndpointUrl": "http://x"},
        ):
            assert (await scene.client.post(url, data=form)).status_code == 204
        for missing, form in (
            ("externalEndpointUrl", {"endpointName": "board"}),
            ("endpointName", {"externalEndpointUrl": "http://x"}),
        ):
            answer = await scene.json(url, "POST", 400, data=form)
            assert answer["errorMessage"].startswith(f"{missing} cannot be null")
        info = f"/scheduler/jobs/{job_id}/info"
        assert (await scene.json(info))["externalEndpointUrls"] == {
            "board é": {"name": "board é", "url": "http://x", "iconUri": None}
        }
        for name in ("absent", "board é"):
            headers = {"content-type": "application/json"}
            answer = await scene.client.request("DELETE", url, content=name.encode(), headers=headers)
            assert answer.status_code == 204
        assert (await scene.json(info))["externalEndpointUrls"] == {}

    rest(scenario)
