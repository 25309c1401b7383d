"""Which condition of a task no node fulfils, as a sentence for people. Pure.

The embedded scheduler says it of its slots in the log of a task, and the client of the nodes that any scheduler lists.
A task asks for a node source (``NODE_SOURCE``), for an access token (``NODE_ACCESS_TOKEN``), for several nodes at once
with a topology, and its selection scripts may refuse nodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from proactive_jupyter_kernel.workflow.model import Topology

__all__ = ["NodeFacts", "NodeWish", "unmet_condition"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """What counts of a node when a task looks for one."""

    source: str
    host: str
    #: Only tasks that show one of these may use it; empty: all tasks may.
    tokens: Sequence[str] = ()
    #: A task runs on it.
    busy: bool = False
    #: It starts no task until it is unlocked.
    locked: bool = False
    #: The task's selection scripts refused it.
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeWish:
    """What a task asks of its nodes."""

    nodes: int = 1
    #: Empty: any.
    source: str = ""
    #: Empty: only nodes without tokens.
    token: str = ""
    topology: Topology | None = None

    @property
    def described(self) -> str:
        """Which nodes the task asks for, as words after "nodes"; empty for all."""
        source = f" of the node source {self.source!r}" if self.source else ""
        return source + (f" with the token {self.token!r}" if self.token else "")


_ONE_HOST = (Topology.SINGLE_HOST, Topology.SINGLE_HOST_EXCLUSIVE)


def unmet_condition(wish: NodeWish, nodes: Sequence[NodeFacts], sources: Iterable[str] = ()) -> str:
    """The first condition that too few nodes fulfil; empty where enough are free. `sources`: also those without
    nodes."""
    if not nodes:
        return "The scheduler has no nodes."
    known = list(dict.fromkeys([*sources, *(node.source for node in nodes)]))
    if wish.source and wish.source not in known:
        return f"The scheduler has no node source {wish.source!r}. Its node sources: {', '.join(known)}."
    found = [node for node in nodes if wish.source in ("", node.source)]
    if not found:
        return f"The node source {wish.source!r} has no nodes."
    if reason := _tokens(wish, found):
        return reason
    found = [node for node in found if (wish.token in node.tokens if wish.token else not node.tokens)]
    return _too_few(wish, found) or _topology(wish, found) or _not_free(wish, found)


def _tokens(wish: NodeWish, nodes: Sequence[NodeFacts]) -> str:
    tokens = ", ".join(dict.fromkeys(token for node in nodes for token in node.tokens))
    where = f"the node source {wish.source!r}" if wish.source else "the scheduler"
    if wish.token and not any(wish.token in node.tokens for node in nodes):
        offered = f"The tokens of its nodes: {tokens}." if tokens else "None of its nodes has a token."
        return f"No node of {where} has the token {wish.token!r} (NODE_ACCESS_TOKEN). {offered}"
    if not wish.token and all(node.tokens for node in nodes):
        return f"Every node of {where} asks for an access token; set NODE_ACCESS_TOKEN to one of: {tokens}."
    return ""


def _too_few(wish: NodeWish, nodes: Sequence[NodeFacts]) -> str:
    if wish.nodes > len(nodes):
        return f"The task needs {wish.nodes} nodes{wish.described} at once; the scheduler has {len(nodes)}."
    return ""


def _topology(wish: NodeWish, nodes: Sequence[NodeFacts]) -> str:
    hosts = Counter(node.host for node in nodes)
    most = max(hosts.values())
    if wish.topology in _ONE_HOST and most < wish.nodes:
        return f"The task needs {wish.nodes} nodes{wish.described} on one host; no host has more than {most}."
    if wish.topology is Topology.DIFFERENT_HOSTS_EXCLUSIVE and len(hosts) < wish.nodes:
        return f"The task needs nodes{wish.described} on {wish.nodes} different hosts; there are {len(hosts)}."
    return ""


#: Why a node cannot be used now, and the words for it; the first that holds of a node counts.
_STATES: tuple[tuple[Callable[[NodeFacts], bool], str], ...] = (
    (lambda node: node.refused, "refused by the selection script"),
    (lambda node: node.locked, "locked"),
    (lambda node: node.busy, "busy"),
)


def _not_free(wish: NodeWish, nodes: Sequence[NodeFacts]) -> str:
    states = [next((words for holds, words in _STATES if holds(node)), "") for node in nodes]
    free = states.count("")
    if free >= wish.nodes:
        return ""
    counts = Counter(state for state in states if state)
    needs = f"; the task needs {wish.nodes}" if wish.nodes > 1 else ""
    if len(counts) == 1 and not free:
        (words,) = counts
        all_nodes, are = ("The only node", "is") if len(nodes) == 1 else (f"All {len(nodes)} nodes", "are")
        return f"{all_nodes}{wish.described} {are} {words}{needs}."
    parts = [f"{count} {'is' if count == 1 else 'are'} {words}" for words, count in counts.items()]
    if free:
        parts.insert(0, f"{free} {'is' if free == 1 else 'are'} free")
    return f"Of {len(nodes)} nodes{wish.described} {', '.join(parts)}{needs}."
