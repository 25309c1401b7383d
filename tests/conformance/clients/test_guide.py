"""The guide on other clients, to the letter: its blocks are run as they stand."""

from __future__ import annotations

import getpass
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .conftest import client_environment

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "other-clients.md"
WORKFLOW = """<?xml version="1.0" encoding="UTF-8"?>
<job xmlns="urn:proactive:jobdescriptor:3.14" name="guide"><taskFlow><task name="only">
<scriptExecutable><script><code language="groovy">result = "a result"</code></script></scriptExecutable>
</task></taskFlow></job>
"""


def test_the_lines_of_the_guide_work(client: Callable[[str], Any], scheduler: Any, tmp_path: Path) -> None:
    """curl, the Python SDK and the Java client, with the port and the login of this scheduler put in."""
    sdk = client("sdk-14")
    blocks = dict(re.findall(r"```(bash|python|java)\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL))
    (tmp_path / "workflow.xml").write_text(WORKFLOW, encoding="utf-8")
    user = getpass.getuser()
    port = scheduler.url.rpartition(":")[2]
    for language, block in blocks.items():
        assert "8088" in block, language
        block = block.replace("8088", port).replace('"ada"', f'"{user}"').replace("username=ada", f"username={user}")
        (tmp_path / f"block.{language}").write_text(block, encoding="utf-8")

    def run(*command: str | Path) -> str:
        with (tmp_path / "output.txt").open("w+") as output:
            subprocess.run(
                command,
                cwd=tmp_path,
                env={**client_environment(tmp_path), "PASSWORD": "a-lasting-password"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.DEVNULL,
                timeout=90,
                check=True,
            )
            output.seek(0)
            return output.read()

    curl = run("bash", "-e", "block.bash")
    python = run(sdk.python, "block.python")
    (tmp_path / "Submit.java").write_text((tmp_path / "block.java").read_text())
    library = next(sdk.python.parents[1].glob("lib/*/site-packages/proactive/java/lib"))
    opened = [f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in ("util", "lang")]
    java = run("java", *opened, "-cp", f"{library}/*", "Submit.java")
    assert '{"id":1,"readableName":"guide"}' in curl.replace(" ", "")
    assert python.splitlines()[-1] == "a result"
    assert "only" in java
