"""Docker Compose: the script is a compose file, whose containers are started and taken down again.

As ProActive's ``scriptengine-docker-compose``: every entry of ``variables``, ``genericInformation`` and so on that is
a text stands under its plain name in the environment, and for ``$NAME`` in the file.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from proactive_jupyter_kernel.scheduler.attempt import FailureKind
from proactive_jupyter_kernel.scheduler.runtimes.base import HARNESS, shell_code
from proactive_jupyter_kernel.scheduler.runtimes.nativeshell import NativeShell
from proactive_jupyter_kernel.scheduler.runtimes.stage import CannotStart, Launch, Stage, StageReport, failure
from proactive_jupyter_kernel.workflow.java.regex import compile_java

__all__ = ["RUNTIMES", "DockerCompose"]

#: ``$$`` is compose's own way to write a dollar sign.
_REFERENCE = re.compile(r"\$\$|\$\{(?P<braced>[A-Za-z_]\w*)\}|\$(?P<bare>[A-Za-z_]\w*)")
#: The name that the file has in the task's folder.
_FILE = "docker-compose.yml"


class DockerCompose(NativeShell):
    """Scripts of the engine ``docker-compose``."""

    engine = "docker-compose"
    programs = ("docker-compose", "docker")
    install = "install Docker with its compose plugin, or docker-compose"

    def launch(self, stage: Stage) -> Launch:
        """Our own Python, which calls ``docker compose … up`` and ``… down``."""
        if stage.in_container:
            raise CannotStart("a compose file starts its own containers; run the task without a fork environment")
        (program,) = self.program(stage)
        texts = _texts(stage)
        (stage.working_dir / _FILE).write_text(_replaced(stage.script.code, texts), encoding="utf-8", newline="")
        compose = (program,) if Path(program).stem == "docker-compose" else (program, "compose")
        command = [*compose, *_options(stage, "docker-compose-options"), "-f", _FILE]
        told = self.tell(
            stage,
            driver=str(HARNESS / "compose.py"),
            up=[*command, "up", *_options(stage, "docker-compose-up-options")],
            down=[*command, "down"],
        )
        run = HARNESS / "python" / "run.py"
        return Launch(
            programs=(sys.executable,), arguments=(str(run), str(stage.folder)), environment=texts, request=told
        )

    def conclude(self, stage: Stage, launch: Launch, exit_code: int) -> StageReport:
        """Judge by the exit code of ``up``; the result is left to be true."""
        code = shell_code(exit_code)
        variables = {"EXIT_VALUE": code}
        if code == 0:
            return StageReport(exit_code=0, variables_set=variables)
        message = f"{stage.kind.prefix}: Docker Compose has failed with exit code {code}"
        return StageReport(exit_code=code, failure=failure(FailureKind.ERROR, message), variables_set=variables)


def _texts(stage: Stage) -> dict[str, str]:
    """The entries that are texts, by their plain names."""
    bindings = stage.bindings
    maps = (bindings.variables, bindings.generic_information, bindings.credentials, bindings.spaces)
    return {
        name: value
        for entries in maps
        for name, value in entries.items()
        if isinstance(value, str) and name and "=" not in name and "\0" not in name + value
    }


def _replaced(text: str, texts: Mapping[str, str]) -> str:
    """With ``$NAME`` and ``${NAME}`` replaced where they are known; the others are left to compose."""
    return _REFERENCE.sub(lambda match: texts.get(match["braced"] or match["bare"] or "", match[0]), text)


def _options(stage: Stage, name: str) -> list[str]:
    """The words of a generic information, split as another one says, at blanks by default."""
    information = stage.bindings.generic_information
    text = information.get(name, "").strip()
    pattern = information.get("docker-compose-options-split-regex") or r"\s+"
    try:
        return [word for word in compile_java(pattern).split(text) if word]
    except ValueError as error:
        raise CannotStart(f"docker-compose-options-split-regex cannot be used: {error}") from error


RUNTIMES = (DockerCompose(),)
