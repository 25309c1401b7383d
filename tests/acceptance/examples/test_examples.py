"""Every notebook of examples/ is run, cell by cell, and shows what it should.

What a cell should show stands in tests/data/examples/NOTEBOOK.json, by the cell's id: the whole of its `stdout` and
`stderr`, the text of the last output that it has `shown`, its `error` with the error's name. A text between slashes is
a regular expression for the whole. Job numbers are written N, since all notebooks share one scheduler.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import papermill
import pytest
from nbclient import NotebookClient
from tests.required import need
from tools.run_examples import fingerprint, machine_paths, recorded

from proactive_jupyter_kernel.notebook import kernelspec
from proactive_jupyter_kernel.pragmas.declarations.registry import PRAGMAS
from proactive_jupyter_kernel.pragmas.grammar.parser import parse
from proactive_jupyter_kernel.pragmas.grammar.syntax import Call

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"
EXPECTED = ROOT / "tests" / "data" / "examples"
NOTEBOOKS = sorted(path.stem for path in EXAMPLES.glob("*.ipynb"))
TIMEOUT = 60
#: Programs that a notebook says it needs.
NEEDS = {"more_languages": ("ruby", "perl", "Rscript")}
RAISES = "raises-exception"
#: Bytes of a committed notebook.
MAX_SIZE = 500_000
#: The first line of a job's card, and where its output or its results start.
_CARD = re.compile(r"([✓✗▸○◔‖!⊘]) (\S+)  job \d+  ([^(\n]+?)(?: \(|\n|$)")
_FROM = re.compile(r"  Output, |\S+:")
_JOB = re.compile(r"\b(Job |job |job_id=)\d+")


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)


def expected(name: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads((EXPECTED / f"{name}.json").read_text(encoding="utf-8"))
    return found


def outputs(cell: nbformat.NotebookNode) -> dict[str, str]:
    """What a cell shows, by the keys of the files of what is expected."""
    found: dict[str, str] = {}
    for output in cell.outputs:
        if output.output_type == "stream":
            found[output.name] = found.get(output.name, "") + output.text
        elif output.output_type == "error":
            found["error"] = f"{output.ename}: {output.evalue}"
        elif card := _CARD.match(output.data["text/plain"]):
            found["card"] = without_times(card)
        else:
            found["shown"] = output.data["text/plain"]
    return {kind: _JOB.sub(r"\1N", text).rstrip() for kind, text in found.items()}


def without_times(card: re.Match[str]) -> str:
    """What a card says whatever the time: name, state, errors, output and results."""
    lines = card.string.split("\n")
    start = next((index for index, line in enumerate(lines) if _FROM.match(line)), len(lines))
    errors = [line.strip() for index, line in enumerate(lines) if line.startswith("  ✗ ") and lines[index + 1 :]]
    told = [line for line in errors if "attempt" in line or " tasks, " in line]
    told = [re.sub(r" after [\d.]+ (?:ms|s)", "", line) for line in told]
    rest = [line for line in lines[start:] if not line.startswith("  #%")]
    return "\n".join([f"{card[1]} {card[2]}: {card[3]}", *told, *rest])


def fits(text: str, wanted: str) -> bool:
    if wanted.startswith("/") and wanted.endswith("/"):
        return re.fullmatch(wanted[1:-1], text, re.DOTALL) is not None
    return text == wanted


def compare(notebook: nbformat.NotebookNode, name: str) -> None:
    """Each cell shows what it should, and only the cells that say so end in an error."""
    cells = {cell.id: cell for cell in notebook.cells if cell.cell_type == "code"}
    for ident, wanted in expected(name).items():
        shown = outputs(cells[ident])
        found = {kind: wanted[kind] if fits(shown.get(kind, ""), wanted[kind]) else shown.get(kind) for kind in wanted}
        assert found == wanted, f"cell {ident} of {name}"
    for ident, cell in cells.items():
        assert ("error" in outputs(cell)) == (RAISES in cell.metadata.get("tags", [])), f"cell {ident} of {name}"


def forms(cell: nbformat.NotebookNode, mime: str) -> list[str]:
    """The outputs of a cell in one form."""
    return [output.data[mime] for output in cell.get("outputs", []) if mime in output.get("data", {})]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_example_shows_what_it_should(name: str, home: Path) -> None:
    """Run from the first cell to the last, only the cells that say so end in an error, and the outputs are right."""
    need(*NEEDS.get(name, ()))
    notebook = read(name)
    folder = home / name
    folder.mkdir()
    client = NotebookClient(notebook, timeout=TIMEOUT, resources={"metadata": {"path": str(folder)}})
    with open(os.devnull, "w") as nowhere:
        client.execute(stderr=nowhere)
    compare(notebook, name)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_example_is_for_this_kernel(name: str) -> None:
    """With an introduction, and at least two outputs that are compared."""
    notebook = read(name)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == kernelspec.NAME
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source.startswith("# ")
    assert sum(map(len, expected(name).values())) >= 2
    assert set(expected(name)) <= {cell.id for cell in notebook.cells if cell.cell_type == "code"}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_example_is_committed_with_its_outputs(name: str) -> None:
    """GitHub shows what one would get: the outputs belong to the code, are as expected, and tell nothing of a machine.

    `make examples` writes them.
    """
    notebook = read(name)
    assert recorded(notebook) == fingerprint(notebook), "the code changed: run `make examples`"
    compare(notebook, name)
    assert machine_paths(notebook) == []
    assert [cell.id for cell in notebook.cells if "execution" in cell.metadata] == []
    pages = [html for cell in notebook.cells for html in forms(cell, "text/html")]
    assert [html for html in pages if 'class="live"' in html or 'class="old' in html] == [], "a job had not ended"
    assert (EXAMPLES / f"{name}.ipynb").stat().st_size < MAX_SIZE


def test_outputs_of_an_older_code_are_noticed() -> None:
    """The digest changes with the code of any cell, and not with its outputs."""
    notebook = read("first_steps")
    before = fingerprint(notebook)
    last = [cell for cell in notebook.cells if cell.cell_type == "code"][-1]
    last.outputs = []
    assert fingerprint(notebook) == before
    last.source += " "
    assert fingerprint(notebook) != before


def test_papermill_leaves_the_final_card_and_the_results_in_the_file(home: Path) -> None:
    """With other parameters: the tasks get them, and the file has what they made of them."""
    folder = home / "papermill"
    folder.mkdir()
    papermill.execute_notebook(
        EXAMPLES / "papermill_parameters.ipynb",
        folder / "done.ipynb",
        parameters={"throws": 60, "sums": [2]},
        cwd=folder,
        progress_bar=False,
    )
    done = nbformat.read(folder / "done.ipynb", as_version=4)
    shown = {cell.id: outputs(cell) for cell in done.cells if cell.cell_type == "code"}
    assert "60 throws of 2 dice, looking for [2]" in shown["cell-07"]["stdout"]
    assert "sums [2]" in shown["cell-07"]["stdout"]


@pytest.mark.parametrize(
    ("name", "pictured"), [("pictures", "collect, after report"), ("first_steps", r"count: finished, \d")]
)
def test_nbconvert_leaves_the_final_pictures_and_the_results_in_the_file(name: str, pictured: str, home: Path) -> None:
    """`jupyter nbconvert --execute` ends with the card of the finished job, and its HTML has the pictures."""
    folder = home / f"nbconvert_{name}"
    folder.mkdir()
    shutil.copy(EXAMPLES / f"{name}.ipynb", folder)
    convert = [sys.executable, "-m", "nbconvert", "--to"]
    execute = [*convert, "notebook", "--execute", "--output=done", f"{name}.ipynb"]
    subprocess.run(execute, cwd=folder, check=True, capture_output=True, timeout=TIMEOUT)
    compare(nbformat.read(folder / "done.ipynb", as_version=4), name)
    subprocess.run([*convert, "html", "done.ipynb"], cwd=folder, check=True, capture_output=True, timeout=TIMEOUT)
    page = (folder / "done.html").read_text(encoding="utf-8")
    told = re.findall(r'<img[^>]* alt="(Workflow [^"]*)"', page)
    assert [text for text in told if re.search(pictured, text)] != [], told
    assert "This display is no longer updated" not in page


def test_every_example_is_in_the_list() -> None:
    """The table of examples/README.md has a row for each notebook and none for others."""
    listed = re.findall(r"^\| \[(\w+)\]\(\1\.ipynb\) \|", (EXAMPLES / "README.md").read_text(encoding="utf-8"), re.M)
    assert sorted(listed) == NOTEBOOKS
    assert sorted(path.stem for path in EXPECTED.glob("*.json")) == NOTEBOOKS


def test_every_pragma_is_in_an_example() -> None:
    """Whoever looks for a pragma finds a notebook that uses it."""
    cells = [cell.source for name in NOTEBOOKS for cell in read(name).cells if cell.cell_type == "code"]
    segments = [segment for cell in cells if "#%" in cell for segment in parse(cell).segments]
    used = {PRAGMAS[segment.name].name for segment in segments if isinstance(segment, Call) and segment.name in PRAGMAS}
    assert set(PRAGMAS) - used == set()
