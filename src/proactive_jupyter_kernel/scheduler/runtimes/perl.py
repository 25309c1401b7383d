"""Perl: ``perl FILE``, bindings in the environment, result 0; as ``jsr223-perl`` runs it."""

from __future__ import annotations

from proactive_jupyter_kernel.scheduler.runtimes.nativeshell import NativeShell

__all__ = ["RUNTIMES", "Perl"]


class Perl(NativeShell):
    """Scripts of the engine ``perl``."""

    engine = "perl"
    programs = ("perl",)
    install = "install Perl with the system's package manager, and see that it is on the PATH"
    # They are in the environment, as args_0 and so on.
    passes_arguments = False

    def exit_message(self, exit_code: int) -> str:
        """As ``jsr223-perl`` says it."""
        return f"Perl process execution has failed with exit code {exit_code}" if exit_code else ""


RUNTIMES = (Perl(),)
