"""The ASGI application of the portals: from a request to its page, and from whatever happens there to an answer.

Nothing reaches a page that did not come to this machine's own address (the Host header is checked, against DNS
rebinding), that has no session, or that changes something and was not sent by a page of the portals. What is not a
portal's is answered by the REST application.
"""

from __future__ import annotations

import asyncio
import http
import importlib
import logging
import math
import time
from collections.abc import Callable, Iterable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from proactive_jupyter_kernel.errors import ProActiveError, UnknownJob, UnknownTask
from proactive_jupyter_kernel.scheduler.access.portal_sessions import ROOTS, LinkRefused, PortalSession, PortalSessions
from proactive_jupyter_kernel.scheduler.http.errors import HttpError
from proactive_jupyter_kernel.scheduler.http.routing import MethodNotAllowed, Router
from proactive_jupyter_kernel.scheduler.portals import assets, security
from proactive_jupyter_kernel.scheduler.portals.events import EVENTS_PATH, MOST_STREAMS, PROXIED_SECONDS, Changes
from proactive_jupyter_kernel.scheduler.portals.page import Page
from proactive_jupyter_kernel.scheduler.portals.page_request import PageRequest
from proactive_jupyter_kernel.scheduler.portals.shell import Shell
from proactive_jupyter_kernel.scheduler.service.service import Service

__all__ = ["Portals"]

_log = logging.getLogger(__name__)

#: The first segments of all paths that are the portals'; the empty one is that of ``/``.
_OWN = frozenset({"", "portal", *ROOTS})
#: The module that has the table of all pages.
_PAGES = "proactive_jupyter_kernel.scheduler.portals.pages"
_ENTER, _LEAVE, _KEY = "/portal/enter/", "/portal/leave", "/portal/s/"
#: From a frame to the same page in a tab, which gets a session of its own.
_TAB = "/portal/tab"
#: What a path without a session leads to, in words.
_HOW_TO_ENTER = (
    "Run `proactive-kernel portal` in a terminal. In a notebook, run #%show_scheduling_portal(), or the cell that "
    "shows the portal again, and use `Open in a tab`."
)
#: The title and the text of a page that leads on by itself.
_OPENS = ("The portal opens", "If it does not, follow the link.")


class Portals:
    """Answers browsers for one service."""

    def __init__(
        self,
        service: Service,
        sessions: PortalSessions,
        *,
        hosts: Iterable[str],
        otherwise: ASGIApp,
        touched: Callable[[], None] = lambda: None,
    ) -> None:
        """`hosts` are the Host headers that are answered, lower case; `touched` is called at every request.

        `otherwise` answers what is not a portal's.
        """
        self._service = service
        self._sessions = sessions
        self._hosts = frozenset(hosts)
        self._otherwise = otherwise
        self._touched = touched
        self._router: Router[Page] | None = None
        self.changes = Changes(service)
        #: How many are being answered.
        self.requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = _raw_path(scope) if scope["type"] == "http" else None
        # Two slashes at the beginning would name a host where a page gives its own path as an address.
        if path is None or path.removeprefix("/").partition("/")[0].partition(";")[0] not in _OWN or path[:2] == "//":
            await self._otherwise(scope, receive, send)
            return
        self._touched()
        self.requests += 1
        begin = time.perf_counter()
        try:
            response = await self._answer(Request(scope, receive), path)
            if not isinstance(response, StreamingResponse):
                self._service.measures.request_seconds += time.perf_counter() - begin
            self._service.measures.requests[response.status_code] += 1
            await response(scope, receive, send)
        finally:
            self.requests -= 1
            self._touched()

    def close(self) -> None:
        """End all streams of events."""
        self.changes.close()

    @property
    def cookie(self) -> str:
        """The name of the cookie. Browsers share cookies among the ports of a host, so each port has its own."""
        return f"proactive_portal_{self._service.site.url.rpartition(':')[2]}"

    # --- from a request to its page ------------------------------------------------------------------------------

    async def _answer(self, request: Request, path: str) -> Response:
        session: PortalSession | None = None
        try:
            if request.headers.get("host", "").lower() not in self._hosts:
                raise HttpError(403, f"The scheduler answers to {' and '.join(sorted(self._hosts))} alone.")
            if path.startswith(assets.ASSETS_PATH + "/"):
                return _asset(path)
            if path.startswith(_ENTER):
                return self._enter(request, path.removeprefix(_ENTER))
            key, path = _divided(path)
            session = self._session(request, key)
            response = await self._page(request, path, session)
        except Exception as error:
            response = self._failed(request, error, session)
        if "content-security-policy" not in response.headers:
            self._secure(response, session)
        return response

    def _session(self, request: Request, key: str) -> PortalSession:
        cookie = request.cookies.get(self.cookie, "")
        session = self._sessions.find(key, framed=True) if key else self._sessions.find(cookie, framed=False)
        if session is None:
            raise _NoSession(self._sessions.origins_of_ended(key))
        return session

    async def _page(self, request: Request, path: str, session: PortalSession) -> Response:
        if request.method not in ("GET", "HEAD") and not security.is_own_request(request.headers, session.origins):
            raise HttpError(403, "This form was sent by a page of another site. Nothing was changed.")
        page_request = self._page_request(request, path, session)
        if path == EVENTS_PATH and request.method == "GET":
            return self._events(page_request)
        if path == _TAB and request.method == "GET" and session.framed:
            return self._tab(page_request)
        if path == _LEAVE and request.method == "POST":
            self._sessions.end(session)
            # Its streams of events see at once that they are over.
            self.changes.tell()
            response = self._message(request, 200, "You are logged out", _HOW_TO_ENTER)
            response.delete_cookie(self.cookie, path=security.forwarded_prefix(request.headers) or "/")
            return response
        try:
            match = (await self._pages()).find(request.method, path)
        except MethodNotAllowed as error:
            raise HttpError(405, f"This page takes {' and '.join(error.allowed)} alone.") from None
        if match is None:
            raise HttpError(404, f"There is no page {_divided(request.scope['path'])[1]}.")
        page_request.params = match.params
        return await match.route.handler(page_request)

    async def _pages(self) -> Router[Page]:
        """The table of pages, loaded with the first one: a scheduler that is never seen in a browser starts faster."""
        if self._router is None:
            module = await asyncio.to_thread(importlib.import_module, _PAGES)
            self._router = Router(module.PAGES)
        return self._router

    def _page_request(self, request: Request, path: str, session: PortalSession) -> PageRequest:
        proxy = security.forwarded_prefix(request.headers)
        prefix = f"{proxy}{_KEY}{session.key}" if session.framed else proxy
        return PageRequest(
            http=request, service=self._service, session=session, params={}, prefix=prefix, proxy=proxy, path=path
        )

    def _events(self, page_request: PageRequest) -> Response:
        if self.changes.open >= MOST_STREAMS:
            raise HttpError(503, f"{MOST_STREAMS} pages are open already. Close some of them.")
        session = page_request.session
        since, job = (page_request.query.get(name, "") for name in ("since", "job"))
        return StreamingResponse(
            self.changes.stream(
                int(since) if since.isdecimal() and len(since) < 19 else 0,
                int(job) if job.isdecimal() and len(job) < 19 else None,
                lambda: self._sessions.lasts(session),
                seconds=PROXIED_SECONDS if page_request.proxy else math.inf,
            ),
            media_type="text/event-stream",
            # Proxies must pass each event on at once.
            headers={"X-Accel-Buffering": "no"},
        )

    # --- entering ------------------------------------------------------------------------------------------------

    def _enter(self, request: Request, token: str) -> Response:
        """Follow a single-use link: a cookie and the page, or in a frame a path with the key of the session."""
        if request.method != "GET" or "prefetch" in request.headers.get(
            "sec-purpose", request.headers.get("purpose", "")
        ):
            # The page was not shown, so the link is not used up.
            return self._secured(Response(status_code=405 if request.method != "GET" else 503), None)
        framed = request.headers.get("sec-fetch-dest", "document") != "document" or "frame" in request.query_params
        try:
            session, path = self._sessions.enter(token, framed=framed)
        except LinkRefused as refused:
            response = self._message(request, 403, "This link is no longer valid", f"{refused.reason} {_HOW_TO_ENTER}")
            response.headers.update(security.headers_of(refused.origins, framed=framed))
            return response
        to = self._page_request(request, path, session).url(path)
        if framed:
            # What stands behind # never leaves the browser: `portal.js` remembers it for a frame that is put back.
            return self._secured(Response(status_code=303, headers={"Location": f"{to}#entered={token}"}), session)
        # A redirect would be a part of the other site's navigation, with which a browser sends no strict cookie.
        response = self._message(request, 200, *_OPENS, to=to)
        response.set_cookie(
            self.cookie,
            session.key,
            path=security.forwarded_prefix(request.headers) or "/",
            httponly=True,
            samesite="strict",
            secure=request.headers.get("x-forwarded-proto", "") == "https",
        )
        return self._secured(response, session)

    def _tab(self, page_request: PageRequest) -> Response:
        """A new link to a page, followed at once by the tab that asks: the key of a frame is not good in one."""
        session = page_request.session
        tokens = self._sessions.links(
            path=page_request.query.get("to", "/scheduler/"), origins=(), user=session.user, stands=session.stands
        )
        return Response(status_code=303, headers={"Location": f"{page_request.proxy}{_ENTER}{tokens[0]}"})

    # --- errors --------------------------------------------------------------------------------------------------

    def _failed(self, request: Request, error: Exception, session: PortalSession | None) -> Response:
        status, text = _status_of(error), str(error)
        if isinstance(error, UnknownJob):
            # The error has the server's words, which clients know.
            text = "This job is not there: it was removed, or there never was one with this number."
        if status == 500:
            # Without the key of a session: whoever reads the log must not get in with it.
            _log.error("%s %s failed", request.method, _divided(request.url.path)[1], exc_info=error)
            text = f"The scheduler failed at this page: {error!r}. Its log says more."
        if isinstance(error, _NoSession):
            if _came_from_elsewhere(request):
                # With that a browser sends no strict cookie; what this page asks for is sent with it.
                here = security.forwarded_prefix(request.headers) + _raw_path(request.scope)
                to = f"{here}?{request.url.query}" if request.url.query else here
                return self._message(request, 200, *_OPENS, to=to)
            response = self._message(request, status, "You are not logged in", _HOW_TO_ENTER)
            response.headers.update(security.headers_of(error.origins, framed=True))
            return response
        return self._message(request, status, http.HTTPStatus(status).phrase, text, session=session)

    def _message(
        self,
        request: Request,
        status: int,
        title: str,
        text: str,
        *,
        to: str = "",
        session: PortalSession | None = None,
    ) -> Response:
        """A page that says one thing."""
        from proactive_jupyter_kernel.scheduler.portals import templating

        proxy = security.forwarded_prefix(request.headers)
        page_request = self._page_request(request, "", session) if session else None
        written = templating.page(
            "message.html",
            {
                "url": page_request.url if page_request else (lambda path: proxy + path),
                "static": lambda name: proxy + assets.asset_path(name),
                "shell": Shell.of(self._service, session.user) if session else None,
                "framed": False,
                "messages": [],
                "path": "",
                "here": "",
                "revision": 0,
                "title": title,
                "text": text,
                "to": to,
            },
        )
        response = Response(written.encode("utf-8", "replace"), status, media_type="text/html")
        if status in (408, 413):
            # The rest of the body is not read, so the connection cannot carry another request.
            response.headers["Connection"] = "close"
        return response

    def _secured(self, response: Response, session: PortalSession | None) -> Response:
        self._secure(response, session)
        return response

    def _secure(self, response: Response, session: PortalSession | None) -> None:
        framed = session is not None and session.framed
        response.headers.update(security.headers_of(session.origins if session else (), framed=framed))


class _NoSession(Exception):
    """The request has no valid session."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        super().__init__()
        #: Who may show that in a frame.
        self.origins = origins


#: Exception -> status of the page that says so; the first row that fits counts.
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (_NoSession, 401),
    (UnknownJob, 404),
    (UnknownTask, 404),
    (ProActiveError, 409),
    (ValueError, 400),
)


def _status_of(error: Exception) -> int:
    if isinstance(error, HttpError):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def _raw_path(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.decode("latin-1").partition("?")[0]


def _came_from_elsewhere(request: Request) -> bool:
    """Whether somebody followed a link to a page, of another site or of the same host at another port."""
    headers = request.headers
    return (
        request.method == "GET"
        and headers.get("sec-fetch-dest") == "document"
        and headers.get("sec-fetch-site") in ("cross-site", "same-site")
        and not request.scope["path"].startswith(_KEY)
    )


def _divided(path: str) -> tuple[str, str]:
    """The key in a path, empty where there is none, and the path of the page."""
    if not path.startswith(_KEY):
        return "", path
    key, _, rest = path.removeprefix(_KEY).partition("/")
    return key, "/" + rest


def _asset(path: str) -> Response:
    found = assets.asset(path.removeprefix(assets.ASSETS_PATH + "/"))
    if found is None:
        raise HttpError(404, "There is no such file.")
    response = Response(found.content, media_type=None, headers={"Content-Type": found.media_type})
    response.headers.update(
        {
            "Cache-Control": "public, max-age=31536000, immutable",
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
            "Cross-Origin-Resource-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        }
    )
    return response
