"""Reads the scheduler's own log, over its rotation: an entry is a line with the time, and the lines up to the next."""

from __future__ import annotations

import contextlib
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
        for path in (*(self._rotated(age) for age in range(_EARLIER, 0, -1)), self._path):
            try:
                content = path.read_bytes()
            except OSError:
                continue
            found.extend(self._wanted(_entries(_lines(content))))
            self._offset = len(content)
        return list(found)

    def follow(self) -> Iterator[str]:
        """Further entries as they come; without end."""
        inode = self._path.stat().st_ino if self.exists else 0
        while True:
            time.sleep(_LOOK_EVERY)
            if not self.exists:
                continue
            now = self._path.stat().st_ino
            if now != inode:
                yield from self._rest_of(inode)
                inode, self._offset = now, 0
            yield from self._fresh(self._path)

    def _rest_of(self, inode: int) -> Iterator[str]:
        """What was written into a file between the last look at it and its rotation."""
        for path in map(self._rotated, range(1, _EARLIER + 1)):
            with contextlib.suppress(OSError):
                if path.stat().st_ino == inode:
                    yield from self._fresh(path)
                    return

    def _fresh(self, path: Path) -> Iterator[str]:
        """The entries after the offset, up to the last whole line. The offset counts bytes: text may be damaged."""
        with path.open("rb") as file:
            file.seek(self._offset)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        yield from self._wanted(_entries(_lines(whole)))

    def _rotated(self, age: int) -> Path:
        return self._path.with_name(f"{_NAME}.{age}")

    def _wanted(self, entries: Iterable[str]) -> Iterator[str]:
        return (entry for entry in entries if self._job is None or _job_of(entry) == self._job)


def _lines(content: bytes) -> list[str]:
    return [line.decode("utf-8", "replace") for line in content.splitlines(keepends=True)]


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
