"""What tasks, checks and answers must know of the scheduler around them: its user, addresses and folders."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from urllib.parse import unquote, urlsplit

from proactive_jupyter_kernel.scheduler.access.task_keys import key_of
from proactive_jupyter_kernel.scheduler.attempt import Slot
from proactive_jupyter_kernel.workflow.model import Workflow

__all__ = ["Site", "node_url", "rest_urls", "space_folders"]

#: ``PA_<name>_REST_URL`` -> the path of the service under the server's root.
_SERVICES = {
    "SCHEDULER": "rest",
    "CATALOG": "catalog",
    "CLOUD_AUTOMATION": "cloud-automation-service",
    "JOB_PLANNER": "job-planner",
    "NOTIFICATION_SERVICE": "notification-service",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What an attempt must know of the scheduler that runs it."""

    user: str
    #: The installation folder (``PA_SCHEDULER_HOME``).
    home: str
    #: Where the server answers, such as ``http://127.0.0.1:8080``; without slash at the end.
    url: str
    #: Default folders by kind: ``global``, ``user``, ``input``, ``output``, ``cache``; absolute.
    spaces: Mapping[str, str] = field(default_factory=dict)
    #: Seconds a task may run that sets no limit itself; None: no limit.
    walltime: float | None = None
    #: What the keys of tasks are signed with; empty: tasks have no way to address the scheduler.
    secret: bytes = b""

    def services(self, job_id: int, task_id: int) -> dict[str, str]:
        """Where scripts of a task find channels and signals, and the key to them; empty if there are none."""
        if not self.secret:
            return {}
        return {"url": f"{self.url}/rest/task", "key": key_of(self.secret, job_id, task_id)}


@functools.lru_cache(maxsize=8)
def rest_urls(url: str) -> Mapping[str, str]:
    """``PA_SCHEDULER_REST_URL`` and its kin, known to references at submission already.

    The embedded server answers for all of the services, and refuses what belongs to those that it does not have.
    """
    return {
        f"PA_{name}_REST_{kind}": f"{url}/{path}" for name, path in _SERVICES.items() for kind in ("URL", "PUBLIC_URL")
    }


def node_url(site: Site, slot: Slot) -> str:
    """A name as a node's URL looks; nothing listens there, tasks only compare it."""
    return f"{site.url}/rm/nodes/{slot.name}"


def space_folders(workflow: Workflow, site: Site, owner: str, task_id: int) -> dict[str, str]:
    """``globalspace``, ``userspace``, ``inputspace``, ``outputspace``, ``cachespace`` -> absolute folder.

    A job's own address wins over the default. ``TASKID`` in the input's or output's stands for a folder a task.
    """
    named = (
        ("global", workflow.global_space),
        ("user", workflow.user_space),
        ("input", workflow.input_space.replace("TASKID", str(task_id))),
        ("output", workflow.output_space.replace("TASKID", str(task_id))),
    )
    return dict(_folders(named, tuple(site.spaces.items()), owner))


@functools.lru_cache(maxsize=64)
def _folders(
    named: tuple[tuple[str, str], ...], defaults: tuple[tuple[str, str], ...], owner: str
) -> Mapping[str, str]:
    """Cached: all tasks of a job have the same folders, unless an address contains ``TASKID``."""
    own = dict(named)
    folders: dict[str, str] = {}
    for kind, folder in defaults:
        default = folder if kind in ("global", "cache") else str(PurePath(folder, owner))
        folders[f"{kind}space"] = _local_path(own.get(kind, ""), default)
    return folders


def _local_path(url: str, default: str) -> str:
    """The folder of a ``file:`` URL or a path; a relative path lies in the default folder.

    An address of another kind stays what it is: scripts see it, and carrying files says that it cannot be reached.
    """
    if not url:
        return default
    if re.match(r"(?!file:)[A-Za-z][A-Za-z0-9+.-]+:", url):
        return url
    path = unquote(urlsplit(url).path) if url.startswith("file:") else url
    return path if PurePath(path).is_absolute() else str(PurePath(default, path))
