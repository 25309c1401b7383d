"""Whether the disk of a node is full, which is the node's failure and not that of the task on it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

__all__ = ["NoSpace", "is_full"]

#: What the system says then.
_FULL = frozenset((errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)))
#: Bytes; a disk with less is as good as full.
_LEAST = 64 * 1024


class NoSpace(Exception):
    """There is no space left. The text is a finished message."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"There is no space left on the node, where its tasks have their folders ({folder.parent}). Make "
            "room there; the task runs again, unless that happened too often"
        )

    @classmethod
    def check(cls, error: OSError, folder: Path) -> None:
        """Raise it where this is what `error` says."""
        if error.errno in _FULL:
            raise cls(folder) from error


def is_full(folder: Path) -> bool:
    """Whether nothing more can be written there."""
    if not hasattr(os, "statvfs"):
        import shutil

        try:
            return shutil.disk_usage(folder).free < _LEAST
        except OSError:
            return False
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    # Some file systems make files as long as there is space, and count none.
    return found.f_bavail * found.f_frsize < _LEAST or (found.f_files > 0 and found.f_favail == 0)
