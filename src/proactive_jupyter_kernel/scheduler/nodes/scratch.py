"""The folders of a node, and the journal by which a successor finds what a crash has left.

While an attempt runs its folder is ``scratch/<key>/`` with ``local`` (the task's working folder) and ``control`` (what
its processes are told). Between two attempts it is kept, empty, under the node's name: moving a folder costs much less
than making and removing four. It is kept only where nothing is left of the attempt, neither a file nor a process.

``scratch/<node>.json`` is the journal: the node's process, and the marks of its attempts in their environments.
"""

from __future__ import annotations

import contextlib
import glob
import itertools
import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.scheduler.nodes.removal import is_private_folder, remove, remove_content

__all__ = ["NodeFolder", "Scratch", "clean_up", "clean_up_node", "has_journal"]

#: Characters of a mark that all attempts of a node share; the others count.
_MARK = 16
#: The stage whose folder is kept, because every attempt has it.
_USUAL = "main"


class NodeFolder:
    """What a node keeps between its attempts."""

    def __init__(self, root: Path, name: str) -> None:
        self.root = root
        self.root_text = str(root)
        self.kept = root / name
        self.kept_text = str(self.kept)
        self._journal = _journal_of(root, name)
        self._mark = secrets.token_hex(_MARK // 2)
        self._numbers = itertools.count(1)
        self._spared: list[str] = []
        self._pids: list[int] = []

    def open(self, *pids: int) -> None:
        """Begin the journal with these processes."""
        self._pids += [pid for pid in pids if pid not in self._pids]
        self._write()

    def cookie(self, *, spared: bool) -> str:
        """The mark of an attempt. That of one whose processes may outlive it stands in the journal as long as it runs,
        so that a successor kills them only then."""
        if not spared:
            return f"{self._mark}{next(self._numbers):0{_MARK}x}"
        cookie = secrets.token_hex(_MARK)
        self._spared.append(cookie)
        self._write()
        return cookie

    def end(self, cookie: str) -> None:
        """The attempt of that mark has ended."""
        if cookie in self._spared:
            self._spared.remove(cookie)
            self._write()

    def close(self) -> None:
        """The node ends."""
        remove(self.kept)
        self._journal.unlink(missing_ok=True)

    def _write(self) -> None:
        content = {"cookies": [self._mark, *self._spared], "processes": [[pid, _created(pid)] for pid in self._pids]}
        half = self._journal.with_suffix(".part")
        half.write_text(json.dumps(content), encoding="ascii")
        os.replace(half, self._journal)


class Scratch:
    """The folder of one attempt."""

    def __init__(self, node: NodeFolder, key: str, *, spared: bool = False) -> None:
        self._node = node
        #: Whether its processes may outlive it.
        self.is_spared = spared
        # Joined as texts: paths take longer than the folders themselves.
        self._top = f"{node.root_text}{os.sep}{key}"
        self._own = f"{self._top}{os.sep}control"
        self._usual = f"{self._own}{os.sep}{_USUAL}"
        self._control = self._own
        #: The task's local space.
        self.local = Path(f"{self._top}{os.sep}local")
        self.cookie = ""
        self._stages = 0
        self._is_usual_taken = False

    @property
    def folder(self) -> Path:
        return Path(self._top)

    def create(self) -> None:
        """Make the folders, for this user alone. Raises OSError."""
        self.cookie = self._node.cookie(spared=self.is_spared)
        try:
            os.rename(self._node.kept_text, self._top)
        except OSError:
            with contextlib.suppress(OSError):
                os.chmod(self._node.root_text, 0o700)  # a task may have taken the right to write
            remove(self.folder)
            os.makedirs(self.folder, mode=0o700)
            for folder in (self.local, self._own, self._usual):
                os.mkdir(folder, 0o700)

    def show_control_files(self) -> None:
        """Keep the files of the coming stages inside the local space, the only folder that a container sees."""
        hidden = self.local / ".proactive"
        hidden.mkdir(exist_ok=True)
        self._control = str(hidden)
        self._is_usual_taken = True

    def hide_control_files(self) -> None:
        """Keep them outside again, before output files are chosen."""
        hidden = self.local / ".proactive"
        if self._control == str(hidden):
            self._control = self._own
            remove(hidden)

    def stage(self, name: str) -> Path:
        """A new folder for a stage."""
        if name == _USUAL and not self._is_usual_taken:
            self._is_usual_taken = True
            return Path(self._usual)
        self._stages += 1
        folder = Path(self._control, f"{self._stages}-{name}")
        folder.mkdir()
        return folder

    @property
    def progress_file(self) -> str:
        """What the variable PA_TASK_PROGRESS_FILE names."""
        return f"{self._control}{os.sep}progress"

    def remove(self, *, keep: bool) -> None:
        """Remove everything; `keep`: no process of the attempt is left, so the folder may serve the next one."""
        self._node.end(self.cookie)
        if keep and (self._is_clean() or self._empty()):
            with contextlib.suppress(OSError):
                os.rename(self._top, self._node.kept_text)
                return
        if os.path.lexists(self._top):
            remove(self.folder)

    def _is_clean(self) -> bool:
        """Whether it is as it was made, once the files of stages are gone."""
        try:
            if not self._has_own_folders():
                return False
            # What a stage is told is known to be files; who made folders there has the whole of it removed.
            for name in os.listdir(self._usual):
                os.unlink(f"{self._usual}{os.sep}{name}")
            for name in os.listdir(self._own):
                if name != _USUAL:
                    os.unlink(f"{self._own}{os.sep}{name}")
            return not os.listdir(self.local) and set(os.listdir(self._top)) == {"local", "control"}
        except OSError:
            return False

    def _empty(self) -> bool:
        """Remove all that is in it; whether it is then as it was made."""
        with contextlib.suppress(OSError):
            if self._has_own_folders():
                remove_content(self.local)
                remove_content(self._usual)
        return self._is_clean()

    def _has_own_folders(self) -> bool:
        """Whether all are folders as they were made: a task may have put links in their place."""
        return all(is_private_folder(path) for path in (self._top, self.local, self._own, self._usual))


def clean_up(root: Path) -> None:
    """Kill and remove what a scheduler that was killed has left in `root`; makes the folder if there is none."""
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    _end_all(_read(path) for path in root.glob("*.json"))
    for path in root.iterdir():
        remove(path)


def clean_up_node(root: Path, name: str, keys: Iterable[str]) -> None:
    """Kill and remove what a node has left that died, and the attempts that it had."""
    journal = _journal_of(root, name)
    _end_all([_read(journal)])
    for folder in (root / name, *(root / key for key in keys), *root.glob(f"{glob.escape(name)}.resident-*")):
        remove(folder)
    journal.unlink(missing_ok=True)


def has_journal(root: Path, name: str) -> bool:
    """Whether a node runs, or has not ended in order."""
    return _journal_of(root, name).exists()


def _journal_of(root: Path, name: str) -> Path:
    return root / f"{name}.json"


def _end_all(journals: Iterable[dict[str, Any]]) -> None:
    from proactive_jupyter_kernel.scheduler.nodes.marked import kill_marked, kill_tree

    cookies: list[str] = []
    for journal in journals:
        for pid, created in journal.get("processes", ()):
            kill_tree(pid, created)
        cookies += map(str, journal.get("cookies", ()))
    if cookies:
        kill_marked(cookies)


def _read(journal: Path) -> dict[str, Any]:
    try:
        content = json.loads(journal.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _created(pid: int) -> float:
    import psutil

    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0
