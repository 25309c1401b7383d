"""uvicorn's protocol for web sockets, with long messages in several frames.

The official Java client takes frames of at most 10 KiB: at a longer one it reconnects and loses what was pushed before.
A ProActive server therefore sends what is longer than 8 KiB in fragments. They are written as fast as the client reads
them: a client that is slow holds a few of them in memory, not the whole message, and others are answered in between.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

__all__ = ["FRAME", "FragmentingProtocol"]

#: Bytes of one frame.
FRAME = 8 * 1024
#: Bytes that are written without a look at whether the client reads.
_WRITTEN_AT_ONCE = 8 * FRAME


class FragmentingProtocol(WebSocketsSansIOProtocol):
    """Sends texts in frames of at most `FRAME` bytes."""

    async def send(self, message: Any) -> None:
        """See ASGI."""
        text = message.get("text")
        if message["type"] != "websocket.send" or text is None or not self.handshake_complete or self.close_sent:
            await super().send(message)
            return
        data = memoryview(text.encode())
        try:
            for start in range(0, max(len(data), 1), _WRITTEN_AT_ONCE):
                await self.writable.wait()
                if self.disconnected:
                    raise ClientDisconnected()
                self._write(data, start, min(start + _WRITTEN_AT_ONCE, len(data)))
                if start + _WRITTEN_AT_ONCE < len(data):
                    await asyncio.sleep(0)
        except InvalidState:
            raise ClientDisconnected() from None

    def _write(self, data: memoryview, start: int, end: int) -> None:
        for begin in range(start, max(end, start + 1), FRAME):
            piece, last = bytes(data[begin : begin + FRAME]), begin + FRAME >= len(data)
            if begin == 0:
                self.conn.send_text(piece, last)
            else:
                self.conn.send_continuation(piece, last)
        self.transport.write(b"".join(self.conn.data_to_send()))
