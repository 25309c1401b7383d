"""ProActive's own clients, unmodified, and schedulers for them."""

from __future__ import annotations

import getpass
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.required import need, skip_or_fail

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
#: The account's own name, so that jobs belong to whom the client logged in as; without what the reference kernel's
#: parser would cut off.
LOGIN, PASSWORD = getpass.getuser(), "a-lasting-password"
#: Seconds for all calls of a client; it takes a quarter of it on a machine with nothing else to do.
PATIENCE = 240
PRIVATE = ("PROACTIVE_URL", "PROACTIVE_LOGIN", "PROACTIVE_PASSWORD")

GREETING = """<?xml version="1.0" encoding="UTF-8"?>
<job xmlns="urn:proactive:jobdescriptor:3.13" name="greeting" priority="normal">
  <variables><variable name="who" value="nobody"/></variables>
  <taskFlow>
    <task name="greet">
      <scriptExecutable>
        <script><code language="cpython"><![CDATA[result = "hello " + variables.get("who")]]></code></script>
      </scriptExecutable>
    </task>
  </taskFlow>
</job>
"""


@dataclass(frozen=True, kw_only=True)
class Client:
    """One of ProActive's clients, in its environment."""

    python: Path

    def calls(self, program: str, url: str, folder: Path, *more: str) -> list[dict[str, Any]]:
        """What a program of `programs/` reports of its calls."""
        command = [self.python, HERE / "programs" / program, url, LOGIN, PASSWORD, folder, *more]
        with (folder / "output.txt").open("w") as output:
            # Into a file: the Java machine that the client starts would keep a pipe open.
            done = subprocess.run(
                command,
                cwd=folder,
                env=client_environment(folder),
                timeout=PATIENCE,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
            )
        report = folder / "report.json"
        assert done.returncode == 0, (folder / "output.txt").read_text()
        rows: list[dict[str, Any]] = json.loads(report.read_text(encoding="utf-8"))
        return rows


def client_environment(folder: Path) -> dict[str, str]:
    """The environment of a client, which shares nothing with those that run at the same time.

    The Java part remembers the jobs it waits for in the folder for temporary files, whoever submitted them, and asks
    its scheduler for all of them when it connects.
    """
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    return {**os.environ, "JAVA_TOOL_OPTIONS": f"-Djava.io.tmpdir={temporary}"}


@pytest.fixture(scope="session")
def client() -> Callable[[str], Client]:
    """The client of an environment of tools/foreign_clients.py; skips where it or Java is not there."""

    def found(name: str) -> Client:
        python = runpy.run_path(str(ROOT / "tools" / "foreign_clients.py"))["python_of"](name)
        there = python is not None and (ROOT / "build" / "conformance" / "sources").is_dir()
        missing = None if there else f"the client {name} is not installed; `make clients` installs it"
        if missing is not None:
            skip_or_fail(missing)
        need("java")
        return Client(python=python)

    return found


class Scheduler:
    """An embedded scheduler with a lasting login, made as the guide on other clients says."""

    def __init__(self, home: Path) -> None:
        self.home = home
        # Print_File_Name is what the SDK's own tests submit.
        for bucket, name in (("examples", "greeting"), ("basic-examples", "Print_File_Name")):
            (home / "catalog" / bucket).mkdir(parents=True)
            (home / "catalog" / bucket / f"{name}.xml").write_text(GREETING, encoding="utf-8")
        programs = str(ROOT / "build" / "conformance" / "sdk-14" / "bin")
        self.environment = {name: value for name, value in os.environ.items() if name not in PRIVATE} | {
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
            "PROACTIVE_KERNEL_DATA_DIR": str(home / "data"),
            "PROACTIVE_KERNEL_SLOTS": "4",
            "PROACTIVE_KERNEL_CATALOG": str(home / "catalog"),
            # The SDK names `python3` as the interpreter of its tasks; that of lambda functions needs cloudpickle.
            "PATH": os.pathsep.join([programs, os.environ["PATH"]]),
        }
        self.command("login", LOGIN, "--ask", stdin=PASSWORD + "\n")
        self.url = self.command("start").strip()

    def command(self, *arguments: str, stdin: str = "") -> str:
        command = [sys.executable, "-m", "proactive_jupyter_kernel", "scheduler", *arguments]
        done = subprocess.run(
            command, env=self.environment, input=stdin, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def scheduler(client: Callable[[str], Client], tmp_path: Path) -> Iterator[Scheduler]:
    client("sdk-14")  # without the clients none is started
    started = Scheduler(tmp_path / "home")
    yield started
    started.command("stop")
