"""The files by which an embedded scheduler is found, and by which a second one on the same data folder is refused.

The address file is in Jupyter's runtime folder, for this user alone; clients compute its name from the data folder.
It exists while the scheduler listens. The lock is in the data folder and ends with the process that holds it, so that
a crash leaves nothing to clean up. Its content repeats the address, so that a scheduler is found without the address
file. Whatever somebody removes or changes of both while the scheduler runs, `Holder.restore` writes again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError
from proactive_jupyter_kernel.scheduler import private_files
from proactive_jupyter_kernel.scheduler.file_locks import try_lock

__all__ = ["LOCK_FILE", "DataFolderInUse", "Holder", "address_file", "locked", "start_time"]

_log = logging.getLogger(__name__)

LOCK_FILE = "scheduler.lock"
#: Seconds during which a held lock is tried again: clients hold it for a moment to see whether it is free.
_LOCK_PATIENCE = 0.5


class DataFolderInUse(EmbeddedSchedulerError):
    """Another scheduler runs on this data folder."""


def address_file(data_dir: Path) -> Path:
    """Where the scheduler on `data_dir` writes its address."""
    from jupyter_core.paths import jupyter_runtime_dir

    digest = hashlib.sha256(str(data_dir.resolve()).encode("utf-8")).hexdigest()[:12]
    return Path(jupyter_runtime_dir()) / f"proactive-scheduler-{digest}.json"


def start_time(pid: int) -> str:
    """When a process started, as a text that no later process with the same id has.

    On Linux in clock ticks since the boot, which no change of the clock moves.
    """
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19]
    import psutil

    return f"{psutil.Process(pid).create_time():.2f}"


class Holder:
    """This process, which holds the lock of a data folder: what the lock file and the address file say about it."""

    def __init__(self, data_dir: Path, file: IO[str], folder: int | None) -> None:
        self._data_dir = data_dir
        self._path = data_dir / LOCK_FILE
        self._file = file
        self._folder = folder
        self._record: dict[str, Any] = {
            "pid": os.getpid(),
            "started": start_time(os.getpid()),
            "host": socket.gethostname(),
        }
        #: The content and, once written, the signature of each file.
        self._lock_content, self._lock_seen = "", (0, 0, 0)
        self._address_content, self._address_seen = "", (0, 0, 0)
        self._in_trouble = False
        self.tell("starting")

    def tell(self, state: str, address: Mapping[str, object] | None = None) -> None:
        """Write to the lock file that the scheduler is ``starting``, ``running`` or ``stopping``, and its address."""
        self._lock_content = json.dumps({**self._record, "state": state, "address": address})
        self._write_lock()

    @contextlib.contextmanager
    def published(self, address: Mapping[str, object]) -> Iterator[Path]:
        """Write the address file, whole and for this user alone, and remove it at the end if it is still ours."""
        path = address_file(self._data_dir)
        self._address_content = json.dumps(address)
        self.tell("running", address)
        self._write_address(path)
        try:
            yield path
        finally:
            content, self._address_content = self._address_content, ""
            with contextlib.suppress(OSError):
                self.tell("stopping")
            with contextlib.suppress(OSError, ValueError):
                if path.read_text(encoding="utf-8") == content:
                    path.unlink()

    def restore(self) -> None:
        """Write the lock file and the address file again if somebody removed or changed them."""
        try:
            if _signature(self._path) != self._lock_seen:
                self._restore_lock()
            if self._address_content:
                path = address_file(self._data_dir)
                if _signature(path) != self._address_seen:
                    self._write_address(path)
                    _log.warning("wrote the address file %s again: it was missing or changed", path)
            self._in_trouble = False
        except OSError as error:
            if not self._in_trouble:
                self._in_trouble = True
                _log.error("the files by which clients find the scheduler cannot be written again: %s", error)

    def close(self) -> None:
        """Release the lock. The file is emptied, not removed: others may be about to lock it."""
        with contextlib.suppress(OSError):
            self._file.seek(0)
            self._file.truncate()
        self._file.close()
        if self._folder is not None:
            os.close(self._folder)

    def _write_lock(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._file.write(self._lock_content)
        self._file.flush()
        self._lock_seen = _signature(self._path)

    def _restore_lock(self) -> None:
        if not _same(self._file.fileno(), self._path):
            # In a folder that was moved or replaced nothing is written: it belongs to somebody else.
            if self._folder is None or not _same(self._folder, self._data_dir):
                return
            file = _opened(self._path)
            if not try_lock(file):
                file.close()
                return
            self._file.close()
            self._file = file
        self._write_lock()
        _log.warning("wrote the lock file %s again: it was missing or changed", self._path)

    def _write_address(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        private_files.write(path, self._address_content)
        self._address_seen = _signature(path)


@contextlib.contextmanager
def locked(data_dir: Path) -> Iterator[Holder]:
    """Hold the data folder's lock; raises `DataFolderInUse`, which names the holder's process.

    Where the system can, the folder itself is locked as well: removing the lock file does not make room for a
    second scheduler.
    """
    file = _opened(data_dir / LOCK_FILE)
    folder = _open_folder(data_dir)
    try:
        if not _patiently_locked(file, folder):
            raise _in_use(data_dir, file)
        holder = Holder(data_dir, file, folder)
    except BaseException:
        file.close()
        if folder is not None:
            os.close(folder)
        raise
    try:
        yield holder
    finally:
        holder.close()


def _in_use(data_dir: Path, file: IO[str]) -> DataFolderInUse:
    try:
        file.seek(0)
        found = json.loads(file.read())
        process = f"process {found['pid']}"
        if found["host"] != socket.gethostname():
            process += f" on {found['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        process = "process unknown"
    return DataFolderInUse(
        f"Another embedded scheduler ({process}) runs on the data folder {data_dir}.",
        hint="Use that one, stop it with `proactive-kernel scheduler stop`, or choose another folder with "
        "--data-dir or PROACTIVE_KERNEL_DATA_DIR.",
    )


def _opened(path: Path) -> IO[str]:
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8", errors="replace")
    if sys.platform != "win32":
        # It has the token.
        os.fchmod(file.fileno(), 0o600)
    return file


def _patiently_locked(file: IO[str], folder: int | None) -> bool:
    deadline = time.monotonic() + _LOCK_PATIENCE
    while not (try_lock(file) and _try_lock_folder(folder)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _signature(path: Path) -> tuple[int, int, int]:
    """What changes when somebody writes or replaces a file; zeros for one that is not there."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0
    return found.st_ino, found.st_size, found.st_mtime_ns


def _same(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False


if sys.platform == "win32":

    def _open_folder(data_dir: Path) -> int | None:
        """None: Windows does not remove a file that is open, so that the lock file is enough."""
        return None

    def _try_lock_folder(handle: int | None) -> bool:
        return True

else:
    import fcntl

    def _open_folder(data_dir: Path) -> int | None:
        return os.open(data_dir, os.O_RDONLY)

    def _try_lock_folder(handle: int | None) -> bool:
        assert handle is not None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            # Such as on NFS, which has locks for files alone.
            return True
        return True
