"""What the shells share: bindings as environment variables, nothing back but the exit code."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from proactive_jupyter_kernel.scheduler.attempt import FailureKind
from proactive_jupyter_kernel.scheduler.runtimes.base import Runtime, how_it_ended, shell_code
from proactive_jupyter_kernel.scheduler.runtimes.stage import (
    CannotStart,
    Launch,
    Stage,
    StageKind,
    StageReport,
    failure,
)

__all__ = ["NativeShell"]

#: Linux hands a program no single word longer than this (MAX_ARG_STRLEN).
_LONGEST_WORD = 131_071


class NativeShell(Runtime):
    """A language whose scripts read environment variables and answer by their exit code."""

    #: Whether the script's arguments stand on the command line, too.
    passes_arguments: ClassVar[bool] = True

    def launch(self, stage: Stage) -> Launch:
        """The interpreter, the script's file, its arguments."""
        environment = self.environment(stage)
        script = self.script_file(stage)
        programs, arguments = self.command_line(stage, script)
        return Launch(
            programs=programs,
            arguments=arguments,
            environment=environment,
            masks={str(script): stage.label},
            captures=stage.kind is StageKind.MAIN and "content.type" in stage.bindings.generic_information,
        )

    def command_line(self, stage: Stage, script: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Programs and arguments; override where they are more than ``bash FILE args…``."""
        arguments = stage.bindings.arguments if self.passes_arguments else ()
        return self.program(stage), (str(script), *arguments)

    def script_file(self, stage: Stage) -> Path:
        """Write the text, trimmed at its end, with a line feed; leading lines stay, for the sake of line numbers."""
        path = self.write_script(stage)
        path.write_text(stage.script.code.rstrip() + "\n", encoding="utf-8", errors="surrogatepass", newline="")
        return path

    def environment(self, stage: Stage) -> dict[str, str]:
        """The bindings as environment variables. Raises `CannotStart` for one that the system cannot pass on."""
        environment = stage.bindings.environment()
        if os.name == "posix":
            for name, text in environment.items():
                size = len(os.fsencode(name)) + len(text.encode("utf-8", "surrogatepass")) + 1
                if size > _LONGEST_WORD:
                    from proactive_jupyter_kernel.workflow.display.numbers import size_text

                    raise CannotStart(
                        f"{name} is {size_text(size)} long, and the system hands a program no environment "
                        f"variable over {size_text(_LONGEST_WORD)}; pass large data in a file"
                    )
        return environment

    def conclude(self, stage: Stage, launch: Launch, exit_code: int) -> StageReport:
        """Judge by the exit code alone; a signal counts as shells count it, 128 and its number."""
        code = shell_code(exit_code)
        variables = {"EXIT_VALUE": code}
        if code == 0:
            values = {"result": 0} if stage.kind is StageKind.MAIN else {}
            return StageReport(exit_code=0, values=values, variables_set=variables)
        message = f"{stage.kind.prefix}: {self.exit_message(code)}"
        if exit_code < 0:
            message = f"{message} (it {how_it_ended(exit_code)})"
        return StageReport(exit_code=code, failure=failure(FailureKind.ERROR, message), variables_set=variables)
