"""The code of README.md, the quickstart and the guides does what the text around it says: it runs, cell by cell."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "docs" / "quickstart.md", *sorted((ROOT / "docs" / "guides").glob("*.md"))]
TIMEOUT = 60
REQUIRED = os.environ.get("PAJK_REQUIRE_ALL") == "1"
#: A block that a notebook's cell could hold.
_BLOCK = re.compile(r"^```(?:python|javascript)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SUBMIT = "#%submit_job(wait=on)"

#: Pages about ProActive servers, which no test has, and about its own clients, which tests/conformance/clients runs.
ABOUT_SERVERS = {"connect", "other-clients"}
#: What the reader of a page has already.
BEFORE = {
    "tasks": ["#%task(name=load)\nresult = [{'ok': True}, {'ok': False}]"],
    "debugging": [
        "#%task(name=Load)\nresult = 6",
        "#%task(name=Train, dep=[Load])\nresult = 7 * results[0].value()",
        SUBMIT,
    ],
}
#: Pages that define a job which they do not submit.
SUBMITTED = {"tasks", "controls", "scripts", "values", "exchange", "papermill"}
NEEDS = {"scripts": "bwrap"}


def blocks(page: Path) -> list[str]:
    return _BLOCK.findall(page.read_text(encoding="utf-8"))


RUN = [page for page in PAGES if page.stem not in ABOUT_SERVERS and blocks(page)]


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_every_block_of_a_page_runs(page: Path, home: Path) -> None:
    """In the order of the page, in one notebook; no cell ends in an error."""
    name = page.stem
    if name in NEEDS and shutil.which(NEEDS[name]) is None and not REQUIRED:
        pytest.skip(f"needs {NEEDS[name]}")
    folder = home / name
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "lines.csv").write_text("a\nb\n")
    cells = [*BEFORE.get(name, ()), *blocks(page), *([SUBMIT] if name in SUBMITTED else ())]
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name="proactive",
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    failed = {
        cell.source: f"{output.ename}: {output.evalue}"
        for cell in notebook.cells
        for output in cell.outputs
        if output.output_type == "error"
    }
    assert failed == {}


def test_every_page_is_in_the_navigation() -> None:
    """In one place only."""
    docs = ROOT / "docs"
    trees = re.findall(r"^```{toctree}\n(.*?)^```", (docs / "index.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    entries = [line for tree in trees for line in tree.splitlines() if line and not line.startswith(":")]
    pages = [path.relative_to(docs).with_suffix("").as_posix() for path in docs.rglob("*.md") if path.stem != "index"]
    assert sorted(entries) == sorted([*pages, "Examples <examples/README>", "changelog"])


def test_no_link_of_the_readme_leads_nowhere() -> None:
    """The site checks the links of all other pages."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = {ROOT / target for target in re.findall(r"\]\(([\w./-]+)\)", text)}
    assert [str(path) for path in sorted(linked) if not path.exists()] == []
