"""A gateway with faults between a client and a server: it cuts, delays, redirects and answers in the server's place."""

from __future__ import annotations

import http.client
import http.server
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

__all__ = ["Fault", "FaultyProxy"]

TLS = Path(__file__).parent / "data" / "tls"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens to a request in place of being passed on."""

    #: A part of ``METHOD /path`` of the requests that it happens to.
    to: str
    #: How often it happens; -1: always.
    times: int = -1
    #: Pass the request on, and send so many bytes of the body of the answer; None: no answer was asked for.
    cut_after: int | None = None
    #: Close the connection without an answer; with `cut_after`=0 after the server has done what was asked.
    close: bool = False
    #: Seconds before anything is sent.
    delay: float = 0.0
    #: Answer with this status, these headers and this body; 0: the server answers.
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class FaultyProxy:
    """Passes requests on to `upstream`; as a context manager, it is stopped at the end."""

    def __init__(self, upstream: str, *faults: Fault, certificate: str = "", path: str = "") -> None:
        """`certificate`: the file of `TLS` for https. `path`: the base path under which it offers the server."""
        self.faults = list(faults)
        self.path = path
        self.upstream = urlsplit(upstream)
        #: ``METHOD /path`` of each request, and of those that the server got.
        self.requests: list[str] = []
        self.delivered: list[str] = []
        #: The forms and bodies that came.
        self.bodies: list[bytes] = []
        self._count: dict[int, int] = {}
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(TLS / certificate, TLS / "server.key")
            self._server.context = context
        self.port = self._server.server_port
        self.url = f"{'https://localhost' if certificate else 'http://127.0.0.1'}:{self.port}{path}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fault_for(self, request: str) -> Fault | None:
        """The fault of this request, counted."""
        for index, fault in enumerate(self.faults):
            if fault.to in request and self._count.get(index, 0) != fault.times:
                self._count[index] = self._count.get(index, 0) + 1
                return fault
        return None

    def passed_on(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """The answer of the server."""
        self.delivered.append(f"{method} {path}")
        connection = http.client.HTTPConnection(self.upstream.hostname or "", self.upstream.port, timeout=30)
        try:
            connection.request(method, path.removeprefix(self.path), body=body or None, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


class _Server(http.server.ThreadingHTTPServer):
    proxy: FaultyProxy
    context: ssl.SSLContext | None = None
    daemon_threads = True

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        if self.context is not None:
            connection.settimeout(10)
            connection = self.context.wrap_socket(connection, server_side=True)
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that breaks is what the tests want."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return None
        proxy, request = self.server.proxy, f"{self.command} {self.path}"
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        proxy.requests.append(request)
        proxy.bodies.append(body)
        fault = proxy.fault_for(request)
        if fault is not None and fault.delay:
            time.sleep(fault.delay)
        if fault is not None and fault.close and fault.cut_after is None:
            return self._reset()
        if fault is not None and fault.status:
            return self._answer(fault.status, list(fault.headers.items()), fault.body)
        status, headers, content = proxy.passed_on(self.command, self.path, dict(self.headers), body)
        if fault is not None and fault.close:
            return self._reset()
        kept = [(name, value) for name, value in headers if name.lower() not in ("transfer-encoding", "content-length")]
        return self._answer(status, kept, content, cut=fault.cut_after if fault else None)

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes, *, cut: int | None = None) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body if cut is None else body[:cut])
        self.wfile.flush()
        if cut is not None:
            self._reset()

    def _reset(self) -> None:
        """Close without a farewell, as a network does."""
        self.close_connection = True
        if not isinstance(self.connection, ssl.SSLSocket):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
