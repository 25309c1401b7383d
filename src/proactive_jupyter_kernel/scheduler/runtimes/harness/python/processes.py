"""What a warm process needs of the system: children, descendants, signals, and Linux' ways to lose no process."""

from __future__ import annotations

import contextlib
import errno
import os
import sys

TYPE_CHECKING = False  # importing `typing` would take longer than a small task
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = [
    "SHORTAGES",
    "become_subreaper",
    "children",
    "descendants",
    "ended",
    "has_children",
    "reap",
    "reap_ended",
    "signal_group",
    "signal_one",
    "tree",
]

#: What the system says where it has no room for another process or file now, and may have some later.
SHORTAGES = frozenset((errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE))
#: Of ``linux/prctl.h``.
_SET_CHILD_SUBREAPER = 36
#: Bytes in which the system counts memory.
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024

_prctl: Any = None
try:
    import ctypes

    _prctl = ctypes.CDLL(None).prctl
except (ImportError, OSError, AttributeError):
    pass  # another system, or a Python built without ctypes


def become_subreaper() -> bool:
    """Let orphans among the descendants become children of this process; False where the system cannot."""
    return _prctl is not None and os.path.isdir("/proc/self") and _prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def ended() -> Iterator[tuple[int, int, int]]:
    """The children that have ended, each once, with its status and its peak memory in bytes."""
    while True:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, status, usage.ru_maxrss * _PEAK_UNIT


def reap_ended(child: int) -> tuple[Any, bool]:
    """Reap the children that have ended. The status and the peak memory in bytes of one of them, None if it was not
    among them; and whether no child is left."""
    found = None
    while True:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return found, True
        if pid == 0:
            return found, False
        if pid == child:
            found = (status, usage.ru_maxrss * _PEAK_UNIT)


def has_children() -> bool:
    """Whether there is any child, without looking at all processes."""
    if not hasattr(os, "waitid"):
        return True
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def tree() -> dict[int, list[int]]:
    """Process id -> its children, of the whole machine; empty where there is no ``/proc``."""
    found: dict[int, list[int]] = {}
    try:
        names = os.listdir("/proc")
    except OSError:
        return found
    for name in names:
        if name.isdigit():
            parent = _parent(name)
            if parent is not None:
                found.setdefault(parent, []).append(int(name))
    return found


def _parent(name: str) -> int | None:
    try:
        descriptor = os.open(f"/proc/{name}/stat", os.O_RDONLY)
        try:
            # The name in brackets may hold anything; what follows the last bracket is state and parent.
            return int(os.read(descriptor, 512).rpartition(b")")[2].split(None, 2)[1])
        finally:
            os.close(descriptor)
    except (OSError, ValueError, IndexError):
        return None


def children(pid: int) -> list[int]:
    """The children of a process, those that only wait to be reaped included; on Linux at the cost of one small file."""
    if not _lists_children():
        return tree().get(pid, [])
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                found += map(int, file.read().split())
    except OSError:
        pass  # it has ended meanwhile
    return found


def _lists_children() -> bool:
    """Whether the system has that file, which a kernel may be built without."""
    global _listing
    if _listing is None:
        _listing = os.path.exists(f"/proc/self/task/{os.getpid()}/children")
    return bool(_listing)


_listing: Any = None


def descendants(pid: int) -> list[int]:
    """Children of children, the deepest last."""
    known = None if _lists_children() else tree()
    found: list[int] = []
    todo = [pid]
    while todo:
        todo = [child for parent in todo for child in (children(parent) if known is None else known.get(parent, ()))]
        found += todo
    return found


def reap(pid: int) -> bool:
    """Wait for a child that has ended; whether it had, or is none."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] != 0
    except OSError:
        return True


def signal_group(pid: int, number: int) -> None:
    """Signal the session that a child heads, or the child, where it has not come that far."""
    try:
        os.killpg(pid, number)
    except OSError:
        signal_one(pid, number)


def signal_one(pid: int, number: int) -> None:
    """Signal a process that may be gone."""
    with contextlib.suppress(OSError):
        os.kill(pid, number)
