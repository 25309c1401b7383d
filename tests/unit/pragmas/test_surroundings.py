"""Connections, help, workflow files, and the page of reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from proactive_jupyter_kernel.client.config import EMBEDDED, TRIAL_URL, Settings
from proactive_jupyter_kernel.client.connection import Connection
from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.errors import BadValue, PragmaError, SchedulerUnreachable, SetupError
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.declarations.registry import PRAGMAS
from proactive_jupyter_kernel.pragmas.handlers import connection as handler
from proactive_jupyter_kernel.pragmas.reference import page

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "pragmas.md"


@pytest.fixture
def settings(notebook, monkeypatch: pytest.MonkeyPatch):
    """What `#%connect` would connect to: every connection that is made leads to the scheduler in memory."""
    made: list[Settings] = []
    scheduler = notebook._scheduler

    def connection(settings: Settings, **rest: object) -> Connection:
        made.append(settings)
        return Connection(settings, make=scheduler)

    monkeypatch.setattr("proactive_jupyter_kernel.client.connection.Connection", connection)
    monkeypatch.setattr("proactive_jupyter_kernel.client.scheduler.reach", lambda settings: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for name in ("PROACTIVE_URL", "PROACTIVE_LOGIN", "PROACTIVE_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    return made


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", EMBEDDED),
        ("host=local", EMBEDDED),
        ("login=L, password=p@ss", Settings(url=TRIAL_URL, login="L", password=Secret("p@ss"))),
        ("host=H, login=L, password=P", Settings(url="http://H:8080", login="L", password=Secret("P"))),
        ("host=H, [port=8443], login=L, password=P", Settings(url="https://H:8443", login="L", password=Secret("P"))),
        (
            "url=https://h:9/x, login=a\\b, password='x, y', verify=off",
            Settings(url="https://h:9/x", login="a\\b", password=Secret("x, y"), verify=False),
        ),
    ],
)
def test_each_form_of_connect_means_one_server(notebook, settings, arguments: str, expected: Settings) -> None:
    """As the section on connections says."""
    notebook.run(f"#%connect({arguments})")
    assert settings == [expected]


def test_a_connection_is_confirmed_without_a_secret(notebook, settings) -> None:
    """Where it leads, who logged in, which version answers."""
    assert notebook.run("#%connect(host=H, login=ada, password=P)") == [
        f"Connected to http://H:8080 as ada (version {notebook.server.version})."
    ]
    assert notebook.run("#%connect(host=local)") == [
        f"Connected to the embedded scheduler (version {notebook.server.version})."
    ]


def test_what_is_missing_is_asked_for(notebook, settings) -> None:
    """The password unseen."""
    notebook.frontend.answers = ["ada", "secret"]
    notebook.run("#%connect(host=H)")
    assert notebook.frontend.asked == [("Login on http://H:8080: ", False), ("Password of ada: ", True)]
    assert settings == [Settings(url="http://H:8080", login="ada", password=Secret("secret"))]


def test_in_a_headless_run_the_cell_fails(notebook, settings) -> None:
    """And the connection stays what it was."""
    before = notebook.context.connection
    with pytest.raises(SetupError):
        notebook.run("#%connect(host=H, login=ada)")
    assert notebook.context.connection is before


def test_a_server_that_does_not_answer_changes_nothing(notebook, settings) -> None:
    """The old connection is still used."""
    before = notebook.context.connection
    notebook.server.reachable = False
    with pytest.raises(SchedulerUnreachable):
        notebook.run("#%connect(host=H, login=a, password=b)")
    assert notebook.context.connection is before


def test_a_failed_connect_says_where_jobs_go(notebook, settings) -> None:
    """The next cell may submit one, and nothing would say that it runs elsewhere."""
    notebook.run("#%connect(host=H, login=a, password=b)")
    notebook.server.reachable = False
    notebook.frontend.shown.clear()
    with pytest.raises(SchedulerUnreachable):
        notebook.run("#%connect(host=other, login=a, password=b)")
    assert notebook.frontend.texts == ["! Not connected: the notebook still uses http://H:8080."]


def test_before_any_connect_jobs_go_where_the_folder_says(notebook, settings) -> None:
    """To the embedded scheduler, or to the server of a configuration file."""
    context = Context(frontend=notebook.frontend, live=notebook.context.live)
    without = context.used
    (notebook.frontend.folder / "proactive_config.ini").write_text("[proactive_server]\nhost = h\nport = 9\n")
    assert (without, context.used) == ("the embedded scheduler", "http://h:9")


def test_a_file_says_it_all(notebook, settings) -> None:
    """`path` names a configuration file; a password in it is taken as it stands."""
    (notebook.frontend.folder / "my.ini").write_text(
        "[proactive_server]\nhost = h\nport = 8443\n[user]\nlogin = me\npassword = 50%off\n"
    )
    notebook.run("#%connect(path=my.ini)")
    assert [(one.url, one.login, one.password) for one in settings] == [("https://h:8443", "me", Secret("50%off"))]
    with pytest.raises(BadValue, match="with path, the file says everything: remove login, or path"):
        notebook.run("#%connect(path=my.ini, login=x)")


CONNECT_FAULTS = {
    "#%connect(url=ftp://h)": "#%connect: 'ftp://h' is not the address of a scheduler.",
    "#%connect(url=https://h, host=h)": "#%connect: Both the address 'https://h' and the host 'h' are given.",
    "#%connect(url=https://me:pw@h)": "#%connect: The address of 'h' contains a login.",
    "#%connect(token=t, login=me)": "#%connect: token replaces login and password: give one or the other.",
}


@pytest.mark.parametrize("cell", CONNECT_FAULTS)
def test_addresses_that_are_none_are_refused(notebook, settings, cell: str) -> None:
    """At the value that is at fault."""
    with pytest.raises(BadValue) as caught:
        notebook.run(cell)
    assert (caught.value.message, caught.value.line) == (CONNECT_FAULTS[cell], 1)
    assert settings == []


def test_a_missing_file_is_reported(notebook, settings) -> None:
    """With its path."""
    with pytest.raises(BadValue, match=r"none\.ini cannot be read: No such file or directory"):
        notebook.run("#%connect(path=none.ini)")


def test_a_token_stands_for_login_and_password(notebook, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded scheduler of this user, reached by its address."""
    monkeypatch.setattr(handler, "user_name", lambda: "me")
    notebook.run("#%connect(url=http://127.0.0.1:4321, token=t0k)")
    assert settings == [Settings(url="http://127.0.0.1:4321", login="me", password=Secret("t0k"))]


def test_a_broken_file_is_one_warning_and_the_embedded_scheduler_is_used(notebook, settings) -> None:
    """When it is found in the notebook's folder without being asked for."""
    (notebook.frontend.folder / "proactive_config.ini").write_text("nonsense\n")
    context = Context(notebook.frontend, live=notebook.live)
    assert context.connection.embedded
    assert context.connection.embedded
    assert len(notebook.frontend.texts) == 1
    assert notebook.frontend.texts[0].startswith("! The configuration file ")
    assert notebook.frontend.texts[0].endswith("The embedded scheduler is used instead.")


def test_a_file_in_the_folder_is_used_without_being_asked_for(notebook, settings) -> None:
    """A missing password is asked for at the first need."""
    (notebook.frontend.folder / "proactive_config.ini").write_text("[proactive_server]\nhost=h\n[user]\nlogin=me\n")
    notebook.frontend.answers = ["pw"]
    context = Context(notebook.frontend, live=notebook.live)
    assert (context.connection.settings.url, context.connection.settings.login) == ("http://h:8080", "me")


def test_jobs_of_another_connection_are_not_the_last_job(notebook, settings) -> None:
    """A job is known together with its scheduler."""
    notebook.run("#%job(name=here)\n#%task(A)\n#%submit_job()\n#%connect(host=H, login=a, password=b)")
    notebook.run("#%job(name=there)")
    with pytest.raises(PragmaError, match="http://H:8080 has none called 'there'"):
        notebook.run("#%job_status()")


# -- help


def test_help_lists_every_pragma_once(notebook) -> None:
    """One line for each, below the title of its family."""
    notebook.run("#%help")
    (index,) = notebook.frontend.shown
    lines = index.text.split("\n")
    assert [line.split()[0] for line in lines if line.startswith("  ")] == [f"#%{name}" for name in PRAGMAS]
    assert lines[0] == "Getting around"


def test_help_explains_one_pragma(notebook) -> None:
    """Usage, every parameter, an example."""
    notebook.run("#%help(pragma=#%get_result)")
    (page,) = notebook.frontend.shown
    assert page.text.startswith("#%get_job_result([job_id=JOB_ID], ")
    assert "Also called: #%get_result" in page.text
    assert [row[0] for row in page.parameters] == ["job_id or id", "job_name", "timeout", "into", "trust"]
    assert page.text.endswith("Example:\n  " + PRAGMAS["get_job_result"].example)


def test_help_for_what_does_not_exist_proposes_what_does(notebook) -> None:
    """The nearest name."""
    with pytest.raises(BadValue) as caught:
        notebook.run("#%help(pragma=tsk)")
    assert (caught.value.message, caught.value.hint) == ("#%help: there is no pragma 'tsk'.", "Did you mean 'task'?")


def test_every_pragma_can_be_explained(notebook) -> None:
    """None fails to show itself."""
    for name in PRAGMAS.names():
        notebook.run(f"#%help({name})")
    shown = [{page.name, *page.aliases} for page in notebook.frontend.shown]
    assert [name for name, names in zip(PRAGMAS.names(), shown, strict=True) if name not in names] == []


def test_the_reference_is_up_to_date() -> None:
    """docs/reference/pragmas.md is what the registry says; write it again with the module `reference`."""
    assert REFERENCE.read_text(encoding="utf-8") == page()


def test_the_reference_has_a_heading_for_every_pragma() -> None:
    """None is left out."""
    text = page()
    assert [name for name in PRAGMAS if f"\n### {name}\n" not in text] == []
