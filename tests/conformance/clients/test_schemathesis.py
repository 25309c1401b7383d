"""schemathesis over the OpenAPI description: it makes requests of it, also such as the description does not allow."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

HERE = Path(__file__).parent
#: Requests to each method of each path in each way; `SCHEMATHESIS_EXAMPLES` sets more.
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "6")
#: These end the session or the scheduler, as they should; the other three wait for something that does not come.
ENDS = r"(logout|disconnect|/scheduler/(kill|shutdown|freeze)|/task/\w+/wait|body/sync)$"


@pytest.mark.timeout(400)
@pytest.mark.xdist_group("schemathesis")
def test_no_request_fails_inside(client: Callable[[str], Any], scheduler: Any, tmp_path: Path) -> None:
    """No answer of 500 or above without a well-formed error; a job that was there before is there afterwards."""
    tester = client("schemathesis")
    with httpx2.Client(base_url=scheduler.url + "/rest", trust_env=False) as rest:
        session = rest.post("/scheduler/login", data={"username": "tester", "password": "a-lasting-password"}).text
        (tmp_path / "openapi.json").write_text(json.dumps(rest.get("/openapi.json").raise_for_status().json()))
        command = [
            *(str(tester.python), "-m", "schemathesis.cli", "run", str(tmp_path / "openapi.json")),
            *("--url", scheduler.url + "/rest", "--header", f"sessionid: {session}"),
            *("--checks", "errors_are_well_formed", "--phases", "coverage,fuzzing", "--mode", "all"),
            *("--max-examples", EXAMPLES, "--seed", "1", "--generation-database", "none", "--no-color"),
            *("--exclude-path-regex", ENDS, "--workers", "2", "--request-timeout", "60"),
        ]
        environment = {**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_checks", "PYTHONPATH": str(HERE / "programs")}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
        assert rest.get("/scheduler/version").status_code == 200
