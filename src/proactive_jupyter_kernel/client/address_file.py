"""The address file of the embedded scheduler of a data folder, and whether its process is alive.

While a scheduler listens, a file in Jupyter's runtime folder, which only the user can read, has its address and token.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.client import lock_file
from proactive_jupyter_kernel.client.config import data_dir
from proactive_jupyter_kernel.client.login import Credentials
from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.client.transport import HttpTransport
from proactive_jupyter_kernel.errors import SchedulerError

__all__ = [
    "PROBE_TIMEOUT",
    "Address",
    "address_file",
    "answers",
    "answers_in_time",
    "data_dir",
    "find",
    "is_alive",
    "parsed",
    "read",
]

#: Seconds within which a process on this machine answers, and how often one that is busy is asked again.
PROBE_TIMEOUT = 5.0
_BUSY_PROBES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The content of an address file: where an embedded scheduler listens, and its token."""

    url: str
    token: Secret
    pid: int
    version: str
    data_dir: str
    user: str
    #: What its user should know about how it started.
    notices: tuple[str, ...] = ()
    #: Why nodes were missing when it started; what is so now is in its ``/status``.
    troubles: tuple[str, ...] = ()
    #: What runs its tasks, as the option ``--executor`` names it.
    executor: str = "local"

    @property
    def credentials(self) -> Credentials:
        """The credentials for the scheduler."""
        return Credentials(login=self.user, password=self.token)


def address_file(folder: Path) -> Path:
    """Where the scheduler on this data folder writes its address."""
    from jupyter_core.paths import jupyter_runtime_dir

    digest = hashlib.sha256(str(folder.resolve()).encode("utf-8")).hexdigest()[:12]
    return Path(jupyter_runtime_dir()) / f"proactive-scheduler-{digest}.json"


def find(folder: Path | None = None) -> Address | None:
    """The scheduler of a data folder that runs and answers, None if there is none.

    Removes the stale address file of a dead one. The lock file comes first, since its holder is known to be alive; the
    address file may be lost or belong to another process.
    """
    chosen = folder or data_dir()
    held = lock_file.holder(chosen)
    kept = parsed(held.address) if held is not None else None
    if kept is not None and answers_in_time(kept):
        return kept
    path = address_file(chosen)
    address = read(path)
    if address is None or address == kept:
        return None
    if not is_alive(address.pid):
        # Only the file that was read: a new scheduler may have put its own there in the meantime.
        if read(path) == address:
            path.unlink(missing_ok=True)
        return None
    return address if answers_in_time(address) else None


def is_alive(pid: int) -> bool:
    """Whether a process with this id exists and is not a zombie."""
    return not lock_file.has_ended(pid)


def read(path: Path) -> Address | None:
    """The address in a file; None if there is no valid file."""
    try:
        return parsed(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def parsed(data: Any) -> Address | None:
    """The address that a scheduler wrote; None for anything else."""
    try:
        return Address(
            url=str(data["url"]),
            token=Secret(str(data["token"])),
            pid=int(data["pid"]),
            version=str(data["version"]),
            data_dir=str(data["data_dir"]),
            user=str(data["user"]),
            notices=tuple(map(str, data.get("notices", ()))),
            troubles=tuple(map(str, data.get("troubles", ()))),
            executor=str(data.get("executor", "local")),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def answers_in_time(address: Address) -> bool:
    """Whether a scheduler answers there; one whose process uses the processor meanwhile is busy, and is asked again."""
    for _ in range(_BUSY_PROBES):
        before = _processor_time(address.pid)
        if answers(address):
            return True
        after = _processor_time(address.pid)
        if before is None or after is None or after - before < PROBE_TIMEOUT / 10:
            return False
    return False


def _processor_time(pid: int) -> float | None:
    """Seconds of processor time that a process has used; None if it is gone."""
    import psutil

    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return None
    return float(times.user + times.system)


def answers(address: Address) -> bool:
    """Whether a scheduler answers there."""
    transport = HttpTransport(address.url, timeout=PROBE_TIMEOUT)
    try:
        return transport.request("GET", "/scheduler/version").status == 200
    except SchedulerError:
        return False
    finally:
        transport.close()
