"""Tests of what all pages share: where they are, their parts, their errors, what changed."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.portals import events, security
from proactive_jupyter_kernel.scheduler.portals.page import Page
from proactive_jupyter_kernel.scheduler.portals.pages import PAGES

Rest = Callable[..., None]


def test_the_root_leads_to_the_jobs(rest: Rest) -> None:
    """`/` leads to `/scheduler/`."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        answer = await scene.browser.get("/")
        assert (answer.status_code, answer.headers["location"]) == (303, "/scheduler/")

    rest(scenario)


def test_a_part_is_answered_alone(rest: Rest) -> None:
    """Of a page as of what it extends; an unknown part is an error."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        parts = await scene.page("/scheduler/?part=jobs,status")
        assert "<html" not in parts
        assert re.findall('<template data-part="([a-z]+)">', parts) == ["jobs", "status"]
        assert "Started" in parts
        assert "This page has no part &#39;nope&#39;" in await scene.page("/scheduler/?part=nope", 404)

    rest(scenario)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/scheduler/nothing/here", 404, "There is no page /scheduler/nothing/here."),
        ("/scheduler/?part=%00", 404, "has no part"),
    ],
)
def test_errors_are_pages(rest: Rest, path: str, status: int, words: str) -> None:
    """With the navigation, so that nobody is stuck."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        page = await scene.page(path, status)
        assert words in page
        assert 'aria-label="Portals"' in page

    rest(scenario)


def test_a_fault_of_a_page_is_logged_and_said(rest: Rest, caplog: pytest.LogCaptureFixture) -> None:
    """It is the scheduler's fault, and its log has the traceback."""

    async def broken(request: Any) -> Response:
        raise RuntimeError("no <b>way</b>")

    async def scenario(scene: Any) -> None:
        from proactive_jupyter_kernel.scheduler.http.routing import Router

        scene.portals._router = Router([*PAGES, Page("GET", "/scheduler/broken", broken, "Fails.")])
        await scene.enter()
        page = await scene.page("/scheduler/broken", 500)
        assert "no &lt;b&gt;way&lt;/b&gt;" in page

        # The key of a session in a frame is not written into the log.
        framed = await scene.browser.get(await scene.link("/scheduler/broken"), headers={"sec-fetch-dest": "iframe"})
        await scene.page(framed.headers["location"].partition("#")[0], 500)

    rest(scenario)
    assert [record.message for record in caplog.records] == ["GET /scheduler/broken failed"] * 2


def test_behind_a_proxy_all_addresses_have_its_prefix(rest: Rest) -> None:
    """As jupyter-server-proxy names it; a prefix that is none is ignored."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        behind = await scene.page("/scheduler/", headers={"x-forwarded-prefix": "/user/ana/proactive/"})
        assert 'href="/user/ana/proactive/rm/"' in behind
        assert 'src="/user/ana/proactive/portal/static/' in behind
        assert 'href="/rm/"' in await scene.page("/scheduler/", headers={"x-forwarded-prefix": '//evil"'})

    rest(scenario)


def test_prefixes_are_paths() -> None:
    """Nothing that could lead to another host, or out of an attribute."""
    given = ["/a", "/a/b/", "a", "//evil.example", "/a//b", '/"', "/a b", "", "/%2e", "/..a"]
    assert [security.forwarded_prefix({"x-forwarded-prefix": prefix}) for prefix in given] == [
        *("/a", "/a/b", "", "", "", "", "", "", "/%2e", "/..a")
    ]


def test_prefixes_are_only_the_path_of_a_cookie() -> None:
    """Nothing that would give a cookie another attribute, or lead out of the path."""
    given = ["/a;domain=evil.example", "/a,b", "/..", "/a/../b", "/./a"]
    assert [security.forwarded_prefix({"x-forwarded-prefix": prefix}) for prefix in given] == [""] * len(given)


def test_changes_are_reported(rest: Rest, workflow: Callable[..., str]) -> None:
    """A stream says at once that a page is older than the state, and later which jobs changed."""

    async def scenario(scene: Any) -> None:
        changes = scene.portals.changes
        stream = changes.stream(scene.service.revision, None, lambda: True)
        assert await anext(stream) == b"retry: 2000\n\n"
        waiting = asyncio.ensure_future(anext(stream))
        job_id = await scene.run(workflow("A"))
        told = await waiting
        assert told.startswith(b"event: change\ndata: {")
        assert f'"jobs":[{job_id}],"many":false'.encode() in told
        old = changes.stream(0, None, lambda: True)
        assert [await anext(old), (await anext(old)).startswith(b"event: change")] == [b"retry: 2000\n\n", True]
        assert changes.open == 2
        await stream.aclose()
        await old.aclose()
        assert changes.open == 0

    rest(scenario)


def test_more_streams_than_one_scheduler_has_are_refused(rest: Rest) -> None:
    """With what to do; once a page is closed the next one has its events."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        streams = [scene.portals.changes.stream(0, None, lambda: True) for _ in range(50)]
        for stream in streams:
            await anext(stream)
        refused = await scene.browser.get("/portal/events")
        assert (refused.status_code, "50 pages are open already. Close some of them." in refused.text) == (503, True)
        for stream in streams:
            await stream.aclose()
        assert scene.portals.changes.open == 0

    rest(scenario)


def test_a_stream_of_one_job_says_nothing_of_others(rest: Rest, workflow: Callable[..., str]) -> None:
    """A page of a job is not fetched because of another one."""

    async def scenario(scene: Any) -> None:
        stream = scene.portals.changes.stream(scene.service.revision, 2, lambda: True)
        await anext(stream)
        waiting = asyncio.ensure_future(anext(stream))
        await scene.run(workflow("A"))
        assert not waiting.done()
        await scene.run(workflow("A"))
        assert b'"jobs":[2]' in await waiting
        await stream.aclose()

    rest(scenario)


def test_a_stream_ends_with_its_session(rest: Rest, workflow: Callable[..., str]) -> None:
    """At once, by a log-out, and before the next event where the session has expired; that of another one stays."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        first = scene.browser.cookies["proactive_portal_8080"]
        store, changes = scene.sessions.portals, scene.portals.changes
        own = store.find(first, framed=False)
        ended = changes.stream(scene.service.revision, None, lambda: store.lasts(own))
        other = changes.stream(scene.service.revision, None, lambda: True)
        assert [await anext(ended), await anext(other)] == [b"retry: 2000\n\n"] * 2
        waiting = [asyncio.ensure_future(anext(stream, b"ended")) for stream in (ended, other)]
        assert (await scene.act("/portal/leave")).status_code == 200
        assert [(await each)[:12] for each in waiting] == [b"ended", b"event: chang"]
        assert changes.open == 1
        await other.aclose()

        lasting = [True]
        expired = changes.stream(scene.service.revision, None, lambda: lasting[0])
        await anext(expired)
        last = asyncio.ensure_future(anext(expired, b"ended"))
        await asyncio.sleep(0)
        lasting[0] = False
        await scene.run(workflow("A"))
        assert (await last, changes.open) == (b"ended", 0)

    rest(scenario)


def test_a_stream_behind_a_proxy_is_opened_again(rest: Rest, workflow: Callable[..., str]) -> None:
    """A proxy that does not notice that the browser has gone would keep it; the page misses nothing."""

    async def scenario(scene: Any) -> None:
        changes = scene.portals.changes
        short = changes.stream(scene.service.revision, None, lambda: True, seconds=0.05)
        assert [event async for event in short] == [b"retry: 2000\n\n", b"event: again\ndata: {}\n\n"]
        assert changes.open == 0

        since = scene.service.revision
        await scene.run(workflow("A"))
        told = [event async for event in changes.stream(since, None, lambda: True, seconds=0.05)]
        assert [event.partition(b"\n")[0] for event in told] == [b"retry: 2000", b"event: change", b"event: again"]

    rest(scenario)


def test_the_portal_has_a_time_for_streams_behind_a_proxy(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Known by its prefix; without one the browser's own connection ends the stream."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        asked: list[float] = []

        async def stream(*arguments: object, seconds: float) -> AsyncIterator[bytes]:
            asked.append(seconds)
            yield b"retry: 2000\n\n"

        monkeypatch.setattr(scene.portals.changes, "stream", stream)
        for headers in ({}, {"x-forwarded-prefix": "/user/ada/proactive"}):
            await scene.browser.get("/portal/events", headers=headers)
        assert asked == [math.inf, events.PROXIED_SECONDS]

    rest(scenario)


def test_every_page_has_a_sentence() -> None:
    """The table says what each page is for, and nothing changes by a GET."""
    assert [page.path for page in PAGES if not page.doc.endswith(".") or page.method not in ("GET", "POST")] == []
