"""The extension in a plain IPython: cells, errors, history, completeness, completion, and going away again."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from proactive_jupyter_kernel.errors import UnknownParameter, UnknownPragma


@pytest.fixture
def loaded(shell: InteractiveShell) -> InteractiveShell:
    shell.run_line_magic("load_ext", "proactive_jupyter_kernel")
    return shell


def context(shell: Any) -> Any:
    return shell.proactive.context


def test_python_cell_does_not_load_the_pragmas(tmp_path: Path) -> None:
    """A notebook of Python alone pays for nothing but the hooks."""
    code = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "proactive_jupyter_kernel")
shell.run_cell("x = 1; x", store_history=True)
heavy = ("proactive_jupyter_kernel.pragmas", "proactive_jupyter_kernel.client", "httpx2", "lxml")
print([name for name in sys.modules if name.startswith(heavy)])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "IPYTHONDIR": str(tmp_path)}
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_pragmas_and_local_code_run_from_top_to_bottom(loaded: InteractiveShell) -> None:
    """Code before the pragmas, the pragmas and the code after them are one cell with one value."""
    result = loaded.run_cell("n = 20\n#%task(name=Add)\nresult = 1\n#%job(name=Jobs, variables=[(n, =n)])\nn + 22")
    assert result.result == 42
    assert list(context(loaded).draft.tasks) == ["Add"]
    assert context(loaded).draft.job.variables[0].value == "20"


def test_local_error_names_its_own_line(loaded: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    """A traceback counts the lines of the cell as typed."""
    result = loaded.run_cell("#%task(name=Add)\nresult = 1\n#%job(name=Jobs)\n\n1/0", store_history=True)
    assert isinstance(result.error_in_exec, ZeroDivisionError)
    assert "----> 5 1/0" in capsys.readouterr().out


def test_fault_stops_the_cell_before_its_first_line(loaded: InteractiveShell) -> None:
    """A misspelt parameter in the last line keeps the first one from running."""
    result = loaded.run_cell("done = True\n#%task(name=Add)\nresult = 1\n#%submit_job(drow=on)")
    assert isinstance(result.error_in_exec, UnknownParameter)
    assert "done" not in loaded.user_ns
    assert "proactive" not in loaded.user_ns
    assert loaded.proactive.started is None or not context(loaded).draft.tasks


@pytest.mark.parametrize(
    "cell",
    [
        "1/0\n#%task(name=B)\nresult = 2",
        "x = = 1\n#%task(name=B)\nresult = 2",
        "#%job(name=Jobs)\n1/0\n#%task(name=B)\nresult = 2",
        "#%help(nosuch)\n#%task(name=B)\nresult = 2",
    ],
)
def test_cell_that_stopped_above_a_pragma_is_missing(
    loaded: InteractiveShell, capsys: pytest.CaptureFixture[str], cell: str
) -> None:
    """The job does not silently lack the task; once it is defined, nothing is missing."""
    loaded.run_cell("#%task(name=A)\nresult = 1", store_history=True)
    loaded.run_cell(cell, store_history=True)
    missing = [(one.label, one.what, [item.title for item in one.items]) for one in context(loaded).refusals]
    assert missing == [("Cell In[2]", "stopped at an error before it", ["task B"])]
    loaded.run_cell("#%task(name=B)\nresult = 2", store_history=True)
    assert list(context(loaded).refusals) == []


@pytest.mark.parametrize(
    "cell", ["1/0", "%%writefile /nowhere/x\n#%task(name=B)", "#%task(name=B)\n1\n#%job(Jobs)\n1/0"]
)
def test_cell_that_stopped_below_its_pragmas_lacks_nothing(
    loaded: InteractiveShell, capsys: pytest.CaptureFixture[str], cell: str
) -> None:
    """Nor does one without pragmas, whatever a magic of it holds."""
    loaded.run_cell(cell, store_history=True)
    assert list(context(loaded).refusals) == []


def test_error_of_a_pragma_shows_no_frames(loaded: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    """A pragma's error is shown as its message with the caret."""
    loaded.run_cell("#%tsk(name=A)", store_history=True)
    assert capsys.readouterr().out.split("\n") == [
        "UnknownPragma: There is no pragma #%tsk.",
        "  line 1:",
        "    #%tsk(name=A)",
        "    ~~~~^",
        "Did you mean #%task? #%help() lists all pragmas.",
        "",
    ]


def test_interrupt_of_a_pragma_shows_no_frames(
    loaded: InteractiveShell, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupted pragma says what is still running, without a traceback."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt("job 7 is still running")

    monkeypatch.setattr("proactive_jupyter_kernel.pragmas.run.run", interrupted)
    loaded.run_cell("#%help()")
    assert capsys.readouterr().out == "KeyboardInterrupt: job 7 is still running\n"


@pytest.mark.parametrize("shell", [True], indirect=True)
def test_passwords_are_masked_in_the_history(loaded: InteractiveShell) -> None:
    """In, _i and the database hold the cell as typed, with stars for the password, faults in the cell or not."""
    cell = "#%connect(host=h, password=hunter2, login=ada, unheard=1)"
    result = loaded.run_cell(cell, store_history=True)
    assert isinstance(result.error_in_exec, UnknownParameter)
    loaded.history_manager.writeout_cache()
    stored = list(loaded.history_manager.get_tail(5, raw=False, include_latest=True))
    stored += list(loaded.history_manager.get_tail(5, include_latest=True))
    kept = [loaded.user_ns["In"][-1], loaded.user_ns["_ih"][-1], loaded.user_ns["_i1"], *(entry[2] for entry in stored)]
    assert set(kept) == {"#%connect(host=h, password=*******, login=ada, unheard=1)"}


def test_passwords_are_masked_in_a_log(loaded: InteractiveShell, tmp_path: Path) -> None:
    """A log that %logstart began holds stars for the password, and what runs here as IPython writes it."""
    loaded.run_line_magic("logstart", f"-o {tmp_path}/session.log")
    loaded.run_cell("#%connect(url=http://127.0.0.1:9, login=ada, password=hunter2, unheard=1)", store_history=True)
    loaded.run_cell("x = 1", store_history=True)
    loaded.run_line_magic("logstop", "")
    log = (tmp_path / "session.log").read_text()
    assert "#%connect(url=http://127.0.0.1:9, login=ada, password=" in log
    assert "x = 1" in log
    assert "hunter2" not in log


@pytest.mark.parametrize("shell", [True], indirect=True)
def test_history_can_be_run_again(loaded: InteractiveShell) -> None:
    """What is kept of a pragma cell is the pragma cell, so that %rerun works."""
    loaded.run_cell("#%task(name=Add)\nresult = 1", store_history=True)
    context(loaded).draft.tasks.clear()
    loaded.run_cell("%rerun 1")
    assert list(context(loaded).draft.tasks) == ["Add"]


def test_plain_cell_becomes_a_task_where_configured(loaded: InteractiveShell) -> None:
    """After configure(task=block) a cell without pragma is a task, magic cells and later local ones are not."""
    loaded.run_cell("#%configure(task=block)")
    loaded.run_cell("x = 6\nresult = x * 7", store_history=True)
    loaded.run_cell("%%python_unheard_of\nx")
    loaded.run_cell("#%configure(task=local)")
    loaded.run_cell("y = 1")
    tasks = context(loaded).draft.tasks
    assert [block.text for entry in tasks.values() for block in entry.code] == ["x = 6\nresult = x * 7\n"]
    assert "x" not in loaded.user_ns
    assert loaded.user_ns["y"] == 1
    assert loaded.user_ns["In"][1] == "x = 6\nresult = x * 7"


@pytest.mark.parametrize(
    ("cell", "answer"),
    [
        ("#%task(name=A,", ("incomplete", 4)),
        ("#%task(name=A)", ("incomplete", 0)),
        ("#%task(name=A)\nif x:\n    y", ("incomplete", 4)),
        ("#%task(name=A)\nif x:\n    y\n", ("complete", None)),
        ("#%task(name=A, language=bash)\nif true; then 'x\n", ("complete", None)),
        ("#%task(name=A, path=a.sh, language=bash)", ("complete", None)),
        ("#%submit_job()", ("complete", None)),
        ("#%submit_job()\nfor x in y:", ("incomplete", 4)),
        ("#%submit_jobs()", ("invalid", None)),
        ("for x in y:", ("incomplete", 4)),
        ("1", ("complete", None)),
    ],
)
def test_completeness(loaded: InteractiveShell, cell: str, answer: tuple[str, int | None]) -> None:
    """A console knows when a cell with pragmas is finished."""
    assert loaded.input_transformer_manager.check_complete(cell) == answer


def completions(shell: Any, cell: str) -> list[tuple[str, str, int, int]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = list(shell.Completer.completions(cell, len(cell)))
    return [(match.text, match.type, match.start, match.end) for match in found]


def test_completion_replaces_what_is_typed(loaded: InteractiveShell) -> None:
    """Pragmas, parameters and values complete in their place, on any line, and nothing else is offered."""
    assert completions(loaded, "x = 1\n#%submit_j") == [("submit_job", "pragma", 8, 16)]
    assert completions(loaded, "#%submit_job(wait=on, dra") == [("draw=", "parameter", 22, 25)]
    assert completions(loaded, "#%submit_job(wait=") == [("on", "value", 18, 18), ("off", "value", 18, 18)]


@pytest.mark.parametrize("cell", ["#%task(name=A, zi", "#%task(name=A, precious_result=pri", "#%nonsense(pri", "#%zi"])
def test_names_of_python_are_never_offered_in_a_pragma(loaded: InteractiveShell, cell: str) -> None:
    """Where no pragma's name fits, nothing does."""
    assert completions(loaded, cell) == []


def test_completion_of_python_is_left_to_ipython(loaded: InteractiveShell) -> None:
    """In code, also in that below a pragma, IPython's completions come."""
    assert "zip" in [text for text, *_ in completions(loaded, "#%task(name=A)\nzi")]


def test_unloaded_extension_leaves_nothing(shell: InteractiveShell) -> None:
    """After %unload_ext pragmas are comments again and every hook is gone."""
    transforms = list(shell.input_transformer_manager.cleanup_transforms)
    callbacks = {name: list(found) for name, found in shell.events.callbacks.items()}
    matchers = list(shell.Completer.matchers)
    shell.run_line_magic("load_ext", "proactive_jupyter_kernel")
    shell.run_cell("#%help()")
    shell.run_line_magic("unload_ext", "proactive_jupyter_kernel")
    assert shell.input_transformer_manager.cleanup_transforms == transforms
    assert {name: list(found) for name, found in shell.events.callbacks.items()} == callbacks
    assert list(shell.Completer.matchers) == matchers
    assert not hasattr(shell, "proactive")
    assert shell.run_cell("#%tsk()").success
    assert "store_inputs" not in vars(shell.history_manager)


def test_extension_may_be_loaded_again(shell: InteractiveShell) -> None:
    """Loading twice is loading once; loading after unloading works."""
    shell.run_line_magic("load_ext", "proactive_jupyter_kernel")
    shell.run_line_magic("load_ext", "proactive_jupyter_kernel")
    shell.run_line_magic("reload_ext", "proactive_jupyter_kernel")
    result = shell.run_cell("#%tsk()")
    assert isinstance(result.error_in_exec, UnknownPragma)


@pytest.mark.parametrize(
    ("cell", "warning"),
    [
        ("#%submit", "Warning: #%submit is only a comment: there is no such pragma. Did you mean #%submit_job?\n"),
        (
            "#%kill_jobs\n1",
            "Warning: #%kill_jobs is only a comment: there is no such pragma. Did you mean #%kill_job?\n",
        ),
        ("#%run()", "Warning: #%run() is only a comment: there is no such pragma. Did you mean #%submit_job?\n"),
        ("#%run", "Warning: #%run is only a comment: there is no such pragma. Did you mean #%submit_job?\n"),
        ("#%run analysis.py", ""),
        ("#%time()", ""),
        ("#%matplotlib", ""),
        ("#%TODO", ""),
        ("# %%\n#%%\n1", ""),
    ],
)
def test_bare_word_that_looks_like_a_pragma_is_a_warning(
    loaded: InteractiveShell, capsys: pytest.CaptureFixture[str], cell: str, warning: str
) -> None:
    """It is a comment, and whoever typed it waits for something to happen."""
    assert loaded.run_cell(cell, store_history=True).success
    assert capsys.readouterr().err == warning
