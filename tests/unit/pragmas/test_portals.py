"""The portals in a notebook: what a frame loads, and what stands beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.unit.pragmas.conftest import Notebook

from proactive_jupyter_kernel.client import jupyter_servers
from proactive_jupyter_kernel.client.jupyter_servers import JupyterServer
from proactive_jupyter_kernel.client.transport import Response
from proactive_jupyter_kernel.errors import PragmaError
from proactive_jupyter_kernel.pragmas.declarations.registry import PRAGMAS
from proactive_jupyter_kernel.pragmas.jobs import portal_pages
from proactive_jupyter_kernel.pragmas.outputs import Frame
from proactive_jupyter_kernel.testing.memory_scheduler import MemoryScheduler

JUPYTER = JupyterServer(pid=1, port=8888, hostname="localhost")


@pytest.fixture(autouse=True)
def one_local_jupyter_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests, from wherever."""
    for name in ("JUPYTERHUB_SERVICE_PREFIX", "JUPYTERHUB_PUBLIC_URL", "JUPYTERHUB_HOST", "VSCODE_PID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv(jupyter_servers.ENV_PORTALS, raising=False)
    monkeypatch.setattr(jupyter_servers, "running_servers", lambda: (JUPYTER,))
    monkeypatch.setattr(JupyterServer, "is_remote", False)


def frame(notebook, cell: str) -> Frame:
    """The frame that a cell shows."""
    notebook.run(cell)
    (found,) = notebook.frontend.shown
    assert isinstance(found, Frame)
    return found


@pytest.mark.parametrize(
    ("pragma", "title", "path", "server_path", "word"),
    [
        ("show_scheduling_portal", "Scheduling portal", "/scheduler/", "/scheduler/", "jobs"),
        ("show_resource_manager", "Resource manager portal", "/rm/", "/rm/", "nodes"),
        (
            "show_workflow_automation",
            "Workflow automation portal",
            "/automation-dashboard/",
            "/automation-dashboard/#/workflow-execution/",
            "submit",
        ),
    ],
)
def test_portals(notebook, pragma: str, title: str, path: str, server_path: str, word: str) -> None:
    """The embedded scheduler's with a link that logs in one time; a server's at its plain address."""
    found = frame(notebook, f"#%{pragma}()")
    address = notebook.server.address
    if notebook.on_server:
        assert (found.source, found.page, found.command) == (address + server_path, address + server_path, "")
        assert notebook.server.link_requests == []
    else:
        assert re.fullmatch(re.escape(address) + r"/portal/enter/token\d+", found.source)
        assert (found.page, found.command) == (address + path, f"proactive-kernel portal {word}")
        assert notebook.server.link_requests == [
            {"path": path, "origins": list(JUPYTER.origins), "count": 1, "seconds": 300.0}
        ]
    assert (found.title, found.width, found.height, found.pragma) == (title, "1200", "750", f"#%{pragma}()")
    assert found.text.startswith(f"{title} of {notebook.connection.name}, shown in a frame on ")


def test_alias(notebook) -> None:
    """The name of later versions of the reference kernel is the same pragma."""
    assert PRAGMAS["show_workflow_execution"] is PRAGMAS["show_workflow_automation"]
    assert frame(notebook, "#%show_workflow_execution(width=80%, height=300px)").title == "Workflow automation portal"


@pytest.mark.parametrize(
    ("arguments", "size"),
    [
        ("height=600, width=900", ("900", "600")),
        ("width=100%", ("100%", "750")),
        ("height=300PX", ("1200", "300")),
    ],
)
def test_sizes(notebook, arguments: str, size: tuple[str, str]) -> None:
    """Pixels, or a part of what there is."""
    found = frame(notebook, f"#%show_resource_manager({arguments})")
    assert (found.width, found.height) == size


def test_another_server(notebook) -> None:
    """`host` as in the reference kernel; nothing is asked of the scheduler of the notebook."""
    found = frame(notebook, "#%show_resource_manager(host=try.activeeon.com)")
    address = "https://try.activeeon.com/rm/"
    assert (found.source, found.page, found.scheduler) == (address, address, "https://try.activeeon.com")
    assert found.pragma == "#%show_resource_manager(host=try.activeeon.com)"
    assert notebook.server.requests == []


@pytest.mark.memory_only(reason="local means the embedded scheduler")
def test_the_embedded_scheduler_by_its_name(notebook) -> None:
    """`host=local` is the scheduler of a notebook that is connected to no other."""
    assert frame(notebook, "#%show_resource_manager(local)").page == "http://memory/rm/"


@pytest.mark.memory_only(reason="a server's portal has a login of its own")
def test_headless(notebook) -> None:
    """A run without a person shows no frame to anybody: what it saves holds no link that logs in."""
    notebook.frontend.headless = True
    found = frame(notebook, "#%show_scheduling_portal()")
    assert (found.source, notebook.server.link_requests) == ("http://memory/scheduler/", [])


@pytest.mark.memory_only(reason="a server is reached from everywhere")
def test_on_a_hub(notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where 127.0.0.1 is not the user's, frame and link are below the Jupyter server."""
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    found = frame(notebook, "#%show_scheduling_portal()")
    path = "/user/ada/proactive/scheduler/"
    assert (found.source, found.page, found.command, notebook.server.link_requests) == (path, path, "", [])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("host=a b", "'a b' is not a host."),
        ("height=tall", "height must be a number of pixels or a percentage, not 'tall'."),
        ("width=0", "width must be a number of pixels or a percentage, not '0'."),
        ("width=120%", "width must be a number of pixels or a percentage, not '120%'."),
    ],
)
def test_refused(notebook, arguments: str, message: str) -> None:
    """Before anything is done, with what to write."""
    with pytest.raises(PragmaError) as caught:
        notebook.run(f"#%show_scheduling_portal({arguments})")
    assert message in caught.value.message
    assert notebook.server.requests == []


def test_the_page_of_a_job(notebook) -> None:
    """The plain address that a card shows; it opens no session, so a saved card can be given away."""
    found = portal_pages.job_page(notebook.connection, 7)
    address = notebook.server.address
    assert found == (f"{address}/scheduler/" if notebook.on_server else f"{address}/scheduler/jobs/7")
    assert notebook.server.link_requests == []


class Restarted(MemoryScheduler):
    """A scheduler that a request starts at another address."""

    def request(self, *arguments: Any, **more: Any) -> Response:
        self.address = "http://127.0.0.1:2"
        return super().request(*arguments, **more)


@pytest.mark.parametrize("headless", [False, True])
def test_a_scheduler_that_was_stopped_meanwhile(tmp_path: Path, headless: bool) -> None:
    """The address is that of the one that the pragma starts, not of the one that the notebook knew."""
    server = Restarted()
    notebook = Notebook(tmp_path, server=server)
    notebook.run("#%list_hosts()")
    notebook.frontend.shown.clear()
    notebook.frontend.headless = headless
    server.address = "http://127.0.0.1:1"
    assert frame(notebook, "#%show_resource_manager()").page == "http://127.0.0.1:2/rm/"
