"""Two pipes that are read in the order in which processes wrote to them; Linux only.

The kernel tells which of two pipes has data, not which write came first. Three of its features together do tell:

- A *packet* pipe (``O_DIRECT``) keeps each write apart, and with room for a single packet it never holds two: the next
  write to the same pipe waits until the first is read.
- An edge-triggered epoll reports each arrival once, in the order of arrival.
- So of two writes that wait to be read the report names the first one first, and there are never more than one on each
  pipe.

That holds for every program in every language, and for several processes that write in turns: what one process wrote
before another one was started, or was waited for, comes first. It costs a change of context for each write. Output that
floods the log is therefore read the ordinary way, in large pieces, from then on: the order of the two streams is then
that of the pieces.

Two things are beyond it: what a program keeps in a buffer of its own (C programs keep standard output until 4 KiB have
gathered), and writes through a descriptor that was opened anew (``/dev/stderr``), which may join the one before.
"""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable, Sequence

from proactive_jupyter_kernel.scheduler.nodes.loop import Loop

__all__ = ["OrderedPipes", "PipeEnds", "is_possible"]

#: What is read at once.
_CHUNK = 1024 * 1024
#: Reports that are handled before the loop may do something else.
_MOST_AT_ONCE = 64
#: More packets in a second are a flood.
_FLOOD = 20_000

if sys.platform == "linux":
    import fcntl
    import termios

    def _packet_pipe() -> tuple[int, int]:
        """A pipe for one packet. Raises OSError where the system has none."""
        source, end = os.pipe2(os.O_DIRECT | os.O_CLOEXEC)
        try:
            page = os.sysconf("SC_PAGESIZE")
            if fcntl.fcntl(source, fcntl.F_SETPIPE_SZ, page) != page:
                raise OSError("the system has no pipes for one packet")
            os.set_blocking(source, False)
        except BaseException:
            os.close(source)
            os.close(end)
            raise
        return source, end

    def _pending(source: int) -> bool:
        """Whether there is something to read."""
        return fcntl.ioctl(source, termios.FIONREAD, b"\0" * 4) != b"\0" * 4

    def _widen(source: int, end: int) -> None:
        """Make an ordinary pipe of it, as large as is read at once, or smaller where the user's share is used up."""
        if end >= 0:
            fcntl.fcntl(end, fcntl.F_SETFL, fcntl.fcntl(end, fcntl.F_GETFL) & ~os.O_DIRECT)
        for size in (_CHUNK, 64 * 1024):
            try:
                fcntl.fcntl(source, fcntl.F_SETPIPE_SZ, size)
                return
            except OSError:
                continue

    def is_possible() -> bool:
        """Whether this system has all that is needed."""
        try:
            for descriptor in _packet_pipe():
                os.close(descriptor)
        except (OSError, ValueError):
            return False
        return True

else:

    def is_possible() -> bool:
        """Whether this system has all that is needed."""
        return False


class PipeEnds:
    """The writing ends of pipes, held until the process that writes has them; -1: closed."""

    ends: list[int]

    def close_ends(self) -> None:
        """Close our copies of the writing ends."""
        for number, end in enumerate(self.ends):
            if end >= 0:
                os.close(end)
                self.ends[number] = -1


class OrderedPipes(PipeEnds):
    """The pipes of one attempt."""

    def __init__(self, loop: Loop, count: int, take: Callable[[int, bytes], None]) -> None:
        """`take` gets the number of the pipe and what was read from it; empty at the pipe's end."""
        self._take = take
        self._loop = loop
        pipes = [_packet_pipe() for _ in range(count)]
        #: What processes write to; -1 once it is closed here.
        self.ends = [end for _, end in pipes]
        #: Descriptor -> number, of the pipes that have not ended.
        self._sources = {source: number for number, (source, _) in enumerate(pipes)}
        #: Whether they are read in order; a flood ends that.
        self.exact = True
        self._packets = 0
        self._window = time.monotonic()
        self._epoll = select.epoll()
        self._paused: set[int] = set()
        for source in self._sources:
            self._epoll.register(source, select.EPOLLIN | select.EPOLLET)
        self._loop.add_reader(self._epoll.fileno(), self.read)

    def read(self) -> None:
        """Read what is there, in order; at most so much that nothing else is held up."""
        for _ in range(_MOST_AT_ONCE):
            if self._epoll.closed:
                return
            events: Sequence[tuple[int, int]] = self._epoll.poll(0) or self._overlooked()
            if not events:
                return
            for source, event in events:
                self._read(source, event)
            self._watch_for_flood(len(events))
        self._loop.call_soon(self.read)  # packets may be pending that were not reported

    def _overlooked(self) -> list[tuple[int, int]]:
        """Read packets that are pending without a report, because a program enlarged its pipe."""
        waiting = [source for source in self._sources if source not in self._paused and _pending(source)]
        if not self.exact or not waiting:
            return []
        return self._epoll.poll(0) or [(source, select.EPOLLIN) for source in waiting]

    def _read(self, source: int, event: int) -> None:
        if source not in self._sources or source in self._paused:
            return
        number = self._sources[source]
        try:
            data = os.read(source, _CHUNK)
            while data and event & select.EPOLLHUP:  # no writer is left: read the rest
                self._take(number, data)
                data = os.read(source, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._drop(source)
        self._take(number, data)

    def _watch_for_flood(self, packets: int) -> None:
        self._packets += packets
        if self._packets >= _FLOOD:
            now = time.monotonic()
            if now - self._window < 1.0:
                self.widen()
            self._packets, self._window = 0, now

    def widen(self) -> None:
        """Read in large pieces from now on; the order of the streams is that of the pieces."""
        if not self.exact:
            return
        self.exact = False
        for source, number in self._sources.items():
            _widen(source, self.ends[number])
            if source not in self._paused:
                self._epoll.modify(source, select.EPOLLIN)

    def pause(self, number: int) -> None:
        """Do not read a pipe for a while, which slows down who writes to it."""
        for source, each in self._sources.items():
            if each == number and source not in self._paused:
                self._paused.add(source)
                self._epoll.unregister(source)

    def resume(self, number: int) -> None:
        """Read it again."""
        for source in list(self._paused):
            if self._sources.get(source) == number:
                self._paused.discard(source)
                self._epoll.register(source, select.EPOLLIN | (select.EPOLLET if self.exact else 0))

    def close(self) -> None:
        """Read no more."""
        if self._epoll.closed:
            return
        self._loop.remove_reader(self._epoll.fileno())
        for source in list(self._sources):
            self._drop(source)
        self._epoll.close()

    def _drop(self, source: int) -> None:
        del self._sources[source]
        if source in self._paused:
            self._paused.discard(source)
        else:
            self._epoll.unregister(source)
        os.close(source)
