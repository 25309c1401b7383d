"""Bring a database to the newest schema.

A new file gets ``schema.sql``. An older one is first copied to a backup beside it; then it gets, in order and all in
one transaction, every ``NNN.sql`` of this folder whose number is above its ``PRAGMA user_version``. Whatever ends the
process meanwhile, the file is then either the old store or the new one. A change of ``schema.sql`` needs the next
number here, and a store of the version before to the tests.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from importlib import resources
from pathlib import Path

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError
from proactive_jupyter_kernel.scheduler.store.errors import StoreUnavailable
from proactive_jupyter_kernel.workflow.display.numbers import size_text

__all__ = ["VERSION", "backup_of", "migrate", "refuse_newer"]

_log = logging.getLogger(__name__)

#: The version of ``schema.sql``.
VERSION = 4

_STORE = "proactive_jupyter_kernel.scheduler.store"


def backup_of(path: Path, version: int) -> Path:
    """Where the copy of a store of that schema is kept before it is migrated."""
    return path.with_name(f"{path.name}.schema-{version}.bak")


def refuse_newer(path: Path, found: int) -> None:
    """Raise `EmbeddedSchedulerError` for a file of a newer version, with what to do."""
    if found <= VERSION:
        return
    backup = backup_of(path, VERSION)
    earlier = (
        f" The store as it was before that is in {backup}: to go back to it, move {path} away and rename the backup."
        if backup.exists()
        else ""
    )
    raise EmbeddedSchedulerError(
        f"{path} was written by a newer version of the embedded scheduler (schema {found}, this one knows {VERSION}).",
        hint="Update proactive-jupyter-kernel with `pip install --upgrade proactive-jupyter-kernel`, or choose another "
        f"folder with PROACTIVE_KERNEL_DATA_DIR. Nothing in the file was changed.{earlier}",
    )


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Create or update the tables; raises `EmbeddedSchedulerError` for a file of a newer version.

    Raises `StoreUnavailable` where the backup cannot be written; the file is then as it was.
    """
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    refuse_newer(path, found)
    if found == VERSION:
        return
    if found == 0:
        _apply(connection, [(resources.files(_STORE) / "schema.sql").read_text(encoding="utf-8")])
        return
    backup = _back_up(connection, path, found)
    folder = resources.files(_STORE) / "migrations"
    _apply(connection, [(folder / f"{each:03}.sql").read_text("utf-8") for each in range(found + 1, VERSION + 1)])
    _log.warning("migrated %s from schema %s to %s; the store as it was is in %s", path, found, VERSION, backup)


def _apply(connection: sqlite3.Connection, scripts: list[str]) -> None:
    try:
        connection.executescript(
            "BEGIN IMMEDIATE; " + ";\n".join(scripts) + f"; PRAGMA user_version = {VERSION}; COMMIT;"
        )
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _back_up(connection: sqlite3.Connection, path: Path, version: int) -> Path:
    """Copy the store, whole and with what is still in its write-ahead log. An earlier backup of it is replaced."""
    target = backup_of(path, version)
    part = target.with_name(target.name + ".part")
    try:
        part.unlink(missing_ok=True)
        handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with contextlib.closing(sqlite3.connect(part)) as copy:
                connection.backup(copy)
            os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(part, target)
    except (OSError, sqlite3.Error) as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        size = path.stat().st_size
        raise StoreUnavailable(
            f"{path} is of an earlier version (schema {version}), and no backup of it could be written to {target}: "
            f"{error}.",
            hint=f"Free {size_text(size)} there, and start again: the store is migrated once there is a backup.",
        ) from error
    return target
