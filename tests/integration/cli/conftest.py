"""The command on a scheduler of its own, in process where that is enough, since it is quicker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from proactive_jupyter_kernel.cli.app import app

COMMAND = (sys.executable, "-m", "proactive_jupyter_kernel")
#: Seconds for any command here; none should need more than a few.
PATIENCE = 60
PRIVATE = ("PROACTIVE_URL", "PROACTIVE_LOGIN", "PROACTIVE_PASSWORD")


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    returncode: int
    stdout: str
    stderr: str


@dataclass
class Shell:
    """Runs the command with its own data folder and runtime folder."""

    home: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.environ = {
            "PROACTIVE_KERNEL_DATA_DIR": str(self.home / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.home / "runtime"),
            "PROACTIVE_KERNEL_SLOTS": "2",
        }

    def __call__(self, *arguments: str, stdin: str | None = None) -> Done:
        """The command in this process."""
        result = CliRunner(env={**dict.fromkeys(PRIVATE), **self.environ}).invoke(app, arguments, input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Done(result.exit_code, result.stdout, result.stderr)

    def run(self, *arguments: str) -> Done:
        """The command as a process, when it has ended."""
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=PATIENCE)
        return Done(process.returncode, out, err)

    def start(self, *arguments: str, command: Sequence[str] = COMMAND) -> subprocess.Popen[str]:
        """The command as a process in the background."""
        environ = {name: value for name, value in os.environ.items() if name not in PRIVATE}
        return subprocess.Popen(
            [*command, *arguments],
            cwd=self.home,
            env={**environ, **self.environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def rest(self, process: subprocess.Popen[str]) -> str:
        """What a process of `start` still writes to stderr until it ends; one that does not end is killed."""
        try:
            return process.communicate(timeout=PATIENCE)[1]
        except subprocess.TimeoutExpired:
            # Whoever leaves the block of the process would wait for it.
            process.kill()
            raise

    def facts(self, *arguments: str) -> Any:
        """The JSON that a command printed."""
        done = self(*arguments, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def write(self, name: str, *tasks: str, job: str = "job", head: str = "") -> str:
        """A workflow file of these tasks."""
        path = self.home / name
        path.write_text(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<job xmlns="urn:proactive:jobdescriptor:3.14" name="{job}">{head}'
            f"<taskFlow>{''.join(tasks)}</taskFlow></job>",
            encoding="utf-8",
        )
        return str(path)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell whose scheduler serves the whole file and is stopped at the end."""
    opened = Shell(tmp_path_factory.mktemp("shell"))
    yield opened
    opened("scheduler", "stop")


@pytest.fixture
def fresh_shell(tmp_path: Path) -> Iterator[Shell]:
    """A shell without a scheduler; one that was started is stopped at the end."""
    opened = Shell(tmp_path)
    yield opened
    opened("scheduler", "stop")
