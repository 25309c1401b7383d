"""A small event loop for one thread: a node waits in one place for its channel, the task's pipes, its end and timers.

Unlike asyncio's loop it is driven from below: code that waits for something runs turns until it has happened. So the
steps of an attempt are plain function calls, one after the other.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

__all__ = ["Loop", "Timer"]


class Timer:
    """A call that is due at a time; `cancel` forgets it."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None


class Loop:
    """Readers, timers and calls from other threads. All but `call_soon_threadsafe` belong to the loop's thread."""

    def __init__(self) -> None:
        self._readers: dict[int, Callable[[], None]] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._numbers = itertools.count()
        self._soon: deque[Callable[[], None]] = deque()
        # Windows has no `poll`, and its `select` knows sockets alone, which is all that is waited for there.
        self._poll: Any = select.poll() if hasattr(select, "poll") else None
        self._lock = threading.Lock()
        self._ours: socket.socket | None = None
        self._theirs: socket.socket | None = None

    def add_reader(self, descriptor: int, call: Callable[[], None]) -> None:
        """Call it whenever the descriptor can be read, or has ended."""
        self._readers[descriptor] = call
        if self._poll is not None:
            self._poll.register(descriptor, select.POLLIN)

    def remove_reader(self, descriptor: int) -> None:
        """Stop reading a descriptor; one that is not read is ignored."""
        if self._readers.pop(descriptor, None) is not None and self._poll is not None:
            with contextlib.suppress(KeyError):
                self._poll.unregister(descriptor)

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Call it once, so many seconds from now."""
        timer = Timer(call)
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._numbers), timer))
        return timer

    def call_soon(self, call: Callable[[], None]) -> None:
        """Call it in the next turn."""
        self._soon.append(call)

    def call_soon_threadsafe(self, call: Callable[[], None]) -> None:
        """Call it in the next turn, which comes at once; from any thread. Needs `wakeable` to have been called."""
        with self._lock:
            self._soon.append(call)
            if self._theirs is not None:
                with contextlib.suppress(OSError):
                    self._theirs.send(b"x")

    def wakeable(self) -> None:
        """Prepare for calls from other threads."""
        if self._ours is not None:
            return
        self._ours, self._theirs = socket.socketpair()
        for end in (self._ours, self._theirs):
            end.setblocking(False)
        self.add_reader(self._ours.fileno(), self._drain)

    def _drain(self) -> None:
        assert self._ours is not None
        with contextlib.suppress(OSError):
            self._ours.recv(4096)

    def turn(self, most: float | None = None) -> None:
        """Wait until something happens, not longer than `most` seconds, and handle it."""
        timeout = self._timeout(most)
        for descriptor in self._ready(timeout):
            call = self._readers.get(descriptor)
            if call is not None:
                call()
        while self._timers and (self._timers[0][2].call is None or self._timers[0][0] <= time.monotonic()):
            call = heapq.heappop(self._timers)[2].call
            if call is not None:
                call()
        for _ in range(len(self._soon)):
            self._soon.popleft()()

    def _timeout(self, most: float | None) -> float | None:
        if self._soon:
            return 0.0
        while self._timers and self._timers[0][2].call is None:
            heapq.heappop(self._timers)
        if not self._timers:
            return most
        left = max(self._timers[0][0] - time.monotonic(), 0.0)
        return left if most is None else min(left, most)

    def _ready(self, timeout: float | None) -> list[int]:
        if self._poll is not None:
            # Rounded up, so that a timer is due when the wait is over.
            found = self._poll.poll(None if timeout is None else timeout and int(timeout * 1000) + 1)
            return [descriptor for descriptor, _ in found]
        if not self._readers:
            time.sleep(timeout or 0.0)
            return []
        return select.select(list(self._readers), [], [], timeout)[0]

    def close(self) -> None:
        """Give back what `wakeable` took."""
        with self._lock:
            for end in (self._ours, self._theirs):
                if end is not None:
                    end.close()
            self._ours = self._theirs = None
