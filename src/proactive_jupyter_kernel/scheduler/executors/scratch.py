"""The folders of attempts, and the journal by which a successor finds what a crashed scheduler has left.

``scratch/<key>/`` holds ``local`` (the task's working folder), ``control`` (requests, reports, scripts) and, from the
first to the last moment, ``attempt.json`` with the cookie and the processes that were started.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from proactive_jupyter_kernel.scheduler.executors.processes import kill_marked, kill_tree

__all__ = ["Scratch", "clean_up"]

_JOURNAL = "attempt.json"
_LOGGER = logging.getLogger(__name__)


class Scratch:
    """The folder of one attempt. Every method may block."""

    def __init__(self, root: Path, key: str) -> None:
        self.folder = root / key
        #: The task's local space.
        self.local = self.folder / "local"
        self._control = self.folder / "control"
        self.cookie = secrets.token_hex(16)
        self._processes: list[tuple[int, float]] = []
        self._stages = 0

    def create(self) -> None:
        """Make the folders, for this user alone. Raises OSError."""
        if self.folder.exists():
            remove(self.folder)
        self.local.mkdir(parents=True, mode=0o700)
        os.chmod(self.folder, 0o700)
        self._control.mkdir()
        self._write()

    def enclose(self) -> None:
        """Keep the files of coming stages inside the local space, which is what a container gets to see."""
        self._control = self.local / ".proactive"
        self._control.mkdir(exist_ok=True)

    def disclose(self) -> None:
        """Take them out again, before output files are looked for."""
        hidden = self.local / ".proactive"
        if self._control == hidden:
            self._control = self.folder / "control"
            if hidden.exists():
                remove(hidden)

    def stage(self, name: str) -> Path:
        """A new folder for a stage."""
        self._stages += 1
        folder = self._control / f"{self._stages}-{name}"
        folder.mkdir()
        return folder

    @property
    def progress_file(self) -> Path:
        """What the variable PA_TASK_PROGRESS_FILE names."""
        return self._control / "progress"

    def started(self, pid: int) -> None:
        """Note a process in the journal."""
        with contextlib.suppress(psutil.Error, OSError):
            self._processes.append((pid, psutil.Process(pid).create_time()))
            self._write()

    def remove(self) -> None:
        """Remove everything."""
        remove(self.folder)

    def _write(self) -> None:
        text = json.dumps({"cookie": self.cookie, "processes": self._processes})
        (self.folder / _JOURNAL).write_text(text, encoding="ascii")


def clean_up(root: Path) -> None:
    """Kill and remove what a scheduler that was killed has left in `root`; makes the folder if there is none."""
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    folders = [folder for folder in root.iterdir() if folder.is_dir()]
    journals = [_journal(folder) for folder in folders]
    for journal in journals:
        for pid, created in journal.get("processes", ()):
            kill_tree(pid, created)
    if journals:
        kill_marked(str(journal["cookie"]) for journal in journals if "cookie" in journal)
    for folder in folders:
        remove(folder)


def _journal(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / _JOURNAL).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def remove(folder: Path) -> None:
    """Remove a folder, also where a task took the right to write from a part of it; what stays is logged."""
    if sys.version_info >= (3, 12):
        shutil.rmtree(folder, onexc=_retry)
    else:
        shutil.rmtree(folder, onerror=_retry)


def _retry(function: Callable[..., Any], path: str, _error: object) -> None:
    """Give back the right to write, and try once more."""
    try:
        for target in (os.path.dirname(path), path):
            if os.path.exists(target) and not os.path.islink(target):
                os.chmod(target, stat.S_IRWXU)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    except FileNotFoundError:
        return
    except OSError as error:
        _LOGGER.warning("%s cannot be removed: %s", path, error)
