"""Data spaces that a node cannot reach: files travel in frames, through the executor that gives the node its work.

========== =========================================================== =============================================
the node   more keys                                                   meaning
========== =========================================================== =============================================
inputs     ``key``                                                     asks which input files there are
want       ``key`` ``numbers``                                         asks for the content of some of them
more       ``key``                                                     has taken a part
store      ``key`` ``space`` ``path`` ``raw`` ``end``                  a part of an output file
========== =========================================================== =============================================

========== =========================================================== =============================================
to it      more keys                                                   meaning
========== =========================================================== =============================================
inputs     ``key`` ``files``: [to the cache, path, size, origin]       the answer; ``says``: lines for the task's log;
           ``says`` ``error``                                          ``error``: there is none
part       ``key`` ``number`` ``raw`` ``end`` ``error``                a part of an input file
taken      ``key`` ``origin`` ``error``                                has taken a part; at the end of a file also its
                                                                       origin
========== =========================================================== =============================================

An *origin* names the content of a file of a space: what has the same origin need not come again. So the node keeps what
it has seen in a folder beside those of its tasks, which all nodes of a worker share.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from proactive_jupyter_kernel.scheduler.attempt import Attempt, Wire
from proactive_jupyter_kernel.scheduler.nodes.frames import Frame
from proactive_jupyter_kernel.scheduler.nodes.loop import Loop
from proactive_jupyter_kernel.scheduler.spaces.folders import Folder, Interrupted
from proactive_jupyter_kernel.scheduler.spaces.staging import chosen_outputs, failures_as_messages, lock_cache
from proactive_jupyter_kernel.scheduler.spaces.transfers import TransferFailed

__all__ = ["PART", "WINDOW", "CarriedFiles"]

#: Bytes in a part of a file, and parts on their way before one must have been taken.
PART, WINDOW = 1024 * 1024, 4
#: Seconds between two looks whether the transfer was stopped.
_LOOK = 0.2
#: What the node keeps of what it has seen: bytes altogether, and of one file.
_MOST_KEPT, _LARGEST_KEPT = 4 * 1024**3, 1024**3


class CarriedFiles:
    """`FileTransfers` in frames. `take` gets those that come."""

    def __init__(self, loop: Loop, send: Callable[[Mapping[str, Any]], None], kept: Path) -> None:
        """`kept`: the folder for what was seen before."""
        self._loop = loop
        self._send = send
        self._kept = _Kept(kept)
        self._key = ""
        self._frames: deque[Frame] = deque()

    def take(self, frame: Frame) -> None:
        """A frame has come."""
        if frame["key"] == self._key:
            self._frames.append(frame)

    def fetch(self, attempt: Attempt, local: Path, say: Callable[[str], None], stopped: Callable[[], bool]) -> None:
        """See `FileTransfers.fetch`."""
        self._key = attempt.key
        self._frames.clear()
        with failures_as_messages():
            self._send({"do": "inputs", "key": self._key})
            answer = self._next(stopped)
            for line in answer["says"]:
                say(line)
            cache = Path(attempt.spaces["cachespace"])
            cache.mkdir(parents=True, exist_ok=True)
            targets = (Folder(local, "task's folder"), Folder(cache, "cache space"))
            with contextlib.ExitStack() as stack:
                if any(entry[0] for entry in answer["files"]):
                    stack.enter_context(lock_cache(cache, stopped))
                self._fetch(answer["files"], targets, stopped)

    def _fetch(self, files: list[list[Any]], targets: tuple[Folder, Folder], stopped: Callable[[], bool]) -> None:
        wanted = []
        for number, (cached, path, _, origin) in enumerate(files):
            if cached and self._kept.is_origin_of(targets[1].at(path), origin):
                os.utime(targets[1].at(path))
            elif not self._kept.copy_to(origin, targets[cached], path, stopped):
                wanted.append(number)
        if not wanted:
            return
        self._send({"do": "want", "key": self._key, "numbers": wanted})
        for number in wanted:
            cached, path, size, origin = files[number]
            source = _Incoming(lambda: self._part(stopped))
            targets[cached].write(path, source, stopped=stopped)  # type: ignore[arg-type]
            self._kept.keep(origin, targets[cached].at(path), size)
            if cached:
                self._kept.note(targets[1].at(path), origin)

    def _part(self, stopped: Callable[[], bool]) -> tuple[bytes, bool]:
        frame = self._next(stopped)
        self._send({"do": "more", "key": self._key})
        return b"".join(frame["raw"]), frame["end"]

    def deliver(
        self,
        attempt: Attempt,
        local: Path,
        variables: Mapping[str, Wire],
        say: Callable[[str], None],
        stopped: Callable[[], bool],
    ) -> None:
        """See `FileTransfers.deliver`."""
        self._key = attempt.key
        self._frames.clear()
        source = Folder(local, "task's folder")
        with failures_as_messages():
            for space, paths in chosen_outputs(attempt, source, variables, say, stopped):
                for path in paths:
                    self._store(space, path, source.at(path), stopped)

    def _store(self, space: str, path: str, place: Path, stopped: Callable[[], bool]) -> None:
        on_the_way = 0
        with place.open("rb") as file:
            while True:
                part = file.read(PART)
                is_end = len(part) < PART
                raw = [part] if part else []
                self._send({"do": "store", "key": self._key, "space": space, "path": path, "raw": raw, "end": is_end})
                on_the_way += 1
                while on_the_way >= (1 if is_end else WINDOW):
                    answer = self._next(stopped)
                    on_the_way -= 1
                if is_end:
                    break
        self._kept.keep(answer["origin"], place, place.stat().st_size)

    def _next(self, stopped: Callable[[], bool]) -> Frame:
        """The next frame. Raises `TransferFailed` for an error, and `Interrupted`."""
        while not self._frames:
            if stopped():
                raise Interrupted
            if not self._frames:
                self._loop.turn(_LOOK)
        frame = self._frames.popleft()
        if frame.get("error"):
            raise TransferFailed(frame["error"])
        return frame


class _Incoming:
    """The parts of a file as a file to read from."""

    def __init__(self, part: Callable[[], tuple[bytes, bool]]) -> None:
        self._part = part
        self._is_end = False

    def read(self, size: int = -1) -> bytes:
        """The next part, whatever its size; empty at the end."""
        while not self._is_end:
            data, self._is_end = self._part()
            if data:
                return data
        return b""


class _Kept:
    """What was seen, by its origin; the least recently used goes first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def copy_to(self, origin: str, target: Folder, path: str, stopped: Callable[[], bool]) -> bool:
        """Copy it, if it is there."""
        place = self._folder / origin
        try:
            file: IO[bytes] = place.open("rb")
        except OSError:
            return False
        with file:
            os.utime(place)
            target.write(path, file, stopped=stopped)
        return True

    def keep(self, origin: str, file: Path, size: int) -> None:
        """Keep a copy; what does not fit is not kept, and no failure."""
        place = self._folder / origin
        if not origin or size > _LARGEST_KEPT or place.exists():
            return
        half = self._folder / f".{secrets.token_hex(8)}.part"
        try:
            self._make_room(size)
            shutil.copyfile(file, half)
            os.replace(half, place)
        except OSError:
            half.unlink(missing_ok=True)

    def _make_room(self, size: int) -> None:
        found = []
        for entry in os.scandir(self._folder):
            with contextlib.suppress(OSError):
                status = entry.stat()
                found.append((status.st_mtime, status.st_size, entry.path))
        total = size + sum(entry[1] for entry in found)
        for _, freed, path in sorted(found):
            if total <= _MOST_KEPT:
                return
            with contextlib.suppress(OSError):
                os.unlink(path)
                total -= freed

    def note(self, file: Path, origin: str) -> None:
        """Remember what a file of the cache space was made from."""
        with contextlib.suppress(OSError):
            _origin_file(file).write_text(f"{origin} {file.stat().st_mtime_ns}", encoding="ascii")

    def is_origin_of(self, file: Path, origin: str) -> bool:
        """Whether a file of the cache space is still that."""
        try:
            known, _, _ = _origin_file(file).read_text(encoding="ascii").partition(" ")
            return known == origin and file.is_file()
        except OSError:
            return False


def _origin_file(file: Path) -> Path:
    """Listed nowhere, as files that are being written are not."""
    return file.with_name(f".{hashlib.sha256(file.name.encode()).hexdigest()[:16]}.part")
