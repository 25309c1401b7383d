"""Forwards a browser's requests to the portals of the embedded scheduler, logged in as its user.

It runs behind a Jupyter server, which admits only its user, and logs in to the scheduler by itself: no
link and no key reaches the browser. In place of the scheduler, which knows nothing of the address that the browser
sees, it checks where forms come from, and lets pages of that address alone show a portal in a frame. As it logs in
again whenever it is asked for a page, to log out of a portal is to log out of the Jupyter server, or of its hub.
"""

from __future__ import annotations

import asyncio
import contextlib
import posixpath
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

import httpx2
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from proactive_jupyter_kernel.client import embedded, portals
from proactive_jupyter_kernel.errors import ProActiveError, SchedulerUnreachable

__all__ = ["Door", "Login", "PortalProxy", "is_own_request", "relative_location", "response_headers"]

#: The first segments of the paths that are forwarded: pages, their files and events. REST needs a login of its own.
_FORWARDED = frozenset({"", "portal", "scheduler", "rm", "automation-dashboard"})
#: What a request says to the scheduler; all other headers, such as the cookies of the Jupyter server, stay here.
_REQUEST_HEADERS = frozenset(
    {
        "accept",
        "accept-language",
        "cache-control",
        "content-type",
        "if-none-match",
        "last-event-id",
        "x-forwarded-prefix",
        "x-portal-script",
    }
)
#: Headers of an answer that are between the scheduler and this process.
_NOT_RETURNED = frozenset({"connection", "keep-alive", "server", "set-cookie", "transfer-encoding", "x-frame-options"})
#: The form that logs out.
_LEAVE = "/portal/leave"
#: From there to the log-out of the Jupyter server, which on a JupyterHub leads to that of the hub. It is a page and no
#: redirect: a policy that allows forms on the own host alone would stop one at a hub with a host of its own.
_LEFT = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Log out</title>'
    '<meta http-equiv="refresh" content="0;url=../../logout"></head>'
    '<body><p>The portal is closed. <a href="../../logout">Log out of Jupyter</a></p></body></html>'
)
#: Seconds to connect; events may take as long as they like.
_CONNECT_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A session of a browser on the scheduler."""

    #: The root of the scheduler.
    url: str
    #: The header ``Cookie`` of its requests.
    cookie: str


class Door:
    """Logs in to the embedded scheduler of this user, with a link as a person would follow it."""

    async def login(self, *, start: bool) -> Login | None:
        """A new session; None if no scheduler runs and `start` does not say that one shall."""
        link = await asyncio.to_thread(self._link, start)
        if link is None:
            return None
        async with httpx2.AsyncClient(trust_env=False, timeout=_CONNECT_TIMEOUT) as client:
            answer = await client.get(link)
        cookies = SimpleCookie(answer.headers.get("set-cookie", ""))
        parts = urlsplit(link)
        pairs = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())
        return Login(url=f"{parts.scheme}://{parts.netloc}", cookie=pairs)

    def _link(self, start: bool) -> str | None:
        address = embedded.ensure() if start else embedded.find()
        if address is None:
            return None
        scheduler = embedded.scheduler_at(address)
        try:
            return portals.links(scheduler, portals.JOBS.path)[0]
        finally:
            scheduler.close()


class PortalProxy:
    """The ASGI application."""

    def __init__(self, door: Door | None = None, *, inner: httpx2.AsyncBaseTransport | None = None) -> None:
        """`inner` replaces HTTP, for tests."""
        self._door = door or Door()
        self._inner = inner
        self._login: Login | None = None
        self._entering = asyncio.Lock()
        self._client: httpx2.AsyncClient | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        path = (request.scope.get("raw_path") or request.scope["path"].encode()).decode("latin-1").partition("?")[0]
        if path.lstrip("/").partition("/")[0] not in _FORWARDED:
            return PlainTextResponse("There is no such page of the portals.", 404)
        if request.method not in ("GET", "HEAD") and not is_own_request(request.headers):
            return PlainTextResponse("This form was sent by a page of another site. Nothing was changed.", 403)
        if path == _LEAVE and request.method == "POST":
            return await self._left(request)
        body = await request.body()
        try:
            answer = await self._forwarded(request, path, body)
        except ProActiveError as error:
            return PlainTextResponse(str(error), 502)
        if answer is None:
            return PlainTextResponse("The embedded scheduler does not run. Load the page again to start it.", 503)
        headers = response_headers(answer.headers)
        if "location" in headers:
            headers["location"] = relative_location(
                headers["location"], path, request.headers.get("x-forwarded-prefix", "").rstrip("/")
            )
        return StreamingResponse(_content(answer), answer.status_code, headers=headers)

    async def _left(self, request: Request) -> Response:
        """End the session on the scheduler, and lead to the log-out of the Jupyter server."""
        used, self._login = self._login, None
        if used is not None:
            with contextlib.suppress(SchedulerUnreachable):
                answer = await self._sent(used, request, _LEAVE, b"")
                if answer is not None:
                    await answer.aclose()
        policy = "default-src 'none'; frame-ancestors 'self'"
        return HTMLResponse(_LEFT, headers={"content-security-policy": policy, "cache-control": "no-store"})

    async def _forwarded(self, request: Request, path: str, body: bytes) -> httpx2.Response | None:
        """The scheduler's answer in a session that lasts; None while no scheduler runs."""
        # What a page asks for by itself must not start a scheduler that was stopped.
        starts = request.method == "GET" and "text/html" in request.headers.get("accept", "")
        used = self._login
        if used is not None and (answer := await self._sent(used, request, path, body)) is not None:
            return answer
        login = await self._renewed(used, start=starts)
        return None if login is None else await self._sent(login, request, path, body)

    async def _sent(self, login: Login, request: Request, path: str, body: bytes) -> httpx2.Response | None:
        """The answer; None if the session has ended, or the scheduler."""
        if self._client is None:
            timeout = httpx2.Timeout(None, connect=_CONNECT_TIMEOUT)
            self._client = httpx2.AsyncClient(trust_env=False, timeout=timeout, transport=self._inner)
        headers = {name: value for name, value in request.headers.items() if name in _REQUEST_HEADERS}
        headers |= {"cookie": login.cookie, "accept-encoding": "identity", "origin": login.url}
        query = f"?{request.url.query}" if request.url.query else ""
        sent = self._client.build_request(request.method, login.url + path + query, headers=headers, content=body)
        try:
            answer = await self._client.send(sent, stream=True)
        except httpx2.TransportError as error:
            if request.method == "GET" or isinstance(error, httpx2.ConnectError):
                return None
            raise SchedulerUnreachable(
                "The embedded scheduler ended before it answered. It is not known whether it processed the request.",
                hint="Load the page again to see.",
                in_doubt=True,
            ) from error
        if answer.status_code != 401:
            return answer
        await answer.aclose()
        return None

    async def _renewed(self, lost: Login | None, *, start: bool) -> Login | None:
        """A session other than the lost one; another request may have opened it already."""
        async with self._entering:
            if self._login is lost:
                self._login = await self._door.login(start=start)
            return self._login


def is_own_request(headers: Mapping[str, str]) -> bool:
    """Whether a request that changes something comes from a page at the address that the browser sees.

    Browsers say so (``Sec-Fetch-Site``), on unencrypted addresses only by ``Origin``. Where neither is there, it is no
    browser, and whoever sends it has logged in to the Jupyter server.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site == "same-origin"
    if origin is None:
        return True
    names = {headers.get(name, "").lower() for name in ("host", "x-forwarded-host")}
    return urlsplit(origin).netloc.lower() in names - {""}


def response_headers(headers: httpx2.Headers) -> dict[str, str]:
    """The headers of an answer for the browser, which may show it in a frame of its own address."""
    found = {name: value for name, value in headers.items() if name not in _NOT_RETURNED}
    policy = [part.strip() for part in found.get("content-security-policy", "").split(";")]
    kept = [part for part in policy if part and not part.startswith("frame-ancestors")]
    return found | {"content-security-policy": "; ".join([*kept, "frame-ancestors 'self'"])}


def relative_location(location: str, path: str, prefix: str) -> str:
    """Where a redirect leads, as seen from the path that was asked for.

    Some versions of jupyter-server-proxy put their prefix before a path, though the scheduler has written it already;
    all of them leave a relative one as it is.
    """
    if not location.startswith(f"{prefix}/") or location.startswith("//"):
        return location
    target, mark, query = location.removeprefix(prefix).partition("?")
    folder, _, name = target.rpartition("/")
    found = f"{posixpath.relpath(folder or '/', posixpath.dirname(path))}/{name}"
    return f"{found if found.startswith('.') else './' + found}{mark}{query}"


async def _content(answer: httpx2.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.aiter_raw():
            yield piece
    finally:
        await answer.aclose()
