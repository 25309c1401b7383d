"""What the languages of the Java machine share: where Java is, and the archive with their harness."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from proactive_jupyter_kernel.scheduler import java_libraries
from proactive_jupyter_kernel.scheduler.runtimes.base import HARNESS
from proactive_jupyter_kernel.scheduler.runtimes.engine import EngineRuntime
from proactive_jupyter_kernel.scheduler.runtimes.stage import CannotStart, Launch, Stage

__all__ = ["JvmRuntime"]

#: Made by tools/jvm_harness.py from the sources beside it.
ARCHIVE = HARNESS / "jvm" / "proactive.jar"


class JvmRuntime(EngineRuntime):
    """A language that runs on a Java machine.

    Its launcher, a shell script, is looked up to learn where the language is installed; the Java machine is then
    started without it, which saves the time that the launcher takes and lets our archive onto the class path.
    """

    #: The environment variable that names the installation's folder.
    home_variable: ClassVar[str] = ""
    java_install: ClassVar[str] = "install a Java runtime (Debian: apt install default-jre-headless)"

    def java(self, stage: Stage) -> str:
        """The path of ``java``: that of JAVA_HOME, else on the PATH. Raises `CannotStart`."""
        home = stage.environment.get("JAVA_HOME", "")
        if home and (found := shutil.which("java", path=os.path.join(home, "bin"))):
            return found
        if found := shutil.which("java", path=stage.environment.get("PATH", os.defpath)):
            return os.path.abspath(found)
        raise CannotStart(
            f"'java', the machine that {self.language.name} scripts run on, is not on this machine; {self.java_install}"
        )

    def launched(self, stage: Stage, launchers: tuple[str, ...], arguments: Sequence[str], **more: Any) -> Launch:
        """The Java machine with these arguments; in a container the language's launchers with theirs.

        Options of the fork environment come first; all launchers take them from JAVA_OPTS.
        """
        options = stage.jvm_arguments
        if not stage.enclosed:
            return Launch(programs=(self.java(stage),), arguments=(*options, *arguments), **more)
        launch = Launch(programs=launchers, arguments=tuple(arguments), **more)
        if not options:
            return launch
        return replace(launch, environment={**launch.environment, "JAVA_OPTS": " ".join(options)})

    def homes(self, stage: Stage, launcher: str) -> Iterable[Path]:
        """Folders where the language may be installed, the most likely first."""
        if named := stage.environment.get(self.home_variable, ""):
            yield Path(named)
        # The launcher lies in bin; Homebrew keeps everything in libexec, beside it.
        home = Path(os.path.realpath(launcher)).parent.parent
        yield from (home, home / "libexec")

    def libraries(self, stage: Stage) -> list[str]:
        """What stands on the class path besides the language: the Java libraries of the node (`java_libraries`)."""
        folder = stage.environment.get(java_libraries.VARIABLE, "")
        return [os.path.join(folder, "*")] if folder and os.path.isdir(folder) else []

    def archive(self, stage: Stage) -> Path:
        """The archive with the harness; a copy in the stage's folder where the stage is enclosed."""
        return self.harness(stage, "jvm/proactive.jar")
