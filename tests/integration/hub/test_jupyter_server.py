"""The portals below the address of a real Jupyter server, through jupyter-server-proxy."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import urljoin

import httpx2
import pytest
from tests.required import need, skip_or_fail

from proactive_jupyter_kernel.client import embedded

#: Seconds for a server to start, on a machine with much else to do.
PATIENCE = 90.0
BASE = "/user/ada/"
PAGE = {"accept": "text/html"}


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A client of a Jupyter server that has a base URL, as on a hub."""
    need(modules=["jupyter_server_proxy"])
    if not any(one.name == "proactive" for one in entry_points(group="jupyter_serverproxy_servers")):
        skip_or_fail("this package was installed before it had an entry point for jupyter-server-proxy")
    home = tmp_path_factory.mktemp("home")
    (home / "work").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("runtime", "config", "data"):
            patch.setenv(f"JUPYTER_{name.upper()}_DIR", str(home / name))
        patch.setenv("PROACTIVE_KERNEL_DATA_DIR", str(home / "scheduler"))
        options = [
            "--no-browser",
            "--allow-root",
            "--IdentityProvider.token=",
            "--port=0",
            f"--ServerApp.base_url={BASE}",
            f"--ServerApp.root_dir={home / 'work'}",
            # Of the extensions of this environment this one alone.
            "--ServerApp.jpserver_extensions=jupyterlab=False",
            "--ServerApp.jpserver_extensions=notebook=False",
            "--ServerApp.jpserver_extensions=jupyter_lsp=False",
        ]
        with (home / "server.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "jupyter_server", *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            with httpx2.Client(base_url=address_of(home / "runtime", process), timeout=PATIENCE) as client:
                yield client
        finally:
            process.terminate()
            process.wait(PATIENCE)
            embedded.stop()


def address_of(runtime: Path, process: subprocess.Popen[bytes]) -> str:
    """Where the server listens, as soon as it says so."""
    end = time.monotonic() + PATIENCE
    while True:
        for path in runtime.glob("jpserver-*.json"):
            try:
                port = json.loads(path.read_text(encoding="utf-8"))["port"]
            except ValueError:
                continue  # it is being written
            return f"http://127.0.0.1:{port}"
        assert process.poll() is None, "the Jupyter server ended"
        assert time.monotonic() < end, "the Jupyter server does not start"
        time.sleep(0.1)


def test_the_portals_on_a_hub(jupyter: httpx2.Client) -> None:
    """Nobody logs in: the first page starts the scheduler, all addresses are below the server's, events come at once,
    and a form of another site is refused.
    """
    page = jupyter.get(f"{BASE}proactive/scheduler/", headers=PAGE)
    assert (page.status_code, page.text.count(f'href="{BASE}proactive/rm/"')) == (200, 1)
    assert "frame-ancestors 'self'" in page.headers["content-security-policy"]
    assert "proactive_portal" not in page.headers.get("set-cookie", "")
    assert f'src="{BASE}proactive/portal/static/' in page.text
    icon = jupyter.get(f"{BASE}server-proxy/icon/proactive")
    assert (icon.status_code, icon.headers["content-type"]) == (200, "image/svg+xml")
    with jupyter.stream("GET", f"{BASE}proactive/portal/events", headers={"accept": "text/event-stream"}) as events:
        assert next(events.iter_lines()).startswith("retry: ")
    kill = f"{BASE}proactive/scheduler/jobs/1/kill"
    assert jupyter.post(kill, headers={"origin": "https://evil.example"}).status_code == 403
    own = str(jupyter.base_url).rstrip("/")
    assert jupyter.post(kill, headers={"origin": own}).status_code == 404

    # Log out is that of the Jupyter server, for the portal logs in again whoever is logged in there.
    leave = f"{BASE}proactive/portal/leave"
    left = jupyter.post(leave, headers={"origin": own})
    (to,) = re.findall(r'content="0;url=([^"]+)"', left.text)
    assert (left.status_code, urljoin(leave, to)) == (200, f"{BASE}logout")
    assert jupyter.get(urljoin(leave, to)).status_code == 200

    # The scheduler that is stopped stays so until somebody loads a page.
    embedded.stop()
    assert jupyter.get(f"{BASE}proactive/portal/events").status_code == 503
    assert embedded.find() is None
    page = jupyter.get(f"{BASE}proactive/", headers=PAGE, follow_redirects=True)
    assert (page.status_code, page.url.path) == (200, f"{BASE}proactive/scheduler/")
