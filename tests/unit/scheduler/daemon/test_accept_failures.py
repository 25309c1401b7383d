"""Connections without a file handle do not fill the scheduler's log."""

from __future__ import annotations

import asyncio
import logging

import pytest

from proactive_jupyter_kernel.scheduler.daemon.connections import AcceptFailures


def test_connections_without_a_handle_are_told_seldom(caplog: pytest.LogCaptureFixture) -> None:
    """Once a minute; what was closed meanwhile is no fault, and other exceptions are logged as before."""
    now = [0.0]
    handle = AcceptFailures(clock=lambda: now[0])
    loop = asyncio.new_event_loop()
    try:
        full = {
            "message": "socket.accept() out of system resource",
            "exception": OSError(24, "Too many open files"),
        }
        closed = {
            "message": "Exception in callback BaseSelectorEventLoop._start_serving(...)",
            "exception": ValueError("Invalid file descriptor: -1"),
        }
        for at in (0.0, 0.1, 59.0, 61.0):
            now[0] = at
            handle(loop, full)
        handle(loop, closed)
        handle(loop, {"message": "Exception in callback f()", "exception": KeyError("x")})
    finally:
        loop.close()
    told = "no room for another connection, so new ones wait: [Errno 24] Too many open files"
    assert [(each.levelno, each.getMessage().split("\n")[0]) for each in caplog.records] == [
        (logging.WARNING, told),
        (logging.WARNING, told),
        (logging.ERROR, "Exception in callback f()"),
    ]
