"""What the server says of itself and of its user: counters, properties, rights; and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.rest.routes import OUTSIDE
from proactive_jupyter_kernel.scheduler.rest.routes.refusals import OUTSIDE as BESIDE
from proactive_jupyter_kernel.scheduler.rest.routes.refusals import ROUTES as REFUSALS

ROOT = "http://127.0.0.1:8080"
Rest = Callable[..., None]
Workflow = Callable[..., str]


def test_counters_count(rest: Rest, workflow: Workflow) -> None:
    """Texts, as a server's management beans give them."""

    async def scenario(scene: Any) -> None:
        await scene.run(workflow("A", "B"))
        stats = await scene.json("/scheduler/stats")
        names = ("FinishedJobsCount", "TotalTasksCount", "PendingJobsCount", "CancelledJobsCount", "Status")
        assert [stats[name] for name in names] == ["1", "2", "0", "0", "STARTED"]
        mine = await scene.json("/scheduler/stats/myaccount")
        assert (mine["PastTasksCount"], mine["CurrentTasksCount"]) == ("2", "0")
        history = await scene.json("/scheduler/stathistory?function=MAX")
        assert set(history) == {f"{kind}JobsCount" for kind in ("InError", "Paused", "Pending", "Running", "Stalled")}
        wrong = await scene.json("/scheduler/stathistory?function=nonsense", status=500)
        assert wrong["exceptionClass"] == "java.lang.RuntimeException"

    rest(scenario)


def test_properties_are_texts_without_the_token(rest: Rest) -> None:
    """They are texts, and the token is not among them."""

    async def scenario(scene: Any) -> None:
        properties = await scene.json("/scheduler/properties")
        assert properties["pa.scheduler.rest.url"] == "http://127.0.0.1:8080/rest"
        assert all(isinstance(value, str) and "secret" not in value for value in properties.values())
        assert await scene.json("/scheduler/configuration/portal") == {"execution-list-extra-columns": ""}

    rest(scenario)


def test_everything_is_permitted(rest: Rest, workflow: Workflow) -> None:
    """Methods, jobs and portals; a job must be there."""

    async def scenario(scene: Any) -> None:
        job_id = await scene.run(workflow("T"))
        assert await scene.json("/scheduler/permission/submit") is True
        assert await scene.json(f"/scheduler/job/{job_id}/permission/killJob") is True
        await scene.json("/scheduler/job/99/permission/killJob", status=404)
        assert await scene.json("/scheduler/jobs/permission/killJob", "POST", json=[str(job_id)]) == [str(job_id)]
        asked = {"jobids": [str(job_id)], "methods": ["killJob", "pauseJob"]}
        answer = await scene.json("/scheduler/jobs/permission/methods", "POST", json=asked)
        assert answer == {str(job_id): {"killJob": True, "pauseJob": True}}
        for wrong in ("5", "null", '{"jobids": 5, "methods": []}', '{"jobids": [], "methods": [null]}'):
            await scene.json(
                "/scheduler/jobs/permission/methods",
                "POST",
                400,
                content=wrong,
                headers={"Content-Type": "application/json"},
            )
        assert await scene.json("/common/permissions/portals/rm") is True
        assert await scene.json("/common/permissions/portals?portals=rm&portals=studio") == ["rm", "studio"]
        await scene.json("/common/permissions/portals", status=500)

    rest(scenario)


def test_a_token_opens_one_link(rest: Rest) -> None:
    """Instead of the session's id, in the query of a request for data, once."""

    async def scenario(scene: Any) -> None:
        await scene.client.put("/data/user/a.txt", content=b"text")
        (token, spare) = await scene.json("/common/tokens?numberTokens=2", "POST")
        assert token != spare
        session = scene.client.headers.pop("sessionid")
        link = f"/data/user/a.txt?encoding=identity&token={token}"
        assert [(await scene.client.get(link)).status_code for _ in range(2)] == [200, 401]
        assert (await scene.client.get(f"/scheduler/jobs?token={spare}")).status_code == 401
        scene.client.headers["sessionid"] = session
        for number in ("-1", "101"):
            await scene.json(f"/common/tokens?numberTokens={number}", "POST", 400)
        assert len(await scene.json("/common/tokens", "POST")) == 1

    rest(scenario)


def test_the_oldest_of_very_many_tokens_are_forgotten(rest: Rest) -> None:
    """A page that asks for tokens and uses none does not fill the memory."""

    async def scenario(scene: Any) -> None:
        session = scene.sessions.find(scene.client.headers["sessionid"])
        tokens = [token for _ in range(11) for token in scene.sessions.tokens(session, 100)]
        assert [token for token in tokens if scene.sessions.redeem(token)] == tokens[100:]

    rest(scenario)


@pytest.mark.parametrize(
    "route", [route for route in REFUSALS if route.path != "/scheduler/labels" or route.method != "GET"]
)
def test_what_a_server_alone_offers_is_refused(rest: Rest, route: Any) -> None:
    """With a well-formed error that says so, and only for those who are logged in."""

    async def scenario(scene: Any) -> None:
        path = route.path.replace("{", "").replace("}", "").replace("*", "")
        answer = await scene.json(path, route.method, 501)
        assert answer["exceptionClass"] == "java.lang.UnsupportedOperationException"
        assert answer["errorMessage"].startswith("The embedded scheduler has no ")

    rest(scenario)


@pytest.mark.parametrize("route", BESIDE, ids=lambda route: f"{route.method} {route.path}")
def test_services_beside_rest_are_refused_too(rest: Rest, route: Any) -> None:
    """As the official Python client asks for them, under the server's root, and with a session alone."""

    async def scenario(scene: Any) -> None:
        url = ROOT + route.path.replace("{rest*}", "serviceInstances/7/action")
        answer = await scene.client.request(route.method, url)
        assert (answer.status_code, answer.json()["httpErrorCode"]) == (501, 501)
        answer = await scene.client.request(route.method, url, headers={"sessionid": ""})
        assert answer.status_code == 401

    rest(scenario)


def test_other_paths_beside_rest_are_not_there(rest: Rest) -> None:
    """404 with JSON, and no method."""

    async def scenario(scene: Any) -> None:
        for method in ("GET", "OPTIONS"):
            answer = await scene.client.request(method, ROOT + "/nothing")
            assert (answer.status_code, answer.json()["httpErrorCode"]) == (404, 404)
        assert [route.path for route in OUTSIDE if not route.session] == ["/metrics", "/status"]

    rest(scenario)


def test_there_is_no_other_resource_manager_to_link(rest: Rest) -> None:
    """False: nothing was done."""

    async def scenario(scene: Any) -> None:
        assert await scene.json("/scheduler/linkrm", "POST", data={"rmurl": "pnp://x"}) is False

    rest(scenario)
