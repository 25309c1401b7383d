"""A notebook in a real kernel on the stand-in for a ProActive server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat

from proactive_jupyter_kernel.testing.memory_jobs import ScriptedOutcome
from proactive_jupyter_kernel.workflow.status import TaskStatus
from standin import StandIn


def test_a_notebook_on_an_older_server(recorded: object, tmp_path: Path) -> None:
    """It connects, submits in the server's schema, decides about an error, and has the results."""
    failing = ScriptedOutcome(failure="boom", status=TaskStatus.IN_ERROR, then=ScriptedOutcome(result=5))
    outcomes = {"A": ScriptedOutcome(result=[1, {"a": 2}], lines=(("out", "one"),)), "B": failing}
    with StandIn("13.0.3", outcomes, pending=2) as server:
        cells = [
            f"#%connect(url={server.url}, login=user, password=secret)",
            "#%job(name=kern, variables=[(n, 1)])\n#%task(A, import=[n])\n[n]\n"
            "#%task(B, dep=A, language=Javascript)\n[1]\n#%submit_job(draw=off, variables={n: 3})",
            "#%restart_task(B)",
            "#%get_job_result(into=found)",
            "print(found)",
        ]
        notebook: Any = nbformat.v4.new_notebook()
        notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
        # Until B has failed there is nothing to restart.
        notebook.cells.insert(2, nbformat.v4.new_code_cell("#%wait_job()", metadata={"tags": ["raises-exception"]}))
        nbformat.write(notebook, tmp_path / "n.ipynb")
        folders = {"PROACTIVE_KERNEL_DATA_DIR": str(tmp_path / "data"), "JUPYTER_RUNTIME_DIR": str(tmp_path / "run")}
        done = subprocess.run(
            [sys.executable, "-m", "proactive_jupyter_kernel", "run", "n.ipynb", "--output", "done.ipynb"],
            cwd=tmp_path,
            env={**os.environ, **folders},
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
        job = server.jobs[1]
    assert done.returncode == 0, done.stderr
    outputs = nbformat.read(tmp_path / "done.ipynb", as_version=4).cells[-1].outputs
    assert [output.text for output in outputs] == ["{'A': [1, {'a': 2}], 'B': 5}\n"]
    assert (job.variables, "jobdescriptor:3.13" in job.xml) == ({"n": "3"}, True)
