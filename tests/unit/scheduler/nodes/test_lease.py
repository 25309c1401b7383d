"""The lease of a node: when it may work, and when it must end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.nodes import lease as lease_module
from proactive_jupyter_kernel.scheduler.nodes.lease import Lease


class Timer:
    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None


class Scene:
    """A lease of six seconds on a clock that stands still until it is moved, and a scheduler that answers as told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.over_at: list[float] = []
        self.asked: list[tuple[float, int]] = []
        self.answers = True
        self._timers: list[tuple[float, Timer]] = []
        monkeypatch.setattr(lease_module, "_now", lambda: self.now)
        self.lease = Lease(self, self._send, 6.0, lambda: self.over_at.append(self.now))  # type: ignore[arg-type]

    def _send(self, frame: Mapping[str, Any]) -> None:
        self.asked.append((self.now, frame["number"]))
        if self.answers:
            self.lease.granted(frame["key"], frame["number"])

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        timer = Timer(call)
        self._timers.append((self.now + seconds, timer))
        return timer

    def turn(self, most: float | None = None) -> None:
        """The next timer."""
        due, timer = self._timers.pop(0)
        self.now = due
        if timer.call is not None:
            timer.call()

    def pass_time(self, seconds: float) -> None:
        end = self.now + seconds
        while self._timers and self._timers[0][0] <= end:
            self.turn()
        self.now = end


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch)


def test_a_lease_is_renewed_while_the_scheduler_answers(scene: Scene) -> None:
    """It is asked for six times in its length, and no more after the work."""
    assert scene.lease.begin("1t0-1", lambda: False)
    scene.pass_time(60)
    scene.lease.end()
    asked = len(scene.asked)
    scene.pass_time(60)
    assert (asked, len(scene.asked), scene.over_at) == (61, 61, [])


def test_a_lease_counts_from_when_it_was_asked(scene: Scene) -> None:
    """A late answer to an early question does not make it longer, nor does an answer for other work.

    Whether it is over is seen when the next question is due, a second later.
    """
    scene.lease.begin("1t0-1", lambda: False)
    scene.answers = False
    scene.pass_time(3)
    at, number = scene.asked[1]
    scene.lease.granted("9t9-9", scene.asked[-1][1])
    scene.lease.granted("1t0-1", number)
    scene.pass_time(20)
    assert scene.over_at == [at + 7.0]


def test_nothing_starts_without_a_lease(scene: Scene) -> None:
    """A node that gets no answer gives the work up, and says so once."""
    scene.answers = False
    assert not scene.lease.begin("1t0-1", lambda: bool(scene.over_at))
    scene.pass_time(60)
    assert scene.over_at == [107.0]


def test_each_work_needs_a_leave_of_its_own(scene: Scene) -> None:
    """That of the work before is not good for the next, though it has not run out."""
    assert scene.lease.begin("1t0-1", lambda: False)
    scene.lease.end()
    scene.answers = False
    assert not scene.lease.begin("1t1-1", lambda: bool(scene.over_at))
    assert (scene.now, scene.over_at) == (107.0, [107.0])
