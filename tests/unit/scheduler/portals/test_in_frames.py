"""Tests of the portals in frames of a notebook: who may show one, and the way from a frame to a tab."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

Rest = Callable[..., None]
IFRAME = {"sec-fetch-dest": "iframe"}


@pytest.mark.parametrize(
    ("origins", "status"),
    [
        (["http://localhost:8888", "https://hub.example.org", "vscode-webview:", "vscode-file:"], 200),
        (["vscode-webview://x"], 400),
        (["*"], 400),
        (["http://*.example.org"], 400),
        (["http://a; script-src *"], 400),
        (["javascript:"], 400),
        ([f"http://localhost:{port}" for port in range(21)], 400),
    ],
)
def test_origins(rest: Rest, origins: list[str], status: int) -> None:
    """They stand in the content security policy as they are; what is no origin is refused."""

    async def scenario(scene: Any) -> None:
        asked = await scene.client.post("/portal/links", json={"path": "/rm/", "origins": origins})
        assert asked.status_code == status
        if status == 200:
            entered = await scene.browser.get(asked.json()["links"][0], headers=IFRAME)
            page = await scene.browser.get(entered.headers["location"])
            policy = page.headers["content-security-policy"]
            assert policy.partition("frame-ancestors ")[2] == " ".join(["'self'", *origins])

    rest(scenario)


def test_from_a_frame_to_a_tab(rest: Rest) -> None:
    """The tab gets a session of its own, with a cookie, and shows the same page; the frame's key is not good there."""

    async def scenario(scene: Any) -> None:
        entered = await scene.browser.get(await scene.link(origins=["http://localhost:8888"]), headers=IFRAME)
        in_frame = await scene.page(entered.headers["location"].partition("#")[0] + "?search=x")
        (link,) = re.findall(r'href="([^"]*/portal/tab[^"]*)"', in_frame)
        to_enter = await scene.browser.get(link)
        assert re.fullmatch(r"/portal/enter/[\w-]+", to_enter.headers["location"])
        opened = await scene.browser.get(to_enter.headers["location"])
        assert (opened.status_code, "url=/scheduler/?search=x" in opened.text) == (200, True)
        in_tab = await scene.page("/scheduler/?search=x")
        assert "/portal/tab" not in in_tab
        assert (await scene.browser.get("/portal/tab")).status_code == 404

    rest(scenario)


def test_a_tab_leads_to_a_portal_alone(rest: Rest) -> None:
    """Whatever the link of a frame was changed to."""

    async def scenario(scene: Any) -> None:
        entered = await scene.browser.get(await scene.link(), headers=IFRAME)
        tab = entered.headers["location"].partition("#")[0].removesuffix("/scheduler/") + "/portal/tab"
        for to in ("//evil.example", "https://evil.example", "/rest/scheduler/version", "/portal/leave"):
            assert (await scene.browser.get(tab, params={"to": to})).status_code == 400

    rest(scenario)


def test_a_plain_link_in_a_notebook(rest: Rest) -> None:
    """A browser that is logged in sends no strict cookie with it: the page asks again for itself, one time."""

    async def scenario(scene: Any) -> None:
        followed = {"sec-fetch-dest": "document", "sec-fetch-site": "cross-site"}
        page = await scene.page("/scheduler/jobs/7?a=1&b=2", headers=followed)
        assert 'content="0;url=/scheduler/jobs/7?a=1&amp;b=2"' in page
        behind = await scene.page("/rm/", headers={**followed, "x-forwarded-prefix": "/user/ana/proactive"})
        assert 'content="0;url=/user/ana/proactive/rm/"' in behind
        for own in ("same-origin", "none"):
            page = await scene.page("/scheduler/", 401, headers={**followed, "sec-fetch-site": own})
            assert "You are not logged in" in page
        assert "You are not logged in" in await scene.page("/portal/s/wrong/rm/", 401, headers=followed)

    rest(scenario)
