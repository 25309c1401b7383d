"""Frames between a node and whoever gives it work: the bytes, and a channel of a socket that carries them.

A frame is the lengths of its two parts, four bytes each, a JSON object in ASCII with the key ``do``, and the texts of
values that nobody reads on the way, one after the other; ``raw`` has their lengths.

========== ============================================================= ==========================================
to a node  more keys                                                     meaning
========== ============================================================= ==========================================
settings   ``settings``                                                  comes first, once; the node answers ``ready``
attempt    ``key`` ``attempt`` ``raw``: results of the parents           run it; further ones wait their turn
selection  ``key`` ``selection``                                         ask the scripts
stop       ``key`` ``kind`` (``killed`` or ``lost``)                     end that attempt, running or waiting
end        ``key``                                                       end that selection
========== ============================================================= ==========================================

========== ============================================================= ==========================================
from it    more keys                                                     meaning
========== ============================================================= ==========================================
ready      ``pid``                                                       it waits for work
output     ``key`` ``lines``: [stream, text, milliseconds]               what the task wrote, in order
progress   ``key`` ``percent``
outcome    ``key`` ``outcome`` ``raw``: its value ``retire``             the attempt has ended, nothing is left of it;
                                                                         ``retire``: give this node no more work
answer     ``key`` ``answer``                                            of a selection
note       ``level`` ``name`` ``text``                                   a line for the scheduler's own log
========== ============================================================= ==========================================

When the channel ends, because the other side stopped or died, the node ends what it runs, and itself.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

__all__ = ["Channel", "Frame", "SocketChannel", "Splitter", "packed"]

Frame: TypeAlias = dict[str, Any]
_HEAD = struct.Struct("!II")
_ENCODE = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_CHUNK = 256 * 1024


def packed(frame: Mapping[str, Any]) -> bytes:
    """The bytes of a frame."""
    raw = frame.get("raw")
    if not raw:
        content = _ENCODE(frame).encode("ascii")
        return _HEAD.pack(len(content), 0) + content
    content = _ENCODE({**frame, "raw": [len(text) for text in raw]}).encode("ascii")
    return b"".join((_HEAD.pack(len(content), sum(map(len, raw))), content, *raw))


class Splitter:
    """Finds the frames in a stream of bytes."""

    def __init__(self) -> None:
        self._unread = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are complete now."""
        unread = self._unread
        unread += data
        found: list[Frame] = []
        start = 0
        while len(unread) - start >= _HEAD.size:
            length, more = _HEAD.unpack_from(unread, start)
            end = start + _HEAD.size + length
            if len(unread) < end + more:
                break
            frame = json.loads(unread[start + _HEAD.size : end])
            if more:
                sizes, frame["raw"] = frame["raw"], []
                for size in sizes:
                    frame["raw"].append(bytes(unread[end : end + size]))
                    end += size
            found.append(frame)
            start = end
        del unread[:start]
        return found


class Channel(Protocol):
    """A node's way to whoever gives it work, however it is made."""

    def fileno(self) -> int:
        """What becomes readable when frames have come."""

    def send(self, *frames: Mapping[str, Any]) -> None:
        """Hand frames over; waits where the other side is slow. A channel that has ended takes them and is silent."""

    def receive(self) -> list[Frame] | None:
        """The frames that have come, perhaps none; None: the other side is gone."""


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
            self._is_ended = True  # the next `receive` says so

    def receive(self) -> list[Frame] | None:
        try:
            data = self._connection.recv(_CHUNK)
        except OSError:
            data = b""
        if not data:
            self._is_ended = True
            return None
        return self._splitter.feed(data)

    def close(self) -> None:
        self._connection.close()
