"""PHP: ``php FILE args…``, bindings in the environment, result 0."""

from __future__ import annotations

from proactive_jupyter_kernel.scheduler.runtimes.nativeshell import NativeShell

__all__ = ["RUNTIMES", "Php"]


class Php(NativeShell):
    """Scripts of the engine ``php``."""

    engine = "php"
    programs = ("php",)
    install = "install PHP's command line interpreter (Debian: php-cli), and see that it is on the PATH"


RUNTIMES = (Php(),)
