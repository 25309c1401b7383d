"""The proxy between a Jupyter server and the portals: what it forwards, in which session, and what it refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from urllib.parse import urljoin

import httpx2
import pytest
from tests.required import need_module

from proactive_jupyter_kernel.hub import server
from proactive_jupyter_kernel.hub.proxy import Door, Login, PortalProxy, relative_location

UPSTREAM = "http://127.0.0.1:41231"
HTML = {"accept": "text/html", "x-forwarded-prefix": "/user/ada/proactive"}


class FakeDoor(Door):
    """Opens the session ``k1``, then ``k2``, and so on; `running` says whether there is a scheduler."""

    def __init__(self, *, running: bool = True) -> None:
        self.running = running
        self.entered = 0

    async def login(self, *, start: bool) -> Login | None:
        if not (self.running or start):
            return None
        self.running = True
        self.entered += 1
        return Login(url=UPSTREAM, cookie=f"portal=k{self.entered}")


class Upstream:
    """The scheduler: remembers requests, and answers as `answer` says."""

    def __init__(self, answer: Callable[[httpx2.Request], httpx2.Response]) -> None:
        self.requests: list[httpx2.Request] = []
        self._answer = answer

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        return self._answer(request)


def page(request: httpx2.Request) -> httpx2.Response:
    headers = {
        "content-type": "text/html",
        "content-security-policy": "default-src 'none'; script-src 'self'; frame-ancestors 'none'",
        "x-frame-options": "DENY",
        "set-cookie": "portal=new",
    }
    headers["content-length"] = "13"
    return httpx2.Response(200, headers=headers, stream=httpx2.ByteStream(b"<h1>Jobs</h1>"))


def ask(
    upstream: Upstream,
    door: Door,
    *requests: tuple[str, str, Mapping[str, str]],
    content: bytes = b"",
) -> list[httpx2.Response]:
    """The answers to some requests of a browser, one after the other, by one proxy."""

    async def asking() -> list[httpx2.Response]:
        proxy = PortalProxy(door, inner=httpx2.MockTransport(upstream))
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=proxy), base_url="https://hub.example.org"
        ) as client:
            return [
                await client.request(method, path, headers=dict(headers), content=content)
                for method, path, headers in requests
            ]

    return asyncio.run(asking())


def test_a_page() -> None:
    """It comes in a session of the proxy; the browser gets no cookie, and may show it in frames of its own address."""
    upstream, door = Upstream(page), FakeDoor()
    headers = {**HTML, "cookie": "_xsrf=jupyter", "authorization": "token jupyter", "referer": "https://x"}
    (answer,) = ask(upstream, door, ("GET", "/scheduler/jobs/T%231?part=log", headers))
    (sent,) = upstream.requests
    assert str(sent.url) == f"{UPSTREAM}/scheduler/jobs/T%231?part=log"
    told = {name: value for name, value in sent.headers.items() if name not in ("host", "user-agent", "connection")}
    assert told == {
        "accept": "text/html",
        "accept-encoding": "identity",
        "cookie": "portal=k1",
        "origin": UPSTREAM,
        "x-forwarded-prefix": "/user/ada/proactive",
    }
    assert (answer.status_code, answer.text, dict(answer.headers)) == (
        200,
        "<h1>Jobs</h1>",
        {
            "content-type": "text/html",
            "content-length": "13",
            "content-security-policy": "default-src 'none'; script-src 'self'; frame-ancestors 'self'",
        },
    )


def only_at_first(ended: Callable[[], httpx2.Response]) -> Callable[[httpx2.Request], httpx2.Response]:
    """Answers that are pages, but for the first session, which has ended after one page."""
    pages: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        pages.append(request.headers["cookie"])
        return ended() if pages[-1] == "portal=k1" and len(pages) > 1 else page(request)

    return answer


def raise_read_error() -> httpx2.Response:
    raise httpx2.ReadError("ended")


@pytest.mark.parametrize("ended", [lambda: httpx2.Response(401), raise_read_error])
def test_a_session_that_ended_is_renewed(ended: Callable[[], httpx2.Response]) -> None:
    """After a restart of the scheduler the next request logs in again, and the answer is the page."""
    door = FakeDoor()
    answers = ask(Upstream(only_at_first(ended)), door, *[("GET", "/rm/", HTML)] * 3)
    assert ([one.status_code for one in answers], door.entered) == ([200, 200, 200], 2)


def test_a_form() -> None:
    """Its body arrives."""
    upstream = Upstream(page)
    headers = {"origin": "https://hub.example.org", "content-type": "application/x-www-form-urlencoded"}
    (answer,) = ask(upstream, FakeDoor(), ("POST", "/scheduler/jobs/7/kill", headers), content=b"yes=1")
    assert (answer.status_code, upstream.requests[0].content) == (200, b"yes=1")


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-site", "origin": "https://hub.example.org"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"origin": "https://hub.example.org"}, True),
        ({"origin": "https://outer.example.org", "x-forwarded-host": "outer.example.org"}, True),
        ({"origin": "https://evil.example.org"}, False),
        ({"origin": "null"}, False),
        ({}, True),
    ],
)
def test_forms_of_other_sites(headers: dict[str, str], allowed: bool) -> None:
    """They are refused, and the scheduler does not hear of them."""
    upstream = Upstream(page)
    (answer,) = ask(upstream, FakeDoor(), ("POST", "/scheduler/jobs/7/kill", headers))
    assert (answer.status_code, len(upstream.requests)) == ((200, 1) if allowed else (403, 0))


def test_logging_out() -> None:
    """It ends the session on the scheduler and leads to the log-out of the Jupyter server; a form of another site does
    neither. Who is still logged in there gets a new session with the next page.
    """
    upstream, door = Upstream(page), FakeDoor()
    leave = ("POST", "/portal/leave", {"sec-fetch-site": "same-origin"})
    foreign = ("POST", "/portal/leave", {"sec-fetch-site": "cross-site"})
    answers = ask(upstream, door, ("GET", "/rm/", HTML), foreign, leave, ("GET", "/rm/", HTML))
    left = urljoin("https://hub.example.org/user/ada/proactive/portal/leave", "../../logout")
    assert ([one.status_code for one in answers], left) == (
        [200, 403, 200, 200],
        "https://hub.example.org/user/ada/logout",
    )
    assert 'content="0;url=../../logout"' in answers[2].text
    assert [(one.method, one.url.path, one.headers["cookie"]) for one in upstream.requests] == [
        ("GET", "/rm/", "portal=k1"),
        ("POST", "/portal/leave", "portal=k1"),
        ("GET", "/rm/", "portal=k2"),
    ]


def test_logging_out_without_a_scheduler() -> None:
    """One that has ended is not started for it, and the answer is the same."""
    upstream, door = Upstream(only_at_first(raise_read_error)), FakeDoor(running=False)
    before, _, after = ask(
        upstream, door, ("POST", "/portal/leave", {}), ("GET", "/rm/", HTML), ("POST", "/portal/leave", {})
    )
    assert (before.text, before.status_code, after.text, door.entered) == (after.text, 200, before.text, 1)


def test_other_paths() -> None:
    """REST needs a login of its own and is not forwarded."""
    upstream = Upstream(page)
    answers = ask(upstream, FakeDoor(), ("GET", "/rest/scheduler/version", {}), ("GET", "/lab", {}))
    assert ([one.status_code for one in answers], upstream.requests) == ([404, 404], [])


def test_only_a_page_starts_a_scheduler() -> None:
    """Not the events and parts that an open page asks for: a scheduler that was stopped stays so."""
    upstream, door = Upstream(page), FakeDoor(running=False)
    answers = ask(
        upstream,
        door,
        ("GET", "/portal/events", {"accept": "text/event-stream"}),
        ("GET", "/scheduler/", HTML),
    )
    assert ([one.status_code for one in answers], door.entered) == ([503, 200], 1)


def test_a_scheduler_that_ended_at_a_form() -> None:
    """Nobody knows whether it had an effect, so it is not sent again."""
    upstream = Upstream(only_at_first(raise_read_error))
    answers = ask(upstream, FakeDoor(), ("GET", "/rm/", HTML), ("POST", "/scheduler/jobs/7/kill", {}))
    assert ([one.status_code for one in answers], len(upstream.requests)) == ([200, 502], 2)
    assert "It is not known whether it processed the request." in answers[1].text


@pytest.mark.parametrize(
    ("location", "path", "relative"),
    [
        ("/user/ada/proactive/scheduler/", "/", "./scheduler/"),
        ("/user/ada/proactive/scheduler/jobs/7?a=1", "/scheduler/jobs/7/kill", "../7?a=1"),
        ("/user/ada/proactive/rm/", "/rm/", "./"),
        ("/user/ada/proactive/", "/scheduler/jobs/7", "../../"),
        ("https://example.org/", "/", "https://example.org/"),
        ("//example.org/", "/", "//example.org/"),
    ],
)
def test_redirects(location: str, path: str, relative: str) -> None:
    """They lead where the scheduler says, whether or not jupyter-server-proxy adds its prefix to a path."""
    found = relative_location(location, path, "/user/ada/proactive")
    assert found == relative
    if relative.startswith("."):
        browser = f"https://hub.example.org/user/ada/proactive{path}"
        assert urljoin(browser, found) == f"https://hub.example.org{location}"


def test_the_entry_point() -> None:
    """jupyter-server-proxy takes what it is told, and the icon is there."""
    config = need_module("jupyter_server_proxy.config")
    (found,) = [one for one in config.get_entrypoint_server_processes() if one.name == "proactive"]
    assert (found.unix_socket, found.absolute_url, found.command) == (True, False, server()["command"])
    assert found.launcher_entry.icon_path.endswith("logo-svg.svg")
