"""The tests and scripts that the SDK's own source packages ship, as they are.

    python own_tests.py URL LOGIN PASSWORD FOLDER SOURCES

SOURCES has the unpacked source packages of both versions. The report is FOLDER/report.json, as that of `sdk.py`. The
tests make a gateway, and with it a Java machine, for each test; here they share one.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import proactive
import pytest
from sdk import JAVA_OPTIONS

WORKFLOW = """<?xml version="1.0" encoding="UTF-8"?>
<job xmlns="urn:proactive:jobdescriptor:3.13" name="Print_File_Name" priority="normal">
  <variables><variable name="file" value="none"/></variables>
  <taskFlow><task name="print"><scriptExecutable><script>
    <code language="bash"><![CDATA[echo $variables_file]]></code>
  </script></scriptExecutable></task></taskFlow>
</job>
"""
#: Scripts of 13.0.3 that need neither Docker nor a GPU -> what they print.
SCRIPTS = {"hello.py": "", "print_python_env.py": "ython", "random_number.py": ""}


class Plugin:
    """Gives the tests what pytest-metadata would, and notes how they end."""

    def __init__(self, url: str, login: str, password: str) -> None:
        self.given = {"proactive_url": url, "username": login, "password": password}
        self.rows: list[dict[str, Any]] = []

    @pytest.fixture
    def metadata(self) -> dict[str, str]:
        return self.given

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "call" or report.failed:
            row = {"call": report.nodeid, "right": report.passed, "value": str(report.longrepr or report.outcome)}
            self.rows.append(row | {"seconds": round(report.duration, 2)})


def main() -> None:
    url, login, password, place, sources = sys.argv[1:]
    old, new = (next(Path(sources).glob(f"proactive-{version}.*")) for version in (13, 14))
    folder = Path(place)
    shutil.copytree(new / "tests", folder / "tests")
    shutil.copytree(old / "scripts", folder / "scripts")
    (folder / "tests" / "print_file_name.xml").write_text(WORKFLOW, encoding="utf-8")
    os.chdir(folder)
    gateway = proactive.ProActiveGateway(url, javaopts=JAVA_OPTIONS)
    proactive.ProActiveGateway = lambda *_, **__: gateway
    plugin = Plugin(url, login, password)
    try:
        pytest.main(["tests", "-q", "-p", "no:cacheprovider"], plugins=[plugin])
        logging.disable(logging.CRITICAL)
        gateway.connect(login, password)
        plugin.rows += [ran(gateway, name, expected) for name, expected in SCRIPTS.items()]
    finally:
        (folder / "report.json").write_text(json.dumps(plugin.rows, indent=1), encoding="utf-8")
        gateway.runtime_gateway.shutdown()


def ran(gateway: Any, name: str, expected: str) -> dict[str, Any]:
    """Run a script as a task, with the selection script that the package ships."""
    task = gateway.createPythonTask(name.removesuffix(".py"))
    task.setTaskImplementationFromFile(f"scripts/{name}")
    selection = gateway.createPythonSelectionScript()
    selection.setImplementationFromFile("scripts/selection_script.py")
    task.setSelectionScript(selection)
    job = gateway.createJob(name)
    job.addTask(task)
    job_id = gateway.submitJob(job)
    output = gateway.printJobOutput(job_id)
    right = gateway.getTaskStatus(job_id, task.getTaskName()) == "Finished" and expected in output
    return {"call": f"scripts/{name}", "right": right, "value": output, "seconds": 0}


if __name__ == "__main__":
    main()
