"""Languages of Windows: batch files (``cmd``) and VBScript; elsewhere Wine runs them, which has both."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from proactive_jupyter_kernel.scheduler.runtimes.nativeshell import NativeShell
from proactive_jupyter_kernel.scheduler.runtimes.stage import Launch, Stage

__all__ = ["RUNTIMES", "Cmd", "VBScript"]

#: Wine's server outlives its last program by some seconds and writes the registry at its end; it must not be killed
#: with what is left of the task before it has.
_BY_WINE = 'wine=$1; shift; "$wine" "$@"; code=$?; wineserver -w 2>/dev/null; exit $code'

#: Output in UTF-8, as the logs have it, and the script's text read as such. The second line sets ERRORLEVEL to 0: many
#: commands, such as `echo`, leave it as it is, and `chcp` sets it to 1 under Wine.
_UTF8 = "@chcp 65001 >nul\r\n@(call )\r\n"


class WindowsShell(NativeShell):
    """A language whose program comes with Windows."""

    #: The program and what stands before the script's file.
    command: ClassVar[tuple[str, ...]] = ()
    programs = ("wine", "wine64")
    install = "it comes with Windows; elsewhere install Wine (Debian: apt install wine)"

    def candidates(self, stage: Stage) -> tuple[str, ...]:
        """The program itself on Windows, else Wine."""
        return self.command[:1] if os.name == "nt" else self.programs

    def launch(self, stage: Stage) -> Launch:
        """``cmd /q /c FILE args…``, or ``wine cmd /q /c Z:FILE args…``."""
        launch = super().launch(stage)
        if os.name != "nt":
            # Wine's own diagnostics would stand in the task's log.
            environment = {"WINEDEBUG": "-all", **launch.environment}
            return Launch(
                programs=launch.programs,
                arguments=launch.arguments,
                environment=environment,
                masks={**launch.masks, **{_windows_path(Path(path)): label for path, label in launch.masks.items()}},
                captures=launch.captures,
            )
        return launch

    def command_line(self, stage: Stage, script: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The program, its switches, the script, its arguments."""
        program = self.program(stage)
        if os.name == "nt":
            return program, (*self.command[1:], str(script), *stage.bindings.arguments)
        command = (*self.command, _windows_path(script), *stage.bindings.arguments)
        return ("/bin/sh",), ("-c", _BY_WINE, "sh", program[0], *command)

    def script_text(self, code: str) -> str:
        """The script with line ends of Windows."""
        return "\r\n".join(code.rstrip().splitlines()) + "\r\n"

    def script_file(self, stage: Stage) -> Path:
        """Write the script's text."""
        path = self.write_script(stage)
        path.write_text(self.script_text(stage.script.code), encoding="utf-8", errors="surrogatepass", newline="")
        return path


class Cmd(WindowsShell):
    """Scripts of the engine ``cmd``."""

    engine = "cmd"
    command = ("cmd", "/q", "/c")

    def script_text(self, code: str) -> str:
        """The same after a line that switches to UTF-8."""
        return _UTF8 + super().script_text(code)


class VBScript(WindowsShell):
    """Scripts of the engine ``vbscript``."""

    engine = "vbscript"
    command = ("cscript", "//nologo")


def _windows_path(path: Path) -> str:
    """How Wine calls a path of this system."""
    return "Z:" + str(path).replace("/", "\\")


RUNTIMES = (Cmd(), VBScript())
