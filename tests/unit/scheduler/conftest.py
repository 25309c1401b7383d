"""REST and portals in process: a store in memory, tasks that are Python functions, a client in the same loop."""

from __future__ import annotations

import asyncio
import functools
import http.server
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from proactive_jupyter_kernel.scheduler import settings
from proactive_jupyter_kernel.scheduler.attempt import Selection, SelectionAnswer, Slot
from proactive_jupyter_kernel.scheduler.executors.memory import MemoryExecutor, ScriptedTask
from proactive_jupyter_kernel.scheduler.portals.app import Portals
from proactive_jupyter_kernel.scheduler.rest.app import App
from proactive_jupyter_kernel.scheduler.rest.requests.sessions import Sessions
from proactive_jupyter_kernel.scheduler.service.service import Service, now_ms
from proactive_jupyter_kernel.scheduler.service.site import Site
from proactive_jupyter_kernel.scheduler.store.memory import MemoryStore

URL = "http://127.0.0.1:8080"


class Scene:
    """A scheduler, its REST application and somebody who is logged in."""

    def __init__(self, folder: Path, executor: MemoryExecutor, changes: Mapping[str, Any]) -> None:
        self.store = MemoryStore(log_lines=changes.get("log_lines", 10_000))
        self.executor = executor
        spaces = {kind: str(folder / kind) for kind in ("global", "user", "input", "output", "cache")}
        self.service = Service(
            store=self.store,
            executor=self.executor,
            settings=replace(settings.load({}), **changes),
            site=Site(user="ana", home=str(folder), url=URL, spaces=spaces),
        )
        #: Seconds, of the clock of sessions.
        self.now = 0.0
        self.sessions = Sessions(
            user="ana",
            token="secret",
            timeout=3600,
            clock=lambda: self.now,
            now=now_ms,
            ended=self.service.logs.release_all,
        )
        self.app = App(self.service, self.sessions, hosts=("127.0.0.1:8080",))
        self.portals = Portals(self.service, self.sessions.portals, hosts=("127.0.0.1:8080",), otherwise=self.app)
        transport: Any = httpx2.ASGITransport(app=self.portals)
        self.client = httpx2.AsyncClient(transport=transport, base_url=URL + "/rest")
        #: With the cookie of a portal session, once it has entered.
        self.browser = httpx2.AsyncClient(transport=transport, base_url=URL)

    async def login(self) -> None:
        answer = await self.client.post("/scheduler/login", data={"username": "ana", "password": "secret"})
        assert answer.status_code == 200, answer.text
        self.client.headers["sessionid"] = answer.text

    async def link(self, path: str = "/scheduler/", **more: Any) -> str:
        """A single-use link to a portal."""
        answer = await self.client.post("/portal/links", json={"path": path, **more})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["links"][0])

    async def enter(self) -> None:
        """Follow a link, as a browser does."""
        answer = await self.browser.get(await self.link())
        assert answer.status_code == 200, answer.text

    async def page(self, path: str, status: int = 200, **more: Any) -> str:
        """The markup of a page that has the expected status."""
        answer = await self.browser.get(path, **more)
        assert answer.status_code == status, answer.text
        return answer.text

    async def act(self, path: str, **fields: str) -> httpx2.Response:
        """Post a form of a page."""
        return await self.browser.post(path, data=fields, headers={"origin": URL})

    async def json(self, path: str, method: str = "GET", status: int = 200, **more: Any) -> Any:
        """The JSON of an answer that has the expected status."""
        answer = await self.client.request(method, path, **more)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/json"
        return answer.json()

    async def text(self, path: str, **more: Any) -> str:
        """The text of an answer."""
        answer = await self.client.get(path, **more)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def post_xml(self, xml: str, path: str = "/scheduler/submit", **more: Any) -> httpx2.Response:
        """Send a workflow as clients do."""
        return await self.client.post(path, files=[("file", (None, xml.encode(), "application/xml"))], **more)

    async def submit(self, xml: str, **more: Any) -> int:
        """Submit a workflow that is accepted; its id."""
        answer = await self.post_xml(xml, **more)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["id"])

    async def run(self, xml: str, **more: Any) -> int:
        """Submit a workflow and wait for its end."""
        job_id = await self.submit(xml, **more)
        await self.ended(job_id)
        return job_id

    async def ended(self, job_id: int) -> None:
        async with asyncio.timeout(20):
            await self.service.wait_ended(job_id)

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait, with a deadline."""
        async with asyncio.timeout(20):
            while not true():
                await asyncio.sleep(0.005)


Rest = Callable[..., None]


@pytest.fixture
def rest(tmp_path: Path) -> Rest:
    """Runs a scenario: an async function of a `Scene`."""

    def run(
        scenario: Callable[[Scene], Awaitable[None]],
        *,
        scripted: Mapping[str, ScriptedTask] | None = None,
        slots: int | tuple[Slot, ...] = 4,
        select: Callable[[Selection], SelectionAnswer] = lambda selection: SelectionAnswer(selected=True),
        **changes: Any,
    ) -> None:
        async def play() -> None:
            scene = Scene(tmp_path, MemoryExecutor(scripted, slots=slots, select=select), changes)
            await scene.service.start()
            await scene.login()
            try:
                await scenario(scene)
            finally:
                scene.app.close()
                scene.portals.close()
                await scene.service.close()
                await scene.client.aclose()
                await scene.browser.aclose()

        asyncio.run(play())

    return run


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """A web server of the test's folder; gives the URL of a file."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield lambda name: f"http://127.0.0.1:{server.server_port}/{name}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def workflow() -> Callable[..., str]:
    """Writes workflow XML: names of tasks, each after the one before it, and what stands before them in the job."""

    def write(*tasks: str, head: str = "", name: str = "job one", attributes: str = "", task: str = "") -> str:
        before = ""
        text = ""
        for each in tasks:
            depends = f'<depends><task ref="{before}"/></depends>' if before else ""
            text += (
                f'<task name="{each}" {task}>{depends}<scriptExecutable><script>'
                '<code language="cpython">1</code></script></scriptExecutable></task>'
            )
            before = each
        return (
            f'<job xmlns="urn:proactive:jobdescriptor:3.14" name="{name}" {attributes}>{head}'
            f"<taskFlow>{text}</taskFlow></job>"
        )

    return write
