"""Pragmas that carry files with a job, on a real daemon: there, back, in the background, after a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.client.connection import Connection
from proactive_jupyter_kernel.client.login import Credentials, Session
from proactive_jupyter_kernel.client.records import Job
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.client.transport import HttpTransport
from proactive_jupyter_kernel.errors import SubmissionRefused
from proactive_jupyter_kernel.pragmas.cells.plan import plan
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.outputs import Notice, Output, Text
from proactive_jupyter_kernel.pragmas.run import run


class Display:
    def __init__(self, output: Output) -> None:
        self.outputs = [output]

    def update(self, output: Output) -> None:
        self.outputs.append(output)


class Frontend:
    """Remembers what is shown."""

    notebook_name, notebook_path, cell_label, cell_id, cell_run = "", "", "Cell In[1]", "", 0
    cell_text = ""
    headless = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.namespace: dict[str, Any] = {}
        self.texts: list[str] = []
        self.displays: list[Display] = []

    def show(self, output: Output) -> None:
        if isinstance(output, Text | Notice):
            self.texts.append(output.text)

    def show_updatable(self, output: Output) -> Display:
        self.displays.append(Display(output))
        return self.displays[-1]

    def write(self, text: str, *, error: bool = False) -> None:
        self.texts.append(text.rstrip())

    def offer_cell(self, text: str) -> None:
        """There are no cells."""

    def ask(self, prompt: str, *, secret: bool = False) -> str:
        pytest.fail(prompt)


class Waiting:
    """Waits without a display."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def watch(self, job_id: int, name: str, *, follow: bool = True) -> None:
        """Nothing to show."""

    def add_results(self, *_: Any) -> bool:
        return False

    def summary(self, job_id: int) -> str:
        return ""

    def wait(self, job_id: int, **_: Any) -> Job:
        return self._connection.scheduler.get_job(job_id).wait(timeout=60)


class Notebook:
    def __init__(self, site: Any, folder: Path) -> None:
        credentials = Credentials(login=site.address["user"], password=Secret(site.address["token"]))
        session = Session(HttpTransport(site.address["url"]), lambda: credentials)
        self.connection = Connection(make=lambda: Scheduler(session))
        self.frontend = Frontend(folder)
        self.context = Context(self.frontend, live=Waiting(self.connection), connection=self.connection)

    def run(self, cell: str) -> list[str]:
        """Run the pragmas of a cell; the sentences that it showed."""
        self.frontend.texts.clear()
        for call in plan(cell).calls:
            run(self.context, call)
        return self.frontend.texts


TASK = """\
#%task(name=T, language=Linux_Bash, input_files=[data/*.csv], output_files=[out/**])
mkdir out && cat data/*.csv > out/all.csv
"""


@pytest.fixture
def site(daemon: Any) -> Any:
    return daemon.start()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A notebook's folder with data."""
    made = tmp_path / "notebook"
    (made / "data").mkdir(parents=True)
    for name in ("a", "b"):
        (made / f"data/{name}.csv").write_text(f"{name}\n")
    (made / "secret.txt").write_text("not for others")
    return made


@pytest.fixture
def make(site: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Notebook]]:
    """Makes notebooks in the same folder, of a user who remembers transfers in the scheduler's data folder."""
    monkeypatch.setenv("PROACTIVE_KERNEL_DATA_DIR", str(site.data_dir))
    made: list[Notebook] = []

    def new() -> Notebook:
        made.append(Notebook(site, folder))
        return made[-1]

    yield new
    for notebook in made:
        notebook.connection.close()


def left_behind(site: Any) -> list[Path]:
    return list((Path(site.data_dir) / "spaces" / "user" / site.address["user"]).rglob("*"))


def test_files_come_back_before_a_waiting_cell_ends(site: Any, make: Callable[[], Notebook], folder: Path) -> None:
    """Without paths the notebook's folder is meant; what went and what came is said; nothing stays behind."""
    notebook = make()
    notebook.run(TASK)
    texts = notebook.run("#%submit_job(name=files, wait=on)")
    assert texts[0] == f"2 files of {folder} go with the job."
    assert texts[-1] == f"1 output file of job 1 is in {folder}: out/all.csv."
    assert (folder / "out/all.csv").read_text() == "a\nb\n"
    assert left_behind(site) == []


def test_files_come_back_in_the_background(
    site: Any, make: Callable[[], Notebook], folder: Path, until: Callable[..., None]
) -> None:
    """Without waiting a line below the cell says where they will be, and then that they are there."""
    notebook = make()
    notebook.run(TASK)
    notebook.run("#%submit_job(name=files, draw=off, input_path=., output_path=results/new)")
    (display,) = notebook.frontend.displays
    until(lambda: len(display.outputs) == 2)
    target = folder / "results/new"
    assert [output.text for output in display.outputs if isinstance(output, Text)] == [
        f"The output files of job 1 will be fetched to {target} when it has ended.",
        f"1 output file of job 1 is in {target}: out/all.csv.",
    ]
    assert (target / "out/all.csv").read_text() == "a\nb\n"


def test_files_come_back_after_the_notebook_was_restarted(
    make: Callable[[], Notebook], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks for the job's results later, in a new kernel, gets the files as well, once."""
    monkeypatch.setattr("proactive_jupyter_kernel.pragmas.handlers.jobs.follow_files", lambda *_: None)
    first, second = make(), make()
    first.run(TASK)
    first.run("#%submit_job(name=files, draw=off)")
    texts = second.run("#%get_job_result(job_id=1)")
    assert f"1 output file of job 1 is in {folder}: out/all.csv." in texts
    assert not any("output file" in text for text in second.run("#%wait_job(job_id=1)"))


def test_paths_without_use_are_reported(make: Callable[[], Notebook]) -> None:
    """A path that no task's files belong to, and patterns that choose nothing, are warnings."""
    notebook = make()
    notebook.run("#%task(name=T, language=Linux_Bash)\ntrue")
    texts = notebook.run("#%submit_job(name=files, wait=on, input_path=., output_path=.)")
    assert texts[:2] == [
        "input_path has no effect: no task has input_files of the input space.",
        "output_path has no effect: no task has output_files for the output space.",
    ]
    notebook.run("#%task(name=T, language=Linux_Bash, input_files=[no/*])\ntrue")
    assert "No file of" in notebook.run("#%submit_job(name=files, wait=on)")[0]


def test_refused_submission_leaves_no_files(site: Any, make: Callable[[], Notebook]) -> None:
    """What was sent for a job that the scheduler does not take is removed again."""
    notebook = make()
    notebook.run(TASK)
    notebook.run("#%job(name=files, variables=[(WHEN, 5, PA:INTEGER)])")
    with pytest.raises(SubmissionRefused, match="WHEN"):
        notebook.run("#%submit_job(variables=[(WHEN, never)])")
    assert left_behind(site) == []
