"""Logging in and out, as the official clients do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

RIGHT = {"username": "ana", "password": "secret"}


@pytest.mark.parametrize("path", ["/scheduler/login", "/common/login", "/rm/login", "/studio/login"])
def test_a_login_answers_a_bare_new_id(rest: Callable[..., None], path: str) -> None:
    """By urlencoded form and by multipart, each time another id."""

    async def scenario(scene: Any) -> None:
        first = await scene.client.post(path, data=RIGHT)
        second = await scene.client.post(path, files={name: (None, value) for name, value in RIGHT.items()})
        for answer in (first, second):
            kind = "application/json" if path.startswith("/studio") else "text/plain; charset=utf-8"
            assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
            assert answer.text.isalnum()
        assert first.text != second.text

    rest(scenario)


WRONG = [{}, {"username": "ana"}, {**RIGHT, "password": "Secret"}, {**RIGHT, "username": "bo"}, {"password": "secret"}]


@pytest.mark.parametrize("fields", WRONG)
def test_a_wrong_login_is_the_servers_404(rest: Callable[..., None], fields: dict[str, str]) -> None:
    """With Java's class for it."""

    async def scenario(scene: Any) -> None:
        answer = await scene.json("/scheduler/login", "POST", 404, data=fields)
        assert answer["exceptionClass"] == "javax.security.auth.login.LoginException"

    rest(scenario)


def test_a_domain_before_the_user_is_ignored(rest: Callable[..., None]) -> None:
    """As Windows users write it."""

    async def scenario(scene: Any) -> None:
        answer = await scene.client.post("/scheduler/login", data={**RIGHT, "username": "DOMAIN\\ana"})
        assert answer.status_code == 200

    rest(scenario)


def test_a_credential_file_is_refused_with_the_reason(rest: Callable[..., None]) -> None:
    """There is nothing to decrypt it with."""

    async def scenario(scene: Any) -> None:
        files = {**{name: (None, value) for name, value in RIGHT.items()}, "credential": (None, b"\xff")}
        answer = await scene.json("/scheduler/session", "PUT", 404, files=files, headers={"sessionid": ""})
        assert "credential files" in answer["errorMessage"]

    rest(scenario)


def test_put_session_renews_or_logs_in(rest: Callable[..., None]) -> None:
    """A live session stays the same without a look at the password; a dead one is a login."""

    async def scenario(scene: Any) -> None:
        known = scene.client.headers["sessionid"]
        answer = await scene.client.put("/scheduler/session", data={**RIGHT, "password": "x"})
        assert (answer.status_code, answer.text) == (200, known)
        other = await scene.client.put("/scheduler/session", data=RIGHT, headers={"sessionid": "gone"})
        assert (other.status_code, other.text == known) == (200, False)

    rest(scenario)


def test_a_session_ends_an_hour_after_its_last_use(rest: Callable[..., None]) -> None:
    """Every call renews it, but the looks that only ask for it."""

    async def scenario(scene: Any) -> None:
        scene.now = 3000.0
        await scene.json("/scheduler/isconnected")
        scene.now = 6000.0
        assert await scene.json("/common/connected") is True
        assert await scene.text("/common/currentuser") == "ana"
        scene.now = 6700.0
        assert await scene.json("/common/connected") is False
        await scene.json("/scheduler/isconnected", status=401)

    rest(scenario)


def test_a_session_that_is_over_is_nobody(rest: Callable[..., None]) -> None:
    """It is in no list, and what was kept for it, such as the place in a live log, is let go at the next login."""

    async def scenario(scene: Any) -> None:
        released: list[str] = []
        scene.sessions._ended = released.append
        first = scene.client.headers["sessionid"]
        scene.now = 2000.0
        await scene.login()
        assert len(await scene.json("/scheduler/users")) == 2
        scene.now = 4000.0
        await scene.login()
        assert released == [first]
        assert len(await scene.json("/scheduler/users")) == 2
        scene.now = 7000.0
        assert len(await scene.json("/scheduler/users")) == 1

    rest(scenario)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/scheduler/disconnect"),
        ("PUT", "/common/logout"),
        ("POST", "/rm/disconnect"),
        ("PUT", "/studio/logout"),
    ],
)
def test_a_logout_ends_the_session(rest: Callable[..., None], method: str, path: str) -> None:
    """204, and from then on 401."""

    async def scenario(scene: Any) -> None:
        answer = await scene.client.request(method, path)
        assert (answer.status_code, answer.content) == (204, b"")
        await scene.json(path, method, 401)

    rest(scenario)


def test_a_session_tells_who_it_is(rest: Callable[..., None]) -> None:
    """Its user, what they may do, who else is there."""

    async def scenario(scene: Any) -> None:
        known = scene.client.headers["sessionid"]
        assert await scene.text(f"/scheduler/logins/sessionid/{known}") == "ana"
        assert await scene.text("/scheduler/logins/sessionid/nobody") == ""
        data = await scene.json("/common/currentuserdata")
        assert (data["userName"], data["schedulerAdminPermission"]) == ("ana", True)
        assert data == await scene.json(f"/scheduler/logins/sessionid/{known}/userdata")
        (user,) = await scene.json("/scheduler/users")
        assert (user["username"], user["submitNumber"]) == ("ana", 0)
        assert await scene.json("/scheduler/userswithjobs") == []

    rest(scenario)


def test_links_carry_the_session_in_their_query(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """A browser cannot set the header; only the routes that browsers' links go to take it there."""

    async def scenario(scene: Any) -> None:
        job_id = await scene.run(workflow("T"))
        known = scene.client.headers.pop("sessionid")
        await scene.text(f"/scheduler/jobs/{job_id}/log/full?sessionid={known}")
        await scene.text(f"/scheduler/jobs/{job_id}/tasks/T/result/download?sessionToken={known}")
        await scene.text(f"/scheduler/jobs/{job_id}/tasks/T/result/log/full?sessionid={known}")
        await scene.json(f"/scheduler/jobs/{job_id}/tasks/T/result/download?sessionid={known}", status=401)
        await scene.json(f"/scheduler/jobs/{job_id}/info?sessionid={known}", status=401)
        await scene.json(f"/scheduler/jobs/{job_id}/kill?sessionid={known}", "PUT", 401)

    rest(scenario)
