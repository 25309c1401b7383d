"""What a node has besides the attempt that it runs: its loop, the environment, and whatever starts processes for it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from proactive_jupyter_kernel.scheduler.nodes.loop import Loop
from proactive_jupyter_kernel.scheduler.nodes.memory_kill import MemoryWatch
from proactive_jupyter_kernel.scheduler.nodes.processes import Spawner
from proactive_jupyter_kernel.scheduler.nodes.residents import Residents
from proactive_jupyter_kernel.scheduler.nodes.settings import NodeSettings
from proactive_jupyter_kernel.scheduler.nodes.template import can_fork
from proactive_jupyter_kernel.scheduler.nodes.templates import Templates

__all__ = ["NodeParts", "memory_report"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeParts:
    """What all runs of one node share."""

    settings: NodeSettings
    loop: Loop
    #: The environment of the node.
    base: Mapping[str, str]
    spawner: Spawner
    #: None: every process is started anew.
    templates: Templates | None
    #: Where Python stages write their report, without a file; empty where the system cannot.
    report: str
    #: None: no process runs more than one script.
    residents: Residents | None = None
    memory: MemoryWatch = field(default_factory=MemoryWatch)

    def waiting_pids(self) -> list[int]:
        """The processes of the node that wait for stages."""
        templates = self.templates.waiting_pids if self.templates else []
        return templates + (self.residents.idle_pids if self.residents else [])

    def forks(self, changes: Mapping[str, str]) -> bool:
        """Whether a Python process whose environment is changed like this may come from a template."""
        return self.templates is not None and can_fork(self.base, changes)


def memory_report() -> tuple[int, str]:
    """A file in memory for reports, and the path at which processes write to it; -1 and nothing where there is none."""
    if hasattr(os, "memfd_create"):
        try:
            descriptor = os.memfd_create("report")
        except OSError:
            return -1, ""
        path = f"/proc/{os.getpid()}/fd/{descriptor}"
        if os.path.exists(path):
            return descriptor, path
        os.close(descriptor)
    return -1, ""
