"""The limit of memory of a task, with all that it starts.

Limits of the system do not fit: ``RLIMIT_AS`` counts addresses, of which Java and numerical libraries reserve far more
than they use, and counts each process alone; a control group needs rights that a user rarely has. So the node looks at
its descendants several times a second. A task that takes its memory faster than that is over the limit for a moment.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind
from proactive_jupyter_kernel.scheduler.nodes.loop import Loop, Timer
from proactive_jupyter_kernel.scheduler.runtimes.harness.python import processes as system
from proactive_jupyter_kernel.scheduler.runtimes.stage import failure

__all__ = ["MemoryLimit", "memory_over"]

#: Seconds between two looks.
_LOOK_EVERY = 0.1


def memory_over(limit: int, *, spared: Iterable[int]) -> int:
    """The bytes that the descendants of this process use together, but `spared` ones; 0 if the limit allows them.

    What a process has written counts, and memory that it shares with others of them once; files do not count. 0 where
    the system does not tell.
    """
    left = set(system.descendants(os.getpid())).difference(spared)
    if sum(_figures(pid, "status", ("RssAnon:", "RssShmem:")) for pid in left) <= limit:
        return 0
    # Slower, and exact: forks share most of their memory.
    used = sum(_figures(pid, "smaps_rollup", ("Pss_Anon:", "Pss_Shmem:")) for pid in left)
    return used if used > limit else 0


class MemoryLimit:
    """Looks at the memory of one attempt while it runs, and tells when it is over the limit."""

    def __init__(
        self, loop: Loop, limit: int, *, spared: Callable[[], Iterable[int]], over: Callable[[], None]
    ) -> None:
        """`limit`: bytes, 0 for none. `spared`: descendants that are none of the attempt's. `over` is called once."""
        self._loop = loop
        self._limit = limit
        self._spared = spared
        self._over = over
        self._timer: Timer | None = None
        self._used = 0

    def watch(self) -> None:
        """Look again in a moment, until `cancel`."""
        if self._limit:
            self._timer = self._loop.call_later(_LOOK_EVERY, self._look)

    def cancel(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def exceeded(self, task_name: str) -> Failure:
        """The task was killed for it."""
        from proactive_jupyter_kernel.workflow.display.numbers import size_text

        return failure(
            FailureKind.DIED,
            f"Task {task_name} was killed: with the programs that it started it used {size_text(self._used)} of "
            f"memory, more than the {size_text(self._limit)} that a task may use (PROACTIVE_KERNEL_TASK_MEMORY)",
        )

    def _look(self) -> None:
        self._used = memory_over(self._limit, spared=self._spared())
        if self._used:
            self._over()
        else:
            self.watch()


def _figures(pid: int, name: str, wanted: tuple[str, ...]) -> int:
    """The sum of some lines of a file of /proc, in bytes; 0 for a process that is gone."""
    try:
        with open(f"/proc/{pid}/{name}", encoding="ascii", errors="replace") as file:
            return sum(int(line.split()[1]) * 1024 for line in file if line.startswith(wanted))
    except (OSError, ValueError, IndexError):
        return 0
