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
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from proactive_jupyter_kernel.client import embedded
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
REQUIRED = os.environ.get("PAJK_REQUIRE_ALL") == "1"
RAISES = "raises-exception"
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


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the kernels and the scheduler of these notebooks keep everything; the scheduler is stopped at the end."""
    home = tmp_path_factory.mktemp("home")
    kernelspec.install(prefix=home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(home / "share" / "jupyter"))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(home / "runtime"))
        patch.setenv("IPYTHONDIR", str(home / "ipython"))
        patch.setenv("PROACTIVE_KERNEL_DATA_DIR", str(home / "data"))
        for name in ("PROACTIVE_URL", "PROACTIVE_LOGIN", "PROACTIVE_PASSWORD"):
            patch.delenv(name, raising=False)
        try:
            yield home
        finally:
            embedded.stop()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_example_shows_what_it_should(name: str, home: Path) -> None:
    """Run from the first cell to the last, only the cells that say so end in an error, and the outputs are right."""
    missing = [program for program in NEEDS.get(name, ()) if shutil.which(program) is None]
    if missing and not REQUIRED:
        pytest.skip(f"needs {', '.join(missing)}")
    notebook = read(name)
    folder = home / name
    folder.mkdir()
    client = NotebookClient(notebook, timeout=TIMEOUT, resources={"metadata": {"path": str(folder)}})
    with open(os.devnull, "w") as nowhere:
        client.execute(stderr=nowhere)
    cells = {cell.id: cell for cell in notebook.cells if cell.cell_type == "code"}
    for ident, wanted in expected(name).items():
        shown = outputs(cells[ident])
        found = {kind: wanted[kind] if fits(shown.get(kind, ""), wanted[kind]) else shown.get(kind) for kind in wanted}
        assert found == wanted, f"cell {ident} of {name}"
    for ident, cell in cells.items():
        assert ("error" in outputs(cell)) == (RAISES in cell.metadata.get("tags", [])), f"cell {ident} of {name}"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_example_is_kept_clean(name: str) -> None:
    """Committed without outputs, for this kernel, with an introduction and at least two outputs that are compared."""
    notebook = read(name)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert notebook.metadata.kernelspec.name == kernelspec.NAME
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source.startswith("# ")
    assert sum(map(len, expected(name).values())) >= 2
    assert set(expected(name)) <= {cell.id for cell in code}


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
