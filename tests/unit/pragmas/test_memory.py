"""What a notebook knows after a restart of its kernel: its jobs, and where the lines of their scripts were written."""

from __future__ import annotations

import os
import stat
import sys

import pytest
from tests.unit.pragmas.conftest import Notebook

from proactive_jupyter_kernel.errors import PragmaError
from proactive_jupyter_kernel.pragmas.draft.source_map import Code, Sources, join
from proactive_jupyter_kernel.pragmas.memory import notebook_memory
from proactive_jupyter_kernel.pragmas.memory.notebook_memory import JobRecord, NotebookMemory
from proactive_jupyter_kernel.testing.memory_jobs import ScriptedOutcome

CODE = Code(text="x = 1\ny = 2", label="Cell In[3]", first_line=2)
SOURCES = {"A": Sources(scripts={"task": join("cpython", [CODE])})}


@pytest.fixture
def notebook(tmp_path) -> Notebook:
    """A notebook that keeps what a restart of its kernel needs."""
    return Notebook(tmp_path, memory=True)


def record(number: int, scheduler: str = "here") -> JobRecord:
    return JobRecord(id=number, name=f"job {number}", scheduler=scheduler, sources=SOURCES)


def test_jobs_are_read_back_as_they_were_written(tmp_path) -> None:
    """With the places of their lines; a job that is written again is there once."""
    for number in (1, 2, 1):
        NotebookMemory(tmp_path, "/n.ipynb").add_job(record(number))
    assert NotebookMemory(tmp_path, "/n.ipynb").jobs() == [record(2), record(1)]
    assert NotebookMemory(tmp_path, "/other.ipynb").jobs() == []


def test_old_jobs_are_forgotten_and_their_sources_before_them(tmp_path, monkeypatch) -> None:
    """The file stays small."""
    monkeypatch.setattr(notebook_memory, "KEPT_JOBS", 3)
    monkeypatch.setattr(notebook_memory, "KEPT_SOURCES", 1)
    memory = NotebookMemory(tmp_path, "/n.ipynb")
    for number in range(5):
        memory.add_job(record(number))
    assert [(one.id, bool(one.sources)) for one in memory.jobs()] == [(2, False), (3, False), (4, True)]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_the_user_can_read_it(tmp_path) -> None:
    """Scripts may say more than their author wants others to know."""
    NotebookMemory(tmp_path / "new", "/n.ipynb").add_job(record(1))
    files = list((tmp_path / "new").iterdir())
    assert [stat.S_IMODE(os.stat(file).st_mode) for file in (tmp_path / "new", *files)] == [0o700, 0o600]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"jobs": 3}', '{"jobs": [{"id": 1}]}', '{"jobs": [[]]}'])
def test_a_broken_file_counts_as_absent(tmp_path, text: str) -> None:
    """And is written anew."""
    memory = NotebookMemory(tmp_path, "/n.ipynb")
    memory.add_job(record(1))
    next(tmp_path.iterdir()).write_text(text)
    assert memory.jobs() == []
    memory.add_job(record(2))
    assert memory.jobs() == [record(2)]


def test_the_last_job_is_the_same_after_a_restart(notebook) -> None:
    """Its result, its name, and the cell's lines in its errors."""
    notebook.server.outcomes["A"] = ScriptedOutcome(result=5)
    notebook.run("#%task(A)\nx = 1\ny = 2\n#%submit_job(name=first)\n#%submit_job(name=second)")
    after = notebook.restarted()
    after.run("#%get_task_result(task_name=A)")
    assert [(one.id, one.name, one.recalled) for one in after.context.jobs_here()] == [
        (1, "first", True),
        (2, "second", True),
    ]
    assert [value.value for value in after.frontend.values] == [5]
    error = '  File "/x/y.py", line 2, in f\n    y = 2'
    assert after.context.translate(2, "A", error) == "  Cell In[1], line 3, in f\n    y = 2"
    after.run("#%task(B)\n1\n#%submit_job(name=third)")
    assert [one.id for one in after.restarted().context.jobs_here()] == [1, 2, 3]


def test_jobs_of_another_scheduler_are_not_recalled(notebook) -> None:
    """An id means nothing there."""
    notebook.memory.add_job(record(7, "elsewhere"))
    assert notebook.context.jobs_here() == []


def test_a_memory_that_cannot_be_written_is_one_warning(notebook) -> None:
    """The job is submitted all the same."""
    (notebook.folder / "memory").write_text("a file where the folder should be")
    texts = notebook.run("#%task(A)\n1\n#%submit_job()\n#%submit_job()")
    assert [text[:62] for text in texts if text.startswith("!")] == [
        "! After a restart of the kernel, this notebook will not know i"
    ]
    assert [one.id for one in notebook.context.jobs_here()] == [1, 2]


def test_without_a_memory_nothing_is_kept(notebook) -> None:
    """A front end that does not tell which notebook it is."""
    notebook.run("#%task(A)\n1\n#%submit_job()")
    after = Notebook(notebook.folder, server=notebook.server)
    with pytest.raises(PragmaError, match="no job was submitted from this notebook yet"):
        after.run("#%wait_job()")
