"""Interrupts that wait until something short is done, so that a job is never submitted without the notebook knowing."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

__all__ = ["held_interrupts"]


@contextlib.contextmanager
def held_interrupts(second: str) -> Iterator[list[int]]:
    """Hold back the first interrupt of the body: the list is not empty then.

    A second one passes, with the sentence `second`. Python interrupts the main thread alone.
    """
    held: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield held
        return

    def note(number: int, frame: FrameType | None) -> None:
        if held:
            raise KeyboardInterrupt(second)
        held.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield held
    finally:
        signal.signal(signal.SIGINT, before)
