"""The portals of a scheduler: their addresses, and links that log a browser in to those of the embedded scheduler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from proactive_jupyter_kernel.client.transport import Response
from proactive_jupyter_kernel.errors import SchedulerError, SetupError

__all__ = ["JOBS", "NODES", "PORTALS", "SUBMIT", "Portal", "address_of", "job_path", "links", "root_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """One portal."""

    #: How the command line calls it.
    name: str
    #: What it is, for the text beside it.
    title: str
    #: Its path on the embedded scheduler.
    path: str
    #: Its path on a ProActive server, where it differs.
    server_path: str = ""

    def path_on(self, *, server: bool) -> str:
        """Its path on a ProActive server, or on the embedded scheduler."""
        return self.server_path if server and self.server_path else self.path


JOBS = Portal(name="jobs", title="Scheduling portal", path="/scheduler/")
NODES = Portal(name="nodes", title="Resource manager portal", path="/rm/")
SUBMIT = Portal(
    name="submit",
    title="Workflow automation portal",
    path="/automation-dashboard/",
    server_path="/automation-dashboard/#/workflow-execution/",
)
PORTALS: Mapping[str, Portal] = {portal.name: portal for portal in (JOBS, NODES, SUBMIT)}


class RestPoster(Protocol):
    """The scheduler, as far as it is needed here; `SchedulerApi` is one."""

    @property
    def address(self) -> str:
        """Where it is, such as ``http://host:8080``."""
        ...

    def post_json(self, path: str, data: Any, *, doing: str) -> Response:
        """The answer to ``POST`` with a JSON body."""
        ...


def job_path(job_id: int) -> str:
    """The page of a job on the embedded scheduler."""
    return f"{JOBS.path}jobs/{job_id}"


def root_of(host: str) -> str:
    """The root URL of a server by its host, for links alone.

    As the reference kernel reads it: a host, perhaps with a port or a path, stands for ``https://HOST``; a whole
    address stands for itself. Raises `SetupError`.
    """
    text = host.strip().rstrip("/").removesuffix("/rest")
    url = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(url)
        _ = parts.port
        valid = parts.scheme in ("http", "https") and parts.hostname is not None and not any(map(str.isspace, url))
    except ValueError:
        valid = False
    if not valid:
        raise SetupError(f"{host!r} is not a host.", hint="Write host=HOST, host=HOST:PORT or host=https://HOST:PORT.")
    if parts.username or parts.password:
        raise SetupError("The host contains a login.", hint="The portal asks for it; remove it from the host.")
    return url


def address_of(root: str, path: str) -> str:
    """The plain address of a page; it holds no login."""
    return root.rstrip("/") + path


def links(
    scheduler: RestPoster, path: str, *, origins: Sequence[str] = (), count: int = 1, seconds: float | None = None
) -> list[str]:
    """Addresses of a page of the embedded scheduler that log in, each one time and for a short time.

    ``POST /portal/links``. `origins` are those of the pages whose frames may show it; without any it is for a tab.
    `seconds`: how long they are good for; None: as the scheduler says.
    """
    data: dict[str, Any] = {"path": path, "origins": list(origins), "count": count}
    if seconds is not None:
        data["seconds"] = seconds
    answer = scheduler.post_json("/portal/links", data, doing="make a link to its portal").json()
    found = answer.get("links") if isinstance(answer, dict) else None
    if not isinstance(found, list) or not found or not all(isinstance(link, str) for link in found):
        raise SchedulerError(f"{scheduler.address} has no portal that this kernel can open.")
    # A scheduler behind a tunnel is reached at the address that the client has for it.
    return [address_of(scheduler.address, _local_part(link)) for link in found]


def _local_part(link: str) -> str:
    """Path and query of a link."""
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
