"""Which workers a Dask scheduler has: polled, because it notifies only Dask's own clients."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from typing import Any

from proactive_jupyter_kernel.scheduler.executors.dask.comms import connect, reason_of
from proactive_jupyter_kernel.scheduler.executors.dask.site import WorkerFacts

__all__ = ["Cluster"]

_LOGGER = logging.getLogger(__name__)
#: Seconds between two looks, and for an answer.
_LOOK_EVERY, _PATIENCE = 1.0, 10.0
#: Seconds until a scheduler that is gone is tried again: at first, and at most.
_RETRY, _LONGEST_RETRY = 0.5, 5.0


class Cluster:
    """Tells the workers of a Dask scheduler as they come and go, and None when it does not answer."""

    def __init__(self, address: str, tell: Callable[[list[WorkerFacts] | None], None]) -> None:
        self.address = address
        self._tell = tell
        #: Set when the scheduler has answered for the first time, or is known not to.
        self.decided = asyncio.Event()
        #: Why it does not answer; empty while it does.
        self.trouble = ""
        self._running = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        pause = _RETRY
        while True:
            try:
                comm = await connect(self.address)
                try:
                    while True:
                        await self._look(comm)
                        pause = _RETRY
                        await asyncio.sleep(_LOOK_EVERY)
                finally:
                    comm.abort()
            except Exception as error:
                self._fail(error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_RETRY)

    async def _look(self, comm: Any) -> None:
        await comm.write({"op": "identity"})
        async with asyncio.timeout(_PATIENCE):
            answer = await comm.read()
        if self.trouble:
            _LOGGER.info("the Dask scheduler at %s answers again", self.address)
        self.trouble = ""
        self._tell([_facts(address, found) for address, found in answer["workers"].items()])
        self.decided.set()

    def _fail(self, error: Exception) -> None:
        if not self.trouble:
            _LOGGER.warning("the Dask scheduler at %s does not answer: %s", self.address, reason_of(error))
        self.trouble = f"The Dask scheduler at {self.address} does not answer: {reason_of(error)}"
        self.decided.set()
        self._tell(None)

    async def close(self) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)


def _facts(address: str, found: dict[str, Any]) -> WorkerFacts:
    return WorkerFacts(
        address=address,
        name=worker_name(found.get("name"), address),
        host=str(found.get("host", "")) or "localhost",
        threads=int(found.get("nthreads") or 1),
        resources={str(name): float(value) for name, value in (found.get("resources") or {}).items()},
    )


def worker_name(name: object, address: str) -> str:
    """How its nodes are called; a worker without a name of its own has its address as name."""
    text = str(name)
    if not text or text == address or "://" in text:
        text = address.partition("://")[2]
    elif text.isdigit():
        text = f"worker-{text}"
    return re.sub(r"[^\w.]+", "-", text).strip("-")
