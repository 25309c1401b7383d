"""`#%draw_job`: the picture of what stands in the draft, in the notebook, in files and in a window."""

from __future__ import annotations

from pathlib import Path

import pytest

from proactive_jupyter_kernel.errors import PragmaError
from proactive_jupyter_kernel.pragmas import picture_window
from proactive_jupyter_kernel.pragmas.outputs import Picture
from proactive_jupyter_kernel.workflow.model import Workflow
from proactive_jupyter_kernel.workflow.picture import draw, png

TASKS = "#%task(name=A)\nprint(1)\n#%task(name=B, dep=[A])\nprint(2)"


def pictures(notebook) -> list[tuple[str, list[str]]]:
    """The title and the tasks of every picture shown."""
    shown = [output for output in notebook.frontend.shown if isinstance(output, Picture)]
    return [(one.workflow.name, [task.name for task in one.workflow.tasks]) for one in shown]


def test_the_draft_is_shown(notebook) -> None:
    """The picture has the job's name and its tasks; nothing else is said of a job that is whole."""
    notebook.run("#%job(name=greetings)")
    notebook.run(TASKS)
    assert notebook.run("#%draw_job()") == []
    assert pictures(notebook) == [("greetings", ["A", "B"])]


def test_a_name_titles_the_picture(notebook) -> None:
    """`name=` is the title; the job keeps its name."""
    notebook.run("#%job(name=greetings)")
    notebook.run(TASKS)
    notebook.run("#%draw_job(overview)")
    assert (pictures(notebook), notebook.context.job_name) == ([("overview", ["A", "B"])], "greetings")


def test_a_title_may_be_shorter_than_a_name_of_a_job(notebook) -> None:
    """It is no reason to refuse the job."""
    notebook.run(TASKS)
    assert notebook.run("#%draw_job(x)") == []
    assert pictures(notebook) == [("x", ["A", "B"])]


def test_an_empty_draft_cannot_be_drawn(notebook) -> None:
    """A sentence says what to do."""
    assert notebook.run("#%draw_job()") == [
        "There is nothing to draw: the job has no tasks yet. #%task(name=NAME) makes the code below it a task."
    ]


def test_an_unfinished_control_is_drawn_and_named(notebook) -> None:
    """What stands is drawn, with the dependencies that the control implies, and what is missing is said."""
    notebook.run("#%branch(name=score)\nx = 1\n#%condition()\nbranch = 'if'\n#%if(name=retrain)\ny = 1")
    said = notebook.run("#%draw_job()")
    drawn = [output for output in notebook.frontend.shown if isinstance(output, Picture)]
    assert [task.depends for task in drawn[0].workflow.tasks] == [(), ("score",)]
    assert said == [
        "! The job is not ready to be submitted:\n"
        "  1. The branch that starts with task 'score' is unfinished: #%else is expected."
    ]


def test_the_files_are_written_and_named(notebook, tmp_path: Path) -> None:
    """`save=on` writes both files beside the notebook; an ending in the name is not doubled."""
    notebook.run("#%job(name='a/b')")
    notebook.run(TASKS)
    folder = notebook.frontend.folder
    assert notebook.run("#%draw_job(save=on)") == [f"Wrote {folder / 'a_b.png'} and {folder / 'a_b.svg'}."]
    assert notebook.run("#%draw_job(name=mine.png, save=on)") == [
        f"Wrote {folder / 'mine.png'} and {folder / 'mine.svg'}."
    ]
    assert (folder / "mine.png").read_bytes().startswith(b"\x89PNG\r\n")
    assert "<title>Workflow mine: 2 tasks</title>" in (folder / "mine.svg").read_text(encoding="utf-8")


def test_a_file_that_cannot_be_written_is_an_error_at_its_name(notebook) -> None:
    """The message has the file and the reason of the system."""
    notebook.run(TASKS)
    with pytest.raises(PragmaError, match=r"nowhere/x\.png cannot be written: No such file or directory\."):
        notebook.run("#%draw_job(name=nowhere/x, save=on)")


@pytest.mark.parametrize("name", [".", "..", "/", "a/"])
@pytest.mark.parametrize("save", ["on", "off"])
def test_a_name_of_a_folder_is_refused(notebook, name: str, save: str) -> None:
    """Nothing is written beside the notebook's folder."""
    notebook.run(TASKS)
    with pytest.raises(PragmaError) as error:
        notebook.run(f"#%draw_job(name={name}, save={save})")
    assert error.value.message.split("\n")[0] == f"#%draw_job: {name!r} names a folder, not a file."


def test_without_a_display_the_reason_is_said_and_the_picture_shown(notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """`inline=off` on a machine without a display neither fails nor hangs."""
    monkeypatch.setattr(picture_window, "_has_display", lambda: False)
    notebook.run(TASKS)
    assert notebook.run("#%draw_job(inline=off)") == [
        "! No window could be opened: the kernel runs on a machine without a display (neither DISPLAY nor "
        "WAYLAND_DISPLAY is set). The picture is shown here instead."
    ]
    assert len(pictures(notebook)) == 1


def test_a_window_shows_the_picture_and_the_cell_does_not(notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """The window gets the same picture as a PNG, under the title of the job."""
    opened: list[tuple[bytes, str]] = []
    monkeypatch.setattr(picture_window, "open_window", lambda png, title: opened.append((png[:4], title)))
    notebook.run("#%job(name=greetings)")
    notebook.run(TASKS)
    assert notebook.run("#%draw_job(inline=off)") == ["Opened a window with the picture of 'greetings'."]
    assert (opened, pictures(notebook)) == ([(b"\x89PNG", "greetings")], [])


@pytest.mark.needs(modules=["matplotlib"])
def test_a_process_that_opens_no_window_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a display that does not answer, Matplotlib finds no toolkit: a sentence, and no process is left behind."""
    monkeypatch.setenv("DISPLAY", ":4999")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(picture_window.NoWindow, match=r"^Matplotlib finds no toolkit for windows here"):
        picture_window.open_window(png(draw(Workflow(name="x"))), "x")


def test_a_warning_does_not_prevent_a_submission(notebook) -> None:
    """Warnings are shown in the same way as by a submission."""
    notebook.run("#%task(name=A)")
    assert notebook.run("#%draw_job()") == [
        "! A: It has no code, and no task depends on it (PA508). #%check() says what to change."
    ]
