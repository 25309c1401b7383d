"""How a node works."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from proactive_jupyter_kernel.scheduler.nodes.output import OutputLimits

__all__ = ["NodeSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """What the node's giver of work tells it first. Times are seconds, sizes bytes."""

    #: The folder of all nodes of the machine, and the name of this one in it.
    scratch: str = ""
    name: str = ""
    #: False: start every process anew, also where warm ones could be kept.
    warm: bool = True
    #: How long a warm interpreter beside the node's own lives without use, and the node itself; how many are kept.
    warm_idle: float = 300.0
    warm_most: int = 4
    #: How long a process that was asked to end may take before it is killed.
    grace: float = 2.0
    #: How long clean and selection scripts may take.
    side_limit: float = 300.0
    #: How long a clean script may take once its task was killed: the user wants the node back.
    killed_limit: float = 30.0
    #: How much memory warm Java machines may take together, without tasks; one is always kept. 0: no limit.
    resident_memory: int = 0
    #: How large result and variables of a task may be, as JSON.
    result_limit: int = 64 * 1024 * 1024
    #: How much memory an attempt's processes may use together, on Linux; 0: no limit.
    memory_limit: int = 0
    #: How often a task's progress file is looked at.
    progress_every: float = 0.5
    output: OutputLimits = field(default_factory=OutputLimits)
    #: Whether output is read in threads: where nothing else can.
    threads: bool = os.name != "posix"
    #: Whether the data spaces of attempts are folders that this node can reach.
    data_spaces: bool = False
    #: Whether the executor carries their files (``nodes/carried.py``).
    carried: bool = False
    #: How long it may work without leave from the scheduler (``nodes/lease.py``); 0: as long as its channel lasts.
    lease: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """As a frame carries it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> NodeSettings:
        """What `to_json` gave."""
        return cls(**{**found, "output": OutputLimits(**found["output"])})
