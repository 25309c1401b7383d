"""Native commands: a command line without a shell, bindings in the environment and as ``$variables_X`` in its words."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping

from proactive_jupyter_kernel.scheduler.runtimes.base import which
from proactive_jupyter_kernel.scheduler.runtimes.nativeshell import NativeShell
from proactive_jupyter_kernel.scheduler.runtimes.stage import CannotStart, Launch, Stage, StageKind

__all__ = ["RUNTIMES", "Native"]

_REFERENCE = re.compile(r"\$\{([^{}$]+)\}|\$([A-Za-z_]\w*)")


class Native(NativeShell):
    """The engine ``native``, which ``nativeExecutable`` means, too."""

    engine = "native"

    def launch(self, stage: Stage) -> Launch:
        """The words of the command, references to bindings replaced."""
        environment = self.environment(stage)
        words = stage.command or _split(stage.script.code)
        if not words or not words[0]:
            raise CannotStart("the command is empty")
        command, *arguments = (_replaced(word, environment) for word in words)
        if stage.in_container:
            programs: tuple[str, ...] = (command,)
        else:
            found = which(command, stage.environment.get("PATH", os.defpath), stage.working_dir)
            if found is None:
                raise CannotStart(
                    f"{command!r}, the command of the task, is not on this machine or may not be executed; "
                    f"it was looked for on the PATH and from {stage.working_dir}"
                )
            programs = (found,)
        return Launch(
            programs=programs,
            arguments=(*arguments, *stage.bindings.arguments),
            environment=environment,
            captures=stage.kind is StageKind.MAIN and "content.type" in stage.bindings.generic_information,
        )

    def exit_message(self, exit_code: int) -> str:
        """As ``NativeShell`` commands say it."""
        return f"Command execution failed with exit code {exit_code}" if exit_code else ""


def _split(command: str) -> tuple[str, ...]:
    """Split at blanks; quotes keep together what is between them, and nothing else has a meaning."""
    words = shlex.shlex(command, posix=True)
    words.whitespace_split = True
    words.commenters = words.escape = ""
    try:
        return tuple(words)
    except ValueError as error:
        raise CannotStart(f"the command {command.strip()!r} cannot be split into words: {error}") from error


def _replaced(word: str, environment: Mapping[str, str]) -> str:
    """With ``$variables_X`` and ``${variables_X}`` replaced; what is not a binding stays as it is."""
    return _REFERENCE.sub(lambda match: environment.get(match[1] or match[2], match[0]), word)


RUNTIMES = (Native(),)
