"""The signals that stop the scheduler."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from typing import Any, Self

__all__ = ["Signals"]


class Signals:
    """SIGTERM, SIGINT and SIGHUP (a lost terminal) shut the scheduler down gracefully, whenever they come.

    Before the loop runs, a signal ends the process by an exception. While it runs, the first signal starts the shutdown
    and further ones change nothing. Only SIGKILL ends the process at once.
    """

    def __init__(self) -> None:
        self._ask: Callable[[], object] | None = None

    def __enter__(self) -> Self:
        for name in ("SIGTERM", "SIGINT", "SIGHUP"):
            if (number := getattr(signal, name, None)) is not None:
                signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        """Ignore further signals: the process is about to end."""
        self._ask = lambda: None

    def ask(self, stop: Callable[[], Any]) -> None:
        """Call `stop` in the running loop at the next signal."""
        loop = asyncio.get_running_loop()

        def ask() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(stop)

        self._ask = ask

    def _on_signal(self, number: int, _: object) -> None:
        if self._ask is None:
            raise SystemExit(128 + number)
        self._ask()
