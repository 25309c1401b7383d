"""The names of node sources, hosts and access tokens, for completion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.pragmas.memory.background_listing import BackgroundListing

if TYPE_CHECKING:
    from proactive_jupyter_kernel.client.connection import Connection
    from proactive_jupyter_kernel.client.scheduler import Scheduler

__all__ = ["ResourceListing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceNames:
    """The names at one moment."""

    node_sources: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()


class ResourceListing(BackgroundListing[ResourceNames]):
    """What a job can ask for."""

    def __init__(self, connection: Callable[[], Connection | None]) -> None:
        super().__init__(connection, _names, ResourceNames())


def _names(scheduler: Scheduler) -> ResourceNames:
    return ResourceNames(
        node_sources=tuple(scheduler.node_sources()), hosts=tuple(scheduler.hosts()), tokens=tuple(scheduler.tokens())
    )
