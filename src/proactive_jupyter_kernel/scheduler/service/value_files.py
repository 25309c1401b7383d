"""Large values in the forms of answers: made by a process of their own, in a file that is sent from there.

The scheduler carries values without decoding them. A request may ask for another form of one, such as Java's
serialization stream, and of a value with millions of parts that takes seconds of computing and ten times its size in
memory. So a process with a memory limit does it, and the scheduler only sends what that process wrote: other requests
do not wait, and the memory of the scheduler does not grow.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from proactive_jupyter_kernel.errors import ProActiveError
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.scheduler.service.check_process import Worker, WorkerLost
from proactive_jupyter_kernel.workflow.display.numbers import size_text

__all__ = ["LARGE", "InProcess", "InThread", "ValueFile", "ValueFiles", "ValueTooLarge", "Write"]

_log = logging.getLogger(__name__)

#: Bytes; a value with more has its forms made here.
LARGE = 1024 * 1024
#: Bytes of memory and seconds for one value, and how many are worked on at the same time.
_MEMORY, _SECONDS, _MOST = 2 * 1024 * 1024 * 1024, 120.0, 2
#: Seconds after which a process without work ends: it may have grown.
_IDLE = 5.0
#: Bytes that are read from a file at once.
_PIECE = 256 * 1024

#: A function of a module: reads the text of a value, writes a form of it, and returns what else is known.
Write = Callable[[RawValue, IO[bytes]], Any]


class ValueTooLarge(ProActiveError):
    """A value cannot be given in the form that a request asks for."""


@dataclass(frozen=True, slots=True)
class ValueFile:
    """A form of a value, in a file that is gone once it is closed."""

    file: IO[bytes]
    size: int
    #: What the function that wrote it returned.
    said: Any

    def pieces(self) -> Iterator[bytes]:
        """The content; closes the file."""
        with self.file:
            while piece := self.file.read(_PIECE):
                yield piece


class ValueFiles(Protocol):
    """Makes forms of values."""

    async def make(self, value: RawValue, write: Write) -> ValueFile:
        """What `write` makes of the value; raises `ValueTooLarge`."""

    async def close(self) -> None:
        """End what runs."""


class InThread:
    """Makes them in a thread of this process: for tests, and for schedulers inside other programs."""

    async def make(self, value: RawValue, write: Write) -> ValueFile:
        return await asyncio.to_thread(self._make, value, write)

    @staticmethod
    def _make(value: RawValue, write: Write) -> ValueFile:
        folder = Path(tempfile.mkdtemp())
        try:
            _store(value, folder)
            return _opened(folder, run((write, str(folder))))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def close(self) -> None:
        """Nothing runs."""


class InProcess:
    """Makes them in processes that are kept for the next value, for some seconds."""

    def __init__(self, folder: Path, *, memory: int = _MEMORY, seconds: float = _SECONDS, idle: float = _IDLE) -> None:
        """The files are in `folder`, which is removed: it has what a scheduler left that was killed."""
        shutil.rmtree(folder, ignore_errors=True)
        self._folder = folder
        self._memory = memory
        self._seconds = seconds
        self._idle = idle
        self._room = asyncio.Semaphore(_MOST)
        self._free: list[tuple[Worker, asyncio.TimerHandle]] = []
        self._ending: set[asyncio.Task[None]] = set()

    async def make(self, value: RawValue, write: Write) -> ValueFile:
        async with self._room:
            folder = await asyncio.to_thread(self._new_folder)
            try:
                await asyncio.to_thread(_store, value, folder)
                said = await self._ask((write, str(folder)))
                return await asyncio.to_thread(_opened, folder, said)
            finally:
                await asyncio.to_thread(functools.partial(shutil.rmtree, folder, ignore_errors=True))

    def _new_folder(self) -> Path:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=self._folder))

    async def _ask(self, question: tuple[Write, str]) -> Any:
        worker = self._idle_worker() or await Worker.start(self._memory, self._seconds)
        is_done = False
        try:
            async with asyncio.timeout(self._seconds):
                kind, answer = await worker.ask(run, question)
            is_done = kind == "value" and not worker.gave_way
        except (TimeoutError, WorkerLost):
            kind, answer = "memory", None
        finally:
            if not is_done:
                await worker.end()
        if is_done:
            self._free.append((worker, asyncio.get_running_loop().call_later(self._idle, self._end, worker)))
        if kind == "value":
            return answer
        if kind != "memory":
            _log.error("a form of a value could not be made: %s", answer)
        raise ValueTooLarge(
            "The value is too large to be given in this form: it takes more than "
            f"{size_text(self._memory)} of memory or {self._seconds:g} seconds."
            if kind == "memory"
            else f"The value cannot be given in this form: {answer}",
            hint="Have the task write large data to a file of a data space, and return its name.",
        )

    def _idle_worker(self) -> Worker | None:
        """A process that was kept; those that the system killed meanwhile are dropped."""
        while self._free:
            worker, timer = self._free.pop()
            timer.cancel()
            if not worker.has_ended:
                return worker
        return None

    def _end(self, worker: Worker) -> None:
        self._free = [each for each in self._free if each[0] is not worker]
        task = asyncio.get_running_loop().create_task(worker.end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        while (worker := self._idle_worker()) is not None:
            await worker.end()
        await asyncio.gather(*self._ending, return_exceptions=True)


def _store(value: RawValue, folder: Path) -> None:
    (folder / "value").write_bytes(value.text)


def run(question: tuple[Write, str]) -> Any:
    """Make a form of the value in a folder; in the other process."""
    write, folder = question
    value = RawValue(Path(folder, "value").read_bytes())
    with Path(folder, "form").open("wb") as target:
        return write(value, target)


def _opened(folder: Path, said: Any) -> ValueFile:
    path = folder / "form"
    return ValueFile(path.open("rb"), path.stat().st_size, said)
