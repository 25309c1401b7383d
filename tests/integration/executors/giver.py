"""The other end of a node's channel, for tests that need no scheduler."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.scheduler.attempt import Attempt, Outcome, Slot
from proactive_jupyter_kernel.scheduler.nodes.codec import attempt_to, outcome_from
from proactive_jupyter_kernel.scheduler.nodes.frames import SocketChannel
from proactive_jupyter_kernel.scheduler.nodes.node import Node
from proactive_jupyter_kernel.scheduler.nodes.settings import NodeSettings
from proactive_jupyter_kernel.workflow.model import Script

__all__ = ["Giver"]


class Giver:
    """The other end of a node's channel."""

    def __init__(self, scratch: Path) -> None:
        ours, theirs = socket.socketpair()
        self._socket = ours
        self._theirs = theirs
        self._channel = SocketChannel(ours)
        self._frames: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=Node(SocketChannel(theirs)).run, daemon=True)
        self._thread.start()
        settings = NodeSettings(scratch=str(scratch), name="node-0", grace=0.5)
        self.send({"do": "settings", "settings": settings.to_json()})
        self.next("ready")

    def send(self, *frames: dict[str, Any]) -> None:
        self._channel.send(*frames)

    def next(self, kind: str, key: str = "") -> dict[str, Any]:
        """The next frame of that kind; the others are left out."""
        while True:
            while self._frames:
                frame = self._frames.pop(0)
                if frame["do"] == kind and key in ("", frame.get("key")):
                    return frame
            found = self._channel.receive()
            assert found is not None, "the node is gone"
            self._frames += found

    def attempt(self, code: str, number: int = 1, **fields: Any) -> Attempt:
        return Attempt(
            **{
                "job_id": 1,
                "job_name": "J",
                "task_id": number,
                "task_name": "T",
                "number": 1,
                "owner": "u",
                "slot": Slot(name="local-0"),
                "main": Script(language="cpython", code=code),
                **fields,
            }
        )

    def give(self, attempt: Attempt) -> str:
        content, raw = attempt_to(attempt)
        texts = [value.text for value in raw]
        self.send({"do": "attempt", "key": attempt.key, "attempt": content, "raw": texts})
        return attempt.key

    def outcome(self, key: str) -> Outcome:
        frame = self.next("outcome", key)
        return outcome_from(frame["outcome"], frame.get("raw", ()))

    def run(self, code: str, **fields: Any) -> Outcome:
        return self.outcome(self.give(self.attempt(code, **fields)))

    def close(self) -> None:
        if not self._thread.is_alive():
            return
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(60)
        assert not self._thread.is_alive()
        self._socket.close()
        self._theirs.close()
