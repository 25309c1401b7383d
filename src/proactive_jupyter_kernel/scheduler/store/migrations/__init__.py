"""Bring a database to the newest schema.

A new file gets ``schema.sql``. An older one gets, in order and each in a transaction of its own, every ``NNN.sql`` of
this folder whose number is above its ``PRAGMA user_version``; whoever changes ``schema.sql`` adds the next number here.
"""

from __future__ import annotations

import sqlite3
from importlib import resources
from pathlib import Path

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError

__all__ = ["VERSION", "migrate"]

#: The version of ``schema.sql``.
VERSION = 3

_STORE = "proactive_jupyter_kernel.scheduler.store"


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Create or update the tables; raises `EmbeddedSchedulerError` for a file of a newer version."""
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > VERSION:
        raise EmbeddedSchedulerError(
            f"{path} was written by a newer version of the embedded scheduler (schema {found}, this one knows "
            f"{VERSION}).",
            hint="Update proactive-jupyter-kernel, or choose another folder with PROACTIVE_KERNEL_DATA_DIR.",
        )
    if found == 0:
        _apply(connection, (resources.files(_STORE) / "schema.sql").read_text(encoding="utf-8"), VERSION)
        return
    for version in range(found + 1, VERSION + 1):
        script = resources.files(_STORE) / "migrations" / f"{version:03}.sql"
        _apply(connection, script.read_text(encoding="utf-8"), version)


def _apply(connection: sqlite3.Connection, script: str, version: int) -> None:
    try:
        connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {version}; COMMIT;")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
