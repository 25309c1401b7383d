"""Shell: a script that says in its first line which program runs it."""

from __future__ import annotations

import os
from pathlib import Path

from proactive_jupyter_kernel.scheduler.runtimes.nativeshell import NativeShell
from proactive_jupyter_kernel.scheduler.runtimes.stage import CannotStart, Stage

__all__ = ["RUNTIMES", "Shell"]


class Shell(NativeShell):
    """Scripts of the engine ``shell``."""

    engine = "shell"

    def script_file(self, stage: Stage) -> Path:
        """Write the text so that its first line stands first, and let it be executed."""
        text = stage.script.code.strip()
        if not text.startswith("#!"):
            raise CannotStart("a Shell script needs a first line that names its program, such as #!/bin/sh")
        path = self.write_script(stage, extension="sh")
        path.write_text(text + "\n", encoding="utf-8", errors="surrogatepass", newline="")
        path.chmod(0o700)
        return path

    def command_line(self, stage: Stage, script: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The file itself."""
        if os.name != "posix":
            raise CannotStart("a Shell script runs by its first line, and this system does not know such lines")
        return (str(script),), stage.bindings.arguments


RUNTIMES = (Shell(),)
