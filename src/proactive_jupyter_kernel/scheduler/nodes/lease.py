"""How long a node may work without an answer from the scheduler, so that nothing runs twice at once.

A network that is cut ends no connection, not for minutes. So a node that is reached through a network asks for leave
while it works, and ends its task and itself when it gets none: the time counts from when it *asked*. The scheduler
counts from when it *gave* leave, which is later, and gives the task to another node after that time and some more.
No clock is compared with that of another machine.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from typing import Any

from proactive_jupyter_kernel.scheduler.nodes.loop import Loop, Timer

__all__ = ["LONGEST", "WAITS", "Lease"]

#: How often leave is asked for while one lease lasts, and looked whether it is over.
ASKS = 6
#: The part of a lease that a node waits at most while the scheduler takes no more of what it sends.
WAITS = 0.25
#: How many times its lease a node works at most: it looks between two questions, and may have to wait before it does.
LONGEST = 1 + 1 / ASKS + WAITS

#: Counts also while the machine is suspended, where the system has such a clock.
_now: Callable[[], float] = (
    functools.partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
)


class Lease:
    """The lease under which one node works, renewed while it works."""

    def __init__(
        self, loop: Loop, send: Callable[[Mapping[str, Any]], None], seconds: float, over: Callable[[], None]
    ) -> None:
        """`over` is called when the lease has ended."""
        self._loop = loop
        self._send = send
        self._seconds = seconds
        self._over = over
        self._key = ""
        self._number = 0
        #: When which number was asked.
        self._asked: dict[int, float] = {}
        #: Since when the lease counts.
        self._since = 0.0
        self._is_granted = False
        self._timer: Timer | None = None

    def begin(self, key: str, given_up: Callable[[], bool]) -> bool:
        """Get leave for this work before it starts; False: there is none."""
        self._key, self._is_granted, self._since = key, False, _now()
        self._asked.clear()
        self._ask()
        while not self._is_granted and not given_up():
            self._loop.turn()
        return self._is_granted

    def end(self) -> None:
        """The work is done."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._key = ""

    def granted(self, key: str, number: int) -> None:
        """The scheduler has given leave."""
        if key == self._key and number in self._asked:
            self._is_granted = True
            self._since = self._asked[number]
            self._asked = {later: at for later, at in self._asked.items() if later > number}

    def _ask(self) -> None:
        now = _now()
        if now - self._since > self._seconds:
            self._timer = None
            self._over()
            return
        self._number += 1
        self._asked[self._number] = now
        self._send({"do": "renew", "key": self._key, "number": self._number})
        self._timer = self._loop.call_later(self._seconds / ASKS, self._ask)
