"""Frames between a node and the executor that gives it work: the bytes, and a channel of a socket that carries them.

A frame is the lengths of its two parts, four and eight bytes, a JSON object in ASCII with the key ``do``, and the texts
of values that are not decoded on the way, one after the other; ``raw`` has their lengths.

========== ============================================================= ==========================================
to a node  more keys                                                     meaning
========== ============================================================= ==========================================
settings   ``settings``                                                  comes first, once; the node answers ``ready``
attempt    ``key`` ``attempt`` ``raw``: results of the parents           run it; further ones wait their turn
selection  ``key`` ``selection``                                         ask the scripts
stop       ``key`` ``kind`` (``killed`` or ``lost``)                     end that attempt, running or waiting, or
                                                                         the selection that runs
ping                                                                     answer ``pong`` at once
granted    ``key`` ``number``                                            leave to work, as ``renew`` asked for it
========== ============================================================= ==========================================

========== ============================================================= ==========================================
from it    more keys                                                     meaning
========== ============================================================= ==========================================
ready      ``pid``                                                       it waits for work
output     ``key`` ``lines``: [stream, text, milliseconds]               what the task wrote, in order
progress   ``key`` ``percent``
outcome    ``key`` ``outcome`` ``raw``: its value ``retire`` ``pause``   the attempt has ended, nothing is left of it;
                                                                         ``retire``: give this node no more work;
                                                                         ``pause``: seconds until it makes sense again
answer     ``key`` ``answer`` ``retire``                                 of a selection
pong                                                                     to a ``ping``
renew      ``key`` ``number``                                            asks for leave to work (``nodes/lease.py``)
note       ``level`` ``name`` ``text``                                   a line for the scheduler's own log
========== ============================================================= ==========================================

Files of data spaces that the node cannot reach travel in further frames (``nodes/carried.py``).

When the channel ends, because the other side stopped or died, the node ends what it runs, and itself.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

__all__ = ["Channel", "Frame", "SocketChannel", "Splitter", "begun", "packed"]

Frame: TypeAlias = dict[str, Any]
_HEAD = struct.Struct("!IQ")
_ENCODE = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_CHUNK = 256 * 1024


def packed(frame: Mapping[str, Any]) -> bytes:
    """The bytes of a frame."""
    raw = frame.get("raw")
    if not raw:
        content = _ENCODE(frame).encode("ascii")
        return _HEAD.pack(len(content), 0) + content
    return b"".join((begun(frame, [len(text) for text in raw]), *raw))


def begun(frame: Mapping[str, Any], sizes: Sequence[int]) -> bytes:
    """The bytes of a frame but for its values, which have these lengths and follow."""
    content = _ENCODE({**frame, "raw": sizes}).encode("ascii")
    return _HEAD.pack(len(content), sum(sizes)) + content


class Splitter:
    """Finds the frames in a stream of bytes."""

    def __init__(self) -> None:
        self._unread = bytearray()
        #: A frame whose values are still coming, and the lengths of those.
        self._frame: Frame = {}
        self._sizes: Iterator[int] | None = None
        self._size = 0

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are complete now."""
        unread = self._unread
        unread += data
        found: list[Frame] = []
        start = 0
        while True:
            if self._sizes is not None:
                start = self._take_values(start)
                if self._sizes is not None:
                    break
                found.append(self._frame)
            elif len(unread) - start < _HEAD.size:
                break
            else:
                length, more = _HEAD.unpack_from(unread, start)
                end = start + _HEAD.size + length
                if len(unread) < end:
                    break
                frame = json.loads(unread[start + _HEAD.size : end])
                start = end
                if more or "raw" in frame:
                    self._frame, self._sizes, self._size = frame, iter(frame["raw"]), -1
                    frame["raw"] = []
                else:
                    found.append(frame)
        del unread[:start]
        return found

    def _take_values(self, start: int) -> int:
        """Take the values that are complete; where what comes after them begins."""
        assert self._sizes is not None
        while True:
            if self._size < 0:
                size = next(self._sizes, None)
                if size is None:
                    self._sizes = None
                    return start
                self._size = size
            if len(self._unread) - start < self._size:
                return start
            self._frame["raw"].append(bytes(self._unread[start : start + self._size]))
            start += self._size
            self._size = -1


class Channel(Protocol):
    """The connection of a node to the executor that gives it work, of any kind."""

    def fileno(self) -> int:
        """What becomes readable when frames have come."""

    def send(self, *frames: Mapping[str, Any]) -> None:
        """Hand frames over; waits where the other side is slow. A channel that has ended takes them and is silent."""

    def receive(self) -> list[Frame] | None:
        """The frames that have come, perhaps none; None: the other side is gone."""

    def limit(self, seconds: float) -> None:
        """Wait no longer than that where the other side is slow: then the channel has ended."""


class SocketChannel:
    """A channel over a connected socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._splitter = Splitter()
        self._is_ended = False

    def fileno(self) -> int:
        return self._connection.fileno()

    def send(self, *frames: Mapping[str, Any]) -> None:
        if self._is_ended:
            return
        try:
            self._connection.sendall(b"".join(map(packed, frames)))
        except OSError:
            self._is_ended = True
            with contextlib.suppress(OSError):
                # A part may have gone, so that nothing can follow; the next `receive` says so.
                self._connection.shutdown(socket.SHUT_RDWR)

    def receive(self) -> list[Frame] | None:
        try:
            data = self._connection.recv(_CHUNK)
        except OSError:
            data = b""
        if not data:
            self._is_ended = True
            return None
        return self._splitter.feed(data)

    def limit(self, seconds: float) -> None:
        self._connection.settimeout(seconds)

    def close(self) -> None:
        self._connection.close()
