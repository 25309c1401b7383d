"""The files by which an embedded scheduler is found, and by which a second one on the same data folder is refused.

The address file lies in Jupyter's runtime folder, for this user alone; clients compute its name from the data folder.
It is there while the scheduler listens. The lock lies in the data folder and ends with the process that holds it, so
that a crash leaves nothing to clean up.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError
from proactive_jupyter_kernel.scheduler import private_files

__all__ = ["DataFolderInUse", "address_file", "locked", "published"]


class DataFolderInUse(EmbeddedSchedulerError):
    """Another scheduler runs on this data folder."""


def address_file(data_dir: Path) -> Path:
    """Where the scheduler on `data_dir` writes its address."""
    from jupyter_core.paths import jupyter_runtime_dir

    digest = hashlib.sha256(str(data_dir.resolve()).encode("utf-8")).hexdigest()[:12]
    return Path(jupyter_runtime_dir()) / f"proactive-scheduler-{digest}.json"


@contextlib.contextmanager
def published(data_dir: Path, address: dict[str, object]) -> Iterator[Path]:
    """Write the address file, whole and for this user alone, and remove it at the end if it is still ours."""
    path = address_file(data_dir)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = json.dumps(address)
    private_files.write(path, content)
    try:
        yield path
    finally:
        with contextlib.suppress(OSError):
            if path.read_text(encoding="utf-8") == content:
                path.unlink()


@contextlib.contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Hold the data folder's lock; raises `DataFolderInUse`, which names the holder's process."""
    path = data_dir / "scheduler.lock"
    with path.open("a+", encoding="ascii") as file:
        if not _try_lock(file):
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise DataFolderInUse(
                f"Another embedded scheduler (process {holder}) runs on the data folder {data_dir}.",
                hint="Use that one, stop it with `proactive-kernel scheduler stop`, or choose another folder with "
                "--data-dir or PROACTIVE_KERNEL_DATA_DIR.",
            )
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            # Emptied, not removed: a file that another process may be about to lock must stay the same one.
            file.seek(0)
            file.truncate()


if sys.platform == "win32":
    import msvcrt

    #: Beyond the content, which others must be able to read.
    _LOCK_AT = 1024

    def _try_lock(file: IO[str]) -> bool:
        file.seek(_LOCK_AT)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: IO[str]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
