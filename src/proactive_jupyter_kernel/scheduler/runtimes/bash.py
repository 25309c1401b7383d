"""Bash: ``bash FILE args…``, bindings in the environment, result 0."""

from __future__ import annotations

from proactive_jupyter_kernel.scheduler.runtimes.nativeshell import NativeShell

__all__ = ["RUNTIMES", "Bash"]


class Bash(NativeShell):
    """Scripts of the engine ``bash``."""

    engine = "bash"
    programs = ("bash",)
    install = "install bash with the system's package manager, and see that it is on the PATH"


RUNTIMES = (Bash(),)
