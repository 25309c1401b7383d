"""Where the pages of notebooks come from, and whether their browser reaches this machine."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from proactive_jupyter_kernel.client.jupyter_servers import (
    JupyterServer,
    frame_origins,
    proxy_path,
    running_servers,
)

HERE = JupyterServer(pid=os.getpid(), port=8888, hostname="localhost", base_url="/lab/")
OPEN = JupyterServer(pid=os.getpid(), port=443, hostname="0.0.0.0", secure=True)
HUB = {"JUPYTERHUB_SERVICE_PREFIX": "/user/ada/", "JUPYTERHUB_PUBLIC_URL": "https://hub.example.org/user/ada/"}
LOCAL = ["http://localhost:8888", "http://127.0.0.1:8888"]


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty runtime folder of Jupyter."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def write(runtime: Path, name: str, **content: object) -> None:
    (runtime / f"jpserver-{name}.json").write_text(json.dumps(content), encoding="utf-8")


def test_running_servers(runtime: Path) -> None:
    """Those whose process is alive; damaged files and sockets of the file system are passed over."""
    own = {"pid": os.getpid(), "port": 8888, "hostname": "localhost", "base_url": "/lab/", "token": "secret"}
    write(runtime, "1", **own)
    write(runtime, "2", **{**own, "pid": 2**22 + 1})
    write(runtime, "3", **{**own, "port": 0, "sock": "/run/jupyter.sock"})
    write(runtime, "4", url="http://localhost")
    (runtime / "jpserver-5.json").write_text("{", encoding="utf-8")
    assert running_servers({}) == (HERE,)


def test_the_server_that_started_this_kernel_is_the_one(runtime: Path) -> None:
    """Other servers of the same user have no part in this notebook."""
    write(runtime, "1", pid=os.getpid(), port=8888, hostname="localhost", base_url="/lab/")
    write(runtime, "2", pid=os.getppid(), port=9999, hostname="localhost")
    parent = {"JPY_PARENT_PID": str(os.getpid())}
    assert (running_servers(parent), len(running_servers({}))) == ((HERE,), 2)


@pytest.mark.parametrize(
    ("namespace", "environment", "servers", "origins"),
    [
        ({}, {}, [], []),
        ({}, {}, [HERE], LOCAL),
        ({}, {}, [HERE, HERE], LOCAL),
        (
            {},
            {},
            [JupyterServer(pid=1, port=80, hostname="10.0.0.7")],
            ["http://localhost", "http://127.0.0.1", "http://10.0.0.7"],
        ),
        ({}, {}, [JupyterServer(pid=1, port=8888, hostname="fe80::7")], LOCAL),
        (
            {},
            {},
            [OPEN],
            ["https://localhost", "https://127.0.0.1", "https://mars", "https://mars.example.org"],
        ),
        ({}, HUB, [], ["https://hub.example.org"]),
        ({}, {"JUPYTERHUB_HOST": "not an address"}, [], []),
        ({"__vsc_ipynb_file__": "/n.ipynb"}, {}, [], ["vscode-webview:", "vscode-file:"]),
        ({}, {"VSCODE_PID": "7"}, [], ["vscode-webview:", "vscode-file:"]),
    ],
)
def test_frame_origins(
    monkeypatch: pytest.MonkeyPatch,
    namespace: dict[str, str],
    environment: dict[str, str],
    servers: list[JupyterServer],
    origins: list[str],
) -> None:
    """Every name of the notebook's own pages, and none besides."""
    monkeypatch.setattr(socket, "gethostname", lambda: "mars")
    monkeypatch.setattr(socket, "getfqdn", lambda: "mars.example.org")
    assert frame_origins(namespace, environment=environment, servers=servers) == origins


@pytest.mark.parametrize(
    ("environment", "servers", "installed", "path"),
    [
        ({}, [], True, ""),
        ({}, [HERE], True, ""),
        ({}, [OPEN], True, "/proactive"),
        ({}, [OPEN], False, ""),
        ({}, [OPEN, HERE], True, ""),
        ({"PROACTIVE_KERNEL_PORTALS": "proxy"}, [HERE], False, "/lab/proactive"),
        ({"PROACTIVE_KERNEL_PORTALS": "Direct"}, [OPEN], True, ""),
        (HUB, [], False, "/user/ada/proactive"),
        ({**HUB, "PROACTIVE_KERNEL_PORTALS": "direct"}, [OPEN], True, ""),
    ],
)
def test_proxy_path(environment: dict[str, str], servers: list[JupyterServer], installed: bool, path: str) -> None:
    """On a hub, and where other machines reach the Jupyter server, the portals are below that server's address."""
    assert proxy_path(environment=environment, servers=servers, is_installed=installed) == path


def test_a_server_that_listens_on_every_address() -> None:
    """Its file calls that ``localhost``; its sockets tell."""
    with socket.socket() as listening:
        listening.bind(("0.0.0.0", 0))
        listening.listen()
        port = listening.getsockname()[1]
        found = [JupyterServer(pid=os.getpid(), port=one, hostname="localhost").is_remote for one in (port, 1)]
    assert found == [True, False]
