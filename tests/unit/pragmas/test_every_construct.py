"""A notebook of every construct on a server: each script that arrives is the one that is known to work there."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from proactive_jupyter_kernel.client import python_code
from proactive_jupyter_kernel.pragmas.declarations.registry import PRAGMAS
from proactive_jupyter_kernel.pragmas.jobs import server_javascript
from proactive_jupyter_kernel.workflow.formats import xml
from proactive_jupyter_kernel.workflow.languages import LANGUAGES
from proactive_jupyter_kernel.workflow.model import Script, Task

FOLDER = Path(__file__).parents[2] / "data" / "server"
CELLS = ["".join(cell["source"]) for cell in json.loads((FOLDER / "every_construct.ipynb").read_text())["cells"]]
EXPECTED = tomllib.loads((FOLDER / "every_construct.toml").read_text(encoding="utf-8"))["script"]


def scripts(task: Task) -> Iterator[tuple[str, Script]]:
    """The scripts of a task with their places."""
    if isinstance(task.executable, Script):
        yield "task", task.executable
    environment = task.fork_environment
    for place, script in (
        ("pre", task.pre),
        ("post", task.post),
        ("clean", task.clean),
        ("fork environment", environment.script if environment else None),
        ("control", task.flow.script if task.flow else None),
        *(("selection", one.script) for one in task.selection),
    ):
        if script is not None:
            yield place, script


def shortened(code: str) -> str:
    """Without the two long pieces that are the same in all scripts of a language."""
    return code.replace(python_code.prologue(), "<values of Python>").replace(
        server_javascript.BEHIND, "<values of Javascript>"
    )


@pytest.fixture
def server_version() -> str:
    """The notebook of this test is on the stand-in server."""
    return "14.2.0"


@pytest.fixture
def arrived(notebook, monkeypatch) -> list[Task]:
    """The tasks of the job as the server got it."""
    # Where files of the job go is recorded there.
    monkeypatch.setenv("PROACTIVE_KERNEL_DATA_DIR", str(notebook.folder / "data"))
    (notebook.folder / "in").mkdir()
    (notebook.folder / "in" / "a.csv").write_text("1")
    for cell in CELLS:
        notebook.run(cell)
    notebook.run("#%submit_job(draw=off)")
    return list(xml.loads(notebook.server.jobs[1].xml).workflow.tasks)


def test_each_script_arrives_as_expected(arrived: list[Task]) -> None:
    """Text by text; what each does on a server is said beside it."""
    found = {
        (task.name, place): (script.language, shortened(script.code))
        for task in arrived
        for place, script in scripts(task)
    }
    expected = {(row["task"], row["place"]): (row["language"], row["sent"]) for row in EXPECTED}
    assert found == expected


def test_the_exported_file_has_the_same_scripts(arrived: list[Task], notebook) -> None:
    """Exported for a server; a portal then runs what a submission runs."""
    notebook.run("#%export_xml(whole, for_server=on)")
    workflow = xml.loads((notebook.folder / "whole.xml").read_bytes()).workflow
    assert [list(scripts(task)) for task in workflow.tasks] == [list(scripts(task)) for task in arrived]
    assert workflow.generic_information["PYTHON_COMMAND"] == "python3"


def test_patterns_of_files_arrive_as_expected(arrived: list[Task]) -> None:
    """A pattern that descends on a server, and the server's own files left out."""
    task = arrived[0]
    patterns = [(one.includes, one.excludes) for one in (*task.input_files, *task.output_files)]
    assert patterns == [("{**.csv}", ""), ("**", "{.pa_nodes_*,.tasks-progress/**,*/TaskLogs-*.log}")]


def test_each_row_says_what_happens_on_a_server() -> None:
    """None is left without a sentence."""
    assert [row for row in EXPECTED if not row["server"].endswith(".")] == []


def test_every_construct_is_there() -> None:
    """Each pragma that takes code, but for the container of the job, and each language."""
    text = "\n".join(CELLS)
    of_code = {one.name for one in PRAGMAS.values() if one.takes_code}
    missing = {name for name in of_code if f"#%{name}(" not in text}
    engines = {row["language"] for row in EXPECTED}
    assert missing == {"job_fork_env"}  # its script is that of fork_env
    assert {language.engine for language in LANGUAGES if language.in_pragmas} - engines == set()
