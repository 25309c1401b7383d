"""Where the notebook's own pages come from: their origins, and whether a browser there reaches this machine.

A browser shows a portal in a frame only if the portal permits the page around it, so the origins of notebooks go with
the request for a link. On a hub, or where the Jupyter server answers other machines, 127.0.0.1 is not the user's own
machine: the portals are then reached through jupyter-server-proxy, below the address of the Jupyter server.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from proactive_jupyter_kernel.client import lock_file

__all__ = [
    "ENV_PORTALS",
    "PROXY_NAME",
    "JupyterServer",
    "frame_origins",
    "hub_address",
    "proxy_path",
    "running_servers",
]

#: ``direct`` or ``proxy``: how a notebook's browser reaches the embedded scheduler, where the kernel cannot tell.
ENV_PORTALS = "PROACTIVE_KERNEL_PORTALS"
#: The name of the entry point for jupyter-server-proxy: the portals are below ``BASE_URL/proactive/``.
PROXY_NAME = "proactive"

#: The pages of notebooks in VS Code: the editor, and the frame inside it that shows outputs.
_VSCODE_ORIGINS = ("vscode-webview:", "vscode-file:")
#: As many as the scheduler takes.
_MOST_ORIGINS = 20
#: The names under which a browser on this machine reaches a server on it. A content security policy knows no address of
#: IPv6 (CSP 3, ``host-source``).
_LOOPBACK_NAMES = ("localhost", "127.0.0.1")
_LOOPBACK_ADDRESSES = frozenset({"", "localhost", "127.0.0.1", "::1", "[::1]"})
_ALL_ADDRESSES = frozenset({"0.0.0.0", "::", "*"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JupyterServer:
    """A Jupyter Server that runs here, from its file in Jupyter's runtime folder; its token is not read."""

    pid: int
    port: int
    #: The address that it listens on.
    hostname: str = ""
    secure: bool = False
    base_url: str = "/"

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins of its pages in a browser."""
        scheme, default = ("https", 443) if self.secure else ("http", 80)
        port = "" if self.port == default else f":{self.port}"
        names = dict.fromkeys(_LOOPBACK_NAMES)
        if self.hostname in _ALL_ADDRESSES:
            names |= dict.fromkeys((socket.gethostname(), socket.getfqdn()))
        elif self.hostname not in _LOOPBACK_ADDRESSES and ":" not in self.hostname:
            names[self.hostname] = None
        return tuple(f"{scheme}://{name}{port}" for name in names)

    @property
    def is_remote(self) -> bool:
        """Whether browsers on other machines reach it."""
        return self.hostname not in _LOOPBACK_ADDRESSES or _listens_on_all(self.pid, self.port)


def running_servers(environment: Mapping[str, str] = os.environ) -> tuple[JupyterServer, ...]:
    """The Jupyter servers of this user that run: the one that started this kernel, where that is known, else all."""
    found = tuple(_read_servers())
    parent = environment.get("JPY_PARENT_PID", "")
    own = tuple(server for server in found if str(server.pid) == parent)
    return own or found


def frame_origins(
    namespace: Mapping[str, Any], *, environment: Mapping[str, str] = os.environ, servers: Sequence[JupyterServer]
) -> list[str]:
    """The origins whose pages may show a portal of this notebook in a frame."""
    origins = [origin for server in servers for origin in server.origins]
    origins += map(_origin_of, (environment.get(name, "") for name in ("JUPYTERHUB_PUBLIC_URL", "JUPYTERHUB_HOST")))
    if "__vsc_ipynb_file__" in namespace or "VSCODE_PID" in environment:
        origins += _VSCODE_ORIGINS
    return list(dict.fromkeys(origin for origin in origins if origin))[:_MOST_ORIGINS]


def proxy_path(
    *, environment: Mapping[str, str] = os.environ, servers: Sequence[JupyterServer], is_installed: bool
) -> str:
    """The path of the portals below the Jupyter server, without a slash at the end; empty: they are reached directly.

    `is_installed`: whether jupyter-server-proxy is installed, as far as this process can see.
    """
    chosen = environment.get(ENV_PORTALS, "").strip().lower()
    hub = environment.get("JUPYTERHUB_SERVICE_PREFIX", "")
    if chosen == "direct":
        return ""
    if hub:
        return f"{hub.rstrip('/')}/{PROXY_NAME}"
    if len(servers) == 1 and (chosen == "proxy" or (is_installed and servers[0].is_remote)):
        return f"{servers[0].base_url.rstrip('/')}/{PROXY_NAME}"
    return ""


def hub_address(path: str, environment: Mapping[str, str] = os.environ) -> str:
    """A page of the embedded scheduler for a browser of a JupyterHub; without a known host its path. Empty: no hub."""
    if environment.get(ENV_PORTALS, "").strip().lower() == "direct":
        return ""
    prefix = environment.get("JUPYTERHUB_SERVICE_PREFIX", "").rstrip("/")
    public = (environment.get(name, "") for name in ("JUPYTERHUB_PUBLIC_URL", "JUPYTERHUB_HOST"))
    origin = next(filter(None, map(_origin_of, public)), "")
    return f"{origin}{prefix}/{PROXY_NAME}{path}" if prefix else ""


def _read_servers() -> Iterator[JupyterServer]:
    from jupyter_core.paths import jupyter_runtime_dir

    for path in sorted(Path(jupyter_runtime_dir()).glob("jpserver-*.json")):
        server = _read(path)
        if server is not None and not lock_file.has_ended(server.pid):
            yield server


def _read(path: Path) -> JupyterServer | None:
    """The server of a file; None for one that is damaged or listens on a socket of the file system."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        server = JupyterServer(
            pid=int(data["pid"]),
            port=int(data["port"]),
            hostname=str(data.get("hostname") or ""),
            secure=data.get("secure") is True,
            base_url=str(data.get("base_url") or "/"),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return server if server.port > 0 else None


def _listens_on_all(pid: int, port: int) -> bool:
    """Whether the process listens on every address: its file calls that ``localhost``."""
    import psutil

    try:
        sockets = psutil.Process(pid).net_connections(kind="tcp")
    except psutil.Error:
        return False
    addresses = {one.laddr.ip for one in sockets if one.status == psutil.CONN_LISTEN and one.laddr.port == port}
    return bool(addresses & _ALL_ADDRESSES)


def _origin_of(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") and parts.netloc else ""
