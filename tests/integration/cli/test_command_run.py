"""Notebooks from the shell, and the kernel in Jupyter's list."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

if TYPE_CHECKING:
    from .conftest import Shell


def notebook(shell: Shell, *cells: str, kernel: str = "proactive") -> str:
    """A notebook file of these cells."""
    node = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    node.metadata["kernelspec"] = {"name": kernel, "display_name": kernel, "language": "python"}
    path = shell.home / "notebook.ipynb"
    nbformat.write(node, path)
    return str(path)


@pytest.fixture(scope="module")
def installed(shell: Shell) -> Shell:
    """The shell with the kernel in a place of its own."""
    done = shell("install", "--prefix", str(shell.home / "prefix"))
    assert done.returncode == 0, done.stderr
    shell.environ["JUPYTER_PATH"] = str(shell.home / "prefix" / "share" / "jupyter")
    shell.environ["IPYTHONDIR"] = str(shell.home / "ipython")
    return shell


def test_install_and_uninstall(fresh_shell: Shell) -> None:
    """The kernelspec comes and goes, under the name that was given."""
    prefix = fresh_shell.home / "prefix"
    place = ("--prefix", str(prefix), "--name", "mine")
    done = fresh_shell("install", *place, "--display-name", "Mine é")
    assert done.returncode == 0, done.stderr
    spec = json.loads((prefix / "share" / "jupyter" / "kernels" / "mine" / "kernel.json").read_text(encoding="utf-8"))
    assert spec["display_name"] == "Mine é"
    assert fresh_shell("uninstall", *place).returncode == 0
    again = fresh_shell("uninstall", *place)
    assert (again.returncode, "mine" in again.stderr) == (1, True)


def test_outputs_are_printed_as_they_come(installed: Shell) -> None:
    """Separate streams, values as text; the file does not change, the executed notebook is written to `--output`."""
    file = notebook(installed, "import sys\nprint('é')\nprint('oops', file=sys.stderr)", "6 * 7")
    before = Path(file).read_text(encoding="utf-8")
    done = installed.run("run", file, "--output", "executed.ipynb")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "é\n42\n"
    assert done.stderr == "oops\n"
    assert Path(file).read_text(encoding="utf-8") == before
    executed = nbformat.read(installed.home / "executed.ipynb", as_version=4)
    assert executed.cells[1].outputs[0].data["text/plain"] == "42"


def test_an_error_stops_the_notebook(installed: Shell) -> None:
    """Status 1, the traceback without colours, the cell's number; what ran is in the output."""
    file = notebook(installed, "print('one')", "1 / 0", "print('three')")
    done = installed.run("run", file, "-o", "failed.ipynb")
    assert (done.returncode, done.stdout) == (1, "one\n")
    assert "ZeroDivisionError" in done.stderr
    assert "stopped at an error in cell 2" in done.stderr
    assert "\x1b" not in done.stderr
    assert nbformat.read(installed.home / "failed.ipynb", as_version=4).cells[1].outputs[0].ename == "ZeroDivisionError"


def test_a_notebook_of_a_missing_kernel_runs_with_ours(installed: Shell) -> None:
    """With a notice; a kernel that was asked for must be there."""
    file = notebook(installed, "print('ran')", kernel="nowhere")
    done = installed.run("run", file)
    assert (done.returncode, done.stdout) == (0, "ran\n")
    assert "no kernel 'nowhere'; 'proactive' runs the notebook" in done.stderr
    assert installed("run", file, "--kernel", "nothing").returncode == 1


def test_an_interrupt_reaches_the_cell(installed: Shell) -> None:
    """Ctrl-C ends the cell, and the command with status 130."""
    # Python misses a signal that comes in the moment before a long sleep begins, and sleeps on; a loop hears it.
    file = notebook(installed, "import time\nprint('begun', flush=True)\nwhile True:\n    time.sleep(0.05)")
    process = installed.start("run", file)
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        error = installed.rest(process)
    assert process.returncode == 130
    assert "KeyboardInterrupt" in error


def test_sigterm_interrupts_the_cell_and_saves_the_notebook(installed: Shell) -> None:
    """Status 143, one line instead of tracebacks of the command, and what the tasks wrote is in the notebook."""
    file = notebook(
        installed,
        "#%task(name=Slow, language=bash)\necho begun\nsleep 600",
        "#%submit_job(wait=on, draw=off)",
        "#%print_job_output()",
    )
    process = installed.start("run", file, "--output", "cut.ipynb")
    assert process.stdout is not None
    with process:
        while process.stdout.readline() != "begun\n":
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        error = installed.rest(process)
    assert process.returncode == 143
    assert error.count("Traceback") == 0
    assert "Interrupted. Job " in error
    assert "stopped at an error in cell 2" in error
    cells = nbformat.read(installed.home / "cut.ipynb", as_version=4).cells
    written = "".join(output.text for output in cells[1].outputs if output.output_type == "stream")
    assert ("begun\n" in written, cells[2].outputs) == (True, [])


def test_a_task_in_error_ends_the_notebook(installed: Shell) -> None:
    """A wait that would never end is an error with what can be done."""
    file = notebook(
        installed,
        "#%task(name=T, on_error=suspend, language=bash)\necho half way\nexit 3",
        "#%submit_job(wait=on)",
    )
    done = installed.run("run", file)
    assert (done.returncode, "half way\n" in done.stdout) == (1, True)
    assert "T (In-Error):" in done.stderr
    assert "#%restart_task(task_name=T, job_id=" in done.stderr


@pytest.mark.parametrize("text", ["", "{}", "not json"])
def test_what_is_not_a_notebook_is_reported(installed: Shell, text: str) -> None:
    """A file of another form is a message."""
    path = installed.home / "x.ipynb"
    path.write_text(text)
    done = installed("run", str(path))
    assert done.returncode == 1
    assert "x.ipynb is not a notebook" in done.stderr
    assert "Traceback" not in done.stderr
