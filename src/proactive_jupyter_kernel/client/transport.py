"""Sends requests to a scheduler: an interface, and its HTTP implementation.

A `Transport` knows only an address; sessions are the task of `login.py`, errors of the scheduler that of
`error_mapping.py`. Tests use `testing/memory_scheduler.py`. The HTTP library is imported by the first request.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, Protocol
from urllib.parse import quote, urlencode, urlsplit

from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.errors import SchedulerError, SchedulerUnreachable

if TYPE_CHECKING:
    import httpx2

__all__ = ["HttpTransport", "Part", "Response", "Transport", "path_of"]

#: Timeout in seconds to open a connection.
CONNECT_TIMEOUT = 10.0
#: Timeout in seconds for an answer; a ProActive server writes a submission to its database before it answers.
ANSWER_TIMEOUT = 60.0
#: Seconds to keep an idle connection: less than servers do (Jetty, under a ProActive server, 30; the embedded scheduler
#: 75), so that no request is sent on a connection that is being closed.
KEEP_ALIVE = 20.0

LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a multipart body, without a file name: the scheduler distinguishes parts by name and type."""

    name: str
    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response with any status."""

    status: int
    body: bytes = b""
    #: Names in lower case.
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The body as text; the scheduler sends UTF-8 regardless of the declared encoding."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON, None for an empty one; raises `SchedulerError` if it is not JSON."""
        if not self.body:
            return None
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise SchedulerError(
                f"The scheduler's answer is not JSON: {self.text[:200]!r}",
                hint="Check that the address is a ProActive server and not a proxy or another web site.",
            ) from error


class Transport(Protocol):
    """Sends one request and returns its answer; safe to call from several threads."""

    @property
    def address(self) -> str:
        """The name of the scheduler in messages, such as ``http://host:8080``."""
        ...

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str | Secret] | None = None,
        parts: Sequence[Part] = (),
        content: bytes | None = None,
    ) -> Response:
        """The answer to one request.

        `path` starts below ``/rest`` and is percent-encoded already (`path_of`). At most one of `form` (urlencoded),
        `parts` (multipart) and `content` is given. Raises `SchedulerUnreachable` if, and only if, there is no answer.
        """
        ...

    def close(self) -> None:
        """Close open connections; the next request opens new ones."""
        ...


def path_of(*segments: str | int) -> str:
    """The path made of these segments, each encoded whole: a task may be called ``T#1*2`` and a job ``a/b``."""
    return "".join("/" + quote(str(segment), safe="") for segment in segments)


class HttpTransport:
    """HTTP with persistent connections, verified TLS unless switched off, proxies from the environment.

    Connections to this machine never use a proxy, which would send the token of the embedded scheduler elsewhere.
    """

    def __init__(
        self,
        url: str,
        *,
        verify: bool = True,
        timeout: float = ANSWER_TIMEOUT,
        inner: httpx2.BaseTransport | None = None,
    ) -> None:
        """`url`: the root of the server or its ``/rest``; `timeout`: seconds for an answer; `inner` replaces HTTP."""
        self._root = url.rstrip("/").removesuffix("/rest")
        self._verify = verify
        self._timeout = timeout
        self._inner = inner
        self._client: httpx2.Client | None = None
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        return self._root

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str | Secret] | None = None,
        parts: Sequence[Part] = (),
        content: bytes | None = None,
    ) -> Response:
        import httpx2

        url = self._root + "/rest" + path
        if query:
            url += "?" + urlencode(query)
        sent = {"accept": "*/*", **(headers or {})}
        body = _Body(form) if form is not None else None
        if body is not None:
            sent |= {"content-type": "application/x-www-form-urlencoded", "content-length": str(body.length)}
        try:
            answer = self._open().request(
                method,
                url,
                headers=sent,
                content=content if body is None else body,
                files=[(part.name, (None, part.content, part.content_type)) for part in parts] or None,
            )
        except httpx2.InvalidURL as error:
            raise SchedulerError(f"{self._root!r} is not the address of a scheduler: {error}") from None
        except httpx2.RequestError as error:
            self._unreachable(error)
        return Response(status=answer.status_code, body=answer.content, headers=dict(answer.headers))

    def close(self) -> None:
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _open(self) -> httpx2.Client:
        with self._lock:
            if self._client is None:
                self._client = self._new_client()
            return self._client

    def _new_client(self) -> httpx2.Client:
        import httpx2

        parts = urlsplit(self._root)
        local = parts.hostname in LOCAL_HOSTS
        return httpx2.Client(
            # Reading the certificates takes longer than a request; without TLS they are not needed.
            verify=self._verify and parts.scheme != "http",
            trust_env=not local,
            timeout=httpx2.Timeout(self._timeout, connect=min(CONNECT_TIMEOUT, self._timeout)),
            limits=httpx2.Limits(keepalive_expiry=KEEP_ALIVE),
            transport=self._inner,
        )

    def _unreachable(self, error: httpx2.RequestError) -> NoReturn:
        """Raise with the attempted address. The traceback of the cause is removed: its frames hold what was sent."""
        import httpx2

        reason = str(error) or type(error).__name__
        hint = "Check the address, the network and any proxy, and that the server is up."
        if isinstance(error, httpx2.ConnectTimeout):
            reason = f"no connection within {min(CONNECT_TIMEOUT, self._timeout):g} s"
        elif isinstance(error, httpx2.TimeoutException):
            reason = f"no answer within {self._timeout:g} s"
        elif "CERTIFICATE_VERIFY_FAILED" in reason:
            hint = "Its certificate is not trusted here; to accept it anyway, use verify=off."
        elif isinstance(error, httpx2.UnsupportedProtocol):
            hint = "An address starts with http:// or https://."
        in_doubt = not isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol))
        raise SchedulerUnreachable(
            f"Cannot reach the scheduler at {self._root} (tried {self._root}/rest): {reason}.",
            hint=hint,
            in_doubt=in_doubt,
        ) from error.with_traceback(None)


class _Body:
    """The body of a form, encoded at the last moment, so that no frame of a traceback holds the password."""

    def __init__(self, form: Mapping[str, str | Secret]) -> None:
        self._form = form

    @property
    def length(self) -> int:
        return sum(map(len, self))

    def __iter__(self) -> Iterator[bytes]:
        yield urlencode(
            {name: value.reveal() if isinstance(value, Secret) else value for name, value in self._form.items()}
        ).encode("ascii")
