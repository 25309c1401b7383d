"""Errors of SQLite in words, with what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError
from proactive_jupyter_kernel.scheduler.store import codec
from proactive_jupyter_kernel.scheduler.store.errors import DamagedStore, StoreUnavailable

__all__ = ["translated"]


def translated(error: sqlite3.Error | codec.Damaged, path: Path, verb: str) -> EmbeddedSchedulerError:
    """The error to raise; `verb` is what cannot be done with the file: ``opened``, ``read`` or ``written``."""
    # SQLite has no error code for bytes that are not UTF-8.
    code = getattr(error, "sqlite_errorname", "SQLITE_CORRUPT")
    if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        if verb == "opened":
            return DamagedStore(
                f"{path} is not a readable database of the embedded scheduler: {error}.",
                hint="Move the file away and start again; jobs, results and logs in it are then out of reach.",
            )
        return DamagedStore(
            f"{path} is damaged, and a part of it that is needed here cannot be {verb}: {error}.",
            hint="Jobs that can still be read are whole: save what you need of them. Then stop the scheduler if it "
            "runs, move the file away and start again; jobs, results and logs in it are then out of reach.",
        )
    remedies = {
        "SQLITE_BUSY": "Another program has locked it, such as a `sqlite3` shell: end that program's transaction. The "
        "scheduler then continues by itself.",
        "SQLITE_FULL": f"The disk of {path.parent} is full: free some space there.",
        "SQLITE_READONLY": f"{path.parent} is read-only: make it writable, or choose another folder with "
        "PROACTIVE_KERNEL_DATA_DIR.",
        "SQLITE_CANTOPEN": f"Check that {path.parent} exists and may be written, or choose another folder with "
        "PROACTIVE_KERNEL_DATA_DIR.",
        "SQLITE_IOERR": f"Check the disk of {path.parent}: is it full, over quota, or gone?",
    }
    hint = next((remedy for prefix, remedy in remedies.items() if code.startswith(prefix)), "")
    return StoreUnavailable(f"{path} cannot be {verb}: {error}.", hint=hint)
