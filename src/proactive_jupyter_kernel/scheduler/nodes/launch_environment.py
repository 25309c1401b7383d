"""How a task's process is started: its environment, its working directory and its command prefix.

A fork environment of ProActive prepares a Java machine. The parts that apply to any process are used here: environment
variables, working directory, and the words before ``java``, typically ``docker run … image`` (the command prefix). With
a prefix the process runs in a container that has only the mounted folders, so its environment and the choice of its
program are written to a shell script in the stage's folder.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from proactive_jupyter_kernel.scheduler.attempt import Wire
from proactive_jupyter_kernel.scheduler.runtimes.stage import CannotStart, Launch, Stage, StageReport

__all__ = ["LaunchEnvironment", "of_node", "words"]

_REFERENCE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_SHELL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchEnvironment:
    """What the fork environment of a task asks for."""

    #: Relative ones start at the local space; empty: the local space.
    working_dir: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    #: The command prefix: words in front of the command.
    prefix: tuple[str, ...] = ()
    #: Options of the Java machine, where the language runs on one: ``-Xmx1g``.
    jvm_arguments: tuple[str, ...] = ()

    def changed_by(self, report: StageReport) -> LaunchEnvironment:
        """As the fork environment script leaves it; the variable ``preJavaHomeCmd`` wins over ``setPreJavaCommand``."""
        found = report.fork_environment
        command = report.values.get("preJavaHomeCmd")
        prefix = words(command) if command else tuple(str(word) for word in found.get("preJavaCommand") or ())
        environment = {str(name): str(value) for name, value in (found.get("systemEnvironment") or {}).items()}
        jvm = found.get("jvmArguments")
        return dataclasses.replace(
            self,
            jvm_arguments=self.jvm_arguments if jvm is None else tuple(str(argument) for argument in jvm),
            working_dir=str(found.get("workingDir") or self.working_dir),
            environment={**self.environment, **of_node(environment)},
            prefix=prefix or self.prefix,
        )

    def command(self, stage: Stage, launch: Launch) -> tuple[str, ...]:
        """The words to execute. May write into the stage's folder. Raises `CannotStart`."""
        if not self.prefix:
            return (launch.programs[0], *launch.arguments)
        if shutil.which(self.prefix[0], path=stage.environment.get("PATH")) is None:
            raise CannotStart(
                f"{self.prefix[0]!r}, the first word of the command that the fork environment puts in front, is not on "
                "this machine; install it, or change preJavaHomeCmd"
            )
        script = stage.folder / "start.sh"
        inside = {**self.environment, **launch.environment}
        script.write_text(_start_script(launch, inside), encoding="utf-8", errors="surrogateescape")
        return (*self.prefix, "/bin/sh", str(script), *launch.arguments)


def of_node(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables with what they refer to in the node's own environment: ``PATH=/opt/bin:$PATH``.

    A name that the node does not have stays as it is written.
    """
    return {
        name: _REFERENCE.sub(lambda match: os.environ.get(match[1] or match[2], match[0]), value)
        if "$" in value
        else value
        for name, value in environment.items()
    }


def words(command: Wire) -> tuple[str, ...]:
    """The words of ``preJavaHomeCmd``: split at blanks, quotes kept together; a list is its words already."""
    if isinstance(command, list):
        return tuple(str(word) for word in command)
    try:
        return tuple(shlex.split(str(command)))
    except ValueError:
        return tuple(str(command).split())


def _start_script(launch: Launch, environment: Mapping[str, str]) -> str:
    """Sets the environment, and executes the first of the programs that there is."""
    exports = [
        f"export {name}={shlex.quote(value)}" for name, value in environment.items() if _SHELL_NAME.fullmatch(name)
    ]
    # What no shell can name goes through `env`; it shows in the list of processes for a moment, exports never do.
    odd = [shlex.quote(f"{name}={value}") for name, value in environment.items() if not _SHELL_NAME.fullmatch(name)]
    execute = " ".join(["exec", *(["env", *odd] if odd else []), '"$program" "$@"'])
    programs = " ".join(shlex.quote(program) for program in launch.programs)
    return "\n".join(
        [
            *exports,
            f"for program in {programs}; do",
            f'  if command -v "$program" >/dev/null 2>&1; then {execute}; fi',
            "done",
            f"echo 'Inside the container there is no {_readable(launch.programs)}.' >&2",
            "exit 127",
            "",
        ]
    )


def _readable(programs: tuple[str, ...]) -> str:
    return " and no ".join(program.replace("'", "") for program in programs)


def folder_of(setup: LaunchEnvironment, local: Path) -> Path:
    """Where the process starts."""
    return local / setup.working_dir if setup.working_dir else local
