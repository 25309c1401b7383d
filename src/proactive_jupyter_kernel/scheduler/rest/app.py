"""The ASGI application: from a request to its handler, and from whatever happens there to an answer.

Nothing reaches a handler that did not come to this machine's own address (the Host header is checked, against DNS
rebinding) or, where the route asks for a session, does not have one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from proactive_jupyter_kernel.errors import ProActiveError
from proactive_jupyter_kernel.scheduler.http.errors import HttpError
from proactive_jupyter_kernel.scheduler.http.routing import Match, MethodNotAllowed, Router
from proactive_jupyter_kernel.scheduler.rest.events import EVENTS_PATH, Events
from proactive_jupyter_kernel.scheduler.rest.requests import errors
from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer
from proactive_jupyter_kernel.scheduler.rest.requests.errors import RestError
from proactive_jupyter_kernel.scheduler.rest.requests.route import Route
from proactive_jupyter_kernel.scheduler.rest.requests.sessions import Sessions
from proactive_jupyter_kernel.scheduler.rest.routes import OUTSIDE, ROUTES
from proactive_jupyter_kernel.scheduler.service.service import Service

__all__ = ["App"]

_log = logging.getLogger(__name__)

#: Where the REST application is mounted.
ROOT = "/rest"


class App:
    """Answers REST for one service."""

    def __init__(
        self,
        service: Service,
        sessions: Sessions,
        *,
        hosts: Iterable[str],
        routes: Iterable[Route] = ROUTES,
        touched: Callable[[], None] = lambda: None,
    ) -> None:
        """`hosts` are the Host headers that are answered, lower case; `touched` is called at every request."""
        self._service = service
        self._sessions = sessions
        self._hosts = frozenset(hosts)
        self._router = Router(routes)
        self._outside = Router(OUTSIDE)
        self._touched = touched
        self.events = Events(service, sessions)
        #: How many are being answered.
        self.requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._touched()
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        elif scope["type"] == "http":
            self.requests += 1
            begin = time.perf_counter()
            try:
                response = await self._answer(Request(scope, receive))
                await response(scope, receive, send)
                self._service.measures.requests[response.status_code] += 1
            finally:
                self._service.measures.request_seconds += time.perf_counter() - begin
                self.requests -= 1
                self._touched()

    def close(self) -> None:
        """Close all sockets."""
        self.events.close()

    async def _answer(self, request: Request) -> Response:
        try:
            self._check_host(request.headers)
            if request.method == "OPTIONS":
                return self._options(request)
            match = self._match(request)
            _negotiate(match.route, request)
            call = Call(
                request=request,
                service=self._service,
                sessions=self._sessions,
                params=match.params,
                matrix=match.matrix,
                route=match.route,
            )
            if match.route.session:
                call.session = self._sessions.required(call.session_id, path=match.route.path)
            return await match.route.handler(call)
        except Exception as error:
            return self._failed(request, error)

    def _failed(self, request: Request, error: Exception) -> Response:
        answer = errors.of(error)
        if answer.status >= 500 and not isinstance(error, ProActiveError | HttpError):
            _log.exception("%s %s failed", request.method, request.url.path)
        response = json_answer(errors.body(answer), answer.status)
        if answer.status in (408, 413):
            # The rest of the body is not read, so the connection cannot carry another request.
            response.headers["Connection"] = "close"
        return response

    def _check_host(self, headers: Mapping[str, str]) -> None:
        host = headers.get("host", "").lower()
        if host not in self._hosts:
            raise RestError(
                403,
                "java.lang.SecurityException",
                f"This scheduler answers to {', '.join(sorted(self._hosts))}, not to the host {host!r}. "
                "A tunnel needs the same port at both ends.",
            )

    def _options(self, request: Request) -> Response:
        """The methods of a path. Nothing is said of other origins: a page of another site gets no further."""
        router, path = self._place(request)
        methods = ", ".join(router.methods(path))
        if not methods:
            raise _no_route(request)
        return Response(methods, media_type="text/plain", headers={"Allow": methods})

    def _place(self, request: Request) -> tuple[Router[Route], str]:
        """The router for an undecoded path, and what it looks for."""
        raw_path = request.scope.get("raw_path") or request.scope["path"].encode()
        path = raw_path.decode("latin-1").partition("?")[0]
        inside = path.removeprefix(ROOT)
        return (self._outside, path) if inside == path else (self._router, inside)

    def _match(self, request: Request) -> Match[Route]:
        router, path = self._place(request)
        try:
            match = router.find(request.method, path)
        except MethodNotAllowed as error:
            raise RestError(
                *errors.NOT_ALLOWED,
                f"{request.method} is not a method of {request.scope['path']}; it has {', '.join(error.allowed)}.",
            ) from None
        if match is None:
            raise _no_route(request)
        return match

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            self._check_host(headers)
            if scope["path"].rstrip("/") != ROOT + EVENTS_PATH:
                raise RestError(*errors.NOT_FOUND, f"There is no socket at {scope['path']}.")
        except RestError:
            # Before the socket is accepted, closing it answers the upgrade with 403.
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        session = self._sessions.renewed(headers.get("sessionid", ""))
        if session is None:
            await self.events.refuse(receive, send)
        else:
            await self.events.serve(session, receive, send)


def _negotiate(route: Route, request: Request) -> None:
    """Refuse a body that the route cannot read, and a client that accepts nothing that the route gives."""
    content_type, accept = request.headers.get("content-type", ""), request.headers.get("accept", "")
    if not route.accepts(content_type):
        raise RestError(
            *errors.NOT_SUPPORTED,
            f"{request.method} {request.scope['path']} takes {' or '.join(route.takes)}, "
            f"not {content_type or 'a body without a Content-Type'}.",
        )
    if not route.given_to(accept):
        raise RestError(
            *errors.NOT_ACCEPTABLE,
            f"{request.method} {request.scope['path']} gives {' or '.join(route.gives)}, not {accept}.",
        )


def _no_route(request: Request) -> RestError:
    return RestError(
        *errors.NOT_FOUND,
        f"The embedded scheduler has no resource {request.method} {request.scope['path']}.",
    )
