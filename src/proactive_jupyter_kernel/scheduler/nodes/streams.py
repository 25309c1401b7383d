"""The pipes through which all processes of one attempt write, and their way to the log, line by line.

One pair of pipes serves all stages, so that a process that a pre script left running can still write. On Linux the two
are read in the order in which they were written to (`ordered`). Elsewhere the loop or, where it cannot, threads read
them: lines that were written to the two streams at nearly the same time may then change places.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeAlias

from proactive_jupyter_kernel.scheduler.nodes.loop import Loop, Timer
from proactive_jupyter_kernel.scheduler.nodes.ordered import OrderedPipes, PipeEnds, is_possible
from proactive_jupyter_kernel.scheduler.nodes.output import LineStream, OutputLimits, merged

__all__ = ["Capture", "LineSink", "Output", "new_pipes"]

#: Gets ``out`` or ``err``, each line with its line feed (the last one may lack it), and when it was read, in
#: milliseconds since the epoch.
LineSink: TypeAlias = Callable[[str, str, int], None]

_CHUNK = 1024 * 1024
#: Seconds between two looks at what is held back; also how long a flood is not read, which slows it down.
_TICK = 0.2
_PAUSE = 0.01
#: Seconds without anything new after which threads have read what is there, and the most that it may take.
_QUIET, _LONGEST_WAIT = 0.05, 1.0

_NAMES = ("out", "err")
_in_order = functools.cache(is_possible)


class Output:
    """Standard output and standard error of an attempt."""

    def __init__(self, loop: Loop, sink: LineSink, limits: OutputLimits, *, threads: bool) -> None:
        """`threads`: read in threads, not by the loop."""
        self._loop = loop
        self._sink = sink
        self._limits = limits
        self._streams = [_Stream(loop, name, sink, limits) for name in _NAMES]
        self._pipes = new_pipes(loop, self._take, threads=threads)
        #: By pipe: who writes too much to it is not read for a moment.
        self._pauses: dict[tuple[_Pipes | OrderedPipes, int], Timer] = {}

    @property
    def ends(self) -> tuple[int, int]:
        """What processes write to."""
        out, err = self._pipes.ends
        return out, err

    def mask(self, masks: Mapping[str, str]) -> None:
        """Show something better in place of these texts, from now on."""
        for stream in self._streams:
            stream.lines.masks = merged(stream.lines.masks, masks)

    def say(self, text: str, stream: str = "err") -> None:
        """A line of the executor's own, after all that was written before."""
        self._pipes.read()
        self._sink(stream, text.rstrip("\n") + "\n", _now())

    def show(self, data: bytes) -> None:
        """Put into the log what went elsewhere."""
        lines = LineStream(self._limits, 0.0)
        now = _now()
        for line in (*lines.feed(data, 0.0), *lines.finish()):
            self._sink("out", line, now)

    def close(self, patience: float) -> None:
        """Read what is left and close; processes that still hold the pipes get `patience` seconds, and no more."""
        self._pipes.close_ends()
        self._pipes.read()
        end = time.monotonic() + patience
        while not all(stream.ended for stream in self._streams) and (left := end - time.monotonic()) > 0:
            self._loop.turn(left)
        for (pipes, number), pause in self._pauses.items():
            pause.cancel()
            if pipes is not self._pipes:
                pipes.resume(number)
        self._pipes.close()
        for stream in self._streams:
            stream.close()

    def _take(self, number: int, data: bytes) -> None:
        self.feed(number, data, self._pipes)

    def feed(self, number: int, data: bytes, pipes: _Pipes | OrderedPipes) -> None:
        """What was read from the pipe with that number; `pipes` may be those of a process that outlives the attempt."""
        stream = self._streams[number]
        stream.take(data)
        if data and stream.lines.holds and (pipes, number) not in self._pauses and stream.is_open:
            pipes.widen()
            pipes.pause(number)
            self._pauses[pipes, number] = self._loop.call_later(_PAUSE, lambda: self._resume(pipes, number))

    def _resume(self, pipes: _Pipes | OrderedPipes, number: int) -> None:
        del self._pauses[pipes, number]
        pipes.resume(number)


class _Stream:
    """One stream on its way to the log."""

    def __init__(self, loop: Loop, name: str, sink: LineSink, limits: OutputLimits) -> None:
        self._loop = loop
        self._name = name
        self._sink = sink
        self.is_open = True
        self.lines = LineStream(limits, time.monotonic())
        #: No writer is left.
        self.ended = False
        self._timer: Timer | None = None

    def take(self, data: bytes) -> None:
        """What was read; empty at the end."""
        if not self.is_open:
            return
        if not data:
            self.ended = True
            return
        self._let_out(self.lines.feed(data, time.monotonic()))
        if self.lines.holds and self._timer is None:
            self._timer = self._loop.call_later(_TICK, self._tick)

    def close(self) -> None:
        """Hand out all that came so far, and take no more."""
        if not self.is_open:
            return
        self.is_open = False
        if self._timer is not None:
            self._timer.cancel()
        self._let_out(self.lines.finish())
        self.ended = True

    def _tick(self) -> None:
        self._timer = None
        self._let_out(self.lines.tick(time.monotonic()))
        if self.lines.holds:
            self._timer = self._loop.call_later(_TICK, self._tick)

    def _let_out(self, lines: list[str]) -> None:
        now = _now()
        for line in lines:
            self._sink(self._name, line, now)


class _Pipes(PipeEnds):
    """Ordinary pipes, with the verbs of `OrderedPipes`."""

    #: As exact as ordinary pipes are.
    exact = True

    def __init__(self, loop: Loop, take: Callable[[int, bytes], None], *, threads: bool) -> None:
        self._take = take
        self._loop = loop
        self._threads = threads
        if threads:
            loop.wakeable()
        pipes = [os.pipe() for _ in _NAMES]
        self.ends = [end for _, end in pipes]
        self._sources = {number: source for number, (source, _) in enumerate(pipes)}
        self._room = {number: threading.Semaphore(4) for number in self._sources}
        self._is_open = True
        #: How much the threads have read.
        self._chunks = 0
        for number, source in self._sources.items():
            if threads:
                name = f"read std{_NAMES[number]}"
                threading.Thread(target=self._read_on, args=(number, source), name=name, daemon=True).start()
            else:
                os.set_blocking(source, False)
                self._loop.add_reader(source, functools.partial(self._read, number))

    def read(self) -> None:
        """Read what is there. Threads read by themselves: wait until they have had nothing for a moment."""
        if self._threads:
            self._wait_for_threads()
            return
        for number in list(self._sources):
            self._read(number)

    def _wait_for_threads(self) -> None:
        now = time.monotonic()
        end, quiet, known = now + _LONGEST_WAIT, now + _QUIET, self._chunks
        while (now := time.monotonic()) < min(quiet, end) and self._sources:
            self._loop.turn(min(quiet, end) - now)
            if self._chunks != known:
                quiet, known = time.monotonic() + _QUIET, self._chunks

    def _read(self, number: int) -> None:
        source = self._sources[number]
        try:
            data = os.read(source, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._drop(number)
        self._take(number, data)

    def _read_on(self, number: int, source: int) -> None:
        """The thread's work. Waits when the loop is behind by a few chunks."""
        data = b"-"
        while data:
            try:
                data = os.read(source, _CHUNK)
            except OSError:
                data = b""
            self._room[number].acquire()
            self._loop.call_soon_threadsafe(functools.partial(self._taken, number, data))

    def _taken(self, number: int, data: bytes) -> None:
        self._room[number].release()
        self._chunks += 1
        if not data:
            # Also after `close`: a process that lives on held the pipe until now.
            os.close(self._sources.pop(number))
        if self._is_open:
            self._take(number, data)

    def widen(self) -> None:
        """Other systems than Linux have no such pipes."""

    def pause(self, number: int) -> None:
        """Do not read a pipe for a while, which slows down who writes to it."""
        if not self._threads and number in self._sources:
            self._loop.remove_reader(self._sources[number])

    def resume(self, number: int) -> None:
        """Read it again."""
        if not self._threads and number in self._sources:
            self._loop.add_reader(self._sources[number], functools.partial(self._read, number))

    def close(self) -> None:
        """Read no more. A thread that reads a pipe closes it in the end."""
        self._is_open = False
        if not self._threads:
            for number in list(self._sources):
                self._drop(number)

    def _drop(self, number: int) -> None:
        source = self._sources.pop(number)
        self._loop.remove_reader(source)
        os.close(source)


def new_pipes(loop: Loop, take: Callable[[int, bytes], None], *, threads: bool = False) -> _Pipes | OrderedPipes:
    """Pipes for standard output and standard error; `take` gets the number of the pipe and what was read from it."""
    if not threads and _in_order():
        return OrderedPipes(loop, len(_NAMES), take)
    return _Pipes(loop, take, threads=threads)


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
            raise ValueError(
                f"the output is larger ({size:,} bytes) than a result may be: {limit:,} bytes "
                "(PROACTIVE_KERNEL_RESULT_BYTES)"
            )
        with open(self._path, "rb") as file:
            return file.read()

    def close(self) -> None:
        if self.end >= 0:
            os.close(self.end)
            self.end = -1


def _now() -> int:
    return time.time_ns() // 1_000_000
