"""Notebooks run from the first cell to the last on the embedded scheduler, headless."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from nbclient.exceptions import CellExecutionError

Run = Callable[..., nbformat.NotebookNode]

TASKS = """#%task(name=Squares)
import sys, time
print("counting")
time.sleep(0.1)  # Two pipes have no order of their own.
print("careful", file=sys.stderr)
time.sleep(0.1)
print("done")
result = [{"n": n, "square": n * n} for n in range(3)]

#%task(name=Sum, dep=[Squares])
result = sum(row["square"] for row in results[0].value())"""


def streams(cell: Any) -> list[tuple[str, str]]:
    return [(output.name, output.text) for output in cell.outputs if output.output_type == "stream"]


def texts(cell: Any) -> list[str]:
    return [output.data["text/plain"] for output in cell.outputs if "data" in output]


@pytest.mark.parametrize(
    ("kernel_name", "first"), [("proactive", "x = 1"), ("python3", "%load_ext proactive_jupyter_kernel")]
)
def test_notebook_from_task_to_result(run_notebook: Run, kernel_name: str, first: str) -> None:
    """The same cells give the same in this kernel and in plain ipykernel with the extension."""
    notebook = run_notebook(
        first,
        TASKS,
        "#%submit_job(name=Numbers)",
        "#%get_job_result(into=found)",
        "found['Sum'] + 1",
        "#%print_task_output(task_name=Squares)",
        kernel_name=kernel_name,
    )
    _, define, submit, results, local, output = notebook.cells
    assert streams(define)[0][1].startswith("Defined task Squares (Python).\nDefined task Sum")
    # The display that follows the job was brought to its end while a later cell waited.
    assert re.match(r"✓ Numbers  job \d+  Finished \(2 tasks in ", texts(submit)[0])
    assert texts(results)[-2:] == ["Squares:\nn  square\n-  ------\n0       0\n1       1\n2       4", "Sum: 5"]
    assert texts(local) == ["6"]
    assert streams(output) == [("stdout", "counting\n"), ("stderr", "careful\n"), ("stdout", "done\n")]


def test_waiting_submission_shows_everything_in_its_cell(run_notebook: Run) -> None:
    """submit_job(wait=on, print_result=on) leaves status, output and results in one card."""
    cell = run_notebook(f"{TASKS}\n#%submit_job(name=Waited, wait=on, print_result=on)").cells[0]
    (card,) = texts(cell)
    assert re.match(r"✓ Waited  job \d+  Finished \(2 tasks in ", card)
    lines = [line.strip() for line in card.split("\n")]
    output = lines[lines.index("Output, 3 lines:") + 1 :][:3]
    assert output == ["Squares  counting", "Squares  careful", "Squares  done"]
    assert lines[-1] == "Sum: 5"


def test_card_of_a_job_that_outlives_the_run_says_so(run_notebook: Run) -> None:
    """The file does not claim that a job runs: the card names the time, and how to look at the job."""
    cell = run_notebook("#%task(name=Long)\nimport time\ntime.sleep(5)\n#%submit_job(name=Outlives)").cells[0]
    (card,) = (output.data for output in cell.outputs if "data" in output)
    assert re.search(r"  Last seen at \d\d:\d\d:\d\d: .*This display is no longer updated", card["text/plain"])
    assert 'class="old now"' in card["text/html"]
    assert 'class="lv"' not in card["text/html"]


def test_failed_job_stops_the_notebook_at_the_line_of_the_cell(run_notebook: Run) -> None:
    """A task's error ends the run, and its traceback names the cell and the line as typed."""
    with pytest.raises(CellExecutionError) as caught:
        run_notebook("x = 1", "y = 2\n#%task(name=Wrong)\nvalue = 0\n1 / value\n#%submit_job(name=Fails, wait=on)")
    text = str(caught.value)
    assert "JobFailed" in text
    assert "ZeroDivisionError: division by zero" in text
    assert "Cell In[2], line 4" in text
    assert "site-packages/proactive_jupyter_kernel" not in text


def test_jupyter_execute_ends_with_an_error_status(home: Path) -> None:
    """From the command line a failed job is a failed command."""
    notebook = home / "fails.ipynb"
    cell = "#%task(name=Wrong)\nraise ValueError('no')\n#%submit_job(name=Fails, wait=on)"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)]), notebook)
    command = [sys.executable, "-m", "jupyter", "execute", "--kernel_name=proactive", str(notebook)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "ValueError: no" in done.stderr


def test_parameters_of_papermill_reach_the_job(home: Path) -> None:
    """The cell that papermill puts in runs locally, and its names are variables for a job."""
    source, target = home / "parameters.ipynb", home / "done.ipynb"
    parameters = nbformat.v4.new_code_cell("count = 1", metadata={"tags": ["parameters"]})
    cell = nbformat.v4.new_code_cell(
        "#%task(name=Count, variables=[(count, =count)])\nresult = int(variables.get('count')) * 2\n"
        "#%submit_job(name=Parameters, wait=on)\n#%get_result(into=found)\nfound['Count']"
    )
    notebook = nbformat.v4.new_notebook(cells=[parameters, cell])
    notebook.metadata.kernelspec = {"name": "proactive", "display_name": "ProActive", "language": "python"}
    nbformat.write(notebook, source)
    done = papermill.execute_notebook(
        str(source), str(target), parameters={"count": 21}, progress_bar=False, cwd=str(home)
    )
    assert texts(done.cells[-1])[-1] == "42"


def test_missing_password_without_a_person_to_ask(run_notebook: Run, stand_in: Callable[[], Any]) -> None:
    """A run without a person says what to set, and the password in the cell before is nowhere in the history."""
    with stand_in() as server:
        notebook = run_notebook(
            "#%connect(url=http://127.0.0.1:9, login=ada, password=hunter2)",
            f"#%connect(url={server.url}, login=ada)",
            "In[1]",
            allow_errors=True,
        )
    unreachable, unanswered, history = notebook.cells
    assert unreachable.outputs[-1].ename == "SchedulerUnreachable"
    assert unanswered.outputs[-1].ename == "SetupError"
    assert "PROACTIVE_PASSWORD" in unanswered.outputs[-1].evalue
    assert "hunter2" not in json.dumps([cell.outputs for cell in notebook.cells])
    assert texts(history) == ["'#%connect(url=http://127.0.0.1:9, login=ada, password=*******)'"]


def test_history_file_has_no_password(home: Path, run_notebook: Run) -> None:
    """What IPython writes to disk has stars for the password."""
    run_notebook("#%connect(url=http://127.0.0.1:9, login=ada, password=tiger55)", allow_errors=True)
    database = sqlite3.connect(home / "ipython" / "profile_default" / "history.sqlite")
    rows = database.execute("SELECT source, source_raw FROM history WHERE source_raw LIKE '%connect(%'").fetchall()
    database.close()
    assert rows
    assert "tiger55" not in str(rows)
    assert b"tiger55" not in b"".join(path.read_bytes() for path in (home / "ipython").rglob("*") if path.is_file())
