"""How the stand-in server speaks HTTP: requests to its method `answer`, and the parts of their bodies."""

from __future__ import annotations

import http.server
import re
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from proactive_jupyter_kernel.client.transport import Part

if TYPE_CHECKING:
    from standin.server import StandIn

__all__ = ["HttpServer", "parts_of"]


def parts_of(content_type: str, body: bytes) -> list[Part]:
    """The parts of a multipart body."""
    found = re.search(r'boundary="?([^";]+)', content_type)
    if not content_type.startswith("multipart/") or found is None:
        return []
    parts = []
    for piece in body.split(b"--" + found[1].encode())[1:-1]:
        head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        text = head.decode("utf-8")
        name = re.search(r'name="([^"]*)"', text)
        kind = re.search(r"(?i)content-type: *([^\r\n]+)", text)
        parts.append(
            Part(
                name=name[1] if name else "",
                content=content.removesuffix(b"\r\n"),
                content_type=kind[1] if kind else "text/plain",
            )
        )
    return parts


class HttpServer(http.server.ThreadingHTTPServer):
    """Serves a stand-in on a free port of this machine."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, standin: StandIn) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.standin = standin

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client may close its connection at any time."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: HttpServer

    def _do(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        standin = self.server.standin
        if not standin.reachable:
            self.close_connection = True
            return
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = parts.path.removeprefix("/rest")
        response = standin.answer(self.command, path, parse_qsl(parts.query, keep_blank_values=True), headers, body)
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status != 204:
            self.send_header("content-length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _do

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing is logged."""
