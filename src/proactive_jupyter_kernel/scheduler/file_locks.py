"""Locks on open files that hold between processes and end with theirs."""

from __future__ import annotations

import sys
from typing import IO, Any

__all__ = ["try_lock"]

if sys.platform == "win32":
    import msvcrt

    #: Beyond the content, which others must be able to read. `client.lock_file` looks there.
    _LOCK_AT = 1 << 30

    def try_lock(file: IO[Any]) -> bool:
        """Lock the file; False where somebody else has."""
        file.seek(_LOCK_AT)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def try_lock(file: IO[Any]) -> bool:
        """Lock the file; False where somebody else has."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
