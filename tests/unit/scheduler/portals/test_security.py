"""Who gets into the portals, from where, and what a page may do: every request needs a session of its own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler import portals
from proactive_jupyter_kernel.scheduler.attempt import Outcome
from proactive_jupyter_kernel.scheduler.executors.memory import ScriptedAttempt
from proactive_jupyter_kernel.scheduler.portals.page import Page
from proactive_jupyter_kernel.scheduler.portals.pages import PAGES

Rest = Callable[..., None]

URL = "http://127.0.0.1:8080"
NOTEBOOK = "http://localhost:8888"
COOKIE = "proactive_portal_8080"
ROOM = Path(portals.__file__).parent
MARKUP = "<script>alert(1)</script>"


def concrete(page: Page) -> str:
    """A path that the row of the table answers."""
    return re.sub(r"\{(\w+)\*?\}", lambda found: "1" if found[1] == "job" else "x", page.path)


# --- sessions --------------------------------------------------------------------------------------------------------


def test_every_page_needs_a_session(rest: Rest) -> None:
    """Without one, with a wrong key, a wrong cookie or the id of a REST session, all that comes is how to get one."""

    async def scenario(scene: Any) -> None:
        rest_session = scene.client.headers["sessionid"]
        for page in PAGES:
            path = concrete(page)
            for given in (path, f"/portal/s/wrong{path}", f"/portal/s/{rest_session}{path}", f"/portal/s//{path}"):
                for cookie in ("", rest_session):
                    sent = {"origin": URL, "cookie": f"{COOKIE}={cookie}", "sessionid": rest_session}
                    answer = await scene.browser.request(page.method, given, headers=sent)
                    assert answer.status_code == 401, (page.method, given, cookie)
                    assert "proactive-kernel portal" in answer.text

    rest(scenario)


def test_what_is_no_page_needs_a_session_as_well(rest: Rest) -> None:
    """Whoever is not logged in does not learn which paths there are."""

    async def scenario(scene: Any) -> None:
        paths = ("/portal/events", "/portal/leave", "/portal/", "/portal/nothing", "/rm/x", "/scheduler/x")
        assert [(await scene.browser.get(path)).status_code for path in paths] == [401] * len(paths)

    rest(scenario)


def test_a_link_is_good_once(rest: Rest) -> None:
    """The second one who follows it is told so, and gets no session."""

    async def scenario(scene: Any) -> None:
        link = await scene.link("/scheduler/?q=x")
        entered = await scene.browser.get(link)
        cookie = entered.headers["set-cookie"]
        assert (entered.status_code, 'content="0;url=/scheduler/?q=x"' in entered.text) == (200, True)
        assert re.fullmatch(rf"{COOKIE}=[\w-]{{43}}; HttpOnly; Path=/; SameSite=strict", cookie)
        again = await scene.browser.get(link, headers={"cookie": ""})
        assert (again.status_code, "set-cookie" in again.headers) == (403, False)
        assert "This link was used already." in again.text
        assert (await scene.browser.get("/scheduler/")).status_code == 200

    rest(scenario)


def test_a_link_that_many_follow_at_once(rest: Rest) -> None:
    """One gets a session, in a tab or in a frame; the others get the error that it was used."""

    async def scenario(scene: Any) -> None:
        for headers, entered in (({}, 200), ({"sec-fetch-dest": "iframe"}, 303)):
            link = await scene.link()
            answers = await asyncio.gather(*(scene.browser.get(link, headers=headers) for _ in range(10)))
            assert sorted(one.status_code for one in answers) == sorted([entered, *[403] * 9])
            refused = [one for one in answers if one.status_code == 403]
            assert {("This link was used already." in one.text, "set-cookie" in one.headers) for one in refused} == {
                (True, False)
            }

    rest(scenario)


def test_a_link_expires(rest: Rest) -> None:
    """After five minutes, or after as many seconds as were asked for, at most an hour."""

    async def scenario(scene: Any) -> None:
        short, usual, long = await scene.link(seconds=10), await scene.link(), await scene.link(seconds=10**9)
        found = []
        for seconds, link in ((10.5, short), (290, usual), (3599, long)):
            scene.now = seconds
            found.append((await scene.browser.get(link)).status_code)
        late = await scene.link()
        scene.now += 300.5
        answer = await scene.browser.get(late)
        assert (found, answer.status_code, "has expired" in answer.text) == ([403, 200, 200], 403, True)

    rest(scenario)


def test_an_unknown_link_leads_nowhere(rest: Rest) -> None:
    """A guess, and an empty one."""

    async def scenario(scene: Any) -> None:
        for token in ("", "x"):
            answer = await scene.browser.get(f"/portal/enter/{token}")
            assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)

    rest(scenario)


def test_looking_ahead_does_not_use_a_link(rest: Rest) -> None:
    """Browsers that prefetch, and programs that ask for the head alone."""

    async def scenario(scene: Any) -> None:
        link = await scene.link()
        ahead = await scene.browser.get(link, headers={"sec-purpose": "prefetch;prerender"})
        head = await scene.browser.head(link)
        posted = await scene.browser.post(link)
        assert [ahead.status_code, head.status_code, posted.status_code] == [503, 405, 405]
        assert (await scene.browser.get(link)).status_code == 200

    rest(scenario)


def test_a_session_ends(rest: Rest) -> None:
    """By logging out, and after the time of sessions without a request."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        scene.now = 3000
        assert (await scene.browser.get("/scheduler/")).status_code == 200
        scene.now = 6000
        assert (await scene.browser.get("/scheduler/")).status_code == 200
        scene.now = 9700
        assert (await scene.browser.get("/scheduler/")).status_code == 401
        await scene.login()
        await scene.enter()
        cookie = scene.browser.cookies[COOKIE]
        assert (
            '<form class="wide" method="post" target="_top" action="/portal/leave">'
            in (await scene.browser.get("/scheduler/")).text
        )
        left = await scene.act("/portal/leave")
        assert (left.status_code, "You are logged out" in left.text) == (200, True)
        answer = await scene.browser.get("/scheduler/", headers={"cookie": f"{COOKIE}={cookie}"})
        assert answer.status_code == 401

    rest(scenario)


def test_a_revoked_login_ends_its_links_and_sessions(rest: Rest) -> None:
    """They outlive the REST session that made them, but not the lasting login behind it."""

    async def scenario(scene: Any) -> None:
        stands = True
        links = scene.sessions.portals.links(path="/rm/", origins=(), user="ana", stands=lambda: stands, count=2)
        assert (await scene.browser.get(f"/portal/enter/{links[0]}")).status_code == 200
        assert (await scene.browser.get("/scheduler/")).status_code == 200
        stands = False
        assert (await scene.browser.get("/scheduler/")).status_code == 401
        assert (await scene.browser.get(f"/portal/enter/{links[1]}")).status_code == 403

    rest(scenario)


def test_links_are_made_for_those_who_are_logged_in(rest: Rest) -> None:
    """With a REST session; a portal session makes none."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        answer = await scene.browser.post("/rest/portal/links", json={"path": "/scheduler/"})
        assert answer.status_code == 401

    rest(scenario)


#: What is refused as a request for links.
WRONG_LINKS: list[Any] = [
    {"path": "https://evil.example/"},
    {"path": "//evil.example/scheduler/"},
    {"path": "/rest/scheduler/"},
    {"path": "/portal/leave"},
    {"path": "/scheduler/\r\nX: 1"},
    {"path": "/scheduler\\x"},
    {"path": 7},
    {},
    [],
    {"path": "/scheduler/", "origins": "http://localhost:8888"},
    {"path": "/scheduler/", "origins": ["*"]},
    {"path": "/scheduler/", "origins": ["http://*"]},
    {"path": "/scheduler/", "origins": ["null"]},
    {"path": "/scheduler/", "origins": ["http://localhost:8888; script-src *"]},
    {"path": "/scheduler/", "origins": ["http://localhost:8888/"]},
    {"path": "/scheduler/", "origins": [f"http://{n}" for n in range(21)]},
    {"path": "/scheduler/", "count": 0},
    {"path": "/scheduler/", "count": 21},
    {"path": "/scheduler/", "count": True},
    {"path": "/scheduler/", "seconds": -1},
    {"path": "/scheduler/", "seconds": "long"},
]


def test_links_lead_to_pages_alone(rest: Rest) -> None:
    """And their origins are origins: neither leads to another host or changes the policy of a page."""

    async def scenario(scene: Any) -> None:
        for body in WRONG_LINKS:
            answer = await scene.client.post("/portal/links", json=body)
            assert answer.status_code == 400, body

    rest(scenario)


def test_the_cookie_goes_only_where_the_portals_are(rest: Rest) -> None:
    """Not to scripts, not from pages of other sites, not to other paths of a proxy, not without encryption where there
    is some; a log-out takes it back."""

    async def scenario(scene: Any) -> None:
        plain = (await scene.browser.get(await scene.link())).headers["set-cookie"]
        behind = {"x-forwarded-prefix": "/user/ana/p", "x-forwarded-proto": "https", "origin": URL}
        proxied = (await scene.browser.get(await scene.link(), headers=behind)).headers["set-cookie"]
        named = re.fullmatch(rf"{COOKIE}=([\w-]{{43}}); (.*)", proxied)
        assert named is not None
        assert plain.partition("; ")[2] == "HttpOnly; Path=/; SameSite=strict"
        assert named[2] == "HttpOnly; Path=/user/ana/p; SameSite=strict; Secure"
        sent = {**behind, "cookie": f"{COOKIE}={named[1]}"}
        taken = (await scene.browser.post("/portal/leave", headers=sent)).headers["set-cookie"]
        assert re.fullmatch(rf'{COOKIE}=""; expires=[^;]*; Max-Age=0; Path=/user/ana/p; SameSite=lax', taken), taken

    rest(scenario)


def test_a_path_that_would_name_a_host_is_no_page(rest: Rest) -> None:
    """A page that asks again for itself would otherwise lead to another site."""

    async def scenario(scene: Any) -> None:
        followed = {"sec-fetch-dest": "document", "sec-fetch-site": "cross-site"}
        answer = await scene.browser.get(f"{URL}//evil.example/", headers=followed)
        assert (answer.status_code, "url=//evil" in answer.text) == (404, False)

    rest(scenario)


# --- frames ----------------------------------------------------------------------------------------------------------


def test_a_frame_has_its_key_in_the_path(rest: Rest) -> None:
    """There a browser sends no cookie; every link of the page has the key, and it is no cookie."""

    async def scenario(scene: Any) -> None:
        link = await scene.link(origins=[NOTEBOOK])
        entered = await scene.browser.get(link, headers={"sec-fetch-dest": "iframe"})
        to, _, remembered = entered.headers["location"].partition("#")
        key = re.fullmatch(r"/portal/s/([\w-]{43})/scheduler/", to)
        assert remembered == f"entered={link.rpartition('/')[2]}"
        assert key is not None
        assert (entered.status_code, "set-cookie" in entered.headers) == (303, False)
        page = await scene.browser.get(to)
        assert page.status_code == 200
        assert f"frame-ancestors 'self' {NOTEBOOK}" in page.headers["content-security-policy"]
        assert "x-frame-options" not in page.headers
        addresses = re.findall(r'(?:href|action|data-events)="([^"#]+)"', page.text)
        assert {each for each in addresses if not each.startswith((f"/portal/s/{key[1]}/", "/portal/static/"))} == set()
        as_cookie = await scene.browser.get("/scheduler/", headers={"cookie": f"{COOKIE}={key[1]}"})
        assert as_cookie.status_code == 401

    rest(scenario)


def test_a_cookie_is_no_key_of_a_frame(rest: Rest) -> None:
    """A page of its own cannot be put into a frame by whoever learns its cookie."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        cookie = scene.browser.cookies[COOKIE]
        assert (await scene.browser.get(f"/portal/s/{cookie}/scheduler/")).status_code == 401
        page = await scene.browser.get("/scheduler/")
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert page.headers["x-frame-options"] == "DENY"

    rest(scenario)


def test_a_page_in_a_tab_can_be_framed_by_nobody(rest: Rest) -> None:
    """Not by the origins of its link either: the browser would send the cookie to whatever they show."""

    async def scenario(scene: Any) -> None:
        await scene.browser.get(await scene.link(origins=[NOTEBOOK]))
        page = await scene.browser.get("/scheduler/")
        policy = page.headers["content-security-policy"].partition("frame-ancestors ")[2]
        assert (page.status_code, policy, page.headers["x-frame-options"]) == (200, "'none'", "DENY")

    rest(scenario)


def test_a_frame_says_that_its_link_was_used(rest: Rest) -> None:
    """To the page that may show it, and to no other; of an unknown link nobody may."""

    async def scenario(scene: Any) -> None:
        link = await scene.link(origins=[NOTEBOOK])
        found = []
        for address in (link, link, "/portal/enter/unknown"):
            answer = await scene.browser.get(address, headers={"sec-fetch-dest": "iframe"})
            policy = answer.headers["content-security-policy"]
            found.append((answer.status_code, policy.partition("frame-ancestors ")[2]))
        assert found == [(303, f"'self' {NOTEBOOK}"), (403, f"'self' {NOTEBOOK}"), (403, "'none'")]

    rest(scenario)


def test_a_frame_says_that_its_session_is_over(rest: Rest) -> None:
    """A saved notebook, or one that was left open for days, shows what to do in place of the page."""

    async def scenario(scene: Any) -> None:
        link = await scene.link(origins=[NOTEBOOK])
        entered = await scene.browser.get(link, headers={"sec-fetch-dest": "iframe"})
        to = entered.headers["location"].partition("#")[0]
        scene.now = 4000
        answer = await scene.browser.get(to)
        policy = answer.headers["content-security-policy"]
        assert (answer.status_code, policy.partition("frame-ancestors ")[2]) == (401, f"'self' {NOTEBOOK}")

    rest(scenario)


# --- where a request comes from --------------------------------------------------------------------------------------


def test_another_host_is_refused(rest: Rest) -> None:
    """A name of another site that leads to this machine (DNS rebinding) gets nothing, with a session or without."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        for host in ("evil.example", "127.0.0.1", "127.0.0.1:8081", "localhost.evil.example:8080", ""):
            for path in ("/", "/scheduler/", "/portal/enter/x", "/portal/static/x/portal.css", "/portal/events"):
                answer = await scene.browser.get(path, headers={"host": host})
                assert answer.status_code == 403, (host, path)

    rest(scenario)


#: Headers with which browsers send what another page made them send.
FOREIGN = (
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:8081"},
    {"origin": "https://127.0.0.1:8080"},
    {"origin": NOTEBOOK},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
)


def test_forms_of_other_sites_change_nothing(rest: Rest) -> None:
    """Though the browser had sent the cookie: for every page that takes a form, and for logging out."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        before = scene.service.revision
        for path in ("/portal/leave", *(concrete(page) for page in PAGES if page.method == "POST")):
            for headers in FOREIGN:
                answer = await scene.browser.post(path, headers=headers)
                assert answer.status_code == 403, (path, headers)
        assert scene.service.revision == before
        assert (await scene.browser.get("/scheduler/")).status_code == 200

    rest(scenario)


def test_forms_come_from_the_origins_of_the_link_as_well(rest: Rest) -> None:
    """Behind a proxy the notebook's origin is that of the portals, too."""

    async def scenario(scene: Any) -> None:
        hub = "https://hub.example.org"
        link = await scene.link(origins=[hub])
        await scene.browser.get(link)
        answer = await scene.browser.post("/portal/leave", headers={"origin": hub, "x-forwarded-prefix": "/user/ana/p"})
        assert answer.status_code == 200

    rest(scenario)


def test_going_back_stays_inside(rest: Rest) -> None:
    """The address to go back to is a path of these pages, whatever the query says."""

    async def scenario(scene: Any) -> None:
        from proactive_jupyter_kernel.scheduler.http.routing import Router

        async def back(request: Any) -> Any:
            return request.back("/rm/")

        scene.portals._router = Router([Page("POST", "/scheduler/back", back, "Goes back.")])
        await scene.enter()
        found = []
        for given in ("/scheduler/?q=1", "//evil.example", "https://evil.example", "/\\evil.example", "/a%0d%0ab", ""):
            answer = await scene.act(f"/scheduler/back?back={given}")
            found.append(answer.headers["location"])
        assert found == ["/scheduler/?q=1", *["/rm/"] * 5]

    rest(scenario)


# --- what a page may do ----------------------------------------------------------------------------------------------


def test_every_answer_has_the_headers(rest: Rest) -> None:
    """Pages, parts, redirects, errors, and the way in: no inline script or style, no foreign host, no foreign frame."""

    async def scenario(scene: Any) -> None:
        link = await scene.link()
        answers = [
            await scene.browser.get(address)
            for address in ("/scheduler/", link, "/scheduler/", "/", "/scheduler/?part=jobs", "/scheduler/x", link)
        ]
        assert [answer.status_code for answer in answers] == [401, 200, 200, 303, 200, 404, 403]
        for answer in answers:
            policy = dict(each.strip().split(" ", 1) for each in answer.headers["content-security-policy"].split(";"))
            assert policy["default-src"] == "'none'"
            assert {policy["script-src"], policy["style-src"], policy["connect-src"]} == {"'self'"}
            assert {policy["base-uri"], policy["frame-ancestors"]} == {"'none'"}
            assert "unsafe" not in str(policy)
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "same-origin"
            assert answer.headers["cache-control"] == "no-store"

    rest(scenario)


def test_assets_hold_nothing_and_load_nothing(rest: Rest) -> None:
    """They are all that is answered without a session; another path gives no file of the package."""

    async def scenario(scene: Any) -> None:
        page = (await scene.browser.get("/scheduler/")).text
        known = re.search(r"/portal/static/(\w+)/portal\.css", page)
        assert known is not None
        for path in sorted((ROOM / "static").iterdir()):
            answer = await scene.browser.get(f"/portal/static/{known[1]}/{path.name}")
            assert (answer.status_code, answer.content) == (200, path.read_bytes())
            assert "immutable" in answer.headers["cache-control"]
            assert not re.search(rb"https?://(?!www\.w3\.org/)", answer.content), path.name
        for wrong in ("x/portal.css", f"{known[1]}/../app.py", f"{known[1]}/%2e%2e/app.py", f"{known[1]}/", known[1]):
            assert (await scene.browser.get(f"/portal/static/{wrong}")).status_code in (401, 404)

    rest(scenario)


def test_what_users_write_is_text(rest: Rest, workflow: Callable[..., str]) -> None:
    """Names of jobs, projects and tasks, errors, searches, paths: markup in them is shown, not obeyed."""

    def fail(attempt: ScriptedAttempt) -> Outcome:
        raise ValueError(f'{MARKUP}" onmouseover="alert(2)')

    async def scenario(scene: Any) -> None:
        name = "&lt;script&gt;alert(1)&lt;/script&gt;"
        xml = workflow("A", name=name, attributes=f'projectName="{name}&quot; onclick=&quot;x"')
        await scene.run(xml)
        await scene.enter()
        for path in (
            "/scheduler/",
            "/scheduler/?part=jobs,chips",
            f"/scheduler/?q={MARKUP}&project={MARKUP}&owner={MARKUP}&state={MARKUP}&page={MARKUP}",
        ):
            page = await scene.page(path)
            assert "alert(1)" in page or "part=" in path
            assert MARKUP not in page
            assert not re.search(r"<[^>]*\son\w+=", page)
        for path in (f"/scheduler/{MARKUP}", f"/scheduler/?part={MARKUP}"):
            assert MARKUP not in await scene.page(path, 404)

    rest(scenario, scripted={"A": fail})


@pytest.mark.parametrize("template", sorted((ROOM / "templates").glob("*.html")), ids=lambda path: path.name)
def test_templates_have_nothing_inline(template: Path) -> None:
    """The policy would refuse it: no style attribute, no handler, no script in the page, and nothing unescaped."""
    text = re.sub(r"\{#.*?#\}", "", template.read_text(encoding="utf-8"), flags=re.S)
    assert re.findall(r"\sstyle=|\son[a-z]+=|<style|javascript:|\|\s*safe\b|autoescape", text) == []
    assert [tag for tag in re.findall(r"<script[^>]*>", text) if " src=" not in tag] == []


@pytest.mark.parametrize("script", sorted((ROOM / "static").glob("*.js")), ids=lambda path: path.name)
def test_scripts_never_write_markup(script: Path) -> None:
    """Texts are set as texts, and markup of the server is parsed apart."""
    text = script.read_text(encoding="utf-8")
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text) == []
