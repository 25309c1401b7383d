"""The lock of a data folder: which process runs the embedded scheduler there, also if its address file is lost.

The scheduler holds the lock as long as its process lives. The content of the lock file tells the process, with its
start time, since the system gives the ids of ended processes to others. Where the content is lost as well, Linux tells
the process that holds the lock.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["LOCK_FILE", "Holder", "has_ended", "holder", "is_held", "is_suspended", "unresponsive"]

LOCK_FILE = "scheduler.lock"
#: Seconds that the end of a process may take, and between two looks at it.
_ENDING, _LOOK_EVERY = 2.0, 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds the lock of a data folder."""

    #: None: on another machine, or hidden in a container.
    pid: int | None
    #: ``starting``, ``running`` or ``stopping``; empty if the lock file does not tell.
    state: str = ""
    #: The name of the machine, where the process is not on this one.
    host: str = ""
    #: The content of the address file, while it runs.
    address: dict[str, Any] | None = None


def holder(folder: Path) -> Holder | None:
    """The process that runs the scheduler of a data folder; None if the lock is free."""
    deadline = time.monotonic() + _ENDING
    while True:
        found = _holder(folder)
        if found is None or found.pid is not None or found.host != socket.gethostname():
            return found
        # A process that ends holds the lock a moment longer than it can be seen.
        if time.monotonic() > deadline:
            return found
        time.sleep(_LOOK_EVERY)


def _holder(folder: Path) -> Holder | None:
    path = folder / LOCK_FILE
    found = _content(path)
    if found is not None and _start_time(found["pid"]) == found["started"] and not has_ended(found["pid"]):
        return Holder(pid=found["pid"], state=found["state"], address=found["address"])
    if not is_held(path):
        return None
    pid = _pid_by_system(path)
    if pid is None and found is not None:
        return Holder(pid=None, host=found["host"])
    return Holder(pid=pid)


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or a zombie that its parent has not reaped."""
    import psutil

    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False


def is_suspended(pid: int) -> bool:
    """Whether a process was stopped by a signal (``kill -STOP``, Ctrl+Z)."""
    import psutil

    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False


def unresponsive(folder: Path, held: Holder) -> tuple[str, str]:
    """A message and a hint for a holder of the folder that does not answer."""
    other = "or choose another data folder with PROACTIVE_KERNEL_DATA_DIR."
    if held.pid is None:
        where = f"on the machine {held.host}" if held.host else "on another machine or in a container"
        return (
            f"An embedded scheduler uses the data folder {folder}, but its process is not visible here. It may run "
            f"{where}.",
            f"Stop it there with `proactive-kernel scheduler stop`, {other}",
        )
    who = f"The embedded scheduler on {folder} (process {held.pid})"
    if is_suspended(held.pid):
        return (
            f"{who} is suspended.",
            f"`kill -CONT {held.pid}` resumes it. `proactive-kernel scheduler stop` ends it; its jobs are kept.",
        )
    if held.state in ("starting", "stopping"):
        return (
            f"{who} is {held.state}, and does not answer.",
            "Wait a moment. If it takes longer, `proactive-kernel scheduler stop` ends it; its jobs are kept.",
        )
    return (
        f"{who} does not answer.",
        "It may be busy: try again. `proactive-kernel scheduler stop` ends it; its jobs are kept and continue when it "
        "is started again.",
    )


def _content(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        address = found["address"]
        return {
            "pid": int(found["pid"]),
            "started": str(found["started"]),
            "host": str(found["host"]),
            "state": str(found["state"]),
            "address": dict(address) if address is not None else None,
        }
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _start_time(pid: int) -> str:
    """As the scheduler writes it (`scheduler.daemon.address.start_time`); empty for a process that is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19]
    import psutil

    try:
        return f"{psutil.Process(pid).create_time():.2f}"
    except psutil.Error:
        return ""


def _pid_by_system(path: Path) -> int | None:
    """Which process holds the lock, as Linux lists it: lines of ``1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF``."""
    places = {os.path.realpath(path), os.path.realpath(path.parent)}
    inodes = set()
    for place in places:
        with contextlib.suppress(OSError):
            inodes.add(str(os.stat(place).st_ino))
    try:
        with open("/proc/locks", encoding="ascii") as file:
            lines = [line.split() for line in file]
    except OSError:
        return None
    pids = {words[4] for words in lines if len(words) > 5 and words[5].rpartition(":")[2] in inodes}
    for pid in pids:
        # The number of a file is unique on one disk only.
        with contextlib.suppress(OSError, ValueError):
            folder = f"/proc/{int(pid)}/fd"
            if any(_target(f"{folder}/{name}") in places for name in os.listdir(folder)):
                return int(pid)
    return None


def _target(link: str) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""


if sys.platform == "win32":
    import msvcrt

    def is_held(path: Path) -> bool:
        """Whether a process holds the lock."""
        try:
            with path.open("r+b") as file:
                file.seek(1 << 30)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
                file.seek(1 << 30)
                msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return False

else:
    import fcntl

    def is_held(path: Path) -> bool:
        """Whether a process holds the lock. Takes it for a moment; a scheduler that starts just then tries again."""
        return _is_locked(path) or _is_locked(path.parent)

    def _is_locked(path: Path) -> bool:
        try:
            handle = os.open(path, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            os.close(handle)
        return False
