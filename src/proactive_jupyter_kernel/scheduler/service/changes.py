"""Waiting for a change of what is in memory: channels and signals, whose requests may stay open for a while."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

__all__ = ["Changes"]


class Changes:
    """Wakes all that wait when something has changed. Call it from the loop's thread."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def tell(self) -> None:
        """Something has changed: who waits looks again; who comes later waits for the next change."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, arrived: Callable[[], bool], seconds: float) -> None:
        """Return as soon as `arrived` is true after a change, or is true already; at the latest after `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not arrived():
                    await self._changed.wait()
