"""A piece of work of an executor: from the moment a node is looked for until nothing is left of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from proactive_jupyter_kernel.scheduler.attempt import Attempt, Failure, FailureKind
from proactive_jupyter_kernel.scheduler.executors.working_node import WorkingNode
from proactive_jupyter_kernel.scheduler.runtimes.stage import failure, killed, walltime_reached

__all__ = ["Nodes", "Work"]

#: A task that still runs so many seconds after its walltime makes the scheduler ask its node for an answer, and again
#: after as many.
_LATE = 15.0
#: Seconds between two looks whether a pause was broken off.
_LOOK = 0.2


class Nodes(Protocol):
    """Nodes that are alike, such as those of one machine. At most one piece of work is given to each."""

    async def take(self, given_up: Callable[[], bool]) -> WorkingNode | None:
        """A node without work, waiting for one while there is no room for more; None: it was given up.

        Raises `NodeLost` if no node is left.
        """

    def put(self, node: WorkingNode) -> None:
        """Its work is done."""

    async def check(self, node: WorkingNode) -> None:
        """Kill a node that does not answer, because it was stopped or hangs."""

    async def clean_up_after(self, node: WorkingNode, keys: tuple[str, ...]) -> None:
        """Wait until nothing is left of a node that died, and of the work that it had."""


class Work:
    """Something that a node does, or will do."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.node: WorkingNode | None = None
        self.stopped: FailureKind | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._nodes: Nodes | None = None
        self._late: asyncio.TimerHandle | None = None
        #: Whether its node was asked for an answer because it should have ended.
        self._is_late = False
        self._checks: set[asyncio.Task[None]] = set()

    def given_to(self, node: WorkingNode, nodes: Nodes, limit: float | None) -> None:
        """A node does it, and ends it after `limit` seconds."""
        self.node, self._nodes = node, nodes
        if limit is not None:
            self._look_in(limit + _LATE)

    def taken_back(self) -> None:
        """No node does it now."""
        self.node = None
        if self._late is not None:
            self._late.cancel()

    def lost(self, attempt: Attempt) -> Failure:
        """Why it ended with its node."""
        if self.stopped is FailureKind.KILLED:
            return killed()
        if self._is_late and attempt.walltime is not None:
            return walltime_reached(attempt.task_name, attempt.walltime)
        return node_died()

    def _look_in(self, seconds: float) -> None:
        self._late = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        self._is_late = True
        self._check()
        self._look_in(_LATE)

    def _check(self) -> None:
        """A node that was stopped, or hangs, would never end what it does."""
        if self.node is not None and self._nodes is not None:
            check = asyncio.get_running_loop().create_task(self._nodes.check(self.node))
            self._checks.add(check)
            check.add_done_callback(self._checks.discard)

    async def wait(self, seconds: float) -> None:
        """Wait that long, or until it is stopped."""
        end = time.monotonic() + seconds
        while self.stopped is None and (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(left, _LOOK))

    def stop(self, kind: FailureKind) -> None:
        """Have it end soon, for that reason."""
        if self.stopped is None or kind is FailureKind.LOST:
            self.stopped = self.stopped or kind
            if self.node is not None:
                self.node.send({"do": "stop", "key": self.key, "kind": kind.value})
                self._check()


def node_died() -> Failure:
    """The failure of a task whose node died while it ran."""
    return failure(
        FailureKind.LOST, "The node that ran the task has died. The task runs again, unless that happened too often"
    )
