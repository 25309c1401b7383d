"""The scheduler's end of the files of one attempt: input files to its node, output files into the data spaces.

What the frames mean stands in ``nodes/carried.py``. All work with files is done in threads, part by part.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any

from proactive_jupyter_kernel.scheduler.attempt import Attempt
from proactive_jupyter_kernel.scheduler.nodes.carried import PART, WINDOW
from proactive_jupyter_kernel.scheduler.nodes.frames import Frame
from proactive_jupyter_kernel.scheduler.spaces.folders import Interrupted
from proactive_jupyter_kernel.scheduler.spaces.staging import (
    Source,
    failures_as_messages,
    wanted_inputs,
    writable_space,
)
from proactive_jupyter_kernel.scheduler.spaces.transfers import TransferFailed

__all__ = ["Transfer"]

#: Where a task may store files.
_TARGETS = ("output", "global", "user")


class Transfer:
    """Carries the files of one attempt, from its first question until it has ended."""

    def __init__(self, attempt: Attempt, send: Callable[[Mapping[str, Any]], None], limit: int) -> None:
        """`limit`: bytes in either direction; 0: any number."""
        self._attempt = attempt
        self._send = send
        self._limit = limit
        self._questions: asyncio.Queue[Frame] = asyncio.Queue()
        self._window = asyncio.Semaphore(WINDOW)
        self._inputs: list[Source] = []
        self._target = _Target(attempt, limit)
        self._is_over = False
        self._sending: asyncio.Task[None] | None = None
        self._answering = asyncio.get_running_loop().create_task(self._run())

    def take(self, frame: Frame) -> None:
        """The node asks for something."""
        if frame["do"] == "more":
            self._window.release()
        else:
            self._questions.put_nowait(frame)

    async def close(self) -> None:
        """The attempt has ended."""
        self._is_over = True
        tasks = [task for task in (self._answering, self._sending) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(self._target.give_up)

    async def _run(self) -> None:
        while True:
            frame = await self._questions.get()
            if frame["do"] == "inputs":
                self._tell(await asyncio.to_thread(self._find))
            elif frame["do"] == "want":
                self._sending = asyncio.get_running_loop().create_task(self._send_parts(frame["numbers"]))
            elif frame["do"] == "store":
                self._tell(await asyncio.to_thread(self._store, frame))

    def _tell(self, frame: Mapping[str, Any]) -> None:
        self._send({**frame, "key": self._attempt.key})

    def _find(self) -> dict[str, Any]:
        """Which input files there are."""
        says: list[str] = []
        try:
            with failures_as_messages():
                task_files, cache_files = wanted_inputs(self._attempt, says.append, lambda: self._is_over)
                files = []
                total = 0
                for cached, chosen in ((False, task_files), (True, cache_files)):
                    for path, source in chosen.items():
                        self._inputs.append(source)
                        place = source.folder.at(source.path)
                        size = place.stat().st_size
                        total += size
                        files.append([cached, path, size, _origin(place)])
                _check(total, self._limit, "input", "to")
                return {"do": "inputs", "files": files, "says": says}
        except TransferFailed as error:
            return {"do": "inputs", "error": str(error)}
        return {"do": "inputs", "error": "the transfer was interrupted"}

    async def _send_parts(self, numbers: list[int]) -> None:
        for number in numbers:
            try:
                place = self._inputs[number].folder.at(self._inputs[number].path)
                with await asyncio.to_thread(place.open, "rb") as file:
                    is_end = False
                    while not is_end:
                        await self._window.acquire()
                        part = await asyncio.to_thread(file.read, PART)
                        is_end = len(part) < PART
                        raw = [part] if part else []
                        self._tell({"do": "part", "number": number, "raw": raw, "end": is_end})
            except OSError as error:
                self._tell({"do": "part", "error": f"{error.filename or 'an input file'}: {error.strerror or error}."})
                return

    def _store(self, frame: Frame) -> dict[str, Any]:
        """Take a part of an output file."""
        try:
            with failures_as_messages():
                return {"do": "taken", "origin": self._target.write(frame)}
        except TransferFailed as error:
            self._target.give_up()
            return {"do": "taken", "error": str(error)}
        return {"do": "taken", "error": "the transfer was interrupted"}


class _Target:
    """The output file that comes in, part by part."""

    def __init__(self, attempt: Attempt, limit: int) -> None:
        self._attempt = attempt
        self._limit = limit
        self._total = 0
        self._open: AbstractContextManager[IO[bytes]] | None = None
        self._file: IO[bytes] | None = None

    def write(self, frame: Frame) -> str:
        """The origin of the file, at its end."""
        if frame["space"] not in _TARGETS:
            raise TransferFailed(f"no file can be stored in the {frame['space']} space")
        folder = writable_space(self._attempt, frame["space"])
        if self._open is None:
            self._open = folder.replacing(frame["path"])
            self._file = self._open.__enter__()
        assert self._file is not None
        for part in frame.get("raw", ()):
            self._total += len(part)
            _check(self._total, self._limit, "output", "from")
            self._file.write(part)
        if not frame["end"]:
            return ""
        opened, self._open = self._open, None
        opened.__exit__(None, None, None)
        return _origin(folder.at(frame["path"]))

    def give_up(self) -> None:
        """Remove what has come of a file that will not be complete."""
        if self._open is not None:
            opened, self._open = self._open, None
            with contextlib.suppress(Interrupted):
                opened.__exit__(Interrupted, Interrupted(), None)


def _origin(place: Path) -> str:
    """Names the content of a file: another one has another name, as far as the file system tells."""
    status = place.stat()
    known = (os.path.realpath(place), status.st_size, status.st_mtime_ns, status.st_ino)
    return hashlib.sha256("\0".join(map(str, known)).encode("utf-8", "surrogateescape")).hexdigest()[:40]


def _check(total: int, limit: int, what: str, direction: str) -> None:
    if limit and total > limit:
        raise TransferFailed(
            f"the {what} files have more than {limit} bytes, which is the most that the scheduler carries {direction} "
            "a worker (PROACTIVE_KERNEL_TRANSFER_LIMIT). Choose fewer files, or keep large data where the workers can "
            "reach it."
        )
