"""Third-party credentials: secrets that a user gives to the scheduler, for tasks to read as ``credentials``.

They are kept in one JSON file that only its owner can read, apart from the store: a copy of the database, which people
send around with a report, holds none. The values are never given out again but to tasks.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError
from proactive_jupyter_kernel.scheduler import private_files

__all__ = ["Credentials"]

#: Characters of a name and of a value, and credentials of a user: a file of this kind stays small.
_LONGEST_KEY, _LONGEST_VALUE, _MOST = 1024, 64 * 1024, 1000


class Credentials:
    """The credentials of all users. Safe from any thread."""

    def __init__(self, path: Path | None = None) -> None:
        """Without a path they live in memory."""
        self._path = path
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, str]] | None = None if path else {}

    def of(self, user: str) -> dict[str, str]:
        """Names and values."""
        with self._lock:
            return dict(self._read().get(user, {}))

    def put(self, user: str, key: str, value: str) -> None:
        """Add one, or give it another value. Raises ValueError for what is too large."""
        if len(key) > _LONGEST_KEY or len(value) > _LONGEST_VALUE:
            raise ValueError(
                f"A credential's name has at most {_LONGEST_KEY} characters, and its value {_LONGEST_VALUE}."
            )
        with self._lock:
            known = self._read()
            mine = {**known.get(user, {}), key: value}
            if len(mine) > _MOST:
                raise ValueError(f"There are {_MOST} credentials already; remove some first.")
            self._write({**known, user: mine})

    def remove(self, user: str, key: str) -> None:
        """Forget one, if it is there."""
        with self._lock:
            known = self._read()
            if key in known.get(user, {}):
                self._write({**known, user: {name: value for name, value in known[user].items() if name != key}})

    def _read(self) -> dict[str, dict[str, str]]:
        if self._known is None:
            assert self._path is not None
            try:
                self._known = json.loads(self._path.read_text(encoding="utf-8"))
            except FileNotFoundError:
                self._known = {}
            except (OSError, ValueError) as error:
                raise EmbeddedSchedulerError(
                    f"The credentials in {self._path} cannot be read: {error}.",
                    hint="Delete the file and add the credentials again.",
                ) from error
        assert self._known is not None
        return self._known

    def _write(self, known: dict[str, dict[str, str]]) -> None:
        if self._path is not None:
            try:
                private_files.write(self._path, json.dumps(known))
            except OSError as error:
                raise EmbeddedSchedulerError(f"The credentials cannot be stored in {self._path}: {error}.") from error
        self._known = known
