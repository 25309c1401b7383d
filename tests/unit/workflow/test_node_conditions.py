"""Which condition of a task no node fulfils."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.workflow.model import Topology
from proactive_jupyter_kernel.workflow.node_conditions import NodeFacts, NodeWish, unmet_condition

DEFAULT = NodeFacts(source="Default", host="mars")
BUSY = NodeFacts(source="Default", host="mars", busy=True)
LOCKED = NodeFacts(source="Default", host="mars", locked=True)
REFUSED = NodeFacts(source="Default", host="mars", refused=True)
GPU = NodeFacts(source="gpu", host="venus", tokens=("cuda", "team"))


@pytest.mark.parametrize(
    ("wish", "nodes", "sentence"),
    [
        (NodeWish(), (), "The scheduler has no nodes."),
        (NodeWish(), (DEFAULT,), ""),
        (NodeWish(token="cuda"), (DEFAULT, GPU), ""),
        (
            NodeWish(source="moon"),
            (DEFAULT, GPU),
            "The scheduler has no node source 'moon'. Its node sources: cloud, Default, gpu.",
        ),
        (NodeWish(source="cloud"), (DEFAULT,), "The node source 'cloud' has no nodes."),
        (
            NodeWish(token="gold"),
            (DEFAULT, GPU),
            "No node of the scheduler has the token 'gold' (NODE_ACCESS_TOKEN). The tokens of its nodes: cuda, team.",
        ),
        (
            NodeWish(source="Default", token="cuda"),
            (DEFAULT, GPU),
            "No node of the node source 'Default' has the token 'cuda' (NODE_ACCESS_TOKEN). "
            "None of its nodes has a token.",
        ),
        (
            NodeWish(source="gpu"),
            (DEFAULT, GPU),
            "Every node of the node source 'gpu' asks for an access token; "
            "set NODE_ACCESS_TOKEN to one of: cuda, team.",
        ),
        (NodeWish(nodes=3), (DEFAULT, BUSY, GPU), "The task needs 3 nodes at once; the scheduler has 2."),
        (
            NodeWish(nodes=2, source="gpu", token="cuda"),
            (DEFAULT, GPU),
            "The task needs 2 nodes of the node source 'gpu' with the token 'cuda' at once; the scheduler has 1.",
        ),
        (
            NodeWish(nodes=2, topology=Topology.SINGLE_HOST),
            (DEFAULT, NodeFacts(source="Default", host="venus")),
            "The task needs 2 nodes on one host; no host has more than 1.",
        ),
        (
            NodeWish(nodes=2, topology=Topology.DIFFERENT_HOSTS_EXCLUSIVE),
            (DEFAULT, DEFAULT),
            "The task needs nodes on 2 different hosts; there are 1.",
        ),
        (NodeWish(), (BUSY,), "The only node is busy."),
        (NodeWish(), (LOCKED, LOCKED, GPU), "All 2 nodes are locked."),
        (NodeWish(source="Default"), (BUSY, BUSY), "All 2 nodes of the node source 'Default' are busy."),
        (
            NodeWish(),
            (BUSY, LOCKED, REFUSED, BUSY),
            "Of 4 nodes 2 are busy, 1 is locked, 1 is refused by the selection script.",
        ),
        (NodeWish(nodes=2), (DEFAULT, BUSY), "Of 2 nodes 1 is free, 1 is busy; the task needs 2."),
    ],
)
def test_the_first_unmet_condition_is_named(wish: NodeWish, nodes: tuple[NodeFacts, ...], sentence: str) -> None:
    """Source, token, number, topology, then what keeps the nodes; nothing where enough nodes are free."""
    assert unmet_condition(wish, nodes, ["cloud"] if nodes else []) == sentence
