"""Waiting for a change of what is in memory: channels and signals, whose requests may stay open for a while."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

__all__ = ["Changes"]


class Changes:
    """Wakes all waiters when something has changed. Used in the thread of the loop."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def tell(self) -> None:
        """Wake all present waiters; later ones wait for the next change."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, arrived: Callable[[], bool], seconds: float) -> None:
        """Return as soon as `arrived` is true after a change, or is true already; at the latest after `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not arrived():
                    await self._changed.wait()
