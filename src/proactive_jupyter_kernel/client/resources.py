"""The nodes of a scheduler, and the names that a job can ask for: node sources, hosts and access tokens.

Names come from the variable models of ``/rm/model/*``, which need little of a server, and nodes from
``GET /rm/monitoring`` (``RMRestInterface.java``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from proactive_jupyter_kernel.client.transport import Response
from proactive_jupyter_kernel.errors import SchedulerError, SchedulerUnreachable, UnknownResource, did_you_mean

__all__ = ["KINDS", "Node", "check_name", "model_names", "names_of", "nodes_of"]

#: What a job can ask for -> its model under ``/rm/model``, and the words for one of it.
KINDS: Mapping[str, tuple[str, str]] = {
    "node_source": ("nodesources", "node source"),
    "host": ("hosts", "host"),
    "token": ("tokens", "access token"),
}
#: Names that a message lists; of more it gives the number.
_MOST_NAMES = 12


class RestReader(Protocol):
    """The scheduler, as far as it is needed here; `Scheduler` is one."""

    def ask(self, *path: str | int, doing: str, query: Mapping[str, str] | None = None) -> Response:
        """The answer to ``GET`` on a path of the REST API."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node (``RMNodeEvent``)."""

    url: str
    source: str = ""
    host: str = ""
    #: The server's constant: ``FREE``, ``BUSY``, ``DOWN``, ``LOST``, ``DEPLOYING`` and others.
    state: str = ""
    #: It starts no task until it is unlocked.
    locked: bool = False
    #: Only tasks that show one of these run on it; empty: all tasks may.
    tokens: tuple[str, ...] = ()
    #: What runs on it, such as ``job 7, task Train``; empty where nothing does or the server does not say.
    usage: str = ""

    @property
    def name(self) -> str:
        """The last part of its address."""
        return self.url.rstrip("/").rpartition("/")[2]

    @property
    def is_usable(self) -> bool:
        """Whether it can run a task now or when its present task has ended."""
        return self.state in ("FREE", "BUSY")

    @property
    def is_free(self) -> bool:
        """Whether it could start a task now."""
        return self.state == "FREE" and not self.locked

    @property
    def shown_state(self) -> str:
        """Its state in words."""
        words = self.state.replace("_", " ").capitalize()
        return f"{words}, locked" if self.locked else words


def nodes_of(scheduler: RestReader) -> tuple[Node, ...]:
    """All nodes, ordered by node source, host and name."""
    answer = scheduler.ask("rm", "monitoring", doing="list its nodes").json()
    events = answer.get("nodesEvents") if isinstance(answer, dict) else None
    found = [_node(event) for event in events or () if isinstance(event, dict)]
    alive = [node for node in found if node is not None]
    return tuple(sorted(alive, key=lambda node: (node.source, node.host, _natural(node.name))))


def _natural(name: str) -> tuple[str, int]:
    """Lets ``node-10`` follow ``node-9``."""
    stem = name.rstrip("0123456789")
    return stem, int(name[len(stem) :][:18] or 0)


def _node(event: Mapping[str, Any]) -> Node | None:
    if event.get("eventType") == "NODE_REMOVED" or not event.get("nodeUrl"):
        return None
    return Node(
        url=str(event["nodeUrl"]),
        source=str(event.get("nodeSource") or ""),
        host=str(event.get("hostName") or ""),
        state=str(event.get("nodeState") or ""),
        locked=event.get("locked") is True,
        tokens=tuple(map(str, event.get("tokens") or ())),
        usage=_usage(event.get("usageInfo")),
    )


def _usage(info: object) -> str:
    if not isinstance(info, dict):
        return ""
    words = ((word, info.get(key)) for word, key in (("job", "JOB_ID"), ("task", "TASK_NAME")))
    return ", ".join(f"{word} {value}" for word, value in words if value)


def model_names(text: str) -> list[str] | None:
    """The names of ``PA:LIST(,a,b)``, without the empty choice; None if the text is not such a list."""
    text = text.strip().strip('"')
    if text.startswith("PA:REGEXP"):
        return []  # how servers before 14 write an empty list
    if not (text.startswith("PA:LIST(") and text.endswith(")")):
        return None
    return [name for name in text[len("PA:LIST(") : -1].split(",") if name]


def names_of(scheduler: RestReader, kind: str) -> tuple[str, ...]:
    """The node sources, hosts or tokens that a job can ask for; `kind` is a key of `KINDS`.

    A server without models, before 11, is asked for its nodes instead.
    """
    model, words = KINDS[kind]
    try:
        names = model_names(scheduler.ask("rm", "model", model, doing=f"list its {words}s").text)
    except SchedulerUnreachable:
        raise
    except SchedulerError:
        names = None
    return tuple(names) if names is not None else _from_nodes(nodes_of(scheduler), kind)


def _from_nodes(nodes: Sequence[Node], kind: str) -> tuple[str, ...]:
    found: Mapping[str, Iterable[str]] = {
        "node_source": (node.source for node in nodes),
        "host": (node.host for node in nodes),
        "token": (token for node in nodes for token in node.tokens),
    }
    return tuple(sorted({name for name in found[kind] if name}))


def check_name(scheduler: RestReader, kind: str, name: str) -> None:
    """Raise `UnknownResource`, with a proposal, where the scheduler has no node source, host or token of this name.

    A name with a reference (``${NAME}``) is not checked, and neither is any where the scheduler cannot list them.
    """
    if "$" in name:
        return
    try:
        known = names_of(scheduler, kind)
    except SchedulerUnreachable:
        raise
    except SchedulerError:
        return
    given = {one.lower() for one in known} if kind == "host" else set(known)
    if (name.lower() if kind == "host" else name) in given:
        return
    words = KINDS[kind][1]
    if not known:
        without = "no node with an access token" if kind == "token" else f"no {words} at the moment"
        raise UnknownResource(f"The scheduler has {without}.")
    more = f" and {len(known) - _MOST_NAMES} more" if len(known) > _MOST_NAMES else ""
    listed = ", ".join(known[:_MOST_NAMES]) + more
    near = did_you_mean(name, known)
    raise UnknownResource(
        f"The scheduler has no {words} {name!r}. Its {words}s: {listed}.",
        hint=near if near.endswith("?") else "",
    )
