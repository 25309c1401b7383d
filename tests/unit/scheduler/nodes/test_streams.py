"""The pipes of an attempt, where threads read them."""

from __future__ import annotations

import os

from proactive_jupyter_kernel.scheduler.nodes.loop import Loop
from proactive_jupyter_kernel.scheduler.nodes.streams import new_pipes


def test_what_was_written_is_there_when_it_is_asked_for() -> None:
    """So that a line of the scheduler's own comes after it."""
    loop = Loop()
    taken: list[tuple[int, bytes]] = []
    pipes = new_pipes(loop, lambda number, data: taken.append((number, data)), threads=True)
    os.write(pipes.ends[1], b"Traceback\n")
    pipes.read()
    assert taken == [(1, b"Traceback\n")]
    pipes.close_ends()
    pipes.read()
    assert sorted(taken[1:]) == [(0, b""), (1, b"")]
    pipes.close()
    loop.close()
