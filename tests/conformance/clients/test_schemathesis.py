"""schemathesis over the OpenAPI description: it makes requests of it, also such as the description does not allow."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from .conftest import GREETING, LOGIN, PASSWORD

HERE = Path(__file__).parent
#: Requests to each method of each path in each way; `SCHEMATHESIS_EXAMPLES` sets more.
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "6")
#: These end the session or the scheduler, as they should; the other three wait for something that does not come.
ENDS = r"(logout|disconnect|/scheduler/(kill|shutdown|freeze)|/task/\w+/wait|body/sync)$"
#: What there is, so that requests get behind the first check; requests that leave the description are made of it, too.
THERE = {
    "tag": ["greeting"],
    "task": ["greet"],
    "space": ["user", "global"],
    "path": ["USERSPACE/there.txt", "there.txt"],
    "rest": ["there.txt"],
    "priority": ["high"],
    "status": ["Finished"],
    "statusFilter": ["finished"],
}
#: These have a session of their own: that of a task, or in the first message.
OTHER_SESSION = r" /(task/(channels|signals)/\w+|scheduler/events)"


@pytest.mark.timeout(400)
def test_no_request_fails_inside(client: Callable[[str], Any], scheduler: Any, tmp_path: Path) -> None:
    """No answer of 500 or above without a well-formed error, neither for what is there nor for what was removed."""
    tester = client("schemathesis")
    with httpx2.Client(base_url=scheduler.url + "/rest", trust_env=False) as rest:
        login = rest.post("/scheduler/login", data={"username": LOGIN, "password": PASSWORD})
        session = login.raise_for_status().text
        rest.headers["sessionid"] = session
        rest.put("/data/user/there.txt", content=b"there").raise_for_status()
        job = finished_job(rest)
        description = rest.get("/openapi.json").raise_for_status().json()
        (tmp_path / "openapi.json").write_text(json.dumps(with_values(description, {**THERE, "job": [job]})))
        command = [
            *(str(tester.python), "-m", "schemathesis.cli", "run", str(tmp_path / "openapi.json")),
            *("--url", scheduler.url + "/rest", "--header", f"sessionid: {session}"),
            *("--checks", "errors_are_well_formed", "--phases", "coverage,fuzzing", "--mode", "all"),
            *("--max-examples", EXAMPLES, "--seed", "1", "--generation-database", "none", "--no-color"),
            # One worker: the parser of CPython 3.11, by which it describes what it draws, fails in two threads.
            *("--exclude-path-regex", ENDS, "--workers", "1", "--request-timeout", "60"),
        ]
        environment = {**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_checks", "PYTHONPATH": str(HERE / "programs")}
        refused: set[str] = set()
        # What removes comes last.
        for methods in (("--exclude-method", "DELETE"), ("--include-method", "DELETE")):
            done = subprocess.run(
                [*command, *methods], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
            )
            # What failed stands at the top, behind what was warned of.
            errors = done.stdout.partition("= WARNINGS =")
            assert done.returncode == 0, errors[0][-8000:] + done.stdout[-2000:] + done.stderr[-2000:]
            refused |= without_session(done.stdout)
        assert {operation for operation in refused if not re.search(OTHER_SESSION, operation)} == set()
        assert rest.get("/scheduler/jobs").status_code == 200


def finished_job(rest: httpx2.Client) -> int:
    """The id of a job that has ended."""
    file = {"file": ("job.xml", GREETING.encode(), "application/xml")}
    job = rest.post("/scheduler/submit", files=file).raise_for_status().json()["id"]
    deadline = time.monotonic() + 60
    while rest.get(f"/scheduler/jobs/{job}").json()["jobInfo"]["status"] != "FINISHED":
        assert time.monotonic() < deadline, "the job does not end"
        time.sleep(0.1)
    return int(job)


def with_values(description: dict[str, Any], values: dict[str, list[Any]]) -> dict[str, Any]:
    """The description, whose parameters of these names have these values alone."""
    for operations in description["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] in values:
                    parameter["schema"] = {**parameter["schema"], "enum": values[parameter["name"]]}
    return description


def without_session(output: str) -> set[str]:
    """The operations that schemathesis saw refuse each request for the session or a right."""
    part = re.search(r"^Authentication failed: (\d+) operations.*?(?=^💡)", output, re.MULTILINE | re.DOTALL)
    if part is None:
        return set()
    operations = set(re.findall(r"^  - ([A-Z]+ /\S*)$", part[0], re.MULTILINE))
    assert len(operations) == int(part[1]), part[0]
    return operations
