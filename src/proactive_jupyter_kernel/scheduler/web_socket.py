"""uvicorn's protocol for web sockets, with long messages in several frames.

The official Java client takes frames of at most 10 KiB: at a longer one it reconnects and loses what was pushed before.
A ProActive server therefore sends what is longer than 8 KiB in fragments.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

__all__ = ["FRAME", "FragmentingProtocol"]

#: Bytes of one frame.
FRAME = 8 * 1024


class FragmentingProtocol(WebSocketsSansIOProtocol):
    """Sends texts in frames of at most `FRAME` bytes."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._send_whole = self.conn.send_text
        self.conn.send_text = self._send_text  # type: ignore[method-assign,assignment]

    def _send_text(self, data: bytes, fin: bool = True) -> None:
        if len(data) <= FRAME:
            self._send_whole(data, fin)
            return
        self._send_whole(data[:FRAME], fin=False)
        for start in range(FRAME, len(data), FRAME):
            end = start + FRAME
            self.conn.send_continuation(data[start:end], fin=fin and end >= len(data))
