"""Make a store of an earlier version of the embedded scheduler, for the tests of migrations.

    python tools/earlier_store.py COMMIT tests/data/stores/schema-N.sql

runs the scheduler of that commit with a finished job, a failed one, one that waits for its start time and one whose
task is running, kills it with ``kill -9`` and writes its database as SQL. The file is stored with the tests.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2

_HEAD = '<job xmlns="urn:proactive:jobdescriptor:3.14" name="{name}">{generic}<taskFlow>{tasks}</taskFlow></job>'
_TASK = (
    '<task name="{name}" {attributes}><scriptExecutable><script><code language="{language}"><![CDATA[{code}]]></code>'
    "</script></scriptExecutable></task>"
)
_LATER = '<genericInformation><info name="START_AT" value="2099-01-01T00:00:00+00:00"/></genericInformation>'


def _task(name: str, language: str, code: str, attributes: str = "") -> str:
    return _TASK.format(name=name, language=language, code=code, attributes=attributes)


JOBS = (
    ("finished", "", _task("A", "python", "print('kept é')\nresult = {'a': [1, 2.5]}")),
    ("failed", "", _task("B", "bash", "echo oops >&2; exit 3", 'maxNumberOfExecution="1"')),
    ("waiting", _LATER, _task("C", "bash", "true")),
    ("running", "", _task("D", "bash", "echo begun; sleep 600")),
)


def main(commit: str, target: Path) -> None:
    """Write the dump of a store that the scheduler of `commit` made."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        archive = subprocess.run(["git", "archive", commit, "src"], check=True, capture_output=True)
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        environment = {
            **os.environ,
            "PYTHONPATH": str(home / "src"),
            "PROACTIVE_KERNEL_DATA_DIR": str(home / "data"),
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        }
        command = [sys.executable, "-m", "proactive_jupyter_kernel", "scheduler", "serve"]
        process = subprocess.Popen(command, env=environment, cwd=home)
        try:
            _fill(home / "runtime")
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        target.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(home / "data" / "scheduler.db")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        lines = "\n".join(connection.iterdump()).replace(folder, "/home/me")
        connection.close()
        target.write_text(f"-- Of commit {commit}.\n{lines}\nPRAGMA user_version = {version};\n", encoding="utf-8")


def _fill(runtime: Path) -> None:
    found: list[Path] = []
    _wait(lambda: found.extend(runtime.glob("proactive-scheduler-*.json")) or found)
    address = json.loads(found[0].read_text("utf-8"))
    with httpx2.Client(base_url=address["url"] + "/rest/scheduler", timeout=60, trust_env=False) as client:
        login = {"username": address["user"], "password": address["token"]}
        client.headers["sessionid"] = client.post("/login", data=login).raise_for_status().text
        for number, (name, generic, tasks) in enumerate(JOBS, 1):
            text = _HEAD.format(name=name, generic=generic, tasks=tasks)
            client.post("/submit", files=[("file", (None, text.encode(), "application/xml"))]).raise_for_status()
            _wait(lambda job=number, name=name: _is_there(client, job, name))


def _is_there(client: httpx2.Client, job: int, name: str) -> bool:
    status = client.get(f"/jobs/{job}/info").raise_for_status().json()["status"]
    if name == "running":
        return "begun" in client.get(f"/jobs/{job}/tasks/D/result/log/out").text
    return status == "PENDING" if name == "waiting" else status in ("FINISHED", "FAILED", "CANCELED", "KILLED")


def _wait(true: Any) -> None:
    while not true():
        time.sleep(0.1)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
