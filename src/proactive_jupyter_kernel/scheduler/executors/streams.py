"""The pipes through which all processes of one attempt write, and their way to the log, line by line.

One pair of pipes serves all stages, so that what a pre script leaves running may go on writing. On POSIX the loop reads
them; elsewhere, where it cannot, and for tests, threads do.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Mapping

from proactive_jupyter_kernel.scheduler.executors.base import OutputSink, StreamName
from proactive_jupyter_kernel.scheduler.executors.output import LineStream, OutputLimits, merged

__all__ = ["Capture", "Output"]

_CHUNK = 1024 * 1024
#: Seconds between two looks at what is held back; also how long a flood is not read, which slows it down.
_TICK = 0.2
_PAUSE = 0.01


class Output:
    """Standard output and standard error of an attempt."""

    def __init__(self, sink: OutputSink, limits: OutputLimits, *, threads: bool) -> None:
        """`threads`: read in threads, not by the loop."""
        self._sink = sink
        self._limits = limits
        self._pipes: list[_Pipe] = []
        names: tuple[StreamName, ...] = ("out", "err")
        for name in names:
            self._pipes.append(_Pipe(name, sink, limits, threads=threads))

    @property
    def ends(self) -> tuple[int, int]:
        """What processes write to."""
        return self._pipes[0].end, self._pipes[1].end

    def mask(self, masks: Mapping[str, str]) -> None:
        """Show something better in place of these texts, from now on."""
        for pipe in self._pipes:
            pipe.lines.masks = merged(pipe.lines.masks, masks)

    def say(self, text: str, stream: StreamName = "err") -> None:
        """A line of the executor's own."""
        self._sink(stream, text.rstrip("\n") + "\n", _now())

    def show(self, data: bytes) -> None:
        """Put into the log what went elsewhere."""
        lines = LineStream(self._limits, 0.0)
        now = _now()
        for line in (*lines.feed(data, 0.0), *lines.finish()):
            self._sink("out", line, now)

    async def close(self, patience: float) -> None:
        """Read what is left and close; processes that still hold the pipes get `patience` seconds, and no more."""
        for pipe in self._pipes:
            pipe.let_go()
        await asyncio.wait([pipe.ended for pipe in self._pipes], timeout=patience)
        for pipe in self._pipes:
            pipe.close()


class _Pipe:
    def __init__(self, name: StreamName, sink: OutputSink, limits: OutputLimits, *, threads: bool) -> None:
        self._loop = asyncio.get_running_loop()
        self._name = name
        self._sink = sink
        self._source, self.end = os.pipe()
        self._is_open = True
        self.lines = LineStream(limits, time.monotonic())
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._room = threading.Semaphore(4)
        self._threaded = threads
        if threads:
            threading.Thread(target=self._read_on, name=f"read std{name}", daemon=True).start()
        else:
            os.set_blocking(self._source, False)
            self._loop.add_reader(self._source, self._on_readable)

    def let_go(self) -> None:
        """Close our hold on the writing end."""
        if self.end >= 0:
            os.close(self.end)
            self.end = -1

    def close(self) -> None:
        """Hand out all that came so far, and read no more."""
        if not self._is_open:
            return
        self._is_open = False
        for timer in (self._timer, self._pause):
            if timer is not None:
                timer.cancel()
        if not self._threaded:
            self._loop.remove_reader(self._source)
            os.close(self._source)
        elif self.ended.done():
            os.close(self._source)
        # else: a process that is to live on holds the pipe; the thread that reads it closes it in the end
        self._let_out(self.lines.finish())
        if not self.ended.done():
            self.ended.set_result(None)

    def _on_readable(self) -> None:
        try:
            data = os.read(self._source, _CHUNK)
        except BlockingIOError:
            return
        self._take(data)
        if not data:
            self._loop.remove_reader(self._source)
        elif self.lines.holds and self._pause is None:
            self._loop.remove_reader(self._source)
            _widen(self._source)
            self._pause = self._loop.call_later(_PAUSE, self._go_on)

    def _go_on(self) -> None:
        self._pause = None
        self._loop.add_reader(self._source, self._on_readable)

    def _read_on(self) -> None:
        """The thread's work. Waits when the loop is behind by a few chunks."""
        data = b"-"
        while data:
            try:
                data = os.read(self._source, _CHUNK)
            except OSError:
                data = b""
            self._room.acquire()
            try:
                self._loop.call_soon_threadsafe(self._take, data)
            except RuntimeError:  # the loop is closed
                break

    def _take(self, data: bytes) -> None:
        if self._threaded:
            self._room.release()
        if not self._is_open:
            if not data:
                os.close(self._source)
            return
        if not data:
            if not self.ended.done():
                self.ended.set_result(None)
            return
        self._let_out(self.lines.feed(data, time.monotonic()))
        if self.lines.holds and self._timer is None:
            self._timer = self._loop.call_later(_TICK, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._let_out(self.lines.tick(time.monotonic()))
        if self.lines.holds:
            self._timer = self._loop.call_later(_TICK, self._tick)

    def _let_out(self, lines: list[str]) -> None:
        now = _now()
        for line in lines:
            self._sink(self._name, line, now)


class Capture:
    """A file that takes the place of standard output, for scripts whose output is their result."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.end = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)

    def read(self, limit: int) -> bytes:
        """Close, and read what was written. Raises ValueError where it is more than `limit` bytes. May block."""
        self.close()
        size = os.path.getsize(self._path)
        if size > limit:
            raise ValueError(f"the output is {size / 1e6:.1f} MB, and a result may have {limit / 1e6:.1f} MB")
        with open(self._path, "rb") as file:
            return file.read()

    def close(self) -> None:
        if self.end >= 0:
            os.close(self.end)
            self.end = -1


def _widen(pipe: int) -> None:
    """Let a pipe hold as much as is read at once, where the system can: a flood then loses less time waiting."""
    try:
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _CHUNK)
    except (ImportError, AttributeError, OSError):
        pass  # another system, or the user's share of such memory is used up


def _now() -> int:
    return time.time_ns() // 1_000_000
