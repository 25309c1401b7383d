"""`export` and `notebook` as typed in a shell."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import Result

Run = Callable[..., Result]

CELLS = [
    "#%job(name=shared)\n#%task(name=A)\nprint('é')",
    "#%split(name=S, dep=[A])\n#%runs()\nruns = 2\n#%process(name=P)\nresult = 1\n#%merge(name=M)",
    "#%submit_job(wait=on)",
]


def write_notebook(path: Path, *cells: str) -> None:
    node: Any = nbformat.v4.new_notebook()
    node.cells = [nbformat.v4.new_markdown_cell("text"), *map(nbformat.v4.new_code_cell, cells)]
    nbformat.write(node, path)


def test_a_notebook_goes_through_every_format_and_back(run: Run, tmp_path: Path) -> None:
    """Notebook to XML, JSON and dot, each to a notebook, and that to the same file again."""
    write_notebook(tmp_path / "n.ipynb", *CELLS)
    for name in ("xml", "json", "dot"):
        assert run("export", "n.ipynb", "--to", name).exit_code == 0
        made = run("notebook", f"n.{name}", "-o", f"{name}.ipynb")
        assert (made.exit_code, f"Wrote notebook {name}.ipynb for workflow 'shared'" in made.stderr) == (0, True)
        nbformat.validate(nbformat.read(tmp_path / f"{name}.ipynb", as_version=4))
        assert run("export", f"{name}.ipynb", "--to", name, "-o", f"again.{name}").exit_code == 0
        assert (tmp_path / f"again.{name}").read_bytes() == (tmp_path / f"n.{name}").read_bytes()


@pytest.mark.parametrize(
    ("name", "start"), [("svg", b"<svg"), ("png", b"\x89PNG"), ("mermaid", b"---\ntitle: 'shared'")]
)
def test_pictures_are_written(run: Run, tmp_path: Path, name: str, start: bytes) -> None:
    """As files, with the note that there is no way back."""
    write_notebook(tmp_path / "n.ipynb", *CELLS)
    done = run("export", "n.ipynb", "--to", name, "-o", "picture")
    assert (done.exit_code, "cannot be imported" in done.stderr) == (0, True)
    assert (tmp_path / "picture").read_bytes().startswith(start)


def test_a_dash_is_standard_output(run: Run, tmp_path: Path) -> None:
    """The text alone, notes apart."""
    (tmp_path / "g.dot").write_text("digraph g1 { a -> b }")
    done = run("export", "g.dot", "--to", "json", "-o", "-")
    assert [task["name"] for task in json.loads(done.stdout)["tasks"]] == ["a", "b"]
    assert done.stderr == "Note: The file holds no scripts: its 2 tasks have no code yet.\n"


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("export", "n.ipynb", "--to", "yaml"), 2, "'yaml' is not one of"),
        (("export", "x.txt", "--to", "xml"), 2, "x.txt does not have the extension of a workflow format."),
        (("export", "bad.ipynb", "--to", "xml"), 2, "bad.ipynb is not a notebook"),
        (("export", "formula.ipynb", "--to", "xml"), 1, "Cell 1: "),
        (("export", "empty.ipynb", "--to", "xml"), 2, "There is no task."),
        (("export", "g.dot", "--to", "dot", "-o", "g.dot"), 1, "g.dot is the input file."),
        (("notebook", "bad.json"), 2, "Line 1, column 1: this is not JSON"),
        (("notebook", "g.dot", "-o", "no/such.ipynb"), 1, "cannot be written: No such file or directory."),
    ],
)
def test_what_goes_wrong_is_reported(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], status: int, message: str
) -> None:
    """With the exit status of its kind."""
    write_notebook(tmp_path / "n.ipynb", *CELLS)
    write_notebook(tmp_path / "formula.ipynb", "#%job(name=ab, variables=[(n, =len(x))])")
    write_notebook(tmp_path / "empty.ipynb", "print(1)")
    (tmp_path / "g.dot").write_text("digraph g1 { a -> b }")
    for name in ("x.txt", "bad.ipynb", "bad.json"):
        (tmp_path / name).write_text("nonsense")
    done = run(*arguments)
    assert (done.exit_code, message in done.stderr) == (status, True), done.stderr


def test_a_notebook_that_exists_is_not_replaced_unasked(run: Run, tmp_path: Path) -> None:
    """It may hold more than the workflow file; `--output` names it."""
    (tmp_path / "g.dot").write_text("digraph g1 { a -> b }")
    write_notebook(tmp_path / "g.ipynb", "my = 'work'")
    before = (tmp_path / "g.ipynb").read_bytes()
    done = run("notebook", "g.dot")
    assert (done.exit_code, (tmp_path / "g.ipynb").read_bytes()) == (1, before)
    assert done.stderr.endswith(
        "Error: The notebook g.ipynb exists already.\n`-o g.ipynb` replaces it, `-o OTHER.ipynb` writes another one.\n"
    )
    assert run("notebook", "g.dot", "-o", "g.ipynb").exit_code == 0
    assert (tmp_path / "g.ipynb").read_bytes() != before


def test_parameters_that_are_written_out_are_exported(run: Run, tmp_path: Path) -> None:
    """As variables of the job, without running the cell; what would have to be computed is reported as missing."""
    parameters = "# Parameters\ncities = ['Graz']\ndays: int = 3\nnow = compute()"
    write_notebook(tmp_path / "trip.ipynb", parameters, "#%task(A)\nfor city in cities:\n    print(city, days, now)")
    done = run("export", "trip.ipynb", "--to", "json", "-o", "-")
    assert json.loads(done.stdout)["variables"] == [
        {"name": "cities", "value": '["Graz"]'},
        {"name": "days", "value": "3"},
    ]
    assert done.stderr == "Note: Task A, Cell 2, line 3: The code reads now, which nothing provides.\n"


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("n.ipynb", "`proactive-kernel run n.ipynb` runs the notebook"),
        ("n.json", "`proactive-kernel export n.json --to xml`"),
        ("n.dot", "`proactive-kernel export n.dot --to xml`"),
    ],
)
def test_submit_says_what_to_do_with_other_files(run: Run, tmp_path: Path, name: str, advice: str) -> None:
    """A notebook is run, other formats are written as XML first."""
    (tmp_path / name).write_text("{}")
    done = run("submit", name)
    assert (done.exit_code, done.stderr.startswith(f"Error: {name} is not ProActive's XML.\n")) == (2, True)
    assert advice in done.stderr


def test_command_misspelt_is_proposed(run: Run) -> None:
    """As pragmas are."""
    done = run("stat")
    assert (done.exit_code, "There is no command 'stat'. Did you mean 'status'?" in done.stderr) == (2, True)


def test_xml_for_a_server(run: Run, tmp_path: Path) -> None:
    """In an older schema, with what carries values on a server; what is left out is noted."""
    write_notebook(tmp_path / "n.ipynb", "#%job(name=shared)\n#%task(name=A, retries=2)\nresult = 1")
    done = run("export", "n.ipynb", "--to", "xml", "--schema", "3.11", "--for-server")
    text = (tmp_path / "n.xml").read_text(encoding="utf-8")
    assert (done.exit_code, ":3.11" in text, "_proactive_task.end()" in text) == (0, True, True)
    assert '<info name="PYTHON_COMMAND" value="python3"/>' in text
    refused = run("export", "n.ipynb", "--to", "json", "--schema", "3.13")
    assert (refused.exit_code, "--schema and --for-server apply only to --to xml." in refused.stderr) == (1, True)
