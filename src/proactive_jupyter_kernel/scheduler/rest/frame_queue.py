"""The frames that wait for one client of the push channel, bounded in bytes.

A frame is rendered once and shared by all queues that it is in, so that a queue holds references alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

__all__ = ["Frame", "FrameQueue"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The text of a frame; ASCII, so that its length is its size."""

    text: str
    #: The job whose tasks it lists, all of them: a later one of the same job says all that this one says.
    whole_job: int | None = None


class FrameQueue:
    """First in, first out. Used from the loop's thread alone."""

    def __init__(self, most: int) -> None:
        """`most` is how many bytes may wait; one frame may, whatever its size."""
        self._most = most
        self._frames: deque[Frame] = deque()
        self._waiter: asyncio.Future[None] | None = None
        #: It takes no more frames.
        self.ended = False
        #: Bytes that wait.
        self.size = 0

    def put(self, frame: Frame) -> bool:
        """Append a frame. False, and the end of the queue: there was no room.

        Before that, frames about a whole job that a later one replaces make room.
        """
        if self.ended:
            return True
        if self.size + len(frame.text) > self._most:
            self._drop_replaced(frame)
        if self._frames and self.size + len(frame.text) > self._most:
            self.end()
            return False
        self._frames.append(frame)
        self.size += len(frame.text)
        self._wake()
        return True

    def end(self) -> None:
        """Drop what waits; the reader gets None."""
        self._frames.clear()
        self.size = 0
        self.ended = True
        self._wake()

    async def get(self) -> Frame | None:
        """The next frame, once there is one; None: the queue has ended. For one reader."""
        while not self._frames:
            if self.ended:
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        frame = self._frames.popleft()
        self.size -= len(frame.text)
        return frame

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _drop_replaced(self, newest: Frame) -> None:
        replaced = set() if newest.whole_job is None else {newest.whole_job}
        kept: deque[Frame] = deque()
        for frame in reversed(self._frames):
            if frame.whole_job is None or frame.whole_job not in replaced:
                kept.appendleft(frame)
            if frame.whole_job is not None:
                replaced.add(frame.whole_job)
        self._frames = kept
        self.size = sum(len(frame.text) for frame in kept)
