"""The language of code in a file: its extension tells it where the pragma does not."""

from __future__ import annotations

from typing import Any

import pytest

from proactive_jupyter_kernel.errors import BadValue


@pytest.mark.parametrize(
    ("line", "engine"),
    [
        ("#%task(T, path=x.R)", "R"),
        ("#%task(T, path=x.py)", "cpython"),
        ("#%task(T, path=x.sh)", "bash"),
        ("#%task(T, path=sub.R/x.Groovy)", "groovy"),
        ("#%task(T, path=x)", "cpython"),
        ("#%task(T, path=x.txt)", "cpython"),
        ("#%task(T, path=x.vbs)", "cpython"),
        ("#%task(T, path=x.R, language=bash)", "bash"),
    ],
)
def test_the_extension_tells_the_language(notebook: Any, line: str, engine: str) -> None:
    """A language that is given wins; what tells nothing is Python."""
    folder = notebook.frontend.folder
    (folder / "sub.R").mkdir()
    for name in ("x.R", "x.py", "x.sh", "sub.R/x.Groovy", "x", "x.txt", "x.vbs"):
        (folder / name).write_text("1")
    notebook.run(line)
    assert notebook.context.draft.tasks["T"].engine == engine


def test_scripts_around_tasks_and_controls_do_so_too(notebook: Any) -> None:
    """A flow script without an extension is JavaScript, as without a file."""
    folder = notebook.frontend.folder
    (folder / "x.sh").write_text("ls")
    (folder / "x.groovy").write_text("runs = 2")
    notebook.run(
        "#%task(T)\n1\n#%pre_script(T, path=x.sh)\n#%split(S)\n#%runs(path=x.groovy)\n#%process(P)\n#%merge(M)"
    )
    tasks = {task.name: task for task in notebook.context.draft.build("job").workflow.tasks}
    assert (tasks["T"].pre.language, tasks["S"].flow.script.language) == ("bash", "groovy")


def test_a_notebook_is_not_a_script(notebook: Any) -> None:
    """It would run as Python and fail with a confusing error."""
    (notebook.frontend.folder / "x.ipynb").write_text("{}")
    with pytest.raises(BadValue, match=r"x\.ipynb is a notebook, not a script\."):
        notebook.run("#%task(T, path=x.ipynb)")


def test_a_language_that_cannot_decide_is_refused(notebook: Any) -> None:
    """Also where the extension tells it."""
    notebook.run("#%task(T)\n1")
    (notebook.frontend.folder / "x.sh").write_text("selected=true")
    with pytest.raises(BadValue, match="a Linux_Bash script cannot set variables"):
        notebook.run("#%selection_script(T, path=x.sh)")
