"""How the scheduler listens: its port on this machine, and uvicorn as it suits a scheduler that is mostly idle."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError
from proactive_jupyter_kernel.scheduler.access import lasting
from proactive_jupyter_kernel.scheduler.daemon.connections import AcceptFailures, BoundedProtocol, most_connections

__all__ = ["HOST", "Server", "bound"]

HOST = "127.0.0.1"
#: Seconds that an idle connection is kept open, so that a client's next request needs no new one.
_KEEP_ALIVE = 75
#: Seconds that answers in progress have when the scheduler stops.
_LAST_ANSWERS = 3
#: Generic information comes in the query, and may be long.
_LONGEST_HEAD = 256 * 1024


def bound(data_dir: Path, port: int) -> contextlib.AbstractContextManager[socket.socket]:
    """A socket that listens at the port; 0: at the lasting port of the data folder, or at a free one if it has none.

    Raises `EmbeddedSchedulerError` if the port is in use.
    """
    if port:
        return _bound(port, hint="Choose another port with --port, or none: then the system finds a free one.")
    return _bound(
        lasting.load(data_dir).port,
        hint="This is the lasting port of the data folder. End the program that uses it, or choose another one with "
        "`proactive-kernel scheduler port`; 0 lets the system find a free one at each start.",
    )


@contextlib.contextmanager
def _bound(port: int, *, hint: str) -> Iterator[socket.socket]:
    """A socket at the port, of this machine alone."""
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it every answer takes 40 ms more.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":
            # Connections of a predecessor that are still closing do not block the port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            # Now, for a second socket may bind the same port until one of them listens.
            listener.listen(128)
        except (OSError, OverflowError) as error:
            raise EmbeddedSchedulerError(
                f"The embedded scheduler cannot listen at port {port} of {HOST}: {error}.", hint=hint
            ) from error
        yield listener
    finally:
        listener.close()


class Server(uvicorn.Server):
    """uvicorn without its heartbeat: it waits for an event instead of looking ten times a second."""

    def __init__(self, app: ASGIApp) -> None:
        BoundedProtocol.most = most_connections()
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                http=BoundedProtocol,
                ws=_web_socket,  # type: ignore[arg-type]
                loop="asyncio",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=_LAST_ANSWERS,
                h11_max_incomplete_event_size=_LONGEST_HEAD,
            )
        )
        #: Set it to stop.
        self.stopping = asyncio.Event()

    async def main_loop(self) -> None:
        asyncio.get_running_loop().set_exception_handler(AcceptFailures())
        await self.stopping.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Does nothing: the daemon handles the signals."""
        yield


def _web_socket(**arguments: Any) -> asyncio.Protocol:
    """The protocol for web sockets, loaded with the first one: most schedulers never see any."""
    from proactive_jupyter_kernel.scheduler.daemon.web_socket import FragmentingProtocol

    return FragmentingProtocol(**arguments)
