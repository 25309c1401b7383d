"""Runs attempts on this machine, several at a time, each in a node, which is a separate process."""

from __future__ import annotations

import asyncio
import dataclasses
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from proactive_jupyter_kernel.scheduler.attempt import Slot
from proactive_jupyter_kernel.scheduler.executors.node_executor import NodeExecutor
from proactive_jupyter_kernel.scheduler.executors.nodes import LocalNodes
from proactive_jupyter_kernel.scheduler.nodes.scratch import clean_up
from proactive_jupyter_kernel.scheduler.nodes.settings import NodeSettings
from proactive_jupyter_kernel.scheduler.runtimes import registry
from proactive_jupyter_kernel.scheduler.settings import NodeSource

__all__ = ["LocalExecutor", "LocalSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSettings(NodeSettings):
    """How the local executor works, and each of its nodes. Times are seconds, sizes bytes."""

    slots: int = 4
    #: Node sources beside `DEFAULT_SOURCE`, which has `slots` nodes.
    sources: tuple[NodeSource, ...] = ()

    def of_nodes(self, scratch: Path) -> NodeSettings:
        """The settings of each node."""
        names = [field.name for field in dataclasses.fields(NodeSettings)]
        return NodeSettings(**{**{name: getattr(self, name) for name in names}, "scratch": str(scratch)})


class LocalExecutor(NodeExecutor):
    """The executor of one machine; see `Executor`. Make, `start` and use it in one event loop."""

    def __init__(self, scratch: Path, settings: LocalSettings | None = None) -> None:
        """`scratch`: a folder that belongs to this executor alone; what lies there is removed when it starts."""
        super().__init__()
        self._scratch = scratch.absolute()
        self._settings = settings or LocalSettings()
        self._slots = _slots(self._settings)
        self._nodes: LocalNodes | None = None

    @property
    def slots(self) -> tuple[Slot, ...]:
        return self._slots

    @property
    def troubles(self) -> tuple[str, ...]:
        return ()

    def watch_slots(self, changed: Callable[[], None]) -> None:
        """The slots of a machine stay what the settings say."""

    async def start(self) -> None:
        await asyncio.to_thread(clean_up, self._scratch)
        await asyncio.to_thread(registry.table)
        self._own_nodes().prepare()

    async def close(self) -> None:
        await self._stop_all()
        if self._nodes is not None:
            await self._nodes.close()

    def _nodes_of(self, slot: Slot) -> LocalNodes:
        return self._own_nodes()

    def _own_nodes(self) -> LocalNodes:
        if self._nodes is None:
            self._nodes = LocalNodes(self._scratch, self._settings.of_nodes(self._scratch))
        return self._nodes


def _slots(settings: LocalSettings) -> tuple[Slot, ...]:
    """Those without access tokens first, for any task may run there."""
    host = platform.node() or "localhost"
    slots = [Slot(name=f"local-{number}", host=host) for number in range(settings.slots)]
    for source in settings.sources:
        slots += [
            Slot(name=f"{source.name}-{number}", host=host, source=source.name, tokens=source.tokens)
            for number in range(source.nodes)
        ]
    return tuple(slots)
