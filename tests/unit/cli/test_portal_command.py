"""`portal`: the link, and the browser that opens it."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable

import pytest
from click.testing import Result

from proactive_jupyter_kernel.testing.memory_scheduler import MemoryScheduler

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the tests run."""
    for name in ("JUPYTERHUB_SERVICE_PREFIX", "JUPYTERHUB_PUBLIC_URL", "JUPYTERHUB_HOST", "PROACTIVE_KERNEL_PORTALS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The links that a browser opened."""
    found: list[str] = []

    def open_link(link: str) -> bool:
        found.append(link)
        return True

    monkeypatch.setattr(webbrowser, "open", open_link)
    return found


@pytest.mark.parametrize(
    ("arguments", "path", "said"),
    [
        ((), "/scheduler/", "Opened the scheduling portal in the browser.\n"),
        (("nodes",), "/rm/", "Opened the resource manager portal in the browser.\n"),
        (("SUBMIT",), "/automation-dashboard/", "Opened the workflow automation portal in the browser.\n"),
        (("1",), "/scheduler/jobs/1", "Opened job 1 in the browser.\n"),
        (("démo",), "/scheduler/jobs/1", "Opened job démo in the browser.\n"),
    ],
)
def test_a_link_of_the_embedded_scheduler(
    run: Run, memory: MemoryScheduler, workflow, opened: list[str], arguments: tuple[str, ...], path: str, said: str
) -> None:
    """The browser gets a link that logs in one time; the terminal, and what records it, does not."""
    memory.embedded = "0.1.0"
    run("submit", str(workflow))
    result = run("portal", *arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", said)
    assert memory.link_requests == [{"path": path, "origins": [], "count": 1}]
    assert [link.rpartition("/")[0] for link in opened] == ["http://memory/portal/enter"]


def test_print(run: Run, memory: MemoryScheduler, opened: list[str]) -> None:
    """The link alone, for a script or for the browser of another machine behind a tunnel."""
    memory.embedded = "0.1.0"
    result = run("portal", "nodes", "--print")
    assert (result.exit_code, result.stderr, opened) == (0, "", [])
    assert result.stdout.startswith("http://memory/portal/enter/token")


def test_a_server(run: Run, memory: MemoryScheduler, workflow, opened: list[str]) -> None:
    """Its plain addresses, of which none is a job's."""
    run("submit", str(workflow))
    for page in ("jobs", "nodes", "submit", "1"):
        run("portal", page)
    assert opened == [
        "http://memory/scheduler/",
        "http://memory/rm/",
        "http://memory/automation-dashboard/#/workflow-execution/",
        "http://memory/scheduler/",
    ]
    assert memory.link_requests == []


def test_an_unknown_page(run: Run, memory: MemoryScheduler) -> None:
    """What is no page may be meant as one, or as a job's name."""
    result = run("portal", "nodez")
    assert result.exit_code != 0
    assert "A page is one of jobs, nodes, submit, or a job's id or name." in result.stderr


def test_no_browser(run: Run, memory: MemoryScheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    """The link is printed where no browser can be opened."""
    monkeypatch.setattr(webbrowser, "open", lambda link: False)
    result = run("portal")
    assert (result.stdout, result.stderr) == (
        "http://memory/scheduler/\n",
        "No browser could be opened. Open the link above in one on this machine.\n",
    )


@pytest.mark.parametrize(
    ("public", "link"),
    [
        ("", "/user/ada/proactive/rm/"),
        ("https://hub.example.org/user/ada/", "https://hub.example.org/user/ada/proactive/rm/"),
    ],
)
def test_on_a_hub(
    run: Run, memory: MemoryScheduler, opened: list[str], monkeypatch: pytest.MonkeyPatch, public: str, link: str
) -> None:
    """The browser is on another machine: it goes through the Jupyter server, which knows the user."""
    memory.embedded = "0.1.0"
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    monkeypatch.setenv("JUPYTERHUB_PUBLIC_URL", public)
    result = run("portal", "nodes")
    assert (result.exit_code, result.stdout, opened, memory.link_requests) == (0, f"{link}\n", [], [])
    assert result.stderr == "Open it in the browser in which you are logged in to the hub.\n"


def test_no_such_job(run: Run, memory: MemoryScheduler, opened: list[str]) -> None:
    """A page that does not exist is not opened."""
    memory.embedded = "0.1.0"
    result = run("portal", "nobody")
    assert (result.exit_code, opened) == (1, [])
    assert "No job named 'nobody' on http://memory." in result.stderr
