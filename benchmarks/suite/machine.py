"""What a run was made on."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

__all__ = ["Machine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The facts that a reader needs to compare figures; nothing that names the machine."""

    when: str
    revision: str
    system: str
    python: str
    cores: int
    processor: str
    memory_gb: int
    #: Average number of running processes in the minute before the run.
    load: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def here(cls) -> Machine:
        return cls(
            when=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            revision=_revision(),
            system=_system(),
            python=f"{platform.python_implementation()} {platform.python_version()}",
            cores=_cores(),
            processor=_processor(),
            memory_gb=round(psutil.virtual_memory().total / 2**30),
            load=round(os.getloadavg()[0], 2),
        )


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _revision() -> str:
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return git.stdout.strip() or "unknown"


def _system() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        name = platform.system()
    return f"{name}, {platform.system()} {'.'.join(platform.release().split('.')[:2])}"


def _processor() -> str:
    """The model where the system tells it; on a virtual machine it may be a family only."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name"))
    return next(names, platform.machine())
