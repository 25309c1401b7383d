"""What holds for every request: hosts, sessions, errors, content types, sizes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.http import bodies
from proactive_jupyter_kernel.scheduler.rest.routes import ROUTES
from proactive_jupyter_kernel.scheduler.store.errors import DamagedStore
from proactive_jupyter_kernel.version import __version__

PORTAL = "org.ow2.proactive_grid_cloud_portal.scheduler.exception."

NOT_CONNECTED = {
    "httpErrorCode": 401,
    "errorMessage": "You are not connected to the server, you should log on first",
    "stackTrace": PORTAL + "NotConnectedRestException: You are not connected to the server, you should log on first",
    "exception": {
        "cause": None,
        "stackTrace": [],
        "message": "You are not connected to the server, you should log on first",
        "localizedMessage": "You are not connected to the server, you should log on first",
        "suppressed": [],
    },
    "exceptionClass": PORTAL + "NotConnectedRestException",
}


def test_an_error_has_the_one_shape(rest: Callable[..., None]) -> None:
    """Every field is there, and the exception is an object."""

    async def scenario(scene: Any) -> None:
        answer = await scene.json("/scheduler/jobs", status=401, headers={"sessionid": "wrong"})
        assert answer == NOT_CONNECTED

    rest(scenario)


ERRORS = [
    ("GET", "/scheduler/jobs/99/info", 404, PORTAL + "UnknownJobRestException", "'99' is unknown"),
    ("GET", "/scheduler/jobs/nonsense", 400, "java.lang.NumberFormatException", 'For input string: "nonsense"'),
    ("GET", "/scheduler/jobs/" + "9" * 30, 400, "java.lang.NumberFormatException", "For input string"),
    ("PUT", "/scheduler/jobs/99/kill", 404, PORTAL + "UnknownJobRestException", "'99' is unknown"),
    ("GET", "/scheduler/jobs/1/tasks/nobody", 500, PORTAL + "UnknownTaskRestException", "Unknown task nobody, job: 1"),
    *(
        ("PUT", f"/scheduler/jobs/1/tasks/T/{verb}", 404, PORTAL + "UnknownJobRestException", "Job 1 has ended")
        for verb in ("kill", "restart", "preempt", "finishInErrorTask", "restartInErrorTask")
    ),
    ("PUT", "/scheduler/jobs/1/priority/byname/HIGH", 500, PORTAL + "JobAlreadyFinishedRestException", "has ended"),
    ("PUT", "/scheduler/jobs/1/priority/byname/URGENT", 500, PORTAL + "BadJobPriorityRestException", "URGENT"),
    ("PUT", "/scheduler/jobs/1/priority/byvalue/9", 400, "java.lang.IllegalArgumentException", "0 to 5"),
    ("PUT", "/scheduler/jobs/1/priority/byvalue/-1", 400, "java.lang.IllegalArgumentException", "0 to 5"),
    ("PUT", "/scheduler/jobs/1/priority/byvalue/high", 500, PORTAL + "BadJobPriorityRestException", "0 to 5"),
    ("GET", "/scheduler/jobs?status=In-Error", 400, "java.lang.IllegalArgumentException", "no job status 'IN-ERROR'"),
    ("GET", "/scheduler/jobsinfo?status=x", 400, "java.lang.IllegalArgumentException", "The statuses are PENDING"),
    ("POST", "/scheduler/job/1/signals?signal=go", 500, PORTAL + "SignalApiRestException", "it has ended"),
    ("POST", "/scheduler/job/99/signals?signal=go", 404, PORTAL + "UnknownJobRestException", "'99' is unknown"),
    ("POST", "/scheduler/job/1/signals", 400, "java.lang.IllegalArgumentException", "must name a signal"),
    ("PUT", "/scheduler/jobs/1/startat/tomorrow", 400, "java.lang.IllegalArgumentException", "'tomorrow' is not"),
    (
        "GET",
        "/scheduler/jobs?limit=many",
        404,
        "javax.ws.rs.NotFoundException",
        "'limit' must be an integer, not 'many'",
    ),
    ("GET", "/scheduler/jobs?limit=1_0", 404, "javax.ws.rs.NotFoundException", "'limit' must be"),
    ("GET", f"/scheduler/jobs?index={2**63}", 404, "javax.ws.rs.NotFoundException", "'index' must be"),
    ("GET", "/scheduler/jobs/1/html", 404, "java.io.IOException", "has no visualization"),
    ("GET", "/scheduler/nothing", 404, "javax.ws.rs.NotFoundException", "no resource GET /rest/scheduler/nothing"),
    ("PUT", "/scheduler/version", 500, "javax.ws.rs.NotAllowedException", "it has GET"),
    (
        "POST",
        "/scheduler/submit",
        500,
        "javax.ws.rs.NotSupportedException",
        "takes multipart/form-data, not a body with",
    ),
    ("POST", "/scheduler/jobs", 400, PORTAL + "JobCreationRestException", "header 'link'"),
]


@pytest.mark.parametrize(("method", "path", "status", "exception", "message"), ERRORS)
def test_errors_have_the_servers_statuses(
    rest: Callable[..., None],
    workflow: Callable[..., str],
    method: str,
    path: str,
    status: int,
    exception: str,
    message: str,
) -> None:
    """Status and class are those that clients expect, surprises included."""

    async def scenario(scene: Any) -> None:
        await scene.run(workflow("T"))
        answer = await scene.json(path, method, status)
        assert answer["exceptionClass"] == exception
        assert message in answer["errorMessage"]

    rest(scenario)


def test_a_route_refuses_what_it_cannot_read_or_give(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """A content type or an Accept header that does not fit is 500, with JAX-RS's class, before anything is done."""

    async def scenario(scene: Any) -> None:
        job_id = await scene.run(workflow("T"))
        for accept in ("text/plain", "image/png", "text/html, application/xml"):
            answer = await scene.json(f"/scheduler/jobs/{job_id}/info", status=500, headers={"Accept": accept})
            assert answer["exceptionClass"] == "javax.ws.rs.NotAcceptableException"
        for accept in ("text/html, */*;q=0.8", "application/*", "application/json;charset=utf-8", ""):
            await scene.json(f"/scheduler/jobs/{job_id}/info", headers={"Accept": accept})
        body = {"content": "[]", "headers": {"Content-Type": "text/plain"}}
        answer = await scene.json("/scheduler/jobsinfolist", "POST", 500, **body)
        assert answer["exceptionClass"] == "javax.ws.rs.NotSupportedException"
        assert answer["errorMessage"] == ("POST /rest/scheduler/jobsinfolist takes application/json, not text/plain.")
        await scene.json("/scheduler/jobsinfolist", "POST", content="[]")

    rest(scenario)


def test_options_names_the_methods_of_a_path(rest: Callable[..., None]) -> None:
    """In the order of the server; a path that is not there is 404."""

    async def scenario(scene: Any) -> None:
        found = {}
        for path in ("/scheduler/jobs/1", "/scheduler/submit", "/scheduler/nothing"):
            answer = await scene.client.options(path)
            found[path] = (answer.status_code, answer.headers.get("allow"))
        assert found == {
            "/scheduler/jobs/1": (200, "HEAD, DELETE, GET, OPTIONS"),
            "/scheduler/submit": (200, "POST, OPTIONS"),
            "/scheduler/nothing": (404, None),
        }

    rest(scenario)


def test_every_route_asks_for_a_session_or_says_that_it_does_not(rest: Callable[..., None]) -> None:
    """Nothing that tells or changes anything is open by mistake."""

    async def scenario(scene: Any) -> None:
        for route in ROUTES:
            path = route.path.replace("{job}", "1").replace("{", "").replace("}", "")
            headers = {"sessionid": "", "Content-Type": f"{(*route.takes, 'text/plain')[0]}; boundary=B"}
            answer = await scene.client.request(route.method, path, headers=headers)
            assert (answer.status_code == 401) == route.session, route

    rest(scenario)
    assert {route.path for route in ROUTES if not route.session} == {
        "/scheduler/session",
        "/scheduler/login",
        "/common/login",
        "/rm/login",
        "/studio/login",
        "/common/connected",
        "/studio/connected",
        "/common/currentuser",
        "/studio/currentuser",
        "/common/currentuserdata",
        "/studio/currentuserdata",
        "/scheduler/logins/sessionid/{session}",
        "/scheduler/logins/sessionid/{session}/userdata",
        "/rm/logins/sessionid/{session}",
        "/rm/logins/sessionid/{session}/userdata",
        *(f"/task/channels/{name}" for name in ("create", "delete", "names", "read", "change", "wait")),
        *(f"/task/signals/{name}" for name in ("state", "wait", "ready", "send", "remove")),
        "/openapi.json",
        "/scheduler/version",
        "/rm/version",
        "/rm/url",
        "/scheduler/url",
        "/scheduler/domains",
        "/rm/domains",
        "/studio/domains",
        "/rm/model/nodesources",
        "/rm/model/hosts",
        "/rm/model/tokens",
    }


def test_another_host_is_not_answered(rest: Callable[..., None]) -> None:
    """A name that was bent to this machine gets nothing, with or without session."""

    async def scenario(scene: Any) -> None:
        for host in ("evil.example:8080", "127.0.0.1:9", ""):
            answer = await scene.json("/scheduler/version", status=403, headers={"host": host})
            assert "answers to 127.0.0.1:8080" in answer["errorMessage"]
            assert answer["errorMessage"].endswith("A tunnel needs the same port at both ends.")

    rest(scenario)


def test_a_large_body_is_refused(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """With the limit and what to do instead, whether or not its size was announced."""

    async def scenario(scene: Any) -> None:
        answer = await scene.post_xml(workflow("T") + " " * 5000)
        assert (answer.status_code, answer.headers["connection"]) == (413, "close")
        assert "larger than the 4 KiB that" in answer.json()["errorMessage"]

        async def chunks() -> Any:
            for _ in range(10):
                yield b" " * 1000

        answer = await scene.client.post("/scheduler/jobs/body", content=chunks(), headers={"link": "http://x"})
        assert answer.status_code == 413

    rest(scenario, body_limit=4096)


def test_a_fault_of_ours_is_reported_as_one(rest: Callable[..., None]) -> None:
    """Whatever breaks in a handler is a JSON error, never a dropped connection."""

    async def scenario(scene: Any) -> None:
        reader = scene.service.reader
        del scene.service.reader
        answer = await scene.json("/scheduler/jobs", status=500)
        scene.service.reader = reader
        assert answer["exceptionClass"] == "java.lang.RuntimeException"

    rest(scenario)


def test_texts_are_bare_whatever_is_accepted(rest: Callable[..., None]) -> None:
    """Text first, JSON only for who accepts no text; never quotes."""

    async def scenario(scene: Any) -> None:
        kinds = {
            "*/*": "text/plain; charset=utf-8",
            "text/plain": "text/plain; charset=utf-8",
            "application/json, text/plain": "text/plain; charset=utf-8",
            "application/json": "application/json",
        }
        for accept, kind in kinds.items():
            answer = await scene.client.get("/scheduler/url", headers={"accept": accept})
            assert (answer.text, answer.headers["content-type"]) == ("http://127.0.0.1:8080", kind)

    rest(scenario)


def test_the_version_needs_no_session(rest: Callable[..., None]) -> None:
    """Whoever finds a scheduler can ask what it is: whose API it has, and which package it is."""

    async def scenario(scene: Any) -> None:
        answer = await scene.json("/scheduler/version", headers={"sessionid": ""})
        assert answer == {"scheduler": "14.2.0", "rest": "14.2.0", "embedded": __version__}

    rest(scenario)


def test_paths_outside_rest_are_not_answered(rest: Callable[..., None]) -> None:
    """The REST application is mounted in one place; what stands beside it under its names are pages for people."""

    async def scenario(scene: Any) -> None:
        assert (await scene.client.get("http://127.0.0.1:8080/version")).status_code == 404
        page = await scene.client.get("http://127.0.0.1:8080/scheduler/version")
        assert (page.status_code, page.headers["content-type"]) == (401, "text/html; charset=utf-8")

    rest(scenario)


def test_a_body_that_stops_coming_is_given_up(rest: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    """With 408, and the connection ends; whoever waits for it gets on."""
    monkeypatch.setattr(bodies, "PATIENCE", 0.05)

    async def half() -> AsyncIterator[bytes]:
        yield b"["
        await asyncio.sleep(30)

    async def scenario(scene: Any) -> None:
        answer = await scene.client.post(
            "/scheduler/jobsinfolist", content=half(), headers={"content-type": "application/json"}
        )
        assert (answer.status_code, answer.headers["connection"]) == (408, "close")
        assert answer.json()["errorMessage"].startswith("The request was not complete")

    rest(scenario)


def test_a_damaged_store_is_an_error_of_the_scheduler(
    rest: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not an unknown job, nor a wrong request."""

    async def scenario(scene: Any) -> None:
        def damaged(*_: Any) -> None:
            raise DamagedStore("s.db is damaged.", hint="Move it away.")

        for method in ("job", "jobs", "xml"):
            monkeypatch.setattr(scene.store, method, damaged)
        for path in ("/scheduler/jobs/1/info", "/scheduler/jobsinfo", "/scheduler/jobs/1/xml"):
            answer = await scene.json(path, status=500)
            assert (answer["exceptionClass"], answer["errorMessage"]) == (
                "org.ow2.proactive.db.DatabaseManagerException",
                "s.db is damaged.\nMove it away.",
            )

    rest(scenario)
