"""The scheduler's end of the channel of a node on a worker: it gives leave to work, and knows when that is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from proactive_jupyter_kernel.scheduler.executors.working_node import WorkingNode
from proactive_jupyter_kernel.scheduler.nodes.frames import Frame
from proactive_jupyter_kernel.scheduler.nodes.lease import LONGEST
from proactive_jupyter_kernel.scheduler.raw_value import RawValue

__all__ = ["RemoteNode"]

#: Seconds that a node has, beyond its grace, to end a task for which it no longer has leave.
_MARGIN = 2.0


class RemoteNode(WorkingNode):
    """See `WorkingNode`; connected by `CommTransport`."""

    def __init__(self, name: str, *, lease: float, grace: float) -> None:
        super().__init__(name)
        #: Seconds after the last leave by which nothing of its work is left, whatever became of the node.
        self._patience = lease * LONGEST + grace + _MARGIN
        self._granted_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def take(self, frame: Frame) -> None:
        if frame["do"] != "renew":
            super().take(frame)
        elif frame["key"] == self.key and self._done is not None and not self._done.done():
            self._granted_at = asyncio.get_running_loop().time()
            self.send({"do": "granted", "key": frame["key"], "number": frame["number"]})

    async def work(
        self, frame: Mapping[str, Any], hear: Callable[[Frame], None], raw: Sequence[RawValue] = ()
    ) -> Frame:
        self._granted_at = asyncio.get_running_loop().time()
        self._watch()
        try:
            return await super().work(frame, hear, raw)
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def _watch(self) -> None:
        """End the channel when nothing was heard for longer than the node may work without leave."""
        left = self.seconds_left
        if left <= 0:
            self.close()
        else:
            self._timer = asyncio.get_running_loop().call_later(left + 0.01, self._watch)

    @property
    def seconds_left(self) -> float:
        """Until nothing can be left of its work, also where it is not known what became of it."""
        return self._granted_at + self._patience - asyncio.get_running_loop().time()
