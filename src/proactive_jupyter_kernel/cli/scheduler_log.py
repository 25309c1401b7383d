"""Reads the scheduler's own log, over its rotation: an entry is a line with the time, and the lines up to the next."""

from __future__ import annotations

import json
import re
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["LogReader"]

_NAME, _EARLIER = "scheduler.log", 3
#: How an entry begins: its time, or the bracket of a JSON object.
_BEGIN = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\{\"time\"")
#: Seconds between two looks at the file.
_LOOK_EVERY = 0.25


class LogReader:
    """The entries of the log, all or those about one job."""

    def __init__(self, data_dir: Path, *, job: int | None = None) -> None:
        self._path = data_dir / _NAME
        self._job = job
        self._offset = 0

    @property
    def exists(self) -> bool:
        """Whether there is a log."""
        return self._path.exists()

    def last(self, number: int) -> list[str]:
        """The last entries."""
        found: deque[str] = deque(maxlen=number)
        for path in (*(self._path.with_name(f"{_NAME}.{age}") for age in range(_EARLIER, 0, -1)), self._path):
            try:
                with path.open(encoding="utf-8", errors="replace") as file:
                    found.extend(self._wanted(_entries(file)))
                    self._offset = file.tell()
            except OSError:
                continue
        return list(found)

    def follow(self) -> Iterator[str]:
        """Further entries as they come; without end."""
        inode = self._path.stat().st_ino if self.exists else 0
        while True:
            time.sleep(_LOOK_EVERY)
            if not self.exists:
                continue
            if self._path.stat().st_ino != inode:
                # It was rotated: begin with the new file.
                inode, self._offset = self._path.stat().st_ino, 0
            with self._path.open(encoding="utf-8", errors="replace") as file:
                file.seek(self._offset)
                text = file.read()
                whole = text[: text.rfind("\n") + 1]
                self._offset += len(whole.encode("utf-8"))
            yield from self._wanted(_entries(whole.splitlines(keepends=True)))

    def _wanted(self, entries: Iterable[str]) -> Iterator[str]:
        return (entry for entry in entries if self._job is None or _job_of(entry) == self._job)


def _entries(lines: Iterable[str]) -> Iterator[str]:
    entry: list[str] = []
    for line in lines:
        if _BEGIN.match(line) and entry:
            yield "".join(entry).rstrip("\n")
            entry = []
        entry.append(line)
    if entry:
        yield "".join(entry).rstrip("\n")


def _job_of(entry: str) -> int | None:
    """The job that an entry is about; its fields stand at the end of the first line."""
    if entry.startswith("{"):
        try:
            found = json.loads(entry).get("job")
        except ValueError:
            return None
        return found if isinstance(found, int) else None
    match = re.search(r" job=(\d+)(?: task=\d+)?(?: attempt=\d+)?(?: node=\S+)?$", entry.partition("\n")[0])
    return int(match[1]) if match else None
