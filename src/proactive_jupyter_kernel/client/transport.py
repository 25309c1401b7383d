"""Sends requests to a scheduler: an interface, and its HTTP implementation.

A `Transport` knows only an address; sessions are the task of `login.py`, errors of the scheduler that of
`error_mapping.py`. Tests use `testing/memory_scheduler.py`. The HTTP library is imported by the first request.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, Protocol
from urllib.parse import quote, urlencode, urlsplit

from proactive_jupyter_kernel.client import certificates, network_errors
from proactive_jupyter_kernel.client.proxies import Proxy, proxy_of
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

#: Pauses in seconds before a request whose connection broke is repeated, if that cannot do anything twice.
RETRIES = (0.2, 1.0)


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
            if self.body.lstrip()[:1] in (b"{", b"["):
                raise SchedulerUnreachable(
                    "The scheduler's answer was cut off.",
                    hint="The network or a gateway on the way broke the connection. Try again.",
                    in_doubt=True,
                ) from None
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
        verify: bool | str = True,
        source: str = "",
        timeout: float = ANSWER_TIMEOUT,
        inner: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`url`: the root of the server or its ``/rest``; `timeout`: seconds for an answer; `inner` replaces HTTP.

        `verify`: whether certificates are checked, or the path of a file of trusted ones. `source`: where the address
        is from, for messages.
        """
        self._root = url.rstrip("/").removesuffix("/rest")
        self._verify = verify
        self._timeout = timeout
        self._inner = inner
        self._sleep = sleep
        #: Where the address is from.
        self.source = source
        self._proxy: Proxy | None = None
        #: Whether a request was answered.
        self._answered = False
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
        parts_sent = [(part.name, (None, part.content, part.content_type)) for part in parts] or None

        def send() -> httpx2.Response:
            return self._open().request(
                method, url, headers=sent, content=content if body is None else body, files=parts_sent
            )

        try:
            answer = send() if not _is_repeatable(method, path) else self._patiently(send)
        except httpx2.InvalidURL as error:
            raise SchedulerError(f"{self._root!r} is not the address of a scheduler: {error}") from None
        except httpx2.RequestError as error:
            self._unreachable(error)
        self._answered = True
        return Response(status=answer.status_code, body=answer.content, headers=dict(answer.headers))

    def _patiently(self, send: Callable[[], httpx2.Response]) -> httpx2.Response:
        """The answer, asked for again on another connection where one broke."""
        import httpx2

        for pause in RETRIES:
            try:
                return send()
            except httpx2.RequestError as error:
                if not network_errors.is_broken(error):
                    raise
                self._sleep(pause)
        return send()

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
        proxy = self._proxy = proxy_of(self._root)
        return httpx2.Client(
            # Reading the certificates takes longer than a request; without TLS they are not needed.
            verify=certificates.context_for(self._verify) if parts.scheme != "http" else False,
            proxy=proxy.url if proxy else None,
            trust_env=False,
            timeout=httpx2.Timeout(self._timeout, connect=self._connect_timeout),
            limits=httpx2.Limits(keepalive_expiry=KEEP_ALIVE),
            transport=self._inner,
        )

    @property
    def _connect_timeout(self) -> float:
        return min(CONNECT_TIMEOUT, self._timeout)

    def _unreachable(self, error: httpx2.RequestError) -> NoReturn:
        """Raise with the attempted address. The traceback of the cause is removed: its frames hold what was sent."""
        raise network_errors.unreachable(
            error,
            self._root,
            connect=self._connect_timeout,
            answer=self._timeout,
            proxy=self._proxy,
            source=self.source,
            answered=self._answered,
        ) from error.with_traceback(None)


def _is_repeatable(method: str, path: str) -> bool:
    """Whether a request may be sent again although it may have been executed: it asks, or stores the same files."""
    if method == "POST":
        return path == "/scheduler/login"
    return method in ("GET", "HEAD") or path.startswith("/data/")


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
