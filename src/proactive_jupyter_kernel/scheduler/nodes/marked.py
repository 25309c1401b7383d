"""Finds and kills orphaned processes by a variable in their environment."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable

import psutil

__all__ = ["COOKIE", "kill_marked", "kill_tree"]

#: Names the attempt in the environment of all its processes.
COOKIE = "PROACTIVE_TASK_COOKIE"
#: The end of killed processes is awaited this many seconds.
_PATIENCE = 1.0
#: Seconds; younger processes may have no environment yet.
_YOUNG = 5.0


def kill_tree(pid: int, created: float | None = None) -> None:
    """Kill a process and all its descendants; `created` guards against another process that got its number."""
    try:
        process = psutil.Process(pid)
        if created is not None and abs(process.create_time() - created) > 1:
            return
        everyone = [*process.children(recursive=True), process]
    except psutil.Error:
        return
    _kill(everyone)


def kill_marked(cookies: Iterable[str]) -> int:
    """Kill every process of this user whose environment has a cookie that starts with one of these, until there is
    none; their number."""
    wanted = set(cookies)
    killed: set[int] = set()
    deadline = time.monotonic() + _PATIENCE
    while wanted and time.monotonic() < deadline:
        found, is_sure = _marked(wanted)
        _kill(found)
        killed.update(process.pid for process in found)
        if not found and is_sure:
            break
        time.sleep(0.01)
    return len(killed)


def _marked(cookies: set[str]) -> tuple[list[psutil.Process], bool]:
    """The processes that live and have one of the cookies; whether no other may turn out to have one."""
    found, is_sure = [], True
    for pid in psutil.pids():
        try:
            environment = _environment(pid)
            if environment is None:
                continue
            if any(f"{COOKIE}={cookie}".encode() in environment for cookie in cookies):
                process = psutil.Process(pid)
                if process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            elif not environment:
                is_sure = is_sure and not _is_young(psutil.Process(pid))
        except (psutil.Error, OSError):
            continue  # ended meanwhile, or another user's
    return found, is_sure


def _environment(pid: int) -> bytes | None:
    """The environment that a process was started with; None if it cannot be read."""
    if not os.path.isdir("/proc/self"):
        return "\0".join(f"{name}={value}" for name, value in psutil.Process(pid).environ().items()).encode()
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:  # psutil takes ten times as long
            return file.read()
    except PermissionError:
        return None


def _is_young(process: psutil.Process) -> bool:
    """Whether it may have no environment for the moment only, because it executes a program just now."""
    return process.status() != psutil.STATUS_ZOMBIE and time.time() - process.create_time() < _YOUNG


def _kill(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
