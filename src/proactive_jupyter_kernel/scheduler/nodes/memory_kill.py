"""What to say of a process that the system killed: mostly its memory had run out."""

from __future__ import annotations

import signal

__all__ = ["MemoryWatch"]

_SIGKILL: int = getattr(signal, "SIGKILL", 9)
#: The exit code of a shell whose last program was killed.
_IN_SHELL = 128 + _SIGKILL


class MemoryWatch:
    """Knows how often the system has killed a process because memory ran out, which Linux counts."""

    def __init__(self) -> None:
        self._seen = _kills()

    def explain(self, exit_code: int, peak: int) -> str:
        """A sentence about a process that was killed; empty for every other end.

        `peak`: the most memory that it had, in bytes; 0 where that is not known.
        """
        if exit_code not in (-_SIGKILL, _IN_SHELL):
            return ""
        before, self._seen = self._seen, _kills()
        from proactive_jupyter_kernel.workflow.display.numbers import size_text

        used = f"; its memory peaked at {size_text(peak)} of the machine's {size_text(_total())}" if peak else ""
        if self._seen > before:
            return f"The system ran out of memory and killed it{used}."
        return f"The system does that when memory runs out{used}."


def _kills() -> int:
    """Processes killed for want of memory since the system started; 0 where it does not count them."""
    try:
        with open("/proc/vmstat", encoding="ascii") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("oom_kill ")), 0)
    except (OSError, ValueError, IndexError):
        return 0


def _total() -> int:
    """The machine's memory in bytes."""
    import psutil

    return int(psutil.virtual_memory().total)
