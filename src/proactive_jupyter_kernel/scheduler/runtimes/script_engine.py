"""What the languages with bindings share: the engines whose scripts fail by an exception, not by an exit code."""

from __future__ import annotations

import shutil
from pathlib import Path

from proactive_jupyter_kernel.scheduler.runtimes.base import HARNESS, Runtime
from proactive_jupyter_kernel.scheduler.runtimes.stage import Stage

__all__ = ["ScriptEngineRuntime"]


class ScriptEngineRuntime(Runtime):
    """A language that runs inside a script engine of Java on a ProActive server (JSR 223)."""

    def summary(self, exit_code: int, error: str) -> str:
        """The exception tells all."""
        return error or self.exit_message(exit_code)

    def harness_folder(self, stage: Stage, name: str) -> Path:
        """A folder in ``runtimes/harness/``; a copy of it in the stage's folder where the stage runs in a container."""
        if not stage.in_container:
            return HARNESS / name
        target = stage.folder / "harness"
        shutil.copytree(HARNESS / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        return target
