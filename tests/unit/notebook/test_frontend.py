"""Showing, writing and asking in a notebook, and under which request it goes."""

from __future__ import annotations

import getpass
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.error import StdinNotImplementedError

from proactive_jupyter_kernel.errors import SetupError
from proactive_jupyter_kernel.notebook.frontend import NotebookFrontend
from proactive_jupyter_kernel.notebook.requests import Requests
from proactive_jupyter_kernel.pragmas.outputs import Html, Notice, Text


@pytest.fixture
def requests(shell: Any) -> Requests:
    requests = Requests(shell)
    requests.listen()
    return requests


@pytest.fixture
def frontend(shell: Any, requests: Requests) -> NotebookFrontend:
    return NotebookFrontend(shell, requests)


def start_cell(shell: Any, message: str, *, store: bool = True, cell_id: str = "") -> None:
    """What IPython does when a cell starts."""
    shell.display_pub.parent_header = {"msg_id": message}
    shell.execution_count += store
    shell.events.trigger("pre_execute")
    shell.events.trigger("pre_run_cell", SimpleNamespace(store_history=store, cell_id=cell_id))


def end_cell(shell: Any) -> None:
    shell.events.trigger("post_execute")


def parents(shell: Any) -> list[str]:
    return [parent.get("msg_id", "") for _, _, parent in shell.display_pub.sent]


def test_texts_and_notices_are_streams(frontend: NotebookFrontend, capsys: pytest.CaptureFixture[str]) -> None:
    """Texts follow each other in one output, warnings stand out on standard error."""
    frontend.show(Text(text="one"))
    frontend.show(Notice(text="two"))
    frontend.show(Notice(text="three", warning=True))
    assert capsys.readouterr() == ("one\nNote: two\n", "Warning: three\n")


def test_cell_label_is_that_of_tracebacks(shell: Any, frontend: NotebookFrontend) -> None:
    """A cell is called as IPython's tracebacks call it, whether it is kept in the history or not."""
    start_cell(shell, "a", cell_id="abc")
    assert (frontend.cell_label, frontend.cell_id) == ("Cell In[1]", "abc")
    end_cell(shell)
    start_cell(shell, "b", store=False)
    assert (frontend.cell_label, frontend.cell_id) == ("Cell In[2]", "")


@pytest.mark.parametrize(
    ("session", "vscode", "name"),
    [
        ("folder/My analysis.ipynb", None, "My analysis"),
        ("4f1c2d7e-0b4f-4d51-8a7c-1f2f3a4b5c6d", None, ""),
        (None, "/home/ada/plots.ipynb", "plots"),
        (None, "c:\\Users\\ada\\plots.ipynb", "plots"),
        (None, None, ""),
    ],
)
def test_notebook_name(
    frontend: NotebookFrontend, monkeypatch: pytest.MonkeyPatch, session: str | None, vscode: str | None, name: str
) -> None:
    """The name comes from Jupyter Server or VS Code, and is empty where neither tells."""
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    if session:
        monkeypatch.setenv("JPY_SESSION_NAME", session)
    if vscode:
        frontend.namespace["__vsc_ipynb_file__"] = vscode
    assert frontend.notebook_name == name


def test_folder_is_where_the_notebook_is(frontend: NotebookFrontend, tmp_path: Path) -> None:
    """Relative paths start in the working directory of the kernel."""
    assert frontend.folder == tmp_path


def test_secret_is_asked_for_unseen(frontend: NotebookFrontend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password is asked for by getpass, another answer by input."""
    monkeypatch.setattr(getpass, "getpass", lambda prompt: f"secret {prompt}")
    monkeypatch.setattr("builtins.input", lambda prompt: f"seen {prompt}")
    assert frontend.ask("Password: ", secret=True) == "secret Password: "
    assert frontend.ask("Login: ") == "seen Login: "


@pytest.mark.parametrize("error", [StdinNotImplementedError("no"), EOFError()])
def test_question_in_a_headless_run_says_what_to_set(
    frontend: NotebookFrontend, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """In a headless run the error names the parameter, file and variables to set."""

    def refuse(prompt: str) -> str:
        raise error

    monkeypatch.setattr(getpass, "getpass", refuse)
    with pytest.raises(SetupError) as caught:
        frontend.ask("Password of ada: ", secret=True)
    assert caught.value.message == "Password of ada is needed, but cannot be asked for in this run"
    for word in ("#%connect", "proactive_config.ini", "PROACTIVE_LOGIN", "PROACTIVE_PASSWORD"):
        assert word in caught.value.hint


def test_update_goes_under_its_own_cell_while_that_runs(shell: Any, frontend: NotebookFrontend) -> None:
    """A display is replaced under the cell that made it."""
    start_cell(shell, "a")
    display = frontend.show_updatable(Html(html="1", text="1"))
    display.update(Html(html="2", text="2"))
    assert [kind for kind, _, _ in shell.display_pub.sent] == ["display_data", "update_display_data"]
    assert parents(shell) == ["a", "a"]


def test_update_goes_under_the_cell_that_runs_now(shell: Any, frontend: NotebookFrontend) -> None:
    """nbclient drops updates under a cell that has ended, so they go under the running one."""
    start_cell(shell, "a")
    display = frontend.show_updatable(Text(text="1"))
    end_cell(shell)
    start_cell(shell, "b")
    thread = threading.Thread(target=display.update, args=[Text(text="2")])
    thread.start()
    thread.join()
    assert parents(shell) == ["a", "b"]


def test_update_while_nothing_runs_comes_again_under_the_next_cell(shell: Any, frontend: NotebookFrontend) -> None:
    """What changed between two cells is shown at once and kept by a headless run, too."""
    start_cell(shell, "a")
    display = frontend.show_updatable(Text(text="1"))
    end_cell(shell)
    display.update(Text(text="2"))
    display.update(Text(text="3"))
    start_cell(shell, "b")
    end_cell(shell)
    start_cell(shell, "c")
    assert list(zip(shell.display_pub.texts, parents(shell), strict=True)) == [
        ("1", "a"),
        ("2", "a"),
        ("3", "a"),
        ("3", "b"),
    ]


def test_update_with_the_same_is_not_sent(shell: Any, frontend: NotebookFrontend) -> None:
    """Nothing is sent when nothing changes."""
    start_cell(shell, "a")
    display = frontend.show_updatable(Text(text="1"))
    display.update(Text(text="1"))
    assert shell.display_pub.texts == ["1"]


def test_terminal_prints_only_what_is_final(shell: Any, frontend: NotebookFrontend) -> None:
    """Where nothing can be replaced, the steps in between are not printed."""
    display = frontend.show_updatable(Text(text="1"))
    display.update(Text(text="2"), final=False)
    display.update(Text(text="3"))
    assert shell.display_pub.texts == ["1", "3"]


def test_cell_in_another_cell_gives_way_to_it_again(shell: Any, requests: Requests) -> None:
    """After a nested cell (%run notebook.ipynb) the outer one is the running one."""
    start_cell(shell, "a")
    start_cell(shell, "b")
    end_cell(shell)
    assert requests.here.header == {"msg_id": "a"}
    end_cell(shell)
    assert requests.running is None


def test_main_thread_counts_before_subshells(shell: Any, requests: Requests) -> None:
    """With a cell in a subshell and one in the main thread, the main thread's is the running one."""
    start_cell(shell, "a")
    release, started = threading.Event(), threading.Event()

    def other() -> None:
        start_cell(shell, "b")
        started.set()
        release.wait(60)
        end_cell(shell)

    thread = threading.Thread(target=other)
    thread.start()
    assert started.wait(60)
    assert requests.running is not None
    assert requests.running.header == {"msg_id": "a"}
    end_cell(shell)
    assert requests.running.header == {"msg_id": "b"}
    release.set()
    thread.join()
