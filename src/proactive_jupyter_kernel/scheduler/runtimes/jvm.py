"""What the languages of the Java machine share: where Java is, and the archive with their harness."""

from __future__ import annotations

import functools
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from proactive_jupyter_kernel.scheduler import java_libraries
from proactive_jupyter_kernel.scheduler.runtimes.base import HARNESS
from proactive_jupyter_kernel.scheduler.runtimes.reuse import leaves_nothing
from proactive_jupyter_kernel.scheduler.runtimes.script_engine import ScriptEngineRuntime
from proactive_jupyter_kernel.scheduler.runtimes.stage import CannotStart, Launch, Resident, Stage

__all__ = ["JvmRuntime", "groovy_library", "homes_of"]

#: Made by tools/jvm_harness.py from the sources beside it.
ARCHIVE = HARNESS / "jvm" / "proactive.jar"
#: The packages of what Residue.java and WorkingFolder.java look at.
_PACKAGES = ("java.lang", "java.io", "sun.nio.fs")
_VERSION = re.compile(r'^JAVA_VERSION="(\d+)', re.MULTILINE)
_GROOVY = re.compile(r"groovy(-all)?-\d[\d.]*\.jar")


class JvmRuntime(ScriptEngineRuntime):
    """A language that runs on a Java machine.

    Its launcher, a shell script, is looked up to learn where the language is installed; the Java machine is then
    started without it, which saves the time that the launcher takes and lets our archive onto the class path.
    """

    #: The environment variable that names the installation's folder.
    home_variable: ClassVar[str] = ""
    #: A script that has the language load what most scripts need.
    rehearsal: ClassVar[str] = ""
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
        if not stage.in_container:
            java = self.java(stage)
            resident = None if options else self._resident(stage, java, arguments)
            return Launch(programs=(java,), arguments=(*options, *arguments), resident=resident, **more)
        launch = Launch(programs=launchers, arguments=tuple(arguments), **more)
        if not options:
            return launch
        return replace(launch, environment={**launch.environment, "JAVA_OPTS": " ".join(options)})

    def _resident(self, stage: Stage, java: str, arguments: Sequence[str]) -> Resident:
        """The same for a Java machine that stays; the last two arguments are the main class and the stage's folder."""
        return Resident(
            arguments=(*_opened(os.path.realpath(java)), *arguments[:-2], "proactive.Warm", self.engine),
            rehearsal=self.rehearsal,
            keep=leaves_nothing(stage.script.code, self.engine),
            stamps=tuple(_changed_at(path.removesuffix("*")) for path in (java, *_classpath(arguments))),
        )

    def homes(self, stage: Stage, launcher: str) -> Iterable[Path]:
        """Folders where the language may be installed, the most likely first."""
        return homes_of(stage, self.home_variable, launcher)

    def libraries(self, stage: Stage) -> list[str]:
        """What stands on the class path besides the language: the Java libraries of the node (`java_libraries`)."""
        folder = stage.environment.get(java_libraries.VARIABLE, "")
        return [os.path.join(folder, "*")] if folder and os.path.isdir(folder) else []

    def groovy(self, stage: Stage) -> list[str]:
        """Groovy's archives, if the script uses channels, whose closures are Groovy, and Groovy is on this machine."""
        if "synchronizationapi" not in stage.script.code:
            return []
        launcher = shutil.which("groovy", path=stage.environment.get("PATH", os.defpath)) or ""
        folder = groovy_library(homes_of(stage, "GROOVY_HOME", launcher))
        return [os.path.join(str(folder), "*")] if folder else []

    def archive(self, stage: Stage) -> Path:
        """The archive with the harness; a copy in the stage's folder where the stage runs in a container."""
        return self.harness(stage, "jvm/proactive.jar")


def _classpath(arguments: Sequence[str]) -> list[str]:
    return arguments[arguments.index("-cp") + 1].split(os.pathsep) if "-cp" in arguments else []


def _changed_at(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


@functools.cache
def _opened(java: str) -> tuple[str, ...]:
    """The options that let our harness see what Java's own classes keep: Java 9 and newer need them, 8 has none."""
    try:
        release = Path(java).parents[1].joinpath("release").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    version = _VERSION.search(release)
    if version is None or version[1] == "1":
        return ()
    return tuple(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _PACKAGES)


def homes_of(stage: Stage, variable: str, launcher: str) -> Iterator[Path]:
    """The folder that an environment variable names, then those where the launcher (empty: none) belongs to."""
    if named := stage.environment.get(variable, ""):
        yield Path(named)
    if launcher:
        # The launcher lies in bin; Homebrew keeps everything in libexec, beside it.
        home = Path(os.path.realpath(launcher)).parent.parent
        yield from (home, home / "libexec")


def groovy_library(homes: Iterable[Path]) -> Path | None:
    """The folder with Groovy's archives."""
    for folder in (home / "lib" for home in homes):
        if folder.is_dir() and any(_GROOVY.fullmatch(name) for name in os.listdir(folder)):
            return folder
    return None
