"""The code of README.md, the quickstart and the guides does what the text around it says: it runs, cell by cell."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from tests.required import need

from proactive_jupyter_kernel.cli.app import app
from proactive_jupyter_kernel.client import config
from proactive_jupyter_kernel.workflow.formats import json as json_format

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted((DOCS / "guides").glob("*.md"))]
TIMEOUT = 60
#: A block that a notebook's cell could hold, and the block behind it with what the cell shows.
_BLOCK = re.compile(
    r"^```(?:python|javascript)\n(?P<cell>.*?)^```$(?:\n+```text\n(?P<shown>.*?)^```$)?", re.MULTILINE | re.DOTALL
)
SUBMIT = "#%submit_job(wait=on)"

#: Pages about ProActive's own clients, which tests/conformance/clients runs.
ELSEWHERE = {"other-clients"}
#: What the reader of a page has already.
BEFORE = {
    "tasks": ["#%task(name=load)\nresult = [{'ok': True}, {'ok': False}]"],
    "debugging": [
        "#%task(name=Load)\nresult = 6",
        "#%task(name=Train, dep=[Load])\nresult = 7 * results[0].value()",
        SUBMIT,
    ],
}
CITIES = {"oslo": [1.5, 2.5], "vienna": [11, 13]}
#: Pages that define a job which they do not submit.
SUBMITTED = {"tasks", "controls", "scripts", "values", "exchange", "papermill"}
NEEDS = {"scripts": ("bwrap",)}
#: Pages whose blocks ```text hold what the cell before shows: each line, `...` for what differs from run to run.
SHOWN = {"faq", "troubleshooting", "reference-kernel", "laptop-to-cluster"}
#: Pages whose `#%connect` leads to the stand-in for a ProActive server.
TO_A_SERVER = {"connect": ("14.2.0",), "laptop-to-cluster": ("14.2.0", "8.5.0")}
_CONNECT = re.compile(r"#%connect\((?:host=|url=https://)proactive\.example\.org.*\)")
#: The blocks ```bash of these pages run, one after the other, beside the notebook that the page shows.
SHELL = {"headless"}
_COMMANDS = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[str]:
    return [found["cell"] for found in _BLOCK.finditer(page.read_text(encoding="utf-8"))]


RUN = [page for page in PAGES if page.stem not in ELSEWHERE and blocks(page)]


@pytest.mark.parametrize(
    ("page", "version"),
    [
        pytest.param(page, version, id=f"{page.stem}-{version}" if version else page.stem)
        for page in RUN
        for version in TO_A_SERVER.get(page.stem, ("",))
    ],
)
def test_every_block_of_a_page_runs(page: Path, version: str, home: Path, stand_in: Callable[[str], Any]) -> None:
    """In the order of the page, in one notebook; no cell ends in an error."""
    name = page.stem
    need(*NEEDS.get(name, ()))
    folder = home / f"{name}{version}"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "lines.csv").write_text("a\nb\n")
    if name in TO_A_SERVER:
        (folder / "data" / "lines.csv").unlink()
        for city, values in CITIES.items():
            (folder / "data" / f"{city}.csv").write_text("celsius\n" + "\n".join(map(str, values)))
    cells = [*BEFORE.get(name, ()), *blocks(page), *([SUBMIT] if name in SUBMITTED else ())]
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    if name in TO_A_SERVER:
        with stand_in(version) as server:
            for cell in notebook.cells:
                cell.source = _CONNECT.sub(f"#%connect(url={server.url}, login=user, password=secret)", cell.source)
            run(notebook, folder)
    else:
        run(notebook, folder)
    found = [one["shown"] for one in _BLOCK.finditer(page.read_text("utf-8"))] if name in SHOWN else []
    paired = zip(notebook.cells[len(BEFORE.get(name, ())) :], found, strict=False)
    shown_by = {cell.source: shown for cell, shown in paired if shown}
    failed = {
        cell.source: f"{output.ename}: {output.evalue}"
        for cell in notebook.cells
        for output in cell.outputs
        if output.output_type == "error" and cell.source not in shown_by
    }
    missing = {
        cell.source: (line, text)
        for cell in notebook.cells
        for text in [output_of(cell)]
        for line in shown_by.get(cell.source, "").splitlines()
        if not re.search(pattern(line), text)
    }
    assert (failed, missing) == ({}, {})


@pytest.mark.commands
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", sorted(SHELL))
def test_the_commands_of_a_page_run(name: str, home: Path) -> None:
    """In the order of the page; none fails."""
    page = DOCS / "guides" / f"{name}.md"
    folder = home / f"{name}-commands"
    folder.mkdir()
    metadata = {"kernelspec": {"name": "proactive", "display_name": "ProActive", "language": "python"}}
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in blocks(page)], metadata=metadata)
    notebook.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, folder / "report.ipynb")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for commands in _COMMANDS.findall(page.read_text("utf-8")):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert (commands, done.returncode) == (commands, 0), done.stderr


@pytest.mark.needs("groovy")
def test_the_groovy_of_the_page_on_languages_runs(home: Path) -> None:
    """Its channel, and its signal, which is sent as the page says."""
    text = (DOCS / "guides" / "languages.md").read_text("utf-8")
    channel, signal = re.findall(r"^```groovy\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    send = (
        "import time\nfrom proactive_jupyter_kernel import Scheduler\n"
        "from proactive_jupyter_kernel.errors import SchedulerError\n"
        "job = Scheduler.embedded().get_job('groovy')\n"
        "while True:\n    try:\n        job.send_signal('approve', {'RATE': '0.2'})\n        break\n"
        "    except SchedulerError:\n        time.sleep(0.2)"
    )
    cells = [
        f"#%task(name=channel, language=Groovy)\n{channel}result = synchronizationapi.get(job, 'free')",
        f"#%task(name=signal, language=Groovy)\n{signal}result = rate",
        "#%submit_job(name=groovy)",
        send,
        "#%get_job_result()",
    ]
    folder = home / "languages-groovy"
    folder.mkdir()
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    run(notebook, folder)
    assert re.search(r"channel: 2 signal: '0.2'", output_of(notebook.cells[-1])), output_of(notebook.cells[-1])


def command_lines() -> list[tuple[str, str]]:
    """Every line of a page that calls the command, with the page."""
    return [
        (page.stem, line)
        for page in PAGES
        for line in re.findall(r"^(?:    )?(?:\w+=\S+ )*(proactive-kernel .*)$", page.read_text("utf-8"), re.MULTILINE)
    ]


def test_every_command_on_the_pages_exists() -> None:
    """With all options of its line."""
    unknown = []
    for page, line in command_lines():
        words = shlex.split(line.partition(" #")[0].partition("|")[0], comments=True)[1:]
        command: click.Command = app
        while words and isinstance(command, click.Group) and not words[0].startswith("-"):
            command = command.get_command(click.Context(command), words.pop(0)) or click.Command("unknown")
        known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        wrong = (
            {word.partition("=")[0] for word in words if re.match("--?[a-z]", word)} - known - {"--help", "--version"}
        )
        if command.name == "unknown" or wrong:
            unknown.append((page, line))
    assert unknown == []


def run(notebook: NotebookNode, folder: Path) -> None:
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name="proactive",
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()


def output_of(cell: NotebookNode) -> str:
    """All that a cell shows, as text on one line without colours."""
    texts = [
        "\n".join(output.traceback) if output.output_type == "error" else output.get("text", output.get("data", {}))
        for output in cell.outputs
    ]
    plain = "\n".join(text if isinstance(text, str) else text.get("text/plain", "") for text in texts)
    return " ".join(re.sub(r"\x1b\[[0-9;]*m", "", plain).split())


def pattern(line: str) -> str:
    """What a line of a page stands for."""
    return ".*".join(re.escape(" ".join(part.split())) for part in line.split("..."))


def test_files_on_the_pages_are_what_they_are_said_to_be(tmp_path: Path) -> None:
    """The workflow in JSON and the configuration file; all JSON is JSON."""
    found = [
        (page.stem, kind, block)
        for page in PAGES
        for kind, block in re.findall(r"^```(json|ini)\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    ]
    documents = {page: json.loads(block) for page, kind, block in found if kind == "json"}
    assert [task.name for task in json_format.loads(json.dumps(documents["exchange"])).workflow.tasks] == [
        "Ask",
        "Greet",
    ]
    [(page, configuration)] = [(page, block) for page, kind, block in found if kind == "ini"]
    (tmp_path / "proactive_config.ini").write_text(configuration)
    (tmp_path / "authority.pem").touch()
    settings = config.read_config(tmp_path / "proactive_config.ini")
    assert (page, settings.url, settings.login) == ("connect", "https://proactive.example.org:8443", "ada")


def test_every_page_is_in_the_navigation() -> None:
    """In one place only."""
    trees = re.findall(r"^```{toctree}\n(.*?)^```", (DOCS / "index.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    entries = [line for tree in trees for line in tree.splitlines() if line and not line.startswith(":")]
    pages = [path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md") if path.stem != "index"]
    assert sorted(entries) == sorted([*pages, "Examples <examples/README>", "changelog"])


def test_no_link_of_the_readme_leads_nowhere() -> None:
    """The site checks the links of all other pages."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = {ROOT / target for target in re.findall(r"\]\(([\w./-]+)\)", text)}
    assert [str(path) for path in sorted(linked) if not path.exists()] == []
