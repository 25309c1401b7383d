"""What is known of the nodes, at one moment; the page makes words of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.engine.waiting import WaitingTasks
from proactive_jupyter_kernel.scheduler.monitoring.slot_use import BusyMinute
from proactive_jupyter_kernel.scheduler.service.nodes import NodeRecord

__all__ = ["HostFacts", "NodeFacts", "NodesFacts"]

Holder = tuple[JobRecord, TaskRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """The machine that the scheduler runs on."""

    name: str
    #: ``Linux``.
    system: str
    cores: int
    #: Share of the processor's time, 0 to 1.
    cpu: float
    #: Bytes.
    memory: int
    memory_used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """A slot as it is, and the job and task that hold it."""

    record: NodeRecord
    holder: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodesFacts:
    """All that the page shows, at one moment."""

    #: Those that are gone last, as `NodeHistory.look` gives them.
    nodes: Sequence[NodeFacts]
    minutes: Sequence[BusyMinute]
    waiting: Sequence[WaitingTasks]
    #: Whether `waiting` has all tasks that wait.
    all_waiting: bool
    host: HostFacts
    #: The status of the scheduler, ``STARTED``.
    status: str
    #: Milliseconds since the epoch.
    now: int
    zone: tzinfo | None = None
