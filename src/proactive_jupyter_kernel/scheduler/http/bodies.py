"""Reads the body of a request: bounded, and for clients that keep sending."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from starlette.requests import ClientDisconnect, Request

from proactive_jupyter_kernel.scheduler.http.errors import HttpError

__all__ = ["PATIENCE", "read", "stream", "too_slow"]

#: Seconds that may pass until the next piece of a body arrives, and bytes a second that the slowest client sends.
PATIENCE, _SLOWEST = 60.0, 1024


async def stream(request: Request) -> AsyncIterator[bytes]:
    """The body piece by piece; refused with 408 when it stops coming, or trickles."""
    clock = asyncio.get_running_loop().time
    begin, size = clock(), 0
    pieces = request.stream()
    while True:
        # No piece may take longer than the patience, nor all of them longer than a very slow line would need.
        deadline = min(clock(), begin + size / _SLOWEST) + PATIENCE
        try:
            async with asyncio.timeout_at(deadline):
                piece = await anext(pieces)
        except TimeoutError:
            raise too_slow() from None
        except StopAsyncIteration:
            return
        except ClientDisconnect:
            raise ValueError("The client went away before its request was complete.") from None
        size += len(piece)
        yield piece


async def read(request: Request, limit: int, refused: Callable[[int], HttpError]) -> bytes:
    """The whole body; raises what `refused` gives for the limit when it has more bytes."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise refused(limit)
    chunks: list[bytes] = []
    size = 0
    async for chunk in stream(request):
        size += len(chunk)
        if size > limit:
            raise refused(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def too_slow() -> HttpError:
    """The body does not arrive."""
    return HttpError(
        408,
        f"The request was not complete: nothing arrived for {PATIENCE:g} seconds, or too little. Send it again.",
    )
